// The messages of a batch append, read and written by hand: with the generated classes they were the dearest part of it.
import { UUID } from '@eventstore/db-client/generated/shared_pb'
import { badRequest, toBatchStatus } from './errors'
import { MAX_EVENTS, type AppendTarget } from './incoming'
import { NO_STREAM, type ExpectedRevision } from './model'
import { Reader, Writer, fieldSize, varintFieldSize } from './protobuf'
import { uuidText, type ProposedFields } from './protocol'
import type { Appended } from './writes'

/** A part of an append: all parts share the correlation id, the target comes with the first. */
export type BatchChunk = {
  correlationId: CorrelationId
  target?: BatchTarget
  proposed: ProposedFields[]
  isFinal: boolean
}

type BatchTarget = Partial<AppendTarget> & { stream: string }

/** As the client sent it (the UUID message), to be answered with the same bytes; empty when it sent none. */
export type CorrelationId = { text: string; bytes: Buffer }

/** BatchAppendReq. @throws RangeError when the bytes are none, or hold more events than any append: of empty ones each takes fifty times its bytes. */
export function readBatchChunk(bytes: Buffer): BatchChunk {
  const chunk: BatchChunk = { correlationId: { text: '', bytes: Buffer.of() }, proposed: [], isFinal: false }
  const reader = new Reader(bytes)
  for (let field; (field = reader.next());)
    if (field === 1) {
      const id = reader.bytes()
      chunk.correlationId = { text: readUuid(id), bytes: id }
    } else if (field === 2) chunk.target = readOptions(reader.message())
    else if (field === 3) {
      if (chunk.proposed.push(readProposed(reader.message())) > MAX_EVENTS) throw new RangeError('Too many events.')
    } else if (field === 4) chunk.isFinal = reader.varint() !== 0
    else reader.skip()
  return chunk
}

function readOptions(reader: Reader): BatchTarget {
  const target: BatchTarget = { stream: '' }
  for (let field; (field = reader.next());)
    if (field === 1) target.stream = readStreamName(reader.message())
    else if (field === 2) target.expected = reader.varint()
    else if (field === 6) target.deadline = readTime(reader.message())
    else if (field === 7) target.deadline = Date.now() + readTime(reader.message())
    else {
      target.expected = EXPECTATIONS[field] ?? target.expected
      reader.skip()
    }
  return target
}

/** Milliseconds: of a Timestamp since 1970, of a Duration its length. */
function readTime(reader: Reader): number {
  let milliseconds = 0
  for (let field; (field = reader.next());)
    if (field === 1) milliseconds += reader.signedVarint() * 1_000
    else if (field === 2) milliseconds += reader.signedVarint() / 1_000_000
    else reader.skip()
  return milliseconds
}

const EXPECTATIONS: Record<number, ExpectedRevision> = { 3: 'no_stream', 4: 'any', 5: 'stream_exists' }

function readStreamName(reader: Reader): string {
  let name = ''
  for (let field; (field = reader.next());)
    if (field === 3) name = reader.text()
    else reader.skip()
  return name
}

function readProposed(reader: Reader): ProposedFields {
  const fields: ProposedFields = { id: '', metadata: NOTHING, data: NOTHING }
  for (let field; (field = reader.next());)
    if (field === 1) fields.id = readUuid(reader.bytes())
    else if (field === 2) {
      const [key, value] = readMapEntry(reader.message())
      if (key === 'type') fields.type = value
      else if (key === 'content-type') fields.contentType = value
    } else if (field === 3) fields.metadata = reader.bytes()
    else if (field === 4) fields.data = reader.bytes()
    else reader.skip()
  return fields
}

const NOTHING = new Uint8Array()

function readMapEntry(reader: Reader): [key: string, value: string] {
  const entry: [string, string] = ['', '']
  for (let field; (field = reader.next());)
    if (field === 1 || field === 2) entry[field - 1] = reader.text()
    else reader.skip()
  return entry
}

/** A UUID that is one text; the structured form, which our client does not send, is left to the generated class. */
function readUuid(bytes: Buffer): string {
  const reader = new Reader(bytes)
  if (reader.next() !== 2) return uuidText(UUID.deserializeBinary(bytes))
  return reader.text().toLowerCase()
}

/** BatchAppendResp. It names the stream in every case: the client cannot tell a failure without it. */
export function writeBatchAnswer(
  { bytes }: CorrelationId,
  stream: string,
  result: Appended | { error: unknown },
): Buffer {
  const name = Buffer.from(stream)
  const [field, outcome] =
    'error' in result ? [2, toBatchStatus(result.error).serializeBinary()] : [3, writeSuccess(result)]
  const nameSize = fieldSize(name.length)
  const answer = Buffer.allocUnsafe(fieldSize(bytes.length) + fieldSize(outcome.length) + fieldSize(nameSize))
  const out = new Writer(answer)
  out.field(1, bytes)
  out.field(field, outcome)
  out.lengthTag(4, nameSize)
  out.field(3, name)
  return answer
}

function writeSuccess({ revision, position }: Appended): Buffer {
  const positionSize = position === undefined ? 0 : 2 * varintFieldSize(position)
  const success = Buffer.allocUnsafe((revision === NO_STREAM ? 2 : varintFieldSize(revision)) + fieldSize(positionSize))
  const out = new Writer(success)
  if (revision === NO_STREAM) out.lengthTag(2, 0)
  else out.varintField(1, revision)
  // Empty, as "no position", is another field than a position.
  out.lengthTag(position === undefined ? 4 : 3, positionSize)
  if (position !== undefined) {
    out.varintField(1, position)
    out.varintField(2, position)
  }
  return success
}

/** @throws Refusal when the options do not say what the append expects. */
export function checkedTarget({ stream, expected, deadline }: BatchTarget): AppendTarget {
  if (expected === undefined) throw badRequest('An append says which revision it expects.')
  return { stream, expected, deadline }
}
