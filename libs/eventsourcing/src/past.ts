// States of a stream as they were: folded from its events, beside everything that is kept in memory.
import { evolved } from './aggregate'
import { type AnyDecider } from './decider'
import { Unavailable } from './errors'
import { decoded, type EventLog } from './event-log'
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

/** One fold at a time in a process: long histories cost processor time, which commands must not have to wait for. */
export class Past {
  readonly #lanes = new Lanes(WAITING, WAITING)

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

  async #fold(decider: AnyDecider, stream: string, wanted: ReadonlySet<number>, patience: Patience) {
    const found = new Map<number, PastState>()
    const last = Math.max(-1, ...wanted)
    if (last < 0) return found
    let state = decider.initial
    for await (const event of this.log.readStream(stream, { limit: last + 1 })) {
      if (patience.over) throw new Unavailable('event store', `${stream} is too long to be read in time`)
      // A stream whose beginning was erased starts later.
      if (event.revision > last) break
      const { revision, position } = event
      state = evolved(decider, state, decoded(event))
      if (wanted.has(revision)) found.set(revision, { state, revision, position })
    }
    return found
  }
}
