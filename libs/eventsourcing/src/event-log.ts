// What the engine needs of an event store. event-store/ implements it with the official client; nobody else imports that.
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

/** Which events: by stream category (prefix `{category}-`) and event type; everything of this newsroom when absent. */
export interface LogFilter {
  readonly categories?: readonly string[]
  readonly types?: readonly string[]
}

export type SubscriptionMessage = { readonly kind: 'event'; readonly event: LogEvent } | { readonly kind: 'caught-up' }

/**
 * The log of one newsroom (streams carry STREAM_PREFIX in the store, never outside this interface). Every method throws
 * Unavailable when the store cannot be reached or does not answer in time; after an append that means: outcome unknown,
 * retry with the same ids and revision.
 */
export interface EventLog {
  /** Appends all or nothing at `expected` (-1: the stream must not exist). A retry with the same ids is recognised. */
  append(stream: string, expected: number, events: readonly EventToAppend[]): Promise<AppendResult>
  /** Events of a stream from a revision on, in order; nothing for a stream that does not exist. */
  readStream(stream: string, options?: { from?: number; limit?: number }): AsyncIterable<LogEvent>
  /** The last event of a stream, or null. */
  lastOf(stream: string): Promise<LogEvent | null>
  /** Events after `after` (exclusive; null: from the start), in log order; backwards: before it (null: from the end). */
  readAll(options: {
    after?: string | null
    backwards?: boolean
    limit?: number
    filter?: LogFilter
    stream?: string
  }): AsyncIterable<LogEvent>
  /** Pull-based: history after `after`, one `caught-up`, then live; ends by an error on any drop, or when aborted. */
  subscribe(options: {
    after: string | null
    filter?: LogFilter
    signal: AbortSignal
  }): AsyncIterable<SubscriptionMessage>
  /** Position of the last event that matches, null for none. */
  end(filter?: LogFilter): Promise<string | null>
  /** The version that events of this type are written in (see Upcaster). */
  versionOf(type: string): number
  /** True when the store answers. */
  ping(): Promise<boolean>
  close(): Promise<void>
}
