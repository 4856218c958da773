// A stored record is, byte for byte, the answer that the protocol's own code would write and read.
import { ReadResp } from '@eventstore/db-client/generated/streams_pb'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { isSound, seal } from '../storage'
import { StoredRecord, dataOf, encodeRecord, linkResponse, withStructuredIds } from './record'
import { uuidText } from './protocol'

const bytes = (maxLength: number) => fc.uint8Array({ maxLength })
const proposed = fc.record({
  id: fc.uuid(),
  type: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }),
  json: fc.boolean(),
  metadata: bytes(300),
  data: bytes(40_000),
})
const place = fc.record({
  position: fc.nat({ max: 2 ** 47 }),
  revision: fc.oneof(fc.nat({ max: 2 ** 40 }), fc.constant(Infinity)),
  stream: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }),
  created: fc.nat({ max: 2 ** 42 }),
})

test('the protocol reads from it what was given, and writes the same bytes', () => {
  fc.assert(
    fc.property(proposed, place, (event, at) => {
      const record = new StoredRecord(at.position, encodeRecord(event, at))
      expect(record).toMatchObject({
        ...at,
        id: event.id,
        type: event.type,
        isJson: event.json,
        isTombstone: at.revision === Infinity,
      })
      const answer = ReadResp.deserializeBinary(record.response).getEvent()!
      const recorded = answer.getEvent()!
      expect(answer.getCommitPosition()).toBe(String(at.position))
      expect(recorded.getStreamRevision()).toBe(at.revision === Infinity ? '9223372036854775807' : String(at.revision))
      expect([recorded.getCommitPosition(), recorded.getPreparePosition()]).toEqual([
        String(at.position),
        String(at.position),
      ])
      expect(recorded.getId()!.getString()).toBe(event.id)
      expect(Buffer.from(recorded.getStreamIdentifier()!.getStreamName_asU8()).toString()).toBe(at.stream)
      expect(
        Object.fromEntries(recorded.getMetadataMap().toObject(false, undefined!) as unknown as [string, string][]),
      ).toEqual({
        type: event.type,
        'content-type': event.json ? 'application/json' : 'application/octet-stream',
        created: at.created === 0 ? '00000' : `${at.created}0000`,
      })
      expect(Buffer.from(recorded.getCustomMetadata_asU8())).toEqual(Buffer.from(event.metadata))
      expect(Buffer.from(dataOf(record))).toEqual(Buffer.from(event.data))
    }),
    { numRuns: 100 },
  )
})

test('any flipped bit, in the entry or in its key, and any truncation is found', () => {
  const key = Buffer.from([0, 0, 0, 0, 0, 64])
  const event = {
    id: 'a1b2c3d4-0000-4000-8000-000000000000',
    type: 'T',
    json: true,
    metadata: Buffer.from('{}'),
    data: Buffer.from('{"n":1}'),
  }
  const whole = seal(key, encodeRecord(event, { position: 64, revision: 0, stream: 's', created: 1 }))
  expect(isSound(key, whole)).toBe(true)
  const flipped = (bytes: Buffer, bit: number) => {
    const copy = Buffer.from(bytes)
    copy[bit >> 3]! ^= 1 << (bit & 7)
    return copy
  }
  for (let bit = 0; bit < whole.length * 8; bit++) expect(isSound(key, flipped(whole, bit))).toBe(false)
  for (let bit = 0; bit < key.length * 8; bit++) expect(isSound(flipped(key, bit), whole)).toBe(false)
  for (let length = 0; length < whole.length; length++) expect(isSound(key, whole.subarray(0, length))).toBe(false)
})

test('a link and its target, and ids in the structured form', () => {
  const make = (position: number, id: string) =>
    new StoredRecord(
      position,
      encodeRecord(
        { id, type: 'T', json: true, metadata: Buffer.of(), data: Buffer.of() },
        { position, revision: 3, stream: 's', created: 1 },
      ),
    )
  const target = make(64, '01234567-89ab-4def-8123-456789abcdef')
  const link = make(500, 'fedcba98-7654-4210-bedc-ba9876543210')
  const answer = ReadResp.deserializeBinary(withStructuredIds(linkResponse(link, target))).getEvent()!
  expect(answer.getCommitPosition()).toBe('500')
  expect([answer.getEvent(), answer.getLink()].map(event => event!.getId()!.hasStructured())).toEqual([true, true])
  expect([answer.getEvent(), answer.getLink()].map(event => uuidText(event!.getId()))).toEqual([target.id, link.id])
  expect(ReadResp.deserializeBinary(linkResponse(link, undefined)).getEvent()!.hasEvent()).toBe(false)
})
