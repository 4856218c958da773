// What is read by hand is what the protocol's own code wrote, what is written by hand it reads, and noise is an error.
import { StreamIdentifier, UUID } from '@eventstore/db-client/generated/shared_pb'
import { BatchAppendReq, BatchAppendResp } from '@eventstore/db-client/generated/streams_pb'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Empty } from 'google-protobuf/google/protobuf/empty_pb'
import { Timestamp } from 'google-protobuf/google/protobuf/timestamp_pb'
import { readBatchChunk, writeBatchAnswer } from './batch-messages'
import { badRequest } from './errors'
import type { ExpectedRevision } from './model'

const text = fc.string({ unit: 'grapheme', maxLength: 80 })
const chunks = fc.record({
  id: fc.uuid(),
  stream: text,
  expected: fc.oneof(fc.constantFrom<ExpectedRevision>('any', 'no_stream', 'stream_exists'), fc.nat(2 ** 40)),
  /** Milliseconds since 1970, or before. */
  deadline: fc.integer({ min: -(10 ** 12), max: 10 ** 13 }),
  hasOptions: fc.boolean(),
  isFinal: fc.boolean(),
  proposed: fc.array(
    fc.record({
      id: fc.uuid(),
      type: text,
      contentType: fc.constantFrom('application/json', 'application/octet-stream'),
      metadata: fc.uint8Array({ maxLength: 200 }),
      data: fc.uint8Array({ maxLength: 2_000 }),
    }),
    { maxLength: 4 },
  ),
})
type Given = typeof chunks extends fc.Arbitrary<infer T> ? T : never

function written({ id, stream, expected, deadline, hasOptions, isFinal, proposed }: Given): Buffer {
  const options = new BatchAppendReq.Options()
    .setStreamIdentifier(new StreamIdentifier().setStreamName(Buffer.from(stream)))
    .setDeadline(Timestamp.fromDate(new Date(deadline)))
  if (expected === 'any') options.setAny(new Empty())
  else if (expected === 'no_stream') options.setNoStream(new Empty())
  else if (expected === 'stream_exists') options.setStreamExists(new Empty())
  else options.setStreamPosition(String(expected))
  const chunk = new BatchAppendReq().setCorrelationId(new UUID().setString(id)).setIsFinal(isFinal)
  if (hasOptions) chunk.setOptions(options)
  for (const one of proposed) {
    const message = new BatchAppendReq.ProposedMessage()
      .setId(new UUID().setString(one.id.toUpperCase()))
      .setCustomMetadata(one.metadata)
      .setData(one.data)
    message.getMetadataMap().set('type', one.type).set('content-type', one.contentType).set('other', 'x')
    chunk.addProposedMessages(message)
  }
  return Buffer.from(chunk.serializeBinary())
}

test('a chunk is read as it was written', () => {
  fc.assert(
    fc.property(chunks, given => {
      const { correlationId, target, proposed, isFinal } = readBatchChunk(written(given))
      expect(correlationId.text).toBe(given.id)
      const { stream, expected, deadline, hasOptions } = given
      expect(target).toEqual(hasOptions ? { stream, expected, deadline } : undefined)
      expect(isFinal).toBe(given.isFinal)
      expect(proposed.map(one => ({ ...one, metadata: [...one.metadata], data: [...one.data] }))).toEqual(
        given.proposed.map(one => ({ ...one, metadata: [...one.metadata], data: [...one.data] })),
      )
    }),
  )
})

test('an answer is read as it was meant', () => {
  const positive = fc.oneof(fc.nat(300), fc.nat(2 ** 47))
  fc.assert(
    fc.property(
      fc.uuid(),
      text,
      fc.oneof(fc.constant(-1), positive),
      fc.option(positive, { nil: undefined }),
      (id, stream, revision, position) => {
        const correlationId = { text: id, bytes: Buffer.from(new UUID().setString(id).serializeBinary()) }
        const bytes = writeBatchAnswer(correlationId, stream, { revision, position })
        const answer = BatchAppendResp.deserializeBinary(bytes)
        const success = answer.getSuccess()!
        expect(answer.getCorrelationId()!.getString()).toBe(id)
        expect(Buffer.from(answer.getStreamIdentifier()!.getStreamName_asU8()).toString()).toBe(stream)
        expect(success.hasNoStream()).toBe(revision === -1)
        if (revision !== -1) expect(success.getCurrentRevision()).toBe(String(revision))
        expect(success.hasNoPosition()).toBe(position === undefined)
        const at = success.getPosition()
        expect([at?.getCommitPosition(), at?.getPreparePosition()]).toEqual(
          position === undefined ? [undefined, undefined] : [String(position), String(position)],
        )
      },
    ),
  )
})

test('a failure is told whatever the correlation id is made of', () => {
  const bytes = Buffer.from([0x12, 1, 97, 7])
  const answer = writeBatchAnswer({ text: 'a', bytes }, 's', { error: badRequest('No.') })
  expect(answer.includes(bytes)).toBe(true)
  expect(answer.includes('No.')).toBe(true)
})

test('a message of more events than an append may have is read no further', () => {
  const empty = (count: number) => Buffer.alloc(2 * count, Buffer.from([0x1a, 0]))
  expect(readBatchChunk(empty(262_144)).proposed).toHaveLength(262_144)
  expect(() => readBatchChunk(empty(262_145))).toThrow(RangeError)
})

test('what is cut off or altered is an error or another chunk, and always ends', () => {
  const readOrError = (bytes: Buffer) => {
    try {
      readBatchChunk(bytes)
    } catch (error) {
      // The structured form of an id is read by the protocol's own code, which has errors of its own.
      expect(error).toBeInstanceOf(Error)
    }
  }
  fc.assert(
    fc.property(chunks, fc.nat(), fc.integer({ min: 1, max: 255 }), (given, at, change) => {
      const bytes = written(given)
      readOrError(bytes.subarray(0, at % bytes.length))
      bytes[at % bytes.length]! ^= change
      readOrError(bytes)
    }),
    { numRuns: 1_000 },
  )
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), noise => readOrError(Buffer.from(noise))))
  expect(() => readBatchChunk(Buffer.from([0x1a, 0xff, 0xff, 0xff, 0xff, 0x7f]))).toThrow(RangeError)
})
