// Records views: gathers those of a quarter of a second into one append, and answers each once it is durable.
import { randomUUID } from 'node:crypto'
import { type EventLog, type EventToAppend, isUndecodable, streamOf, Unavailable } from '@stet/eventsourcing'
import {
  MOST_VIEWS,
  type NotCounted,
  type ViewBatch,
  type ViewContext,
  type ViewCounter,
  type ViewDto,
  type ViewOutcome,
  VISITOR_WINDOW,
} from '@stet/newsroom'
import { Turns } from './turns'

export interface ViewRecorderOptions {
  readonly log: EventLog
  readonly counter: ViewCounter
  /** Milliseconds since 1970; default Date.now. */
  readonly now?: () => number
  /** Milliseconds between the starts of two appends at least; default 250. */
  readonly interval?: number
  /** Milliseconds after which views whose append has no outcome are answered Unavailable; default 4,000. */
  readonly patience?: number
}

/** What became of views since the start of this process. */
export interface ViewStatistics {
  /** Durable. */
  readonly recorded: number
  readonly notCounted: Readonly<Record<NotCounted, number>>
  /** Accepted and not durable yet. */
  readonly waiting: number
}

/** Views that share one append and one answer. */
interface Pending {
  readonly batch: ViewBatch
  readonly done: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** Events read at most to learn the views of the last half hour: four a second from two processes. */
const MOST_LEARNT = 15_000
const RETRY_FIRST = 50
const RETRY_LAST = 1_000

/**
 * One writer of one stream of its own, `views-{uuid}`: one append at a time, at most four a second. An append whose
 * outcome is unknown is repeated with the same ids and the same revision until it is known; meanwhile nothing else is
 * recorded, views are answered Unavailable, and those that were never sent are forgotten so that they may come again.
 */
export class ViewRecorder {
  private readonly now: () => number
  private readonly interval: number
  private readonly patience: number
  private stream = newStream()
  private revision = -1
  private readonly pending = new Map<ViewBatch, Pending>()
  private readonly turns = new Turns()
  private lastStart = Number.NEGATIVE_INFINITY
  private timer: NodeJS.Timeout | undefined
  private appending: Promise<void> | undefined
  private stuck = false
  private stopped = false
  private recorded = 0

  private constructor(private readonly options: ViewRecorderOptions) {
    this.now = options.now ?? Date.now
    this.interval = options.interval ?? 250
    this.patience = options.patience ?? 4_000
  }

  /** Learns which views of the last half hour are in the log already. Throws Unavailable when that cannot be read. */
  static async start(options: ViewRecorderOptions): Promise<ViewRecorder> {
    const recorder = new ViewRecorder(options)
    const since = recorder.now() - VISITOR_WINDOW
    const events = options.log.readAll({
      backwards: true,
      limit: MOST_LEARNT,
      filter: { categories: ['views'], types: ['ArticlesViewed'] },
    })
    const learnt: { readonly seen: string; readonly at: number }[] = []
    for await (const event of events) {
      const { at } = event
      if (Date.parse(at) < since) break
      // Nobody can say which views it counted.
      if (isUndecodable(event)) continue
      const { seen } = event.data as { readonly seen?: unknown }
      if (typeof seen === 'string') learnt.push({ seen, at: Date.parse(at) })
    }
    // The oldest first: the memory forgets in the order in which it learnt.
    for (const { seen, at } of learnt.reverse()) options.counter.learn(seen, at)
    return recorder
  }

  /**
   * Resolves once the view is durable, at once when it does not count (a repeat of one that is still on its way waits
   * for that one). Rejects with Unavailable when the event store gives no outcome in time.
   */
  record(view: ViewDto, context: ViewContext): Promise<ViewOutcome> {
    if (this.stuck || this.stopped) return Promise.reject(unavailable())
    const { counter } = this.options
    if (counter.waiting >= MOST_VIEWS) return Promise.reject(unavailable('too many views are waiting'))
    const { outcome, batch } = counter.accept(view, context, this.now())
    if (batch === null) return Promise.resolve(outcome)
    const pending = this.pending.get(batch) ?? this.begin(batch)
    // Thousands may wait for one append: answered all at once they would hold up a publication.
    return pending.done.finally(() => this.turns.next()).then(() => outcome)
  }

  statistics(): ViewStatistics {
    let waiting = 0
    for (const { batch } of this.pending.values()) waiting += batch.size
    return { recorded: this.recorded, notCounted: { ...this.options.counter.notCounted }, waiting }
  }

  /** Records what waits, for at most `patience`, and takes no more. */
  async stop(): Promise<void> {
    this.stopped = true
    clearTimeout(this.timer)
    this.timer = undefined
    await this.appending
    if (!this.stuck) await this.flush()
  }

  private begin(batch: ViewBatch): Pending {
    let resolve = () => {}
    let reject: (error: Error) => void = () => {}
    const done = new Promise<void>((onDone, onFailure) => {
      resolve = onDone
      reject = onFailure
    })
    // Each view has its own promise made of this one; without any, a failure must not count as unhandled.
    done.catch(() => {})
    const pending = { batch, done, resolve, reject }
    this.pending.set(batch, pending)
    this.schedule()
    return pending
  }

  private schedule(): void {
    if (this.timer !== undefined || this.appending !== undefined || this.stopped) return
    const wait = Math.max(0, this.lastStart + this.interval - this.now())
    this.timer = setTimeout(
      () => {
        this.timer = undefined
        void this.flush()
      },
      Math.min(wait, this.interval),
    )
  }

  /** Never rejects: every failure is answered to the views that it concerns. */
  private async flush(): Promise<void> {
    const batch = this.options.counter.take()
    const pending = batch && this.pending.get(batch)
    if (!pending) return
    this.lastStart = this.now()
    this.appending = this.settle(pending)
    await this.appending
    this.appending = undefined
    if (this.options.counter.waiting > 0) this.schedule()
  }

  private async settle(pending: Pending): Promise<void> {
    const { counter } = this.options
    const { batch } = pending
    const deadline = setTimeout(() => this.giveUpWaiting(pending), this.patience)
    try {
      const durable = await this.append(this.eventsOf(batch))
      counter.settle(batch, durable ? 'durable' : 'lost')
      if (durable) {
        this.recorded += batch.size
        pending.resolve()
      }
    } catch (error) {
      // Not an unknown outcome but a refusal: nothing of it was written.
      counter.settle(batch, 'lost')
      pending.reject(error instanceof Error ? error : new Error(String(error)))
    } finally {
      clearTimeout(deadline)
      this.pending.delete(batch)
      this.stuck = false
    }
  }

  /** The views on their way stay known, since they may be in the log; those behind them were never sent. */
  private giveUpWaiting(pending: Pending): void {
    this.stuck = true
    pending.reject(unavailable())
    const next = this.options.counter.take()
    if (!next) return
    this.options.counter.settle(next, 'lost')
    this.pending.get(next)?.reject(unavailable())
    this.pending.delete(next)
  }

  /** Repeats until the outcome is known: true, unless the process stops before. */
  private async append(events: readonly EventToAppend[]): Promise<boolean> {
    for (let wait = RETRY_FIRST; ; wait = Math.min(wait * 2, RETRY_LAST)) {
      try {
        const result = await this.options.log.append(this.stream, this.revision, events)
        if (result.ok) {
          this.revision = result.revision
          return true
        }
        if (await this.holds(events)) {
          this.revision += events.length
          return true
        }
        // Somebody else writes to this stream, and refused means not written: go on in one that is surely our own.
        this.stream = newStream()
        this.revision = -1
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error
        if (this.stuck && this.stopped) return false
        await new Promise(resolve => setTimeout(resolve, wait))
      }
    }
  }

  /** Whether these events are what follows our revision. */
  private async holds(events: readonly EventToAppend[]): Promise<boolean> {
    let i = 0
    for await (const { id } of this.options.log.readStream(this.stream, {
      from: this.revision + 1,
      limit: events.length,
    })) {
      if (id !== events[i]?.id) return false
      i++
    }
    return i === events.length
  }

  private eventsOf(batch: ViewBatch): EventToAppend[] {
    const commandId = randomUUID()
    const at = new Date(this.lastStart).toISOString()
    return batch.events().map(data => ({
      id: randomUUID(),
      type: 'ArticlesViewed',
      data,
      metadata: {
        $correlationId: commandId,
        $causationId: commandId,
        commandId,
        fingerprint: '',
        actor: 'readers',
        at,
        schemaVersion: 1,
      },
    }))
  }
}

const newStream = (): string => streamOf('views', randomUUID())

const unavailable = (message = 'the event store does not answer: views cannot be recorded') =>
  new Unavailable('event store', message)
