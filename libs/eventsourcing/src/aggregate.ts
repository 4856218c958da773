// One stream's folded state as it is kept in memory, and the bounded cache of many of them.
import { LRUCache } from 'lru-cache'
import { type AnyDecider } from './decider'
import { type LogEvent } from './event-log'
import { scopeOf } from './identity'
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
    const scope = scopeOf(metadata)
    const { fingerprint, expected } = metadata
    // A command's first event follows the revision that its sender had seen, unless it was merged.
    const merged = this.commands.get(scope)?.merged ?? (expected !== undefined && expected !== revision - 1)
    this.commands.set(scope, { fingerprint, revision, position, merged })
  }

  /** Bytes, roughly. */
  get weight(): number {
    return 256 + weightOf(this.state) + this.commands.size * WEIGHT_OF_A_COMMAND
  }
}

/** A scope, a fingerprint, a position and the map's own entry. */
const WEIGHT_OF_A_COMMAND = 320

/** Aggregates by stream, the least recently used dropped first; one that is heavier than all is not kept. */
export const aggregateCache = (bytes: number): LRUCache<string, Aggregate> =>
  new LRUCache<string, Aggregate>({ maxSize: bytes, sizeCalculation: aggregate => aggregate.weight })
