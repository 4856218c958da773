// Runs one group in this process: the set that is furthest goes live; what is behind catches up beside it and joins.
import { reaching } from '../document-store/document-store'
import { comparePositions } from '../event'
import { type AnyProjection } from '../projection'
import { DEFAULT_LIMITS } from './batches'
import { Overtaken } from './commit'
import { type GroupState, type ProjectionsOptions } from './contract'
import { Halted, Suspicious } from './fold'
import { ensureGenerations, liveGenerations } from './generation'
import { join } from './join'
import { membersOf, setsOf } from './members'
import { Backoff, pause } from './pause'
import { lowest } from './status'
import { Suspicion, Wing, type WingTools } from './wing'

/** Milliseconds after which a process that stands by looks again: the most that a take-over is late. */
const STANDBY = 1_000
/** Milliseconds after which a halted group is tried again: what halted it may have been mended in the store. */
const HALTED = 30_000
/** Milliseconds after which a process looks for read models that fell behind, e.g. because another process joined them. */
const LOOK = 2_000
/** Attempts to lock a checkpoint that another process is busy with, before the joiner follows the log further. */
const JOINS = 40

export class Group {
  private readonly stopping = new AbortController()
  /** Ends the live run so that it looks at the generations again. */
  private regroup = new AbortController()
  /** Until it resolves the live run commits nothing. */
  private hold: Promise<void> | null = null
  private readonly laggards = new Flag()
  /** Ids of the generations that catch up in this process. */
  private following: readonly string[] = []
  /** Ends that run so that it looks at what is behind again. */
  private refollow = new AbortController()
  private leading: GroupState = 'starting'
  /** Events: see KnownState. */
  parked = 0
  private readonly failures: Record<Side, Failure | null> = { lead: null, follow: null }
  private readonly loops: Promise<unknown>

  constructor(
    readonly name: string,
    private readonly categories: readonly string[],
    private readonly projections: readonly AnyProjection[],
    private readonly options: ProjectionsOptions,
  ) {
    this.loops = Promise.all([this.repeat('lead', () => this.lead()), this.repeat('follow', () => this.follow())])
  }

  get state(): GroupState {
    return this.failures.lead?.halted || this.failures.follow?.halted ? 'halted' : this.leading
  }

  /** Why it backs off or has halted. */
  get error(): string | null {
    return (this.failures.lead ?? this.failures.follow)?.message ?? null
  }

  /** Milliseconds since when it fails again and again without an advance; 0 when all is well. */
  get failingFor(): number {
    const { lead } = this.failures
    return lead ? performance.now() - lead.since : 0
  }

  async stop(): Promise<void> {
    this.stopping.abort()
    this.regroup.abort()
    this.laggards.raise()
    await this.loops
    this.leading = 'stopped'
  }

  /** Runs one side for as long as the process lives: whatever ends it, it starts over from the stored checkpoints. */
  private async repeat(side: Side, run: () => Promise<void>): Promise<void> {
    const { signal } = this.stopping
    const backoff = new Backoff(50, 5_000)
    while (!signal.aborted) {
      const began = performance.now()
      try {
        await reaching(run)
        backoff.reset()
      } catch (error) {
        if (signal.aborted) return
        this.options.onError?.(this.name, error)
        this.failures[side] = {
          message: error instanceof Error ? error.message : String(error),
          halted: error instanceof Halted,
          since: this.failures[side]?.since ?? began,
        }
        if (side === 'lead') this.leading = 'backing-off'
        if (error instanceof Halted) await pause(HALTED, signal)
      }
      if (performance.now() - began > 10_000) backoff.reset()
      await pause(backoff.milliseconds, signal)
    }
  }

  // ----- the live side -----

  private async lead(): Promise<void> {
    const { signal } = this.stopping
    await ensureGenerations(this.options.documents.db, this.projections)
    const suspicion = new Suspicion()
    const conflicts = new Backoff(10, 500)
    while (!signal.aborted) {
      const regroup = new AbortController()
      this.regroup = regroup
      const { set, laggards } = await this.furthest()
      const wing = new Wing(this.tools(suspicion), await membersOf(this.options.documents, set))
      if (laggards) this.laggards.raise()
      if (signal.aborted) return
      this.leading = 'running'
      try {
        await wing.run(regroup.signal, {
          held: async () => {
            await this.hold
          },
          advanced: (position, _events, parked) => {
            conflicts.reset()
            this.failures.lead = null
            this.parked += parked
            this.options.onAdvance?.(this.name, position)
          },
          caughtUp: () => {
            this.failures.lead = null
            return Promise.resolve('stay')
          },
        })
        if (!regroup.signal.aborted) throw new Error('the subscription has ended')
      } catch (error) {
        if (error instanceof Overtaken) {
          // Otherwise generations have joined, or one that joins held the lock: look again and go on.
          if (await this.movedBeyond(wing.confirmed)) {
            await this.standBy()
            // What it has brought on may be what is led from now on, and what another process led be behind.
            this.refollow.abort()
          } else await pause(conflicts.milliseconds, signal)
        } else if (error instanceof Suspicious) this.options.onError?.(this.name, error)
        else throw error
      }
    }
  }

  /** True when another process has advanced. */
  private async movedBeyond(position: string | null): Promise<boolean> {
    const { set } = await this.furthest()
    return comparePositions(set[0]?.checkpoint.position ?? null, position) > 0
  }

  /**
   * Another process is at work: leave it to that one until something stands still with events to do. That is asked of
   * every read model but those that this process itself brings on: what is furthest may be one of these.
   */
  private async standBy(): Promise<void> {
    const { signal } = this.stopping
    const { log } = this.options
    const waits = new Backoff(STANDBY / 8, STANDBY)
    let seen = new Map<string, string | null>()
    const filter = { categories: [...this.categories] }
    this.leading = 'standby'
    this.failures.lead = null
    while (!signal.aborted) {
      await pause(Math.min(waits.milliseconds, STANDBY), signal)
      const theirs = (await this.sets())
        .flat()
        .map(({ checkpoint }) => checkpoint)
        .filter(({ _id }) => !this.following.includes(_id))
      const still = theirs.filter(({ _id, position }) => seen.get(_id) === position)
      const behind = lowest(still.map(({ position }) => position))
      if (still.length > 0 && (await log.nothingAfter(behind, filter)) === null) return
      seen = new Map(theirs.map(({ _id, position }) => [_id, position]))
    }
  }

  private async furthest() {
    const sets = await this.sets()
    const set = sets.at(-1)
    if (!set) throw new Error('the read models are not there yet')
    return { set, laggards: sets.length > 1 }
  }

  private async sets() {
    const live = await liveGenerations(this.options.documents.db, this.projections)
    this.parked = live.reduce((sum, { checkpoint }) => sum + checkpoint.parked, 0)
    return setsOf(live)
  }

  // ----- what is behind -----

  private async follow(): Promise<void> {
    const { signal } = this.stopping
    const { documents } = this.options
    const suspicion = new Suspicion()
    const conflicts = new Backoff(50, STANDBY)
    while (!signal.aborted) {
      const sets = await this.sets()
      const [lowest] = sets
      if (this.leading === 'starting' || !lowest || sets.length < 2) {
        this.failures.follow = null
        await this.laggards.raised(LOOK)
        continue
      }
      const wing = new Wing(this.tools(suspicion), await membersOf(documents, lowest))
      this.following = wing.standing.ids
      this.refollow = new AbortController()
      try {
        await wing.run(AbortSignal.any([signal, this.refollow.signal]), {
          advanced: (_position, _events, parked) => {
            conflicts.reset()
            this.failures.follow = null
            this.parked += parked
          },
          caughtUp: () => this.meet(wing, suspicion),
        })
      } catch (error) {
        if (error instanceof Suspicious) this.options.onError?.(this.name, error)
        else if (!(error instanceof Overtaken)) throw error
        await pause(conflicts.milliseconds, signal)
      } finally {
        this.following = []
      }
    }
  }

  /** Joins the set that is furthest, when this process advances it; beside another process it only keeps up. */
  private async meet(wing: Wing, suspicion: Suspicion): Promise<'stay' | 'leave'> {
    if (this.leading !== 'running') return 'stay'
    let release = (): void => undefined
    this.hold = new Promise(resolve => (release = resolve))
    try {
      for (let attempt = 0; attempt < JOINS && !this.stopping.signal.aborted; attempt++) {
        const { set } = await this.furthest()
        const ids = set.map(({ checkpoint }) => checkpoint._id)
        if (ids.some(id => wing.standing.ids.includes(id))) break
        const joined = await join(this.tools(suspicion), wing, ids, { replace: false })
        if (joined === 'behind') return 'stay'
        if (joined === 'joined') {
          this.regroup.abort()
          break
        }
        await pause(5 + 20 * Math.random(), this.stopping.signal)
      }
      return 'leave'
    } finally {
      this.hold = null
      release()
    }
  }

  private tools(suspicion: Suspicion): WingTools {
    const { log, documents, limits, paces } = this.options
    const pace = paces?.[this.name]
    const bounds = { ...DEFAULT_LIMITS, ...limits, ...(pace !== undefined && { pace }) }
    return { log, documents, limits: bounds, categories: this.categories, suspicion }
  }
}

type Side = 'lead' | 'follow'

interface Failure {
  readonly message: string
  readonly halted: boolean
  /** When the first attempt began that failed, of those without an advance in between (monotonic ms). */
  readonly since: number
}

/** Something to wait for, at most for a while. */
class Flag {
  private up = false
  private release: (() => void) | null = null

  raise(): void {
    this.up = true
    this.release?.()
  }

  async raised(milliseconds: number): Promise<void> {
    if (!this.up)
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, milliseconds)
        this.release = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    this.up = false
  }
}
