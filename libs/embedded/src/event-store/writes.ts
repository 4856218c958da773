// Everything that changes the log: appends with every expected revision and their retries, deletions, metadata.
import { randomUUID } from 'node:crypto'
import type { Environment } from '../storage'
import { RevisionMismatch, appendTooLarge, badRequest, streamDeleted } from './errors'
import { emptyHead, isSoftDeleted, lastRevision, type StreamHead } from './head'
import type { EventLog } from './log'
import {
  MAX_APPEND_BYTES,
  MAX_EVENT_TYPE_BYTES,
  MAX_STREAM_NAME_BYTES,
  METADATA_EVENT,
  NO_STREAM,
  SOFT_DELETION,
  TOMBSTONE_EVENT,
  UUID,
  isMetastream,
  metastreamOf,
  ownerOf,
  parseMetadata,
  withTruncateBefore,
  type ExpectedRevision,
  type ProposedEvent,
} from './model'
import { RecentIds } from './recent-ids'
import { dataOf, type StoredRecord } from './record'

export type Appended = {
  /** The revision to expect next time; NO_STREAM when the stream has no event. */
  revision: number
  /** Of the last event named; absent when nothing was written, or the stream is soft-deleted. */
  position?: number
}

export class Writes {
  private readonly recentIds = new RecentIds()

  constructor(
    private readonly environment: Environment,
    private readonly log: EventLog,
    /** Told of every committed record, in the order of the log, before the writer is answered. */
    private readonly onCommitted: (records: StoredRecord[]) => void,
  ) {}

  /**
   * Appends all events or none, durable when it resolves.
   * @throws Refusal as the protocol has it: wrong expected version, stream deleted, too large, malformed.
   */
  async append(stream: string, expected: ExpectedRevision, events: ProposedEvent[]): Promise<Appended> {
    checkStreamName(stream)
    checkEvents(events)
    return this.commit(written => this.appendNow(written, stream, expected, events))
  }

  /** Soft-deletes a stream: it reads as missing, and goes on after its last revision when appended to. */
  async delete(stream: string, expected: ExpectedRevision): Promise<Appended> {
    checkStreamName(stream)
    return this.commit(written => {
      const head = this.log.head(stream)
      if (head?.isTombstoned) throw streamDeleted(stream)
      if (!head || head.next === 0) throw new RevisionMismatch(stream, expected, NO_STREAM)
      checkRevision(stream, expected, head)
      return this.writeMetadata(written, metastreamOf(stream), SOFT_DELETION)
    })
  }

  /** Deletes a stream for ever: neither it nor its name can be used again. */
  async tombstone(stream: string, expected: ExpectedRevision): Promise<Appended> {
    checkStreamName(stream)
    return this.commit(written => {
      const head = this.log.head(stream) ?? emptyHead()
      if (head.isTombstoned) throw streamDeleted(stream)
      checkRevision(stream, expected, head)
      const record = this.log.append(stream, head, event(TOMBSTONE_EVENT, new Uint8Array()), true)
      this.log.putHead(stream, { ...head, isTombstoned: true })
      written.push(record)
      return { revision: lastRevision(head), position: record.position }
    })
  }

  /** `write` is given the list of what it writes, which it adds to as it goes: also of a write that fails the ids are forgotten. */
  private async commit(write: (written: StoredRecord[]) => Appended): Promise<Appended> {
    const written: StoredRecord[] = []
    try {
      const appended = await this.environment.commit(() => write(written))
      if (written.length > 0) this.onCommitted(written)
      return appended
    } catch (error) {
      for (const { id, position } of written) this.recentIds.forget(id, position)
      throw error
    }
  }

  private appendNow(
    written: StoredRecord[],
    stream: string,
    expected: ExpectedRevision,
    events: ProposedEvent[],
  ): Appended {
    const head = this.log.head(stream) ?? emptyHead()
    if (head.isTombstoned) throw streamDeleted(stream)
    const retry =
      expected === 'any' || expected === 'stream_exists'
        ? this.recentRetry(stream, expected, head, events)
        : this.exactRetry(stream, expected, head, events)
    if (retry) return { ...retry, position: isSoftDeleted(head) ? undefined : retry.position }
    checkRevision(stream, expected, head)
    if (events.length === 0) return { revision: lastRevision(head) }
    return this.write(written, stream, head, events)
  }

  /** With an exact revision, a retry's ids stand at exactly the revisions that follow it: all of them, or not the first. */
  private exactRetry(
    stream: string,
    expected: number | 'no_stream',
    head: StreamHead,
    events: ProposedEvent[],
  ): Appended | undefined {
    const first = (expected === 'no_stream' ? NO_STREAM : expected) + 1
    if (first >= head.next) return undefined
    const mismatch = () => new RevisionMismatch(stream, expected, lastRevision(head))
    if (events.length === 0) throw mismatch()
    let record: StoredRecord | undefined
    for (const [offset, { id }] of events.entries()) {
      record = this.log.recordOf(head, first + offset)
      if (record?.id === id) continue
      if (offset === 0) return undefined
      throw mismatch()
    }
    return { revision: first + events.length - 1, position: record!.position }
  }

  /** Without one, the first id decides: known means a retry, which must then know all of them. */
  private recentRetry(
    stream: string,
    expected: 'any' | 'stream_exists',
    head: StreamHead,
    events: ProposedEvent[],
  ): Appended | undefined {
    if (expected === 'stream_exists' && isSoftDeleted(head)) return undefined
    const places = events.map(({ id }) => this.recentIds.get(id))
    if (places[0]?.stream !== stream) return undefined
    const last = places.at(-1)!
    if (places.some(place => place?.stream !== stream)) throw new RevisionMismatch(stream, 'any', lastRevision(head))
    return { revision: last.revision, position: last.position }
  }

  /** Writes unconditionally, with what follows from it: metadata takes effect, a soft-deleted stream comes back. */
  private write(written: StoredRecord[], stream: string, head: StreamHead, events: ProposedEvent[]): Appended {
    // All that is read comes before the first put: what was put would stay when an entry turns out to be damaged.
    const owner = ownerWithMetadata(stream)
    const ownerHead = owner === undefined ? undefined : (this.log.head(owner) ?? emptyHead())
    const comesBackAt = head.next
    const metadata = isSoftDeleted(head) ? this.lastMetadata(stream) : undefined
    const records = events.map(event => this.log.append(stream, head, event))
    this.log.putHead(stream, head)
    for (const [index, { revision, position }] of records.entries())
      this.recentIds.add(events[index]!.id, { stream, revision, position })
    written.push(...records)
    if (ownerHead) this.applyMetadata(written, owner!, ownerHead, events.at(-1)!.data)
    if (metadata) this.writeMetadata(written, metastreamOf(stream), withTruncateBefore(metadata, comesBackAt))
    const { revision, position } = records.at(-1)!
    return { revision, position }
  }

  private writeMetadata(written: StoredRecord[], metastream: string, data: Uint8Array): Appended {
    const head = this.log.head(metastream) ?? emptyHead()
    return this.write(written, metastream, head, [event(METADATA_EVENT, data)])
  }

  /** Whatever the type of an event in `$$stream`, its data is the stream's metadata from here on. */
  private applyMetadata(written: StoredRecord[], stream: string, head: StreamHead, data: Uint8Array): void {
    const wasDeleted = isSoftDeleted(head)
    head.metadata = parseMetadata(data)
    head.hasMetadata = true
    this.log.putHead(stream, head)
    // Metadata for a soft-deleted stream makes it exist again, with nothing of what was deleted.
    if (!wasDeleted || head.metadata.truncateBefore !== undefined) return
    this.writeMetadata(written, metastreamOf(stream), withTruncateBefore(data, head.next))
  }

  private lastMetadata(stream: string): Uint8Array {
    const head = this.log.head(metastreamOf(stream))
    const last = head && this.log.recordOf(head, lastRevision(head))
    return last ? dataOf(last) : new Uint8Array()
  }
}

/** The stream whose metadata an event of this one is; that of a metastream is fixed, whatever is written about it. */
function ownerWithMetadata(stream: string): string | undefined {
  const owner = isMetastream(stream) ? ownerOf(stream) : undefined
  return owner === undefined || isMetastream(owner) ? undefined : owner
}

const event = (type: string, data: Uint8Array): ProposedEvent => ({
  id: randomUUID(),
  type,
  json: true,
  metadata: new Uint8Array(),
  data,
})

function checkRevision(stream: string, expected: ExpectedRevision, head: StreamHead): void {
  const mismatch = () => new RevisionMismatch(stream, expected, lastRevision(head))
  switch (expected) {
    case 'any':
      return
    case 'no_stream':
      if (head.next > 0 && !isSoftDeleted(head)) throw mismatch()
      return
    case 'stream_exists':
      if (isSoftDeleted(head)) throw streamDeleted(stream)
      if (head.next === 0 && !head.hasMetadata) throw mismatch()
      return
    default:
      if (lastRevision(head) !== expected) throw mismatch()
  }
}

/** @throws Refusal when LMDB could not hold the name as a key, or that of the metadata which a deletion writes: before anything is accepted. */
function checkStreamName(stream: string): void {
  if (stream === '' || stream === metastreamOf('')) throw badRequest('A stream has a name.')
  const bytes = Buffer.byteLength(metastreamOf(stream))
  if (bytes > MAX_STREAM_NAME_BYTES)
    throw badRequest(
      `The embedded event store holds stream names of at most ${MAX_STREAM_NAME_BYTES} bytes; with '$$' before it, as its metadata has it, this one has ${bytes}.`,
    )
}

function checkEvents(events: ProposedEvent[]): void {
  let size = 0
  for (const { id, type, data } of events) {
    if (!UUID.test(id)) throw badRequest(`'${id.slice(0, 64)}' is no UUID.`)
    if (id === NIL_UUID) throw badRequest('An event has an id other than the nil UUID.')
    if (type === '') throw badRequest('An event has a type.')
    if (Buffer.byteLength(type) > MAX_EVENT_TYPE_BYTES)
      throw badRequest(`The embedded event store holds event types of at most ${MAX_EVENT_TYPE_BYTES} bytes.`)
    size += data.length
  }
  if (size > MAX_APPEND_BYTES) throw appendTooLarge(MAX_APPEND_BYTES)
}

const NIL_UUID = '00000000-0000-0000-0000-000000000000'
