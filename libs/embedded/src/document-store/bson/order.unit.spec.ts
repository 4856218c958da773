// The order over values and the bytes that keep it agree, for values of all types.
import { expect, test } from '@jest/globals'
import { Binary, Double, Int32, Long, MaxKey, MinKey, ObjectId } from 'bson'
import fc from 'fast-check'
import { compare, keyOf, KeyWriter } from './order'
import { isDocument, kindOf, rank, type Value } from './value'

const numbers = fc.oneof(
  fc.integer().map(value => new Int32(value)),
  fc.double().map(value => new Double(value)),
  fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map(value => Long.fromBigInt(value)),
  // Around 2^53 and 2^63, where doubles have gaps.
  fc.integer({ min: -3, max: 3 }).map(rest => Long.fromBigInt(2n ** 53n + BigInt(rest))),
  fc
    .constantFrom(0, -0, NaN, Infinity, -Infinity, 2 ** 53, -(2 ** 53), 2 ** 63, -(2 ** 63))
    .map(value => new Double(value)),
  fc.constantFrom(Long.MAX_VALUE, Long.MIN_VALUE),
)
const strings = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('', '\0', 'a', 'a\0', 'a\0b', '\uffff', '😀', 'ab'),
)
const scalars: fc.Arbitrary<Value> = fc.oneof(
  numbers,
  strings,
  fc.boolean(),
  fc.constantFrom<Value>(null, new MinKey(), new MaxKey()),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ minLength: 12, maxLength: 12 }).map(bytes => new ObjectId(bytes)),
  fc.uint8Array({ maxLength: 4 }).map(bytes => new Binary(bytes)),
)
const values = fc.letrec<{ value: Value }>(tie => ({
  value: fc.oneof(
    { weight: 4, arbitrary: scalars },
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'ab'), tie('value'), { maxKeys: 3 }),
  ),
})).value

/** Arrays element by element; documents field by field, the type of the value first, then the name, then the value. */
function inWords(a: Value, b: Value): number {
  if (Array.isArray(a) && Array.isArray(b)) {
    const at = a.findIndex((item, i) => i >= b.length || inWords(item, b[i]) !== 0)
    return at < 0 ? a.length - b.length : at >= b.length ? 1 : inWords(a[at], b[at])
  }
  if (!isDocument(a) || !isDocument(b)) return compare(a, b)
  const parts = (document: object) =>
    Object.entries(document).flatMap(([name, value]: [string, Value]) => [new Int32(rank[kindOf(value)]), name, value])
  return inWords(parts(a), parts(b))
}

test('bytes are in the order of values', () => {
  fc.assert(
    fc.property(values, values, (a, b) => {
      expect(Math.sign(keyOf(a).compare(keyOf(b)))).toBe(Math.sign(inWords(a, b)))
      expect(Math.sign(compare(a, b))).toBe(Math.sign(inWords(a, b)))
    }),
    { numRuns: 3_000 },
  )
})

test('the order is antisymmetric and transitive over numbers of all types', () => {
  fc.assert(
    fc.property(fc.array(numbers, { minLength: 3, maxLength: 3 }), trio => {
      const [a, b, c] = trio.sort(compare) as [Value, Value, Value]
      expect(compare(a, c)).toBeLessThanOrEqual(0)
      expect(Math.sign(compare(b, a))).toBe(-Math.sign(compare(a, b)) + 0)
    }),
  )
})

test('no key is the beginning of another, so that compound keys keep the order', () => {
  const compound = (a: Value, b: Value, directions: [1 | -1, 1 | -1]) => {
    const writer = new KeyWriter()
    writer.component(a, directions[0])
    writer.component(b, directions[1])
    return writer.bytes()
  }
  fc.assert(
    fc.property(
      values,
      values,
      values,
      values,
      fc.constantFrom<1 | -1>(1, -1),
      fc.constantFrom<1 | -1>(1, -1),
      (a, b, c, d, x, y) => {
        const expected = compare(a, c) * x || compare(b, d) * y || 0 // and not -0
        expect(Math.sign(compound(a, b, [x, y]).compare(compound(c, d, [x, y])))).toBe(Math.sign(expected))
      },
    ),
    { numRuns: 2_000 },
  )
})
