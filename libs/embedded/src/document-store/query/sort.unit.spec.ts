// What a sort without an index holds is bounded, however many documents there are.
import { expect, it } from '@jest/globals'
import { encode } from '../bson/value'
import { keyPart } from '../index/keys'
import { StoredDocument } from '../keyspace/documents'
import { examining } from './scan'
import { sorted } from './sort'

const bytes = encode({ filler: 'x'.repeat(1024 * 1024) })
const many = Array.from({ length: 101 }, (_, n) => new StoredDocument(Buffer.of(n), bytes))

it('refuses to hold more than 100 MiB', () => {
  const all = () => [...sorted(many, [keyPart('n', 1)], examining())]
  expect(all).toThrow(expect.objectContaining({ codeName: 'QueryExceededMemoryLimitNoDiskUseAllowed' }))
})

it('holds only the first so many when no more are wanted', () => {
  const examined = examining()
  const first = sorted(many, [keyPart('n', 1)], examined, 2)
  expect(first.next().value).toBe(many[0])
  expect(examined.held).toBeLessThan(3 * bytes.length)
})
