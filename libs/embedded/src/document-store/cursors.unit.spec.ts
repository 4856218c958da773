// Batches of a query: all of what it finds, or an error, and nothing that looks like an end and is none.
import { expect, it } from '@jest/globals'
import { Cursors } from './cursors'

const document = Buffer.alloc(8)

function* failing(found: number): Generator<Buffer, void> {
  for (let n = 0; n < found; n++) yield document
  throw new Error('damaged')
}

it('closes a cursor whose query fails: asked once more it is not found', () => {
  const cursors = new Cursors()
  const first = cursors.start('test.docs', failing(3), 1, false, { held: 0, until: Infinity })
  expect(first.documents).toHaveLength(1)
  expect(first.id).not.toBe(0n)
  expect(cursors.more(first.id, 'test.docs', 1)).toEqual({ documents: [document], id: first.id })
  expect(() => cursors.more(first.id, 'test.docs', 1)).toThrow('damaged')
  expect(() => cursors.more(first.id, 'test.docs', 1)).toThrow(`cursor id ${first.id} not found`)
})

it('gives the time that it may take to the batches together', () => {
  const cursors = new Cursors()
  const progress = { held: 0, until: performance.now() + 60_000 }
  const { id } = cursors.start('test.docs', failing(3), 1, false, progress)
  progress.until = 0
  cursors.more(id, 'test.docs', 1)
  expect(progress.until).toBeGreaterThan(performance.now() + 30_000)
  expect(progress.until).toBeLessThanOrEqual(performance.now() + 60_000)
})

it('closes the one that was not used for longest when what they hold is too much, also after a further batch', () => {
  const cursors = new Cursors()
  const open = Array.from({ length: 3 }, () => {
    const progress = { held: 0, until: Infinity }
    return { progress, id: cursors.start('test.docs', failing(9), 1, false, progress).id }
  })
  const more = (cursor: number) => cursors.more(open[cursor]!.id, 'test.docs', 1)
  for (const cursor of [1, 0, 2]) {
    open[cursor]!.progress.held = 100 * 1024 * 1024
    expect(more(cursor).id).toBe(open[cursor]!.id)
  }
  expect(() => more(1)).toThrow('not found')
  expect(more(0).documents).toHaveLength(1)
  expect(more(2).documents).toHaveLength(1)
})
