// What a reading process knows of the checkpoints: one poller, whoever waits.
import { comparePositions } from '../event'
import { Invalid, Unavailable } from '../errors'
import { type EventLog } from '../event-log'
import { reaching } from '../document-store/document-store'
import { type Changed, changesSince } from './changes'
import { type ReadSideOptions } from './contract'
import { liveGenerations } from './generation'
import { type Generation } from './members'
import { lowest } from './status'

/** What was read at once; `at` is when reading began (monotonic ms). */
export interface Knowledge {
  readonly at: number
  /** By name of the projection. */
  readonly generations: ReadonlyMap<string, Generation>
  /** Lowest position of each group's live generations; null: nothing yet, or a generation is missing. */
  readonly positions: ReadonlyMap<string, string | null>
  /** By name of the projection: the documents that have changed since the look before. */
  readonly changed: ReadonlyMap<string, Changed>
}

/** Milliseconds between two looks while the read side is used, and while somebody waits for a position. */
const EVERY = 50
const WAITING = 12
/** Older knowledge is not relied on. */
const STALE = 250
/** Without a use for this long nobody looks any more. */
const IDLE = 2_000
/** The longest that a query waits. */
export const PATIENCE = 5_000
/** How long a waiting query trusts the poll alone before it asks the log whether there is anything left to wait for. */
const TRUST = 150

export class Checkpoints {
  private knowledge: Knowledge | null = null
  private looking: Promise<Knowledge> | null = null
  private timer: NodeJS.Timeout | null = null
  private used = 0
  private waiting = 0
  private stopped = false
  private again = false

  constructor(
    private readonly options: ReadSideOptions,
    /** Called after each look, before anybody who waits goes on. */
    private readonly looked: (now: Knowledge) => void,
  ) {}

  /** What the last look saw, however old. */
  get latest(): Knowledge | null {
    return this.knowledge
  }

  /** What is known, at most 250 ms old; a promise only when it must be read first. Throws Unavailable. */
  current(): Knowledge | Promise<Knowledge> {
    const now = performance.now()
    this.used = now
    this.schedule()
    return this.knowledge && now - this.knowledge.at <= STALE ? this.knowledge : this.look()
  }

  /** Somebody relies on what is known without asking for it: looking goes on. */
  touch(): void {
    this.used = performance.now()
  }

  refresh(): void {
    if (this.waiting === 0 && !this.timer) return
    // A look that has begun may have missed what there is to see.
    if (this.looking) this.again = true
    else this.look().catch(() => undefined)
  }

  /** Waits until the groups hold everything up to `position` that they follow. */
  async reached(groups: readonly string[], position: string): Promise<Knowledge> {
    if (!/^(0|[1-9]\d{0,19})$/.test(position))
      throw new Invalid([{ pointer: '#/position', detail: 'is not a position of this newsroom' }])
    const began = performance.now()
    let known = await this.current()
    const missing = () => groups.filter(group => comparePositions(known.positions.get(group) ?? null, position) < 0)
    this.waiting++
    try {
      for (;;) {
        const behind = missing()
        if (behind.length === 0 || position === '0') return known
        const waited = performance.now() - began
        if (waited > TRUST && (await this.nothingLeft(behind, position, known))) return known
        if (waited > PATIENCE)
          throw new Unavailable(
            'read model',
            `${behind.join(', ')} did not reach ${position} within ${PATIENCE / 1000} s`,
          )
        await new Promise(resolve => setTimeout(resolve, WAITING))
        known = await this.look()
      }
    } finally {
      this.waiting--
    }
  }

  stop(): void {
    this.stopped = true
    if (this.timer) clearTimeout(this.timer)
    this.timer = null
  }

  /**
   * A group's checkpoint stays at the last event that it follows, for a while. When the log has none beyond it, and has
   * the awaited position itself, the group holds everything up to there.
   */
  private async nothingLeft(groups: readonly string[], position: string, known: Knowledge): Promise<boolean> {
    const { log } = this.options
    if (!log) return false
    const looked = await Promise.all(
      groups.map(group => this.nothingAfter(log, group, known.positions.get(group) ?? null)),
    )
    return looked.every(nothing => nothing && comparePositions(nothing.until, position) >= 0)
  }

  /** One question to the log at a time for all who wait. */
  private readonly asked = new Map<string, ReturnType<EventLog['nothingAfter']>>()
  private nothingAfter(log: EventLog, group: string, position: string | null): ReturnType<EventLog['nothingAfter']> {
    const id = `${group} ${position ?? ''}`
    const asked = this.asked.get(id)
    if (asked) return asked
    const categories = this.options.groups[group] ?? []
    const answer = log.nothingAfter(position, { categories }).finally(() => this.asked.delete(id))
    this.asked.set(id, answer)
    return answer
  }

  private look(): Promise<Knowledge> {
    this.looking ??= this.read().finally(() => {
      this.looking = null
      if (!this.again || this.stopped) return
      this.again = false
      this.refresh()
    })
    return this.looking
  }

  private async read(): Promise<Knowledge> {
    const { documents, projections } = this.options
    const at = performance.now()
    const live = await reaching(() => liveGenerations(documents.db, projections))
    const positions = new Map<string, string | null>()
    for (const group of new Set(projections.map(({ group }) => group))) {
      const mine = projections.filter(projection => projection.group === group)
      const standing = mine.map(mine => live.find(({ projection }) => projection === mine)?.checkpoint.position ?? null)
      positions.set(group, lowest(standing))
    }
    const generations = new Map(live.map(of => [of.projection.name, of]))
    const changed = await this.changedAmong(live)
    this.knowledge = { at, positions, generations, changed }
    this.looked(this.knowledge)
    return this.knowledge
  }

  /** Asks what has changed of the generations that have moved since the last look; none moves without saying so. */
  private async changedAmong(live: readonly Generation[]): Promise<ReadonlyMap<string, Changed>> {
    const changed = new Map<string, Changed>()
    const moved = new Map<string, string | null>()
    for (const { projection, checkpoint } of live) {
      const before = this.knowledge?.generations.get(projection.name)?.checkpoint
      if (before?._id !== checkpoint._id) changed.set(projection.name, null)
      else if (before.position !== checkpoint.position) moved.set(checkpoint._id, before.position)
    }
    const since = await reaching(() => changesSince(this.options.documents.db, moved))
    for (const { projection, checkpoint } of live) {
      const keys = since.get(checkpoint._id)
      if (keys !== undefined) changed.set(projection.name, keys)
    }
    return changed
  }

  private schedule(): void {
    if (this.timer || this.stopped) return
    this.timer = setTimeout(() => {
      this.look()
        .catch(() => undefined)
        .finally(() => {
          this.timer = null
          if (performance.now() - this.used < IDLE) this.schedule()
        })
    }, EVERY)
    this.timer.unref()
  }
}
