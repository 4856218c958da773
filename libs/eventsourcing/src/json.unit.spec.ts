// What is folded at once equals what is read back later.
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { eventIdOf, fingerprintOf } from './identity'
import { asRecorded, canonicalJson, weightOf } from './json'

const anything = fc.anything({
  withDate: true,
  withNullPrototype: true,
  withUnicodeString: true,
  withSparseArray: true,
})

describe('asRecorded', () => {
  test('is what JSON makes of it', () => {
    fc.assert(
      fc.property(anything, value => {
        const text = JSON.stringify(value) as string | undefined
        const json: unknown = text === undefined ? undefined : JSON.parse(text)
        expect(asRecorded(value)).toEqual(json)
        // Also the fields that toEqual does not look at.
        expect(JSON.stringify(asRecorded(value))).toBe(text)
      }),
    )
  })

  test('of a class instance is a plain object', () => {
    class Body {
      text = 'a'
      absent = undefined
    }
    expect(asRecorded(new Body())).toStrictEqual({ text: 'a' })
  })
})

describe('canonicalJson', () => {
  test('does not depend on the order of fields, and tells different values apart', () => {
    expect(canonicalJson({ b: [1, { d: 1, c: 2 }], a: 'x', u: undefined })).toBe('{"a":"x","b":[1,{"c":2,"d":1}]}')
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fields => {
        const reversed = Object.fromEntries(Object.entries(fields).reverse())
        expect(canonicalJson(reversed)).toBe(canonicalJson(fields))
        expect(JSON.parse(canonicalJson(fields))).toEqual(JSON.parse(JSON.stringify(fields)))
      }),
    )
  })
})

describe('identities', () => {
  const command = { commandId: 'c1', actor: 'a1', fingerprint: 'f1' }
  test('follow from what they name', () => {
    expect(eventIdOf('jar-1', command, 0)).toBe(eventIdOf('jar-1', { ...command }, 0))
    const others = [
      eventIdOf('jar-2', command, 0),
      eventIdOf('jar-1', { ...command, commandId: 'c2' }, 0),
      eventIdOf('jar-1', { ...command, actor: 'a2' }, 0),
      eventIdOf('jar-1', { ...command, fingerprint: 'f2' }, 0),
      eventIdOf('jar-1', command, 1),
    ]
    expect(new Set([...others, eventIdOf('jar-1', command, 0)]).size).toBe(6)
    // A contract with every log that exists: never to change.
    expect(eventIdOf('jar-1', command, 0)).toBe('0948239d-0bc3-5eec-a7b0-53decce10148')
  })

  test('a fingerprint tells name, target and body apart', () => {
    const all = [
      fingerprintOf('Add', 'jar-1', { coins: 1 }),
      fingerprintOf('Take', 'jar-1', { coins: 1 }),
      fingerprintOf('Add', 'jar-2', { coins: 1 }),
      fingerprintOf('Add', 'jar-1', { coins: 2 }),
    ]
    expect(new Set(all).size).toBe(4)
    expect(fingerprintOf('Add', 'jar-1', { coins: 1, note: undefined })).toBe(all[0])
  })
})

test('a weight grows with what is held, and a long list is sampled', () => {
  const list = Array.from({ length: 100_000 }, (_, n) => `entry ${n}`)
  const one = weightOf(list.slice(0, 1000))
  expect(weightOf(list) / one).toBeGreaterThan(90)
  expect(weightOf(list) / one).toBeLessThan(110)
  expect(weightOf('x'.repeat(1000))).toBeGreaterThan(1000)
  expect(weightOf(new Map([['a', 'x'.repeat(1000)]]))).toBeGreaterThan(1000)
})
