// What the engine needs of an event store. event-store/ implements it with the official client; nobody else imports that.
import { type UndecodableEvent } from './errors'
import { type EventMetadata, type RecordedEvent } from './event'

/** An event ready to be written. */
export interface EventToAppend {
  /** UUID. */
  readonly id: string
  readonly type: string
  readonly data: unknown
  /** The codec adds the version of the shape. */
  readonly metadata: Omit<EventMetadata, 'schemaVersion'> & Partial<Pick<EventMetadata, 'schemaVersion'>>
}

export type AppendResult =
  | { readonly ok: true; readonly revision: number; /** Of the last event. */ readonly position: string }
  /** Another writer was first; -1: the stream does not exist. */
  | { readonly ok: false; readonly current: number }

/** Any event of the log, its data not yet narrowed. */
export type LogEvent = Omit<RecordedEvent<Record<string, unknown>>, 'data'> & { readonly data: unknown }

/**
 * An event of the log that cannot be read: it has its place in the log and its type, and no data. What follows it can be
 * read all the same, so it is handed over instead of thrown, and whoever reads decides what it means there.
 */
export interface Undecodable extends Omit<LogEvent, 'data'> {
  /** Why, and the error for whoever cannot go on without it. */
  readonly undecodable: UndecodableEvent
  /** As recorded: JSON's value, or bytes or text that are none. */
  readonly recorded: unknown
}

/** What the log holds at one place. */
export type LoggedEvent = LogEvent | Undecodable

export const isUndecodable = (event: LoggedEvent): event is Undecodable => 'undecodable' in event

/** The event, for whoever cannot go on without its data. Throws UndecodableEvent. */
export const decoded = (event: LoggedEvent): LogEvent => {
  if (isUndecodable(event)) throw event.undecodable
  return event
}

/** Which events: by stream category (prefix `{category}-`) and event type; everything of this newsroom when absent. */
export interface LogFilter {
  readonly categories?: readonly string[]
  readonly types?: readonly string[]
}

export type SubscriptionMessage =
  { readonly kind: 'event'; readonly event: LoggedEvent } | { readonly kind: 'caught-up' }

/**
 * The log of one newsroom (streams carry STREAM_PREFIX in the store, never outside this interface). Every method throws
 * Unavailable when the store cannot be reached or does not answer in time; after an append that means: outcome unknown,
 * retry with the same ids and revision. No read ends at an event that cannot be decoded: it comes as Undecodable.
 */
export interface EventLog {
  /** Appends all or nothing at `expected` (-1: the stream must not exist). A retry with the same ids is recognised. */
  append(stream: string, expected: number, events: readonly EventToAppend[]): Promise<AppendResult>
  /**
   * Hides a stream's events before a revision for good: nobody reads them from the stream any more, and a scavenge of the
   * store takes them out of the log. Whatever else the stream's metadata says is kept; a later truncation stays. Throws
   * Unavailable: then nothing or everything of it was done, and doing it again is harmless.
   */
  truncateBefore(stream: string, revision: number): Promise<void>
  /** Events of a stream from a revision on, in order; nothing for a stream that does not exist. */
  readStream(stream: string, options?: { from?: number; limit?: number }): AsyncIterable<LoggedEvent>
  /** The last event of a stream, or null. */
  lastOf(stream: string): Promise<LoggedEvent | null>
  /** Events after `after` (exclusive; null: from the start), in log order; backwards: before it (null: from the end). */
  readAll(options: {
    after?: string | null
    backwards?: boolean
    limit?: number
    filter?: LogFilter
    stream?: string
  }): AsyncIterable<LoggedEvent>
  /** Pull-based: history after `after`, one `caught-up`, then live; ends by an error on any drop, or when aborted. */
  subscribe(options: {
    after: string | null
    filter?: LogFilter
    signal: AbortSignal
  }): AsyncIterable<SubscriptionMessage>
  /** Position of the last record of the whole log, whosever it is; null for an empty log. */
  end(): Promise<string | null>
  /**
   * Looks beyond `after` (null: from the start) for anything that matches. Null when there is something; otherwise how far
   * it has looked: the last record of the log (null: it is empty).
   */
  nothingAfter(after: string | null, filter: LogFilter): Promise<{ readonly until: string | null } | null>
  /** The version that events of this type are written in (see Upcaster). */
  versionOf(type: string): number
  /** True when the store answers. */
  ping(): Promise<boolean>
  close(): Promise<void>
}
