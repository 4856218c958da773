// Pulls from one of the client's streams, item by item, and ends whatever happens to the connection.
import { type Readable } from 'node:stream'
import { TimedOut } from './failures'

/** A read or a subscription of the client, whose own types narrow the events of a stream in ways of their own. */
export interface Pullable {
  destroy(): unknown
}

/** What it is at run time: reads end by cancel, subscriptions by unsubscribe. */
type ClientStream = Readable & { cancel?(): Promise<void>; unsubscribe?(): Promise<void> }

export interface PullOptions {
  /** Milliseconds that the next item may take (from when it is wanted); absent: any time. */
  readonly idle?: number
  /** Milliseconds until a subscription is confirmed. */
  readonly confirmed?: number
  /** Items after which the server ends the call itself: it is left to do so. */
  readonly count?: number
  /** Ends the iteration without an error. */
  readonly signal?: AbortSignal
}

/** Comes where the client's `caughtUp` belongs: after the history that it had buffered when it said so. */
export const CAUGHT_UP = Symbol('caught up')

/**
 * Iterates over `source` without ever flowing: what is not pulled stays with the server. Throws TimedOut and what the
 * stream fails with. The client's own async iteration would hang when a call is cancelled, leave the call open when the
 * loop is left, and let a later failure of the left stream end the process.
 */
export async function* pull<Item extends object>(
  source: Pullable,
  { idle, confirmed, count, signal }: PullOptions,
): AsyncGenerator<Item | typeof CAUGHT_UP, void, undefined> {
  const stream = source as ClientStream
  let failure: unknown
  let ended = false
  let wake = (): void => undefined
  let pulled = 0
  let caughtUpAfter: number | undefined

  const end = (): void => {
    ended = true
    wake()
  }
  const fail = (error: unknown): void => {
    failure ??= error
    end()
  }
  stream.on('readable', () => wake())
  stream.on('end', end)
  stream.on('close', end)
  stream.on('error', fail)
  // The client announces it before what it has buffered was read.
  stream.once('caughtUp', () => {
    caughtUpAfter = pulled + stream.readableLength
    wake()
  })
  const confirmation = confirmed === undefined ? undefined : setTimeout(() => fail(new TimedOut()), confirmed)
  stream.once('confirmation', () => clearTimeout(confirmation))
  signal?.addEventListener('abort', end)

  try {
    while (!signal?.aborted) {
      if (pulled === caughtUpAfter) {
        caughtUpAfter = undefined
        yield CAUGHT_UP
        continue
      }
      const item = stream.read() as Item | null
      if (item !== null) {
        pulled++
        yield item
        continue
      }
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- whatever the client failed with
      if (failure !== undefined) throw failure
      if (ended) return
      const timer = idle === undefined ? undefined : setTimeout(() => fail(new TimedOut()), idle)
      await new Promise<void>(resolve => (wake = resolve))
      clearTimeout(timer)
      wake = () => undefined
    }
  } finally {
    clearTimeout(confirmation)
    signal?.removeEventListener('abort', end)
    // The listener for errors stays: the call that is cancelled here may fail later.
    const cancel = (): void => {
      const cancelled = stream.unsubscribe?.() ?? stream.cancel?.()
      cancelled?.catch(() => undefined)
      stream.destroy()
    }
    if (pulled !== count || ended || signal?.aborted) cancel()
    else letEnd(stream, cancel)
  }
}

/** Milliseconds that a server may take to end a call of which everything is there. */
const LINGER = 5_000

/**
 * A call that is cancelled resets its stream, and an HTTP/2 server closes a connection that resets many (Node after a
 * thousand, beyond 33 a second), with every other call on it.
 */
const letEnd = (stream: Readable, cancel: () => void): void => {
  const timer = setTimeout(cancel, LINGER)
  timer.unref()
  stream.once('close', () => clearTimeout(timer))
  stream.resume()
}
