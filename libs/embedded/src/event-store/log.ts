// The log on disk: events by position, positions by stream and revision, and the head of every stream.
import type { Database } from 'lmdb'
import type { Environment } from '../storage'
import { NO_STREAM, isMetastream, type ProposedEvent, type StreamMetadata } from './model'
import { StoredRecord, createdOf, decodeRecord, encodeRecord } from './record'

export type Direction = 'forwards' | 'backwards'

export type StreamHead = {
  /** The position of the first event, by which the index knows the stream; 0 while it has none. */
  id: number
  /** The revision that the next event gets. */
  next: number
  isTombstoned: boolean
  /** Some event was written to the metastream. */
  hasMetadata: boolean
  metadata: StreamMetadata
}

export type Page = { records: StoredRecord[]; reached: number | undefined }

/** A reader that does not read holds one page: small, whatever the size of events. */
const PAGE_BYTES = 1_048_576

/** Before the first event, so that no position is 0: a checkpoint of 0 would read like none. */
const FIRST_POSITION = 64
const TOMBSTONE_INDEX = 0xffff_ffff_ffff

export class EventLog {
  private readonly records: Database<Buffer, Buffer>
  private readonly index: Database<Buffer, Buffer>
  private readonly heads: Database<Buffer, Buffer>
  private nextPosition: number
  private lastCreated: number

  constructor(environment: Environment) {
    const binary = { encoding: 'binary', keyEncoding: 'binary' } as const
    this.records = environment.root.openDB<Buffer, Buffer>({ name: 'records', ...binary })
    this.index = environment.root.openDB<Buffer, Buffer>({ name: 'index', ...binary })
    this.heads = environment.root.openDB<Buffer, Buffer>({ name: 'heads', ...binary })
    const [last] = this.records.getRange({ reverse: true, limit: 1 })
    this.nextPosition = last ? positionAfter(last.key, last.value) : FIRST_POSITION
    this.lastCreated = last && !isScavenged(last.value) ? createdOf(last.value) : 0
  }

  head(stream: string): StreamHead | undefined {
    const value = this.heads.get(Buffer.from(stream))
    return value && decodeHead(value)
  }

  /** Only within a commit. */
  putHead(stream: string, head: StreamHead): void {
    void this.heads.put(Buffer.from(stream), encodeHead(head))
  }

  /**
   * Adds an event at the end of the log and of its stream (or its tombstone). Only within a commit; the caller puts the
   * head, which is changed in place. Positions grow like bytes of a file: a refused commit leaves a gap, never a repeat.
   */
  append(stream: string, head: StreamHead, event: ProposedEvent, isTombstone = false): StoredRecord {
    const position = this.nextPosition
    if (head.id === 0) head.id = position
    this.lastCreated = Math.max(this.lastCreated, Date.now())
    const revision = isTombstone ? Infinity : head.next++
    const record = encodeRecord(event, { position, revision, stream, created: this.lastCreated })
    void this.records.put(positionKey(position), record, { append: true } as never)
    void this.index.put(indexKey(head.id, revision), positionKey(position))
    this.nextPosition = position + record.length
    return new StoredRecord(position, record)
  }

  recordAt(position: number): StoredRecord | undefined {
    const value = this.records.get(positionKey(position))
    return value && !isScavenged(value) ? decodeRecord(position, value) : undefined
  }

  /** Whether the log has (or, before it was scavenged, had) an event there. */
  isRecord(position: number): boolean {
    return position <= TOMBSTONE_INDEX && this.records.doesExist(positionKey(position))
  }

  /** The event at a revision of a stream; Infinity is its tombstone. */
  recordOf(head: StreamHead, revision: number): StoredRecord | undefined {
    const position = this.index.get(indexKey(head.id, revision))
    return position && this.recordAt(positionIn(position))
  }

  /**
   * A page of a stream: at most `limit` events (and about PAGE_BYTES) from a revision on, itself included, whether visible
   * or not. `reached` is the last revision looked at, undefined when there was none.
   */
  readStream(head: StreamHead, from: number, direction: Direction, limit: number): Page {
    if (head.id === 0) return { records: [], reached: undefined }
    const reverse = direction === 'backwards'
    const start = indexKey(head.id, Math.max(from, 0))
    // Range ends are exclusive, also at the low end of a reverse range: revision 0 is found by the key before it.
    const end = reverse ? indexKey(head.id - 1, Infinity) : indexKey(head.id, Infinity)
    const page: Page = { records: [], reached: undefined }
    let bytes = 0
    for (const { key, value } of this.index.getRange({ start, end, reverse, limit })) {
      page.reached = revisionIn(key)
      const record = this.recordAt(positionIn(value))
      if (!record) continue
      page.records.push(record)
      if ((bytes += record.response.length) > PAGE_BYTES) break
    }
    return page
  }

  /**
   * A page of the whole log: at most `limit` records (and about PAGE_BYTES) after or before `position`, itself not included.
   * `reached` is the last position looked at, so that a page of scavenged records is not taken for the end.
   */
  readAll(position: number, direction: Direction, limit: number): Page {
    const page: Page = { records: [], reached: undefined }
    const reverse = direction === 'backwards'
    const start = positionKey(Math.min(Math.max(position, 0), TOMBSTONE_INDEX))
    let bytes = 0
    for (const { key, value } of this.records.getRange({ start, exclusiveStart: true, reverse, limit })) {
      page.reached = positionIn(key)
      if (isScavenged(value)) continue
      page.records.push(decodeRecord(page.reached, value))
      if ((bytes += value.length) > PAGE_BYTES) break
    }
    return page
  }

  /** Takes an event out of the log, but for the fact that its position was one: checkpoints may lie there. Only within a commit. */
  remove(record: StoredRecord): void {
    const key = positionKey(record.position)
    const value = this.records.get(key)
    if (!value || isScavenged(value)) return
    void this.records.put(key, positionKey(positionAfter(key, value)))
    const head = this.head(record.stream)
    if (head) void this.index.remove(indexKey(head.id, record.revision))
  }

  /** The position of the last event, or 0 in an empty log. */
  lastPosition(): number {
    const [last] = this.records.getKeys({ reverse: true, limit: 1 })
    return last ? positionIn(last) : 0
  }

  /** The first revision of a stream that reads show at `now` (milliseconds); `head.next` when none is. */
  firstVisible(stream: string, head: StreamHead, now: number): number {
    const {
      maxCount,
      maxAge,
      truncateBefore = 0,
    }: StreamMetadata = isMetastream(stream) ? { maxCount: 1 } : head.metadata
    let first = Math.min(truncateBefore, head.next)
    if (maxCount !== undefined) first = Math.max(first, head.next - maxCount)
    return maxAge === undefined ? first : this.firstSince(head, first, now - maxAge * 1_000)
  }

  /** The first revision from `low` on that was created at `time` or later: creation times never go back. */
  private firstSince(head: StreamHead, low: number, time: number): number {
    let high = head.next
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const record = this.recordOf(head, middle)
      if (!record || record.created < time) low = middle + 1
      else high = middle
    }
    return low
  }
}

export const emptyHead = (): StreamHead => ({ id: 0, next: 0, isTombstoned: false, hasMetadata: false, metadata: {} })

export const lastRevision = (head: StreamHead | undefined): number => (head ? head.next - 1 : NO_STREAM)

export const isSoftDeleted = (head: StreamHead): boolean => head.metadata.truncateBefore === Infinity

function positionKey(position: number): Buffer {
  const key = Buffer.allocUnsafe(6)
  key.writeUIntBE(position, 0, 6)
  return key
}

/** In place of a scavenged event stands the position that followed it. */
const isScavenged = (value: Buffer): boolean => value.length === 6
const positionAfter = (key: Buffer, value: Buffer): number =>
  isScavenged(value) ? value.readUIntBE(0, 6) : positionIn(key) + value.length

const positionIn = (key: Buffer): number => key.readUIntBE(0, 6)
const revisionIn = (key: Buffer): number => key.readUIntBE(6, 6)

function indexKey(id: number, revision: number): Buffer {
  const key = Buffer.allocUnsafe(12)
  key.writeUIntBE(id, 0, 6)
  key.writeUIntBE(Math.min(revision, TOMBSTONE_INDEX), 6, 6)
  return key
}

// id u48 | next u48 | flags u8 | maxCount, maxAge, truncateBefore as doubles, NaN where absent.
const HEAD_BYTES = 37
const IS_TOMBSTONED = 1
const HAS_METADATA = 2

function encodeHead({ id, next, isTombstoned, hasMetadata, metadata }: StreamHead): Buffer {
  const value = Buffer.allocUnsafe(HEAD_BYTES)
  value.writeUIntBE(id, 0, 6)
  value.writeUIntBE(next, 6, 6)
  value.writeUInt8((isTombstoned ? IS_TOMBSTONED : 0) | (hasMetadata ? HAS_METADATA : 0), 12)
  value.writeDoubleBE(metadata.maxCount ?? NaN, 13)
  value.writeDoubleBE(metadata.maxAge ?? NaN, 21)
  value.writeDoubleBE(metadata.truncateBefore ?? NaN, 29)
  return value
}

function decodeHead(value: Buffer): StreamHead {
  const flags = value.readUInt8(12)
  const metadata: StreamMetadata = {}
  const [maxCount, maxAge, truncateBefore] = [13, 21, 29].map(offset => value.readDoubleBE(offset)) as [
    number,
    number,
    number,
  ]
  if (!Number.isNaN(maxCount)) metadata.maxCount = maxCount
  if (!Number.isNaN(maxAge)) metadata.maxAge = maxAge
  if (!Number.isNaN(truncateBefore)) metadata.truncateBefore = truncateBefore
  return {
    id: value.readUIntBE(0, 6),
    next: value.readUIntBE(6, 6),
    isTombstoned: (flags & IS_TOMBSTONED) !== 0,
    hasMetadata: (flags & HAS_METADATA) !== 0,
    metadata,
  }
}
