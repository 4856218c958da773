// Appends through one client per process and store, with its own time-out and a bound on what is in flight.
import { type EventStoreDBClient, jsonEvent, NO_STREAM, WrongExpectedVersionError } from '@eventstore/db-client'
import { type EncodedEvent } from '../codec'
import { Gone, Unavailable } from '../errors'
import { type AppendResult } from '../event-log'
import { weightOf } from '../json'
import { closeClient, type ConnectionLog, openAppendingClient } from './client'
import { asStetError, isMended, TimedOut } from './failures'
import { Room } from './room'

/** Milliseconds until an append's outcome counts as unknown. The client's own deadline fires far later. */
const APPEND_TIMEOUT = 3000
/** Milliseconds that the server may take; generous, because it is compared with the server's clock. */
const SERVER_DEADLINE = 30_000
/** Milliseconds that a broken connection gets to end before it is left alone. */
const CLOSE_TIMEOUT = 500
/** Bytes (roughly) on their way at once; more wait: to encode many large events in one go would block the process. */
const IN_FLIGHT = 4 * 1024 * 1024

/** The appending client of one store. Get one by `shareAppender`. */
export class Appender {
  #client: EventStoreDBClient
  /** Settles when the client that was replaced is closed: its end would reject what the next one has sent by then. */
  #replaced: Promise<void> = Promise.resolve()
  #lastAnswer = 0
  readonly #room = new Room(IN_FLIGHT)
  #closed = false
  users = 0

  constructor(
    private readonly url: string,
    private readonly log: ConnectionLog,
  ) {
    this.#client = openAppendingClient(url, log)
  }

  /**
   * Appends all or nothing; `lastRevision` is asked where the client does not tell the current revision.
   * Throws Unavailable (outcome unknown), Gone for a deleted stream, Invalid for more than the store takes.
   */
  async append(
    stream: string,
    expected: number,
    events: readonly EncodedEvent[],
    lastRevision: () => Promise<number>,
  ): Promise<AppendResult> {
    const doing = `appending to ${stream}`
    const weight = events.reduce((sum, { data, metadata }) => sum + weightOf(data) + metadata.length, 0)
    await this.#room.enter(weight, APPEND_TIMEOUT).catch((error: unknown) => {
      throw asStetError(error, doing)
    })
    try {
      const sent = events.map(event => jsonEvent({ ...event, data: event.data }))
      await this.#replaced
      if (this.#closed) throw new Unavailable('event store', `the connection is closed: ${doing}`)
      const result = await this.#sent(stream, expected, sent)
      if (!result.success) return { ok: false, current: await lastRevision() }
      // Only a deleted stream, told again what it held, answers without a position.
      if (!result.position) throw new Gone(`${stream} is deleted`)
      return { ok: true, revision: Number(result.nextExpectedRevision), position: result.position.commit.toString() }
    } catch (error) {
      if (error instanceof WrongExpectedVersionError) {
        const { actualVersion } = error
        return { ok: false, current: typeof actualVersion === 'bigint' ? Number(actualVersion) : -1 }
      }
      throw asStetError(error, doing)
    } finally {
      this.#room.leave(weight)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#replaced
    await closeClient(this.#client, CLOSE_TIMEOUT)
  }

  async #sent(stream: string, expected: number, events: ReturnType<typeof jsonEvent>[]) {
    const client = this.#client
    const since = performance.now()
    const expectedRevision = expected < 0 ? NO_STREAM : BigInt(expected)
    try {
      const result = await timed(client.appendToStream(stream, events, { expectedRevision, deadline: SERVER_DEADLINE }))
      this.#lastAnswer = performance.now()
      return result
    } catch (error) {
      if (error instanceof WrongExpectedVersionError) this.#lastAnswer = performance.now()
      // Nothing came back in all that time, or the client has met what it does not mend by itself.
      else if (error instanceof TimedOut ? this.#lastAnswer < since : isUnknown(error)) this.#replace(client)
      throw error
    }
  }

  /** Opens a new client in place of a broken one, once however many of its appends report it. */
  #replace(broken: EventStoreDBClient): void {
    if (this.#client !== broken || this.#closed) return
    this.log('the connection to the event store is opened anew for appending')
    this.#client = openAppendingClient(this.url, this.log)
    this.#replaced = closeClient(broken, CLOSE_TIMEOUT)
  }
}

const appenders = new Map<string, Appender>()

/** The process's appender for a store: exactly one, however many logs of that store are open. */
export const shareAppender = (
  url: string,
  log: ConnectionLog,
): { appender: Appender; release: () => Promise<void> } => {
  const appender = appenders.get(url) ?? new Appender(url, log)
  if (!appenders.has(url) && appenders.size > 0) {
    log('this process appends to more than one event store: trouble with one makes appends to the other uncertain')
  }
  appenders.set(url, appender)
  appender.users++
  return {
    appender,
    release: async () => {
      if (--appender.users > 0) return
      appenders.delete(url)
      await appender.close()
    },
  }
}

/** The answer of the server, or TimedOut; a later answer or failure is of no interest to anybody. */
const timed = <T>(answer: Promise<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new TimedOut()), APPEND_TIMEOUT)
    answer.then(resolve, reject).finally(() => clearTimeout(timer))
  })

const isUnknown = (error: unknown): boolean => !isMended(error) && asStetError(error, '') instanceof Unavailable
