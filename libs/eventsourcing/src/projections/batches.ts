// Pulls a subscription ahead of its consumer, within bounds, and hands out what has arrived as batches.
import { isUndecodable, type LoggedEvent, type SubscriptionMessage } from '../event-log'
import { weigh } from './weigh'

export interface BatchLimits {
  /** Events of a batch, at most 500. */
  readonly events: number
  /** Approximate bytes of a batch. */
  readonly bytes: number
  /** Milliseconds that an unfilled batch waits for more while catching up. */
  readonly wait: number
  /**
   * Milliseconds from one batch to the next once caught up, unless that one is full: each batch is a durable transaction,
   * also when its events change nothing, and a steady trickle must not cost one for every event.
   */
  readonly pace: number
  /** The same while nothing has come that changes a read model of the group: only its checkpoint moves. */
  readonly idle: number
  /** Milliseconds without an event after which a caught-up group is told so once more, by an empty batch. */
  readonly quiet: number
}

export const DEFAULT_LIMITS: BatchLimits = {
  events: 500,
  bytes: 4 * 1024 * 1024,
  wait: 500,
  pace: 10,
  idle: 100,
  quiet: 10_000,
}

export interface Batch {
  /** In log order; empty only when there is nothing but `caughtUp` to tell. */
  readonly events: readonly LoggedEvent[]
  /** True when nothing more was known to the log when this was handed out. */
  readonly caughtUp: boolean
}

/** Batches that are read ahead, so that reading goes on while one is folded and another one is written. */
const AHEAD = 2

/**
 * Batches of a subscription, until it ends. Whatever ended it (a drop, an abort) is thrown after the last batch. Leaving
 * the loop ends the subscription by way of `abort`.
 */
export async function* batchesOf(
  messages: AsyncIterable<SubscriptionMessage>,
  limits: BatchLimits,
  abort: AbortController,
  matters: (event: LoggedEvent) => boolean,
): AsyncGenerator<Batch> {
  const queue = new Intake(limits, matters)
  const pumping = pump(messages, queue)
  // It may fail while the consumer works on a batch; it is told when it asks for the next one.
  pumping.catch(() => undefined)
  try {
    for (;;) {
      const batch = await queue.take()
      if (!batch) break
      yield batch
    }
    await pumping
  } finally {
    abort.abort()
    queue.close()
    await pumping.catch(() => undefined)
  }
}

const pump = async (messages: AsyncIterable<SubscriptionMessage>, queue: Intake): Promise<void> => {
  try {
    for await (const message of messages) {
      if (queue.closed) return
      queue.put(message)
      if (queue.full) await queue.room()
    }
  } finally {
    queue.end()
  }
}

/** The bounded buffer between the subscription and its consumer; one of each. */
class Intake {
  private events: LoggedEvent[] = []
  private weights: number[] = []
  private bytes = 0
  private live = false
  /** When the last batch was handed out (monotonic ms). */
  private cutAt = -Infinity
  /** Something has come that matters. */
  private urgent = false
  /** A caught-up that was not handed out yet. */
  private announce = false
  private ended = false
  closed = false
  private wake: (() => void) | null = null
  private makeRoom: (() => void) | null = null

  constructor(
    private readonly limits: BatchLimits,
    private readonly matters: (event: LoggedEvent) => boolean,
  ) {}

  get full(): boolean {
    return this.events.length >= AHEAD * this.limits.events || this.bytes >= AHEAD * this.limits.bytes
  }

  put(message: SubscriptionMessage): void {
    if (message.kind === 'caught-up') {
      this.live = true
      this.announce = true
    } else {
      const { event } = message
      const weight = weigh(isUndecodable(event) ? event.recorded : event.data)
      this.events.push(event)
      this.weights.push(weight)
      this.bytes += weight
      // Whoever waits for more waits less from now on.
      if (!this.urgent && this.matters(event)) {
        this.urgent = true
        this.wake?.()
      }
    }
    if (this.ready || (this.live && this.events.length === 1)) this.wake?.()
  }

  end(): void {
    this.ended = true
    this.wake?.()
  }

  close(): void {
    this.closed = true
    this.makeRoom?.()
  }

  room(): Promise<void> {
    return this.closed ? Promise.resolve() : new Promise(resolve => (this.makeRoom = resolve))
  }

  /** The next batch; null at the end. */
  async take(): Promise<Batch | null> {
    for (;;) {
      if (this.ready) break
      const inVain = !(await this.woken(this.patience))
      // While catching up an empty batch says nothing; once caught up, one with events is ready when its time has come.
      if (inVain && this.live !== this.events.length > 0) break
    }
    if (!this.events.length && this.ended) return null
    return this.cut()
  }

  private get ready(): boolean {
    if (this.filled || this.ended) return true
    if (!this.live) return false
    return this.events.length > 0 ? performance.now() >= this.rested : this.announce
  }

  /** When the next batch may be handed out (monotonic ms). */
  private get rested(): number {
    return this.cutAt + (this.urgent ? this.limits.pace : Math.max(this.limits.pace, this.limits.idle))
  }

  /** Milliseconds to wait for more. */
  private get patience(): number {
    if (!this.live) return this.limits.wait
    return this.events.length > 0 ? Math.max(1, Math.ceil(this.rested - performance.now())) : this.limits.quiet
  }

  private get filled(): boolean {
    return this.events.length >= this.limits.events || this.bytes >= this.limits.bytes
  }

  /** False when nobody did within that time. */
  private woken(milliseconds: number): Promise<boolean> {
    return new Promise(resolve => {
      const settle = (woken: boolean) => {
        clearTimeout(timer)
        this.wake = null
        resolve(woken)
      }
      const timer = setTimeout(() => {
        settle(false)
      }, milliseconds)
      this.wake = () => {
        settle(true)
      }
    })
  }

  private cut(): Batch {
    let count = 0
    let bytes = 0
    while (count < this.events.length && count < this.limits.events && (count === 0 || bytes < this.limits.bytes))
      bytes += this.weights[count++] ?? 0
    const events = this.events.splice(0, count)
    this.weights.splice(0, count)
    this.bytes -= bytes
    this.cutAt = performance.now()
    this.urgent = this.events.some(this.matters)
    const caughtUp = this.live && this.events.length === 0
    if (caughtUp) this.announce = false
    if (!this.full) {
      this.makeRoom?.()
      this.makeRoom = null
    }
    return { events, caughtUp }
  }
}
