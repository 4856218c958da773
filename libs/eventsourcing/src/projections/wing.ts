// Advances generations that stand at one position along the log: read ahead, fold, commit, for as long as it goes well.
import { type DocumentStore } from '../document-store/document-store'
import { type EventLog, type LogFilter, type LoggedEvent } from '../event-log'
import { type Batch, type BatchLimits, batchesOf } from './batches'
import { acknowledge, claimsOf, commitBatch, forget, pin, RefusedWrite, type Standing } from './commit'
import { comparePositions } from '../event'
import { type Folded, foldBatch, Halted, handles, type Member, type Suspect, suspectId, Suspicious } from './fold'

/** What a wing works with. */
export interface WingTools {
  readonly log: EventLog
  readonly documents: DocumentStore
  readonly limits: BatchLimits
  /** Stream categories of the group. */
  readonly categories: readonly string[]
  /** What was thrown before; kept by the owner over restarts. */
  readonly suspicion: Suspicion
}

export interface WingEvents {
  /** Awaited before each commit: a place to hold the wing for a moment. */
  readonly held?: () => Promise<void>
  /** After a commit: where it stands, how many events that were, and how many of their effects had to be parked. */
  readonly advanced?: (position: string, events: number, parked: number) => void
  /** Everything that the log knew is committed. Return 'leave' to end the run. */
  readonly caughtUp?: () => Promise<'stay' | 'leave'>
}

/** What threw, until it has been passed; events up to `until` are taken one at a time. */
export class Suspicion {
  readonly suspects = new Map<string, Suspect>()
  private until: string | null = null

  /** True while the offender among these events is still looked for. */
  alone(position: string): boolean {
    return this.until !== null && comparePositions(position, this.until) <= 0
  }

  suspect({ suspects, until }: Suspicious): void {
    for (const suspect of suspects)
      this.suspects.set(suspectId(suspect.generation, suspect.position, suspect.key), suspect)
    if (comparePositions(this.until, until) < 0) this.until = until
  }

  passed(position: string): void {
    if (this.until === null || comparePositions(position, this.until) < 0) return
    this.until = null
    this.suspects.clear()
  }
}

/** Members with equal position and stage. */
export class Wing {
  /** Where the members stand once what is in flight is committed. */
  standing: Standing
  /** The last position that is known to be committed. */
  confirmed: string | null

  constructor(
    private readonly tools: WingTools,
    readonly members: readonly Member[],
  ) {
    const [first] = members
    if (!first) throw new RangeError('a wing needs members')
    const { position, stage } = first.checkpoint
    if (stage === 'retired') throw new RangeError(`${first.checkpoint._id} is retired`)
    const checkpoints = members.map(({ checkpoint }) => checkpoint)
    this.standing = { ids: checkpoints.map(({ _id }) => _id), claims: claimsOf(checkpoints), position, stage }
    this.confirmed = position
  }

  /**
   * Goes on until it is aborted or told to leave. Whatever goes wrong is thrown, and nothing that is known here may be
   * used again: start over from the stored checkpoints.
   */
  async run(signal: AbortSignal, { held, advanced, caughtUp }: WingEvents): Promise<void> {
    const { log, limits, categories, suspicion } = this.tools
    const abort = new AbortController()
    const stop = () => {
      abort.abort()
    }
    signal.addEventListener('abort', stop, { once: true })
    const pipeline = new Pipeline(position => {
      suspicion.passed(position)
    })
    try {
      if (signal.aborted) return
      const filter = { categories: [...categories] }
      const matters = ({ type }: LoggedEvent) => this.members.some(({ projection }) => handles(projection, type))
      const messages = log.subscribe({ after: this.standing.position, filter, signal: abort.signal })
      for await (const batch of batchesOf(messages, limits, abort, matters)) {
        if (signal.aborted) break
        for (const events of this.slices(batch)) {
          const position = events.at(-1)?.position
          if (position === undefined) continue
          const folded = await foldBatch(this.members, events, suspicion.suspects, () => pipeline.settled())
          // The next batch is folded on top of this one while it is written; a failed write throws both away.
          pin(folded)
          await pipeline.settled()
          await held?.()
          // Whoever held it may have ended it, and what was folded on is no longer where things stand.
          if (signal.aborted) return
          const from = this.standing
          this.standing = { ...from, position }
          pipeline.start(async () => {
            await commitBatch(this.tools.documents, from, position, folded).catch(asSuspicion(events))
            acknowledge(folded)
            this.confirmed = position
            const parked = folded.reduce((sum, { parkedEvents }) => sum + parkedEvents, 0)
            advanced?.(position, events.length, parked)
            return position
          })
        }
        if (!batch.caughtUp) continue
        await pipeline.settled()
        if ((await caughtUp?.()) === 'leave') return
        if (batch.events.length === 0) await this.passSilence(filter, signal, { held, advanced })
      }
      await pipeline.settled()
    } catch (error) {
      await pipeline.settled().catch(() => undefined)
      if (error instanceof Suspicious) suspicion.suspect(error)
      forget(this.members)
      if (!signal.aborted || error instanceof Halted) throw error
    } finally {
      signal.removeEventListener('abort', stop)
      abort.abort()
    }
  }

  /**
   * Moves the checkpoints over what the log has that is not theirs, so that it need not be looked through again by whoever
   * starts from there. What the subscription has not handed over yet lies beyond: it was asked for with the same filter.
   */
  private async passSilence(filter: LogFilter, signal: AbortSignal, { held, advanced }: WingEvents): Promise<void> {
    const from = this.standing
    const until = (await this.tools.log.nothingAfter(from.position, filter))?.until ?? null
    if (until === null || comparePositions(until, from.position) <= 0) return
    await held?.()
    if (signal.aborted) return
    await commitBatch(this.tools.documents, from, until, [])
    this.standing = { ...from, position: until }
    this.confirmed = until
    advanced?.(until, 0, 0)
  }

  private *slices({ events }: Batch): Generator<readonly LoggedEvent[]> {
    let start = 0
    for (; start < events.length; start++) {
      const event = events[start]
      if (!event || !this.tools.suspicion.alone(event.position)) break
      yield [event]
    }
    if (start < events.length) yield events.slice(start)
  }
}

/** At most one write in flight. */
class Pipeline {
  private inFlight: Promise<void> | null = null

  constructor(private readonly done: (position: string) => void) {}

  start(write: () => Promise<string>): void {
    this.inFlight = write().then(this.done)
    // Its failure is thrown by settled(); until then it is not unhandled.
    this.inFlight.catch(() => undefined)
  }

  async settled(): Promise<void> {
    await this.inFlight
    this.inFlight = null
  }
}

/** What the store refuses is looked for like what throws: one event at a time, then parked by key. */
const asSuspicion =
  (events: readonly LoggedEvent[]) =>
  (error: unknown): never => {
    if (!(error instanceof RefusedWrite)) throw error
    const position = events.at(-1)?.position ?? ''
    const { member, changes } = error.folded
    const keys = error.key === null ? [...changes.keys()] : [error.key]
    if (events.length > 1) throw new Suspicious([], position)
    if (member.projection.kind === 'computed') throw new Halted(error.message)
    throw new Suspicious(suspectsOf(error.folded, position, keys, error.message), position)
  }

const suspectsOf = (folded: Folded, position: string, keys: readonly string[], error: string): Suspect[] =>
  keys.map(key => ({
    generation: folded.member.checkpoint._id,
    position,
    key,
    error,
    refused: true,
  }))
