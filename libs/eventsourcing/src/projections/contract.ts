// What the rest of the program needs to run and to watch projections.
import { type DocumentStore } from '../document-store/document-store'
import { type EventLog } from '../event-log'
import { type ReadSide } from '../handlers'
import { type AnyProjection } from '../projection'
import { type BatchLimits } from './batches'

/** Everything that says which read models there are and where they live. */
export interface ProjectionSources {
  readonly log: EventLog
  readonly documents: DocumentStore
  readonly projections: readonly AnyProjection[]
  /** Stream categories of each group: one subscription per group. */
  readonly groups: Readonly<Record<string, readonly string[]>>
}

export interface ProjectionsOptions extends ProjectionSources {
  /** Called with everything that made a group back off or halt; it goes on by itself. */
  readonly onError?: (group: string, error: unknown) => void
  /** Called after each commit of this process; a read side in the same process need not wait for its poll. */
  readonly onAdvance?: (group: string, position: string) => void
  readonly limits?: Partial<BatchLimits>
  /** Milliseconds that a group may fail without an advance in between before this process is not ready; 30,000. */
  readonly failingFor?: number
  /** Milliseconds from batch to batch of single groups; see BatchLimits. */
  readonly paces?: Readonly<Record<string, number>>
}

/** How one generation of a read model stands. */
export interface GenerationStatus {
  /** Name of the collection: `article-pages-v1-g1`. */
  readonly id: string
  readonly name: string
  readonly version: number
  readonly generation: number
  readonly group: string
  /** building: a rebuild that has not joined; retired: replaced, until dropped. */
  readonly stage: 'building' | 'live' | 'retired'
  readonly position: string | null
  /** Parked events; they are released by a rebuild. */
  readonly parked: number
}

/** How far a group is behind the log. */
export interface Lag {
  /** Events of the log that are not yet in the read models; counted up to 1,000. */
  readonly events: number
  /** True: there are more than `events`. */
  readonly more: boolean
  /** Age of the oldest event that is not yet in the read models, 0 when there is none. */
  readonly seconds: number
}

export interface GroupStatus {
  readonly group: string
  /** Lowest position of the group's live read models in the versions of this process. */
  readonly position: string | null
  readonly lag: Lag
  readonly parked: number
  readonly generations: readonly GenerationStatus[]
}

/** Running: this process commits; standby: another one does; halted: a poison event, see error. */
export type GroupState = 'starting' | 'running' | 'standby' | 'backing-off' | 'halted' | 'stopped'

export interface RunningGroupStatus extends GroupStatus {
  readonly state: GroupState
  /** One line: why the group backs off or has halted; null when all is well. */
  readonly error: string | null
}

/** What a process knows of a group by itself. */
export interface KnownState {
  readonly state: GroupState
  readonly error: string | null
  /** Parked events of the live generations when this process last looked, and those that it parked since. */
  readonly parked: number
}

export interface RebuildOptions {
  /** Called about four times a second: a number from 0 to 1 and the events read so far. */
  readonly onProgress?: (progress: { readonly done: number; readonly events: number }) => void
  readonly signal?: AbortSignal
  readonly limits?: Partial<BatchLimits>
}

export interface RunningProjections {
  /** One entry per group, ordered as the groups were given. Throws Unavailable when a store cannot be reached. */
  status(): Promise<readonly RunningGroupStatus[]>
  /** How each group stands without asking a store: for readiness and for a metrics page while a store is gone. */
  states(): Readonly<Record<string, KnownState>>
  /** True once every group has caught up with the log, or has halted, and while none fails for long. Never throws. */
  ready(): Promise<boolean>
  /** Builds a new generation beside the running group and lets it join. Throws NotFound for an unknown name. */
  rebuild(name: string, options?: RebuildOptions): Promise<GenerationStatus>
  /** Finishes what is in flight and ends. */
  stop(): Promise<void>
}

/**
 * Answers queries from the read models: what the generated QueryBus handlers call. It waits until the query's read models
 * are where it needs them (at most 5 s, then Unavailable('read model')); throws what the definition's `answer` throws,
 * Invalid for a malformed position, and Unavailable when the document store cannot be reached.
 */
export interface RunningReadSide extends ReadSide {
  /** True once every compiled read model has a live generation that had caught up with the log. Never throws. */
  ready(): Promise<boolean>
  /** Looks at the checkpoints now instead of at the next poll; see ProjectionsOptions.onAdvance. */
  refresh(): void
  stop(): void
}

export interface ReadSideOptions {
  readonly documents: DocumentStore
  readonly projections: readonly AnyProjection[]
  readonly groups: Readonly<Record<string, readonly string[]>>
  /**
   * With it, a query that waits for the position of an event that its groups do not follow (a view, for a page) is
   * answered once they hold everything they follow; without it, such a query waits until it is Unavailable.
   */
  readonly log?: EventLog
  /**
   * Called after each look at the checkpoints (about twenty a second while queries are answered): an answer that stands
   * (see Standing) was up to date when the look `began` (performance.now()). True keeps the looks going although no query
   * is answered.
   */
  readonly onLook?: (look: { readonly began: number }) => boolean
}
