// States of a stream as they were: folded from its events, beside everything that is kept in memory.
import { LRUCache } from 'lru-cache'
import { evolved } from './aggregate'
import { type AnyDecider } from './decider'
import { Unavailable } from './errors'
import { decoded, type EventLog } from './event-log'
import { weightOf } from './json'
import { Lanes } from './lanes'
import { type Patience } from './patience'

/** A state with the revision and position of its last event. */
export interface PastState {
  readonly state: unknown
  readonly revision: number
  readonly position: string
}

/** Folds that may wait. */
const WAITING = 64
/** Bytes, roughly, of states from which a fold goes on. */
const KEPT = 8 * 1024 * 1024

/** One fold at a time in a process: long histories cost processor time, which commands must not have to wait for. */
export class Past {
  readonly #lanes = new Lanes(WAITING, WAITING)
  /** The furthest fold of a stream: whoever is late on a busy stream is late by little, and so is the next one. */
  readonly #kept = new LRUCache<string, PastState>({
    maxSize: KEPT,
    sizeCalculation: ({ state }) => 256 + weightOf(state),
  })

  constructor(private readonly log: EventLog) {}

  /** See Aggregates.asOf. */
  async asOf(
    decider: AnyDecider,
    stream: string,
    revisions: readonly number[],
    patience: Patience,
  ): Promise<readonly (PastState | null)[]> {
    return this.#lanes.run('past', async () => {
      const found = await patience.insist(() => this.#fold(decider, stream, new Set(revisions), patience))
      return revisions.map(revision => found.get(revision) ?? null)
    })
  }

  /** Of a stream that began anew: what it was before is not to be had any more. */
  forget(stream: string): void {
    this.#kept.delete(stream)
  }

  async #fold(decider: AnyDecider, stream: string, wanted: ReadonlySet<number>, patience: Patience) {
    const found = new Map<number, PastState>()
    const last = Math.max(-1, ...wanted)
    if (last < 0) return found
    const kept = this.#kept.get(stream)
    const start = kept && Math.min(...wanted) >= kept.revision ? kept : null
    if (start && wanted.has(start.revision)) found.set(start.revision, start)
    const from = start ? start.revision + 1 : 0
    if (from > last) return found
    let state = start ? start.state : decider.initial
    for await (const event of this.log.readStream(stream, { from, limit: last + 1 - from })) {
      if (patience.over) throw new Unavailable('event store', `${stream} is too long to be read in time`)
      // A stream whose beginning was erased starts later.
      if (event.revision > last) break
      const { revision, position } = event
      state = evolved(decider, state, decoded(event))
      if (wanted.has(revision)) found.set(revision, { state, revision, position })
    }
    const furthest = found.get(last)
    if (furthest && furthest.revision > (kept?.revision ?? -1)) this.#kept.set(stream, furthest)
    return found
  }
}
