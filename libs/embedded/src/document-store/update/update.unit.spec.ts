// What an update makes of a document, before it is stored.
import { expect, test } from '@jest/globals'
import { Int32 } from 'bson'
import { decode, type Document, encode } from '../bson/value'
import { parseFilter } from '../query/filter'
import { applyUpdate, parseUpdate, upserted } from './update'

const one = new Int32(1)

test('positions far beyond the ends of many arrays hold no memory, and make no document', () => {
  const names = Array.from({ length: 300 }, (_, i) => `t${i}`)
  const document: Document = Object.fromEntries(names.map(name => [name, []]))
  const update = parseUpdate({ $set: Object.fromEntries(names.map(name => [`${name}.1500000`, one])) })
  const before = process.memoryUsage().heapUsed
  const after = applyUpdate(update, document)
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(100_000_000)
  expect(() => encode(after)).toThrow('is invalid')
})

test('what is skipped in an array is null, also in one that an upsert takes from its filter', () => {
  const document = upserted(parseUpdate({ $set: { 'a.3': one } }), parseFilter({ _id: one, a: { $eq: [one] } }))
  expect(decode(encode(document))).toEqual({ _id: one, a: [one, null, null, one] })
})

test('an upsert stores nothing of its filter that no document may have', () => {
  const upsert = (filter: Document) => upserted(parseUpdate({ $set: { b: one } }), parseFilter(filter))
  expect(() => upsert({ a: { $eq: { x: { $y: one } } } })).toThrow('dollar')
})
