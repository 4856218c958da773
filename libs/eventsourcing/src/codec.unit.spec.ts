// Bytes to events and back, and the chains of upcasters.
import { describe, expect, test } from '@jest/globals'
import { codecOf, type StoredEvent } from './codec'
import { UndecodableEvent } from './errors'
import { decoded, type EventToAppend } from './event-log'

const metadata = {
  $correlationId: 'c',
  $causationId: 'd',
  commandId: 'e',
  fingerprint: 'f',
  actor: 'a',
  at: '2026-01-02T03:04:05.000Z',
}
const toAppend = (data: unknown): EventToAppend => ({ id: 'id-1', type: 'Priced', data, metadata })
const stored = (data: unknown, more: Partial<StoredEvent> = {}): StoredEvent => ({
  stream: 'jar-1-2',
  revision: 4,
  position: '77',
  id: 'id-1',
  type: 'Priced',
  created: new Date('2026-05-06T07:08:09.010Z'),
  data,
  metadata: { ...metadata, schemaVersion: 1 },
  ...more,
})
const upcasters = [
  { type: 'Priced', from: 2, up: (data: { cents: number }) => ({ amount: data.cents }) },
  { type: 'Priced', from: 1, up: (data: { euros: number }) => ({ cents: data.euros * 100 }) },
]
const bytes = (text: string) => new TextEncoder().encode(text)

describe('encoding', () => {
  test('records data as JSON keeps it and metadata as bytes with the version of the shape', () => {
    const encoded = codecOf(upcasters).encode(toAppend({ a: undefined, when: new Date(0), list: [undefined, NaN] }))
    expect(encoded.data).toEqual({ when: '1970-01-01T00:00:00.000Z', list: [null, null] })
    expect(JSON.parse(new TextDecoder().decode(encoded.metadata))).toEqual({ ...metadata, schemaVersion: 3 })
  })

  test.each([[null], ['text'], [[1]], [undefined], [{ big: 1n }]])('refuses %p', data => {
    expect(() => codecOf().encode(toAppend(data))).toThrow(TypeError)
  })
})

describe('decoding', () => {
  test('understands JSON that was parsed before and JSON in bytes', () => {
    const codec = codecOf()
    const parsed = codec.decode(stored({ n: 1 }))
    const inBytes = codec.decode(
      stored(bytes('{"n":1}'), { metadata: bytes(JSON.stringify({ ...metadata, schemaVersion: 1 })) }),
    )
    expect(parsed).toEqual(inBytes)
    expect(parsed).toMatchObject({ category: 'jar', key: '1-2', at: metadata.at, data: { n: 1 } })
  })

  test('upcasts every old shape to the newest', () => {
    const codec = codecOf(upcasters)
    const version = (schemaVersion: number) => ({ metadata: { ...metadata, schemaVersion } })
    expect(codec.decode(stored({ euros: 3 }, version(1)))).toMatchObject({ data: { amount: 300 } })
    expect(codec.decode(stored({ cents: 300 }, version(2)))).toMatchObject({ data: { amount: 300 } })
    expect(codec.decode(stored({ amount: 300 }, version(3)))).toMatchObject({ data: { amount: 300 } })
    expect(codec.decode(stored({ other: 1 }, version(4)))).toMatchObject({
      data: { other: 1 },
      metadata: { schemaVersion: 4 },
    })
    expect(codec.decode(stored({ n: 1 }, { type: 'Unknown' }))).toMatchObject({ type: 'Unknown', data: { n: 1 } })
  })

  test('fills in what another tool left out', () => {
    expect(codecOf().decode(stored({ n: 1 }, { metadata: undefined }))).toMatchObject({
      at: '2026-05-06T07:08:09.010Z',
      metadata: { commandId: 'id-1', actor: '', schemaVersion: 1 },
    })
  })

  test.each([
    ['data that is no JSON', stored(bytes('{"n":'))],
    ['data that is no UTF-8', stored(new Uint8Array([123, 255, 125]))],
    ['data that is no object', stored('{"n":')],
    ['metadata that is no JSON', stored({}, { metadata: bytes('{') })],
    ['a version that cannot be', stored({}, { metadata: { schemaVersion: 0 } })],
    ['an actor that is no text', stored({}, { metadata: { ...metadata, actor: { toString: 1 } } })],
    ['a time that is no text', stored({}, { metadata: { ...metadata, at: 5 } })],
    ['a shape that its upcaster refuses', stored({ nothing: true }, { type: 'Picky' })],
  ])('names stream and revision of %s', (_, event) => {
    const picky = { type: 'Picky', from: 1, up: (data: { list: number[] }) => ({ first: data.list[0] }) }
    const decode = () => decoded(codecOf([picky]).decode(event))
    expect(decode).toThrow(UndecodableEvent)
    expect(decode).toThrow(/^event 4 of stream jar-1-2 \(position 77\) cannot be read: /)
  })

  test('tells of what cannot be decoded who recorded it and when, as far as that can be read', () => {
    const data = bytes('{"n":')
    expect(codecOf().decode(stored(data))).toMatchObject({ at: metadata.at, metadata, category: 'jar', recorded: data })
    expect(codecOf().decode(stored(data, { metadata: bytes('{') }))).toMatchObject({
      at: '2026-05-06T07:08:09.010Z',
      metadata: { actor: '', commandId: 'id-1', schemaVersion: 1 },
    })
  })
})

test('a chain of upcasters has no gap and no second way', () => {
  const up = (data: object) => data
  expect(() => codecOf([{ type: 'A', from: 2, up }])).toThrow(RangeError)
  const twice = [1, 1].map(from => ({ type: 'A', from, up }))
  expect(() => codecOf(twice)).toThrow(RangeError)
})
