// One event as it lies in the log: a short header for the store, then the very bytes that a read answers with.
//
// Storing the answer (a ReadResp of the protocol, event id as text) makes reading, catching up and live delivery a copy
// of bytes; only links and the structured form of ids are put together anew. A checksum over all of it finds bits that
// turned on the disk.
import { UUID } from '@eventstore/db-client/generated/shared_pb'
import { ReadResp } from '@eventstore/db-client/generated/streams_pb'
import type { ProposedEvent } from './model'
import { Writer, fieldSize, mapEntrySize, varintFieldSize } from './protobuf'

// Header: checksum u32, filled in where it is stored | flags u8 | created u48 | revision u48 | recorded start u16, length u32 | stream start, length u16 |
// type start, length u16. Starts count from the header's end.
const HEADER_BYTES = 31
// The id comes first in a RecordedEvent: the field and its length, the text and its length, then 36 characters.
const ID_START = 4
const ID_LENGTH = 36
const TOMBSTONE_FLAG = 1
const JSON_FLAG = 2

/** An event of the log over its bytes; what few ask for is read when it is asked for. */
export class StoredRecord {
  private knownStream?: string
  private knownType?: string

  constructor(
    readonly position: number,
    private readonly bytes: Buffer,
    /** The whole answer: ReadResp { event: ReadEvent { event: RecordedEvent, commit_position } }. */
    readonly response: Buffer = bytes.subarray(HEADER_BYTES),
  ) {}

  get id(): string {
    const start = HEADER_BYTES + this.bytes.readUInt16BE(17) + ID_START
    return this.bytes.toString('latin1', start, start + ID_LENGTH)
  }

  get stream(): string {
    return (this.knownStream ??= this.text(23))
  }

  get type(): string {
    return (this.knownType ??= this.text(27))
  }

  /** Infinity for a tombstone: the last event of a deleted stream, whose revision is the largest int64. */
  get revision(): number {
    return this.isTombstone ? Infinity : this.bytes.readUIntBE(11, 6)
  }

  /** Milliseconds since 1970. */
  get created(): number {
    return createdOf(this.bytes)
  }

  get isTombstone(): boolean {
    return (this.bytes[4]! & TOMBSTONE_FLAG) !== 0
  }

  get isJson(): boolean {
    return (this.bytes[4]! & JSON_FLAG) !== 0
  }

  /** The RecordedEvent within the answer. */
  get recorded(): Buffer {
    const start = this.bytes.readUInt16BE(17)
    return this.response.subarray(start, start + this.bytes.readUInt32BE(19))
  }

  private text(field: number): string {
    const start = HEADER_BYTES + this.bytes.readUInt16BE(field)
    return this.bytes.toString('utf8', start, start + this.bytes.readUInt16BE(field + 2))
  }
}

export type RecordPlace = { position: number; revision: number; stream: string; created: number }

/** The record of an event at its place. */
export function encodeRecord(event: ProposedEvent, { position, revision, stream, created }: RecordPlace): Buffer {
  const isTombstone = revision === Infinity
  const name = Buffer.from(stream)
  const type = Buffer.from(event.type)
  // Ticks of 100 ns since 1970, which is how the protocol dates an event.
  const ticks = Buffer.from(`${created}0000`)
  const contentType = event.json ? JSON_TYPE : BINARY_TYPE

  const mapSizes =
    mapEntrySize(TYPE_KEY, type) + mapEntrySize(CONTENT_TYPE_KEY, contentType) + mapEntrySize(CREATED_KEY, ticks)
  const nameField = fieldSize(name.length)
  const recordedSize =
    fieldSize(fieldSize(event.id.length)) +
    fieldSize(nameField) +
    (isTombstone ? 1 + LARGEST_INT64.length : varintFieldSize(revision)) +
    2 * varintFieldSize(position) +
    mapSizes +
    (event.metadata.length > 0 ? fieldSize(event.metadata.length) : 0) +
    (event.data.length > 0 ? fieldSize(event.data.length) : 0)
  const readEventSize = fieldSize(recordedSize) + varintFieldSize(position)

  const record = Buffer.allocUnsafe(HEADER_BYTES + fieldSize(readEventSize))
  const out = new Writer(record, HEADER_BYTES)
  out.lengthTag(1, readEventSize)
  out.lengthTag(1, recordedSize)
  const recordedStart = out.at
  out.lengthTag(1, fieldSize(event.id.length))
  out.field(2, Buffer.from(event.id))
  out.lengthTag(2, nameField)
  out.field(3, name)
  const streamStart = out.at - name.length
  if (isTombstone) out.varintBytes(3, LARGEST_INT64)
  else out.varintField(3, revision)
  out.varintField(4, position)
  out.varintField(5, position)
  out.mapEntry(METADATA_MAP, TYPE_KEY, type)
  const typeStart = out.at - type.length
  out.mapEntry(METADATA_MAP, CONTENT_TYPE_KEY, contentType)
  out.mapEntry(METADATA_MAP, CREATED_KEY, ticks)
  if (event.metadata.length > 0) out.field(7, event.metadata)
  if (event.data.length > 0) out.field(8, event.data)
  out.varintField(3, position)

  record.writeUInt8((isTombstone ? TOMBSTONE_FLAG : 0) | (event.json ? JSON_FLAG : 0), 4)
  record.writeUIntBE(created, 5, 6)
  record.writeUIntBE(isTombstone ? 0 : revision, 11, 6)
  record.writeUInt16BE(recordedStart - HEADER_BYTES, 17)
  record.writeUInt32BE(recordedSize, 19)
  record.writeUInt16BE(streamStart - HEADER_BYTES, 23)
  record.writeUInt16BE(name.length, 25)
  record.writeUInt16BE(typeStart - HEADER_BYTES, 27)
  record.writeUInt16BE(type.length, 29)
  return record
}

/** The event's data bytes. */
export function dataOf({ recorded }: StoredRecord): Uint8Array {
  return ReadResp.ReadEvent.RecordedEvent.deserializeBinary(recorded).getData_asU8()
}

/** The same answer with event ids in the structured form, for clients that ask for it. */
export function withStructuredIds(response: Buffer): Buffer {
  const answer = ReadResp.deserializeBinary(response)
  for (const event of [answer.getEvent()?.getEvent(), answer.getEvent()?.getLink()]) {
    const id = event?.getId()?.getString().replaceAll('-', '')
    if (!event || !id) continue
    const half = (start: number) => BigInt.asIntN(64, BigInt(`0x${id.slice(start, start + 16)}`)).toString()
    event.setId(
      new UUID().setStructured(new UUID.Structured().setMostSignificantBits(half(0)).setLeastSignificantBits(half(16))),
    )
  }
  return Buffer.from(answer.serializeBinary())
}

/** When the event was recorded, without decoding the rest (milliseconds since 1970). */
export const createdOf = (record: Buffer): number => record.readUIntBE(5, 6)

/** The answer for a link and, where it could be resolved, its target; the position is the link's. */
export function linkResponse(link: StoredRecord, target: StoredRecord | undefined): Buffer {
  const targetSize = target ? fieldSize(target.recorded.length) : 0
  const size = targetSize + fieldSize(link.recorded.length) + varintFieldSize(link.position)
  const response = Buffer.allocUnsafe(fieldSize(size))
  const out = new Writer(response)
  out.lengthTag(1, size)
  if (target) out.field(1, target.recorded)
  out.field(2, link.recorded)
  out.varintField(3, link.position)
  return response
}

const TYPE_KEY = Buffer.from('type')
const CONTENT_TYPE_KEY = Buffer.from('content-type')
const CREATED_KEY = Buffer.from('created')
const JSON_TYPE = Buffer.from('application/json')
const BINARY_TYPE = Buffer.from('application/octet-stream')
const LARGEST_INT64 = Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f])

/** In a RecordedEvent. */
const METADATA_MAP = 6
