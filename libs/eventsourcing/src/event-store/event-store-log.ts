// EventLog over an EventStoreDB (KurrentDB) server: names with the prefix on the one side, without it on the other.
import { setMaxListeners } from 'node:events'
import {
  type AllStreamResolvedEvent,
  BACKWARDS,
  END,
  type EventStoreDBClient,
  FORWARDS,
  START,
  type RecordedEvent,
  streamNameFilter,
  eventTypeFilter,
} from '@eventstore/db-client'
import { type Codec, codecOf, type Upcaster } from '../codec'
import { Unavailable } from '../errors'
import { comparePositions } from '../event'
import {
  type AppendResult,
  type EventLog,
  type EventToAppend,
  type LogFilter,
  type LoggedEvent,
  type SubscriptionMessage,
} from '../event-log'
import { type Appender, shareAppender } from './appender'
import { closeClient, type ConnectionLog, openClient } from './client'
import { asStetError, isMissing, TimedOut } from './failures'
import { isOurs, isPrefix, matchesNothing, matchesTypes, serverFilter } from './filters'
import { CAUGHT_UP, pull, type Pullable, type PullOptions } from './pull'
import { readAllFiltered } from './read-all'
import { truncate } from './truncate'

export interface EventLogOptions {
  /** `esdb://`, `esdb+discover://`, `kurrentdb://`, `kurrentdb+discover://`, or `unix:/path`. */
  readonly url: string
  /** What this newsroom's streams begin with in the store: empty, or without a hyphen and with a dot at the end. */
  readonly prefix?: string
  readonly upcasters?: readonly Upcaster[]
  /** Told in one line when a connection had to be mended. */
  readonly log?: ConnectionLog
  /** Told of every append, for metrics. */
  readonly observe?: (append: ObservedAppend) => void
}

export interface ObservedAppend {
  readonly milliseconds: number
  /** `conflict`: another writer was first. */
  readonly outcome: 'ok' | 'conflict' | 'failed'
}

/** Milliseconds that a read may take for its next event, that a subscription may take to begin, that a ping may take. */
const READ_TIMEOUT = 5000
const CONFIRMATION_TIMEOUT = 5000
const PING_TIMEOUT = 2000
const CLOSE_TIMEOUT = 1000
/** Events that a read or a subscription holds here before they are pulled. */
const BUFFER = 256
/** Checkpoints are of no use to us (they run ahead of what was pulled): one per so many windows of 32 log records. */
const CHECKPOINT_INTERVAL = 1000

/** Two positions: nothing that matches a filter lies after the first up to the second, or did when that was the end. */
interface Silence {
  readonly after: string | null
  readonly until: string | null
}

/** What is read. */
interface Reading {
  /** For error messages. */
  readonly doing: string
  /** Events that are handed over at most. */
  readonly limit: number
  /** Events after which the store ends the read itself. */
  readonly count: number
  readonly kept?: (event: LoggedEvent) => boolean
}

/** What the client hands over for one event. */
type Resolved = { readonly event?: RecordedEvent }

/** Connects lazily: a store that cannot be reached shows at the first call, as Unavailable. Close it in the end. */
export const connectEventLog = (options: EventLogOptions): EventLog => new EventStoreLog(options)

class EventStoreLog implements EventLog {
  readonly #prefix: string
  readonly #codec: Codec
  readonly #appender: Appender
  readonly #release: () => Promise<void>
  /** Reads and subscriptions only: a failed append closes the channel that it ran on. */
  readonly #reader: EventStoreDBClient
  readonly #closing = new AbortController()
  /** The last answers of `nothingAfter`, by filter. */
  readonly #silences = new Map<string, Silence>()
  readonly #observe: (append: ObservedAppend) => void

  constructor(options: EventLogOptions) {
    const { url, prefix = '', upcasters = [], log = () => undefined, observe = () => undefined } = options
    this.#observe = observe
    if (!isPrefix(prefix)) throw new RangeError(`the prefix ${prefix} does not end with a dot, or has a hyphen`)
    this.#prefix = prefix
    this.#codec = codecOf(upcasters)
    this.#reader = openClient(url)
    const { appender, release } = shareAppender(url, log)
    this.#appender = appender
    this.#release = release
    // Every read under way listens to it; they are bounded elsewhere.
    setMaxListeners(0, this.#closing.signal)
  }

  versionOf(type: string): number {
    return this.#codec.versionOf(type)
  }

  async append(stream: string, expected: number, events: readonly EventToAppend[]): Promise<AppendResult> {
    this.#refuseWhenClosed()
    const encoded = events.map(event => this.#codec.encode(event))
    const since = performance.now()
    let outcome: ObservedAppend['outcome'] = 'failed'
    try {
      const result = await this.#appender.append(this.#prefix + stream, expected, encoded, async () => {
        return (await this.lastOf(stream))?.revision ?? -1
      })
      outcome = result.ok ? 'ok' : 'conflict'
      return result
    } finally {
      this.#observe({ milliseconds: performance.now() - since, outcome })
    }
  }

  async truncateBefore(stream: string, revision: number): Promise<void> {
    this.#refuseWhenClosed()
    const signal = this.#closing.signal
    await truncate({ reader: this.#reader, appender: this.#appender, signal }, this.#prefix + stream, revision)
  }

  async *readStream(stream: string, { from = 0, limit = Infinity }: { from?: number; limit?: number } = {}) {
    yield* this.#read({ doing: `reading ${stream}`, limit, count: limit }, () =>
      this.#reader.readStream(
        this.#prefix + stream,
        { fromRevision: BigInt(from), maxCount: countOf(limit), direction: FORWARDS },
        { highWaterMark: BUFFER },
      ),
    )
  }

  async lastOf(stream: string): Promise<LoggedEvent | null> {
    return first(
      this.#read({ doing: `reading the end of ${stream}`, limit: 1, count: 1 }, () =>
        this.#reader.readStream(this.#prefix + stream, { fromRevision: END, maxCount: 1, direction: BACKWARDS }),
      ),
    )
  }

  async *readAll(options: {
    after?: string | null
    backwards?: boolean
    limit?: number
    filter?: LogFilter
    stream?: string
  }): AsyncIterable<LoggedEvent> {
    const { after = null, backwards = false, limit = Infinity, filter, stream } = options
    if (limit <= 0 || matchesNothing(filter)) return
    const ofType = matchesTypes(filter)
    const kept = (event: LoggedEvent) =>
      ofType(event.type) &&
      (stream === undefined || !filter?.categories || filter.categories.includes(event.category)) &&
      // Forwards the store begins with the position itself; a stream is read as a whole.
      (after === null ||
        (backwards ? comparePositions(event.position, after) < 0 : comparePositions(event.position, after) > 0))
    // What is left out here (a neighbour's too, unless categories are asked for) must not count against the store's limit.
    const counted = filter?.categories && !filter.types && stream === undefined
    // Only the event at `after` itself may be handed over and left out.
    const count = counted ? limit + (after === null ? 0 : 1) : Infinity
    const read = () =>
      stream === undefined
        ? readAllFiltered(this.#reader, {
            from: after ?? (backwards ? 'end' : 'start'),
            backwards,
            limit: countOf(count),
            filter: serverFilter(this.#prefix, filter),
            buffer: BUFFER,
          })
        : this.#reader.readStream(
            this.#prefix + stream,
            { fromRevision: backwards ? END : START, direction: backwards ? BACKWARDS : FORWARDS },
            { highWaterMark: BUFFER },
          )
    const doing = `reading the log${after === null ? '' : ` from position ${after}`}`
    yield* this.#read({ doing, limit, count, kept }, read)
  }

  async *subscribe(options: {
    after: string | null
    filter?: LogFilter
    signal: AbortSignal
  }): AsyncIterable<SubscriptionMessage> {
    const { after, filter, signal } = options
    const doing = `following the log${after === null ? '' : ` from position ${after}`}`
    this.#refuseWhenClosed()
    const ofType = matchesTypes(filter)
    const server = serverFilter(this.#prefix, filter)
    const subscription = this.#reader.subscribeToAll(
      {
        fromPosition: after === null ? START : { commit: BigInt(after), prepare: BigInt(after) },
        filter:
          server.on === 'stream'
            ? streamNameFilter({ prefixes: [...server.prefixes], checkpointInterval: CHECKPOINT_INTERVAL })
            : eventTypeFilter({ regex: server.regex, checkpointInterval: CHECKPOINT_INTERVAL }),
      },
      { highWaterMark: BUFFER },
    )
    try {
      const ended = AbortSignal.any([signal, this.#closing.signal])
      for await (const item of pull<Resolved>(subscription, { confirmed: CONFIRMATION_TIMEOUT, signal: ended })) {
        if (item === CAUGHT_UP) yield { kind: 'caught-up' }
        else {
          const event = this.#decoded(item)
          if (event && ofType(event.type)) yield { kind: 'event', event }
        }
      }
    } catch (error) {
      throw asStetError(error, doing)
    }
    if (!signal.aborted) throw new Unavailable('event store', `the event store ended the subscription: ${doing}`)
  }

  end(): Promise<string | null> {
    return this.#head()
  }

  /** Asked many times a second, so only what is new since the last answer is looked through. */
  async nothingAfter(after: string | null, filter: LogFilter): Promise<{ readonly until: string | null } | null> {
    const asked = JSON.stringify(filter)
    const until = await this.#head()
    const known = this.#silences.get(asked)
    // A log that is shorter than it was is another one.
    const joins = known && isWithin(after, known) && comparePositions(known.until, until) <= 0
    if (comparePositions(joins ? known.until : after, until) < 0) {
      const found = joins
        ? // The record that was last may have been scavenged since: then a store need not know its position any more.
          await this.#has(known.until, filter).catch(() => this.#has(after, filter))
        : await this.#has(after, filter)
      // A node that was asked instead of the one before may lack what that one had.
      if (found || comparePositions(await this.#head(), until) < 0) return null
    }
    this.#silences.set(asked, { after: joins ? known.after : after, until })
    return { until }
  }

  async #has(after: string | null, filter: LogFilter): Promise<boolean> {
    return (await first(this.readAll({ after, filter, limit: 1 }))) !== null
  }

  /** Position of the last record of the whole log, whosever it is. */
  async #head(timeout = READ_TIMEOUT): Promise<string | null> {
    const read = this.#reader.readAll({ fromPosition: END, direction: BACKWARDS, maxCount: 1 })
    try {
      const options: PullOptions = { idle: timeout, count: 1, signal: this.#closing.signal }
      const last = await first(pull<AllStreamResolvedEvent>(read, options))
      return last && last !== CAUGHT_UP ? ((last.event ?? last.link)?.position.commit.toString() ?? null) : null
    } catch (error) {
      throw asStetError(error, 'reading the end of the log')
    }
  }

  async ping(): Promise<boolean> {
    try {
      await this.#head(PING_TIMEOUT)
      return !this.#closing.signal.aborted
    } catch {
      return false
    }
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    await Promise.all([this.#release(), closeClient(this.#reader, CLOSE_TIMEOUT)])
  }

  /** Events of one read. A read that fails before its first event is tried once more: the connection was an old one. */
  async *#read(
    { doing, limit, count, kept = () => true }: Reading,
    open: () => Pullable,
  ): AsyncGenerator<LoggedEvent, void, undefined> {
    const options: PullOptions = { idle: READ_TIMEOUT, count, signal: this.#closing.signal }
    let left = limit
    for (let attempt = 1; left > 0; attempt++) {
      this.#refuseWhenClosed()
      let begun = false
      try {
        for await (const item of pull<Resolved>(open(), options)) {
          begun = true
          const event = item === CAUGHT_UP ? null : this.#decoded(item)
          if (!event || !kept(event)) continue
          yield event
          if (--left <= 0) return
        }
        this.#refuseWhenClosed()
        return
      } catch (error) {
        if (isMissing(error)) return
        const failure = asStetError(error, doing)
        if (
          begun ||
          attempt > 1 ||
          error instanceof TimedOut ||
          !(failure instanceof Unavailable) ||
          this.#closing.signal.aborted
        )
          throw failure
      }
    }
  }

  /** Null for what is not ours: another newsroom's, or the store's own. */
  #decoded({ event }: Resolved): LoggedEvent | null {
    if (!event || !isOurs(this.#prefix, event.streamId, event.type)) return null
    const { streamId, revision, id, type, created, data, metadata, position } = event
    return this.#codec.decode({
      stream: streamId.slice(this.#prefix.length),
      revision: Number(revision),
      position: position?.commit.toString() ?? '0',
      id,
      type,
      created,
      data,
      metadata,
    })
  }

  #refuseWhenClosed(): void {
    if (this.#closing.signal.aborted)
      throw new Unavailable('event store', 'the connection to the event store is closed')
  }
}

const isWithin = (position: string | null, { after, until }: Silence): boolean =>
  comparePositions(after, position) <= 0 && comparePositions(position, until) <= 0

const first = async <T>(items: AsyncIterable<T>): Promise<T | null> => {
  for await (const item of items) return item
  return null
}

const countOf = (limit: number): number => (limit === Infinity ? Number.MAX_SAFE_INTEGER : limit)
