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
