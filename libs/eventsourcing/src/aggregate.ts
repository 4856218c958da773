// One stream's folded state as it is kept in memory, and the bounded cache of many of them.
import { LRUCache } from 'lru-cache'
import { type AnyDecider, type BeginsAnew } from './decider'
import { type AppliedBefore } from './event'
import { type LogEvent } from './event-log'
import { scopeIn, scopeOf } from './identity'
import { weightOf } from './json'

/** What is remembered of an applied command, for ever: the stream's own metadata tells it again after a restart. */
export interface AppliedCommand {
  readonly fingerprint: string
  /** Of the command's last event. */
  readonly revision: number
  readonly position: string
  /** It was written on an older state and merged with what others did since. */
  readonly merged: boolean
}

/** State after an event. Events of unknown types (written by newer code) leave it as it is. */
export const evolved = (decider: AnyDecider, state: unknown, event: LogEvent): unknown => {
  const evolve = Object.hasOwn(decider.evolve, event.type) ? decider.evolve[event.type] : undefined
  return evolve ? evolve(state as never, event as never) : state
}

/** State of a stream, folded up to `revision`. Folding is the only thing that changes it. */
export class Aggregate {
  state: unknown
  /** -1: there is no such stream. */
  revision = -1
  position: string | null = null
  /** Revision that the stream begins with: what was before it is truncated. */
  first = 0
  /** By scope: actor and command id. */
  readonly commands = new Map<string, AppliedCommand>()

  constructor(private readonly decider: AnyDecider) {
    this.state = decider.initial
  }

  fold(event: LogEvent): void {
    const { revision, position, metadata } = event
    this.state = evolved(this.decider, this.state, event)
    this.revision = revision
    this.position = position
    if (this.begins(event.type)) {
      this.first = revision
      this.commands.clear()
      for (const [actor, commandId, fingerprint, revision, position, merged = false] of metadata.applied ?? [])
        this.commands.set(scopeOf({ actor, commandId }), { fingerprint, revision, position, merged })
    }
    const scope = scopeOf(metadata)
    const { fingerprint, expected } = metadata
    // A command's first event follows the revision that its sender had seen, unless it was merged.
    const merged = this.commands.get(scope)?.merged ?? (expected !== undefined && expected !== revision - 1)
    this.commands.set(scope, { fingerprint, revision, position, merged })
  }

  /** Whether the stream begins anew with events of this type, and what it keeps of the commands before. */
  begins(type: string): BeginsAnew | null {
    const { anew } = this.decider
    return (anew && Object.hasOwn(anew, type) && anew[type]) || null
  }

  /** The latest commands, for the event that begins the stream anew. */
  get remembered(): AppliedBefore[] {
    return [...this.commands].slice(-REMEMBERED).map(([scope, { fingerprint, revision, position, merged }]) => {
      const { actor, commandId } = scopeIn(scope)
      const known = [actor, commandId, fingerprint, revision, position] as const
      return merged ? [...known, true] : known
    })
  }

  /** Bytes, roughly. */
  get weight(): number {
    return 256 + weightOf(this.state) + this.commands.size * WEIGHT_OF_A_COMMAND
  }
}

/** Some 150 bytes each. */
const REMEMBERED = 1000

/** A scope, a fingerprint, a position and the map's own entry. */
const WEIGHT_OF_A_COMMAND = 320

/** Aggregates by stream, the least recently used dropped first; one that is heavier than all is not kept. */
export const aggregateCache = (bytes: number): LRUCache<string, Aggregate> =>
  new LRUCache<string, Aggregate>({ maxSize: bytes, sizeCalculation: aggregate => aggregate.weight })
