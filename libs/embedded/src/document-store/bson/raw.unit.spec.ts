// What is stored as it came must be what decoding and encoding would have stored.
import { describe, expect, it } from '@jest/globals'
import { Decimal128, Double, Int32, Long, ObjectId, serialize } from 'bson'
import {
  array,
  constant,
  dictionary,
  assert,
  boolean,
  constantFrom,
  date,
  double,
  integer,
  letrec,
  nat,
  oneof,
  property,
  string,
  tuple,
} from 'fast-check'
import { idTextOf, isPlain, namedElements, namesOf, picked } from './raw'
import { checkStorable, decode, decodeStored, type Document, encode, type Value } from './value'

// JavaScript moves names that look like numbers to the front of an object; bytes keep their order.
const names = oneof(
  { weight: 20, arbitrary: string({ maxLength: 8 }) },
  { weight: 1, arbitrary: string({ unit: 'grapheme', maxLength: 8 }) },
).filter(name => !/^\d+$/.test(name) && name !== '__proto__')
const { document } = letrec<{ value: Value; document: Document }>(tie => ({
  value: oneof(
    { maxDepth: 4 },
    string({ unit: 'grapheme' }),
    constantFrom(null, 'x'.repeat(100), 'ä'.repeat(60)),
    boolean(),
    date({ noInvalidDate: true }),
    double().map(value => new Double(value)),
    integer().map(value => new Int32(value)),
    integer().map(value => Long.fromNumber(value)),
    constant(new ObjectId('0123456789abcdef01234567')),
    array(tie('value'), { maxLength: 12 }),
    tie('document'),
  ),
  document: dictionary(names, tie('value'), { maxKeys: 8, noNullPrototype: true }),
}))
const stored = tuple(string({ unit: 'grapheme' }), document).map(([_id, rest]) =>
  Buffer.from(serialize({ _id, ...rest, ...(Object.hasOwn(rest, '_id') && { _id }) })),
)

describe('a document as bytes', () => {
  it('is what decoding and encoding it gives, when it is kept as it came', () => {
    let plain = 0
    assert(
      property(stored, bytes => {
        if (!isPlain(bytes)) return
        plain++
        const decoded = decode(bytes)
        checkStorable(decoded)
        expect(encode(decoded).equals(bytes)).toBe(true)
        expect(idTextOf(bytes)).toBe(decoded['_id'])
      }),
    )
    expect(plain).toBeGreaterThan(20)
  })

  it('is refused by the decoder whenever it is refused at all: no damage passes as plain', () => {
    assert(
      property(stored, nat(), nat({ max: 255 }), (bytes, place, byte) => {
        const damaged = Buffer.from(bytes)
        damaged[place % damaged.length] = byte
        if (isPlain(damaged)) checkStorable(decode(damaged))
      }),
      { numRuns: 2_000 },
    )
  })

  it('shows some of its fields as the whole one has them', () => {
    assert(
      property(stored, array(names, { maxLength: 3 }), (bytes, some) => {
        const whole = decodeStored(bytes)
        const wanted = [...some, ...Object.keys(whole).slice(0, 2)]
        const expected = Object.fromEntries(Object.entries(whole).filter(([name]) => wanted.includes(name)))
        const elements = namedElements(bytes, namesOf(wanted))!
        expect(decodeStored(picked(bytes, elements))).toEqual(expected)
      }),
    )
  })

  it.each([
    ['an operator for a name', { _id: 'a', b: [{ $c: 1 }] }],
    ['a number for its _id', { _id: 1 }],
    ['its _id in another place', { a: 1, _id: 'b' }],
    ['a type that is not held', { _id: 'a', d: Decimal128.fromString('1') }],
  ])('is decoded when it has %s', (_, document) => {
    expect(isPlain(Buffer.from(serialize(document)))).toBe(false)
  })

  it('is refused when it has a date that JavaScript has not, which an update would write as another one', () => {
    const bytes = Buffer.from(serialize({ _id: 'a', d: Long.MAX_VALUE }))
    bytes[bytes.lastIndexOf('d') - 1] = 0x09
    expect(isPlain(bytes)).toBe(false)
    expect(() => checkStorable(decode(bytes))).toThrow('MONGODB_URL')
  })

  it('is decoded when it has two _ids, or lies too deep', () => {
    const twice = Buffer.from(serialize({ _id: 'a', _ie: 'b' }))
    twice[twice.lastIndexOf('_ie') + 2] = 'd'.charCodeAt(0)
    expect(isPlain(twice)).toBe(false)
    const nested = (depth: number): object => (depth === 0 ? {} : { a: nested(depth - 1) })
    expect(isPlain(Buffer.from(serialize({ _id: 'a', ...nested(179) })))).toBe(true)
    expect(isPlain(Buffer.from(serialize({ _id: 'a', ...nested(180) })))).toBe(false)
  })
})
