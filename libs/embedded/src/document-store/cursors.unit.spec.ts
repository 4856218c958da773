// Batches of a query: all of what it finds, or an error, and nothing that looks like an end and is none.
import { expect, it } from '@jest/globals'
import { Cursors } from './cursors'
import { type Transaction } from './keyspace/engine'
import { examining } from './query/scan'

const document = Buffer.alloc(8)

function* failing(found: number): Generator<Buffer, void> {
  for (let n = 0; n < found; n++) yield document
  throw new Error('damaged')
}

it('closes a cursor whose query fails: asked once more it is not found', () => {
  const cursors = new Cursors()
  const first = cursors.start('test.docs', failing(3), 1, false, examining())
  expect(first.documents).toHaveLength(1)
  expect(first.id).not.toBe(0n)
  expect(cursors.more(first.id, 'test.docs', 1)).toEqual({ documents: [document], id: first.id })
  expect(() => cursors.more(first.id, 'test.docs', 1)).toThrow('damaged')
  expect(() => cursors.more(first.id, 'test.docs', 1)).toThrow(`cursor id ${first.id} not found`)
})

it('gives the time that it may take to the batches together', () => {
  const cursors = new Cursors()
  const progress = examining(performance.now() + 60_000)
  const { id } = cursors.start('test.docs', failing(3), 1, false, progress)
  progress.until = 0
  cursors.more(id, 'test.docs', 1)
  expect(progress.until).toBeGreaterThan(performance.now() + 30_000)
  expect(progress.until).toBeLessThanOrEqual(performance.now() + 60_000)
})

it('closes the one that was not used for longest when what they hold is too much, also after a further batch', () => {
  const cursors = new Cursors()
  const open = Array.from({ length: 3 }, () => {
    const progress = examining()
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

it('gives at most 16 MiB in a batch, and at least one document', () => {
  const cursors = new Cursors()
  const [large, largest] = [7, 16].map(mebibytes => Buffer.alloc(mebibytes * 1024 * 1024))
  const source = [large!, large!, large!, largest!][Symbol.iterator]()
  const { documents, id } = cursors.start('test.docs', source, 9, false, examining())
  const further = [1, 2].map(() => cursors.more(id, 'test.docs', 9))
  expect([documents, ...further.map(batch => batch.documents)].map(({ length }) => length)).toEqual([2, 1, 1])
  expect(further[1]!.id).toBe(0n)
})

it('keeps the cursor of a transaction, and that of a collection, for these alone', () => {
  const cursors = new Cursors()
  const [own, other] = [{}, {}] as Transaction[]
  const { id } = cursors.start('test.docs', failing(3), 1, false, examining(), { transaction: own })
  for (const transaction of [undefined, other])
    expect(() => cursors.more(id, 'test.docs', 1, { transaction })).toThrow('Cannot run getMore')
  expect(() => cursors.more(id, 'test.others', 1, { transaction: own })).toThrow('belongs to a different namespace')
  expect(cursors.more(id, 'test.docs', 1, { transaction: own }).documents).toHaveLength(1)
})

it('closes those that were not used for long', () => {
  const cursors = new Cursors()
  const { id } = cursors.start('test.docs', failing(3), 1, false, examining())
  cursors.closeIdle()
  expect(cursors.more(id, 'test.docs', 1).id).toBe(id)
  cursors.closeIdle(0)
  expect(() => cursors.more(id, 'test.docs', 1)).toThrow('not found')
})
