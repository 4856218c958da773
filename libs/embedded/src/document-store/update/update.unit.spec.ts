// What an update makes of a document, before it is stored.
import { expect, test } from '@jest/globals'
import { Int32 } from 'bson'
import { decode, type Document, encode } from '../bson/value'
import { updated } from '../commands/writes'
import { storable } from '../keyspace/documents'
import { parseFilter } from '../query/filter'
import { applyUpdate, parseUpdate, type Update, upserted } from './update'

const one = new Int32(1)

function farPositions(): { document: Document; update: Update } {
  const names = Array.from({ length: 300 }, (_, i) => `t${i}`)
  const far = names.map(name => [`${name}.1500000`, one])
  return {
    document: { _id: one, ...Object.fromEntries(names.map(name => [name, []])) },
    update: parseUpdate({ $set: Object.fromEntries(far) as Document }),
  }
}

test('positions far beyond the ends of many arrays hold no memory, and make no document', () => {
  const { document, update } = farPositions()
  const before = process.memoryUsage().heapUsed
  const after = applyUpdate(update, document)
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(100_000_000)
  expect(() => encode(after)).toThrow('is invalid')
})

test('what is far too large is refused in short time', () => {
  const { document, update } = farPositions()
  const start = performance.now()
  expect(() => updated(storable(document), update)).toThrow('is invalid')
  expect(performance.now() - start).toBeLessThan(5_000)
})

test('an _id that would become far too large is refused in short time', () => {
  const far = Array.from({ length: 120 }, (_, i) => [`_id.a.${(i + 1) * 1_500_000}`, one])
  const update = parseUpdate({ $set: Object.fromEntries(far) as Document })
  const start = performance.now()
  expect(() => applyUpdate(update, { _id: { a: [] } })).toThrow('immutable')
  expect(performance.now() - start).toBeLessThan(5_000)
})

test('what is skipped in an array is null, also in one that an upsert takes from its filter', () => {
  const document = upserted(parseUpdate({ $set: { 'a.3': one } }), parseFilter({ _id: one, a: { $eq: [one] } }))
  expect(decode(encode(document))).toEqual({ _id: one, a: [one, null, null, one] })
})

test('an upsert stores nothing of its filter that no document may have', () => {
  const upsert = (filter: Document) => upserted(parseUpdate({ $set: { b: one } }), parseFilter(filter))
  expect(() => upsert({ a: { $eq: { x: { $y: one } } } })).toThrow('dollar')
})
