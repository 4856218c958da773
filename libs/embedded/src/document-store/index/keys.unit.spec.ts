// What is indexed of a document's bytes must be what is indexed of the document.
import { describe, expect, it } from '@jest/globals'
import { Double, Int32, Long, ObjectId, serialize } from 'bson'
import {
  array,
  assert,
  boolean,
  constant,
  constantFrom,
  date,
  dictionary,
  double,
  integer,
  letrec,
  maxSafeInteger,
  oneof,
  property,
  record,
  string,
} from 'fast-check'
import { keyOf } from '../bson/order'
import { namedElements, namesOf } from '../bson/raw'
import { decodeStored, type Document, type Value } from '../bson/value'
import { extractKeys, keyPart, plainEntry, storedPattern } from './keys'

const NAMES = ['a', 'b', 'ä', '_id'] as const
const { document } = letrec<{ value: Value; document: Document }>(tie => ({
  value: oneof(
    { maxDepth: 2 },
    string({ unit: 'grapheme', maxLength: 8 }),
    constantFrom('', 'a\0b', 'x'.repeat(300), null),
    boolean(),
    date({ noInvalidDate: true }),
    double().map(value => new Double(value)),
    constantFrom(NaN, -0, Infinity, 2 ** 53, 2 ** 60).map(value => new Double(value)),
    integer().map(value => new Int32(value)),
    maxSafeInteger().map(value => Long.fromNumber(value)),
    constantFrom(Long.MAX_VALUE, Long.MIN_VALUE, Long.fromString('9007199254740993')),
    constant(new ObjectId('0123456789abcdef01234567')),
    array(tie('value'), { maxLength: 3 }),
    tie('document'),
  ),
  document: dictionary(constantFrom(...NAMES), tie('value'), { noNullPrototype: true }),
}))
const path = array(constantFrom(...NAMES), { minLength: 1, maxLength: 3 }).map(steps => steps.join('.'))
const pattern = array(record({ path, direction: constantFrom(1 as const, -1 as const) }), {
  minLength: 1,
  maxLength: 3,
})
const LONGEST = 200

describe('an index entry made of bytes', () => {
  it('is the only one that the decoded document has, or none is made', () => {
    let made = 0
    assert(
      property(document, pattern, (whole, parts) => {
        const bytes = Buffer.from(serialize(whole))
        const keys = parts.map(part => keyPart(part.path, part.direction))
        const names = namesOf(keys.map(key => key.path[0]!))
        const elements = namedElements(bytes, names)!
        const [prefix, suffix] = [Buffer.from('prefix '), keyOf('suffix')]
        const entry = plainEntry(prefix, bytes, storedPattern(keys, names), elements, LONGEST, suffix)
        if (!entry) return
        made++
        const decoded = extractKeys(decodeStored(bytes), keys)
        expect(decoded.arrays.size).toBe(0)
        expect(decoded.keys.map(key => Buffer.concat([prefix, key, suffix]).toString('hex'))).toEqual([
          entry.toString('hex'),
        ])
      }),
      { numRuns: 2_000 },
    )
    expect(made).toBeGreaterThan(500)
  })

  it('is not made of arrays, of values beyond what fits, and of rare types', () => {
    const entryOf = (whole: object) => {
      const bytes = Buffer.from(serialize(whole))
      const names = namesOf(['a'])
      const parts = storedPattern([keyPart('a.b', 1)], names)
      return plainEntry(Buffer.alloc(0), bytes, parts, namedElements(bytes, names)!, LONGEST, undefined)
    }
    expect(entryOf({ a: { b: 'x' } })).toEqual(keyOf('x'))
    expect(entryOf({ a: 1 })).toEqual(keyOf(null))
    for (const odd of [
      { a: [{ b: 'x' }] },
      { a: { b: [] } },
      { a: { b: 'x'.repeat(200) } },
      { a: { b: new ObjectId() } },
    ])
      expect(entryOf(odd)).toBeUndefined()
  })
})

describe('the keys of a document', () => {
  it('are refused when a long value stands in too many of them', () => {
    const [s, t] = ['x'.repeat(30_000), Array.from({ length: 5_000 }, (_, i) => new Int32(i))]
    const pattern = [keyPart('s', 1), keyPart('t', 1)]
    expect(() => extractKeys({ s, t }, pattern)).toThrow(expect.objectContaining({ codeName: 'KeyTooLong' }))
    expect(extractKeys({ s, t: t.slice(0, 1_000) }, pattern).keys).toHaveLength(1_000)
  })
})
