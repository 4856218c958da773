// The log on disk: events by position, positions by stream and revision, and the head of every stream.
import type { Database } from 'lmdb'
import {
  SEAL_BYTES,
  StorageDamaged,
  cutKey,
  isSound,
  openDatabase,
  seal,
  type Environment,
  type EnvironmentFormat,
} from '../storage'
import { decodeHead, encodeHead, type StreamHead } from './head'
import { MAX_STREAM_NAME_BYTES, isMetastream, type ProposedEvent, type StreamMetadata } from './model'
import { StoredRecord, createdOf, encodeRecord } from './record'

export const FORMAT: EnvironmentFormat = {
  kind: 'event-store',
  databases: ['records', 'index', 'heads'],
  isSealed: true,
  // 2 kept heads under names of any length.
  formatVersion: 3,
  // 1 had no checksum in index and heads, and was never released.
  oldest: { formatVersion: 2, whatToDo: 'Choose another DATA_DIR.' },
}

export type Direction = 'forwards' | 'backwards'

export type Page = { records: StoredRecord[]; reached: number | undefined }

/** A reader that does not read holds one page: small, whatever the size of events. */
const PAGE_BYTES = 262_144

/** Before the first event, so that no position is 0: a checkpoint of 0 would read like none. */
const FIRST_POSITION = 64
const TOMBSTONE_INDEX = 0xffff_ffff_ffff

/** Longest name that is the key of its stream's head: LMDB needs those below some 430 bytes (storage/database.ts). */
const MAX_NAME_KEY = 400
const SHORT_KEYS_SINCE = 3

export class EventLog {
  private readonly records: Database<Buffer, Buffer>
  private readonly index: Database<Buffer, Buffer>
  private readonly heads: Database<Buffer, Buffer>
  private readonly maxNameKey: number
  private nextPosition: number
  private lastCreated = 0

  constructor(environment: Environment) {
    this.records = openDatabase(environment.root, 'records')
    this.index = openDatabase(environment.root, 'index')
    this.heads = openDatabase(environment.root, 'heads')
    this.maxNameKey = environment.formatVersion < SHORT_KEYS_SINCE ? MAX_STREAM_NAME_BYTES : MAX_NAME_KEY
    this.nextPosition = FIRST_POSITION
    for (const { key, value } of this.records.getRange({ reverse: true })) {
      checked(key, value, 'The last event')
      this.nextPosition = Math.max(this.nextPosition, positionAfter(key, value))
      if (isScavenged(value)) continue
      this.lastCreated = createdOf(value)
      break
    }
  }

  /** Undefined also for what cannot be a stream's name: a link, or who reads, may ask for anything. */
  head(stream: string): StreamHead | undefined {
    const name = Buffer.from(stream)
    if (name.length === 0 || name.length > MAX_STREAM_NAME_BYTES) return undefined
    const entry = get(this.heads, this.headKey(name), `The head of stream '${stream}'`)
    return entry && decodeHead(entry)
  }

  /** Only within a commit. */
  putHead(stream: string, head: StreamHead): void {
    put(this.heads, this.headKey(Buffer.from(stream)), encodeHead(head))
  }

  /** One byte longer than any name that is its own key. */
  private headKey(name: Buffer): Buffer {
    return name.length <= this.maxNameKey ? name : cutKey(name, this.maxNameKey + 1)
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
    put(this.records, positionKey(position), record, { append: true })
    put(this.index, indexKey(head.id, revision), positionEntry(position))
    this.nextPosition = position + record.length
    return new StoredRecord(position, record)
  }

  private recordAt(position: number): StoredRecord | undefined {
    const entry = get(this.records, positionKey(position), `The event at position ${position}`)
    return entry && !isScavenged(entry) ? new StoredRecord(position, entry) : undefined
  }

  /** Whether the log has (or, before it was scavenged, had) an event there. */
  isRecord(position: number): boolean {
    return position <= TOMBSTONE_INDEX && this.records.doesExist(positionKey(position))
  }

  /** The event at a revision of a stream; Infinity is its tombstone. */
  recordOf(head: StreamHead, revision: number): StoredRecord | undefined {
    const key = indexKey(head.id, revision)
    const entry = get(this.index, key, `The place of revision ${revision}`)
    return entry && this.indexed(key, entry)
  }

  /**
   * A page of a stream: at most `limit` events (and about PAGE_BYTES) from a revision on, itself included, whether visible
   * or not. `reached` is the last revision looked at, undefined when there was none.
   * @throws StorageDamaged also when an event is missing: what scavenging took out are always a stream's first ones.
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
      const revision = revisionIn(checked(key, value, 'The index of a stream'))
      const expected = page.reached === undefined ? from : page.reached + (reverse ? -1 : 1)
      if (revision !== expected && (reverse || this.isIndexed(head, expected - 1))) throw missing(expected)
      page.reached = revision
      const record = this.indexed(key, value)
      page.records.push(record)
      if (page.records.length === limit || (bytes += record.response.length) > PAGE_BYTES) return page
    }
    const last = page.reached ?? from - 1
    if (!reverse && last < head.next - 1 && this.isIndexed(head, last)) throw missing(last + 1)
    return page
  }

  private isIndexed(head: StreamHead, revision: number): boolean {
    return revision >= 0 && this.index.doesExist(indexKey(head.id, revision))
  }

  /** What an entry of the index leads to: an event is scavenged together with its entry. */
  private indexed(key: Buffer, entry: Buffer): StoredRecord {
    const position = positionIn(entry)
    const record = this.recordAt(position)
    const revision = revisionIn(key)
    if (!record || Math.min(record.revision, TOMBSTONE_INDEX) !== revision)
      throw new StorageDamaged(`The event at position ${position}, revision ${revision} of its stream,`)
    return record
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
      const position = positionOf(key)
      checked(key, value, `The event at position ${position}`)
      page.reached = position
      if (isScavenged(value)) continue
      page.records.push(new StoredRecord(position, value))
      if ((bytes += value.length) > PAGE_BYTES) break
    }
    return page
  }

  /** Takes an event out of the log, but for the fact that its position was one: checkpoints may lie there. Only within a commit. */
  remove(record: StoredRecord): void {
    const key = positionKey(record.position)
    const entry = this.records.get(key)
    if (!entry || isScavenged(entry)) return
    put(this.records, key, positionEntry(positionAfter(key, entry)))
    const head = this.head(record.stream)
    if (head) void this.index.remove(indexKey(head.id, record.revision))
  }

  /** The position of the last event, or 0 in an empty log. */
  lastPosition(): number {
    const [last] = this.records.getKeys({ reverse: true, limit: 1 })
    return last ? positionOf(last) : 0
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

function positionKey(position: number): Buffer {
  const key = Buffer.allocUnsafe(6)
  key.writeUIntBE(position, 0, 6)
  return key
}

/** An entry that is a position: where an event of a stream lies, or what followed an event that was scavenged. */
function positionEntry(position: number): Buffer {
  const entry = Buffer.allocUnsafe(POSITION_ENTRY_BYTES)
  entry.writeUIntBE(position, SEAL_BYTES, 6)
  return entry
}
const POSITION_ENTRY_BYTES = SEAL_BYTES + 6

const isScavenged = (entry: Buffer): boolean => entry.length === POSITION_ENTRY_BYTES
const positionAfter = (key: Buffer, entry: Buffer): number =>
  isScavenged(entry) ? positionIn(entry) : positionOf(key) + entry.length

const missing = (revision: number): StorageDamaged =>
  new StorageDamaged(`The place of revision ${revision} of a stream`)

const positionOf = (key: Buffer): number => key.readUIntBE(0, 6)
const positionIn = (entry: Buffer): number => entry.readUIntBE(SEAL_BYTES, 6)
const revisionIn = (key: Buffer): number => key.readUIntBE(6, 6)

function indexKey(id: number, revision: number): Buffer {
  const key = Buffer.allocUnsafe(12)
  key.writeUIntBE(id, 0, 6)
  key.writeUIntBE(Math.min(revision, TOMBSTONE_INDEX), 6, 6)
  return key
}

type Entries = Database<Buffer, Buffer>

function put(entries: Entries, key: Buffer, entry: Buffer, options?: { append: true }): void {
  void entries.put(key, seal(key, entry), options as never)
}

function get(entries: Entries, key: Buffer, what: string): Buffer | undefined {
  const entry = entries.get(key)
  if (entry) checked(key, entry, what)
  return entry
}

/** Answers with the key. @throws StorageDamaged when the entry is not what was written. */
function checked(key: Buffer, entry: Buffer, what: string): Buffer {
  if (!isSound(key, entry)) throw new StorageDamaged(what)
  return key
}
