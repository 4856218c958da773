// The shape of a read model: pure functions from events to documents. How they run is in projections/.
import { type EventMap, type RecordedEvent } from './event'

/** A document of a read model; `_id` is the projection's key. */
export interface Document {
  readonly _id: string
}

/** An index of a read model's collection, in the words of MongoDB. */
export interface Index {
  readonly key: Readonly<Record<string, 1 | -1>>
  readonly unique?: boolean
  readonly partialFilterExpression?: Readonly<Record<string, unknown>>
}

interface Named {
  /** Kebab-case; with the version it names the collection. */
  readonly name: string
  /** Raised whenever the same events give other documents: a new version is built beside the old one. */
  readonly version: number
  /** Projections of a group share a subscription, a batch and a transaction. */
  readonly group: string
  readonly indexes?: readonly Index[]
  /** Documents of this read model that a process may keep in memory while they do not change. */
  readonly cached?: number
}

/** A read model with one document per key: `(document | null, event) → document | null` for every event. */
export interface Projection<Doc extends Document, Events extends EventMap> extends Named {
  readonly kind?: 'keyed'
  /**
   * Keys of the documents that an event of a type changes; the event's stream key for the types that are absent. Only
   * those name a document where the event cannot be decoded: any other one halts the group.
   */
  readonly keys?: { readonly [T in keyof Events & string]?: (event: RecordedEvent<Events, T>) => readonly string[] }
  /**
   * What each document counts for, any number of names. How many documents count for a name is kept beside them (see
   * Documents.tallies), in the same transaction: exact, and asked for at the cost of one document.
   */
  readonly tallies?: (document: Doc) => readonly string[]
  readonly on: {
    readonly [T in keyof Events & string]:
      'ignore' | ((document: Doc | null, event: RecordedEvent<Events, T>, key: string) => Doc | null)
  }
}

/**
 * A read model whose documents depend on one another (e.g. on the whole corpus). It keeps a cache in memory that can be
 * rebuilt from its documents at any time; the same log gives the same bytes whatever the batches and restarts.
 */
export interface ComputedProjection<Doc extends Document, Events extends EventMap> extends Named {
  readonly kind: 'computed'
  readonly on: { readonly [T in keyof Events & string]: 'ignore' | 'fold' }
  /** Builds the cache from the committed documents; `documents` streams them in the order of the given sort. */
  readonly open: (
    documents: (sort: Readonly<Record<string, 1 | -1>>) => AsyncIterable<Doc>,
  ) => Promise<Computation<Doc, Events>>
}

/** The open cache of a computed projection; thrown away and opened anew after an aborted batch. */
export interface Computation<Doc extends Document, Events extends EventMap> {
  /** Folds a batch in order and returns what changed (null: removed). `load` reads committed documents by id. */
  readonly fold: (
    events: readonly RecordedEvent<Events>[],
    load: (ids: readonly string[]) => Promise<ReadonlyMap<string, Doc>>,
  ) => Promise<ReadonlyMap<string, Doc | null>>
}

/** Any projection, its types erased: what the engine runs. Each one is checked where it is defined. */
export interface AnyProjection extends Named {
  readonly kind?: 'keyed' | 'computed'
  readonly keys?: Readonly<Record<string, ((event: never) => readonly string[]) | undefined>>
  readonly tallies?: (document: never) => readonly string[]
  readonly on: Readonly<
    Record<string, 'ignore' | 'fold' | ((document: never, event: never, key: string) => Document | null)>
  >
  readonly open?: (documents: never) => Promise<AnyComputation>
}

export interface AnyComputation {
  readonly fold: (events: never, load: never) => Promise<ReadonlyMap<string, Document | null>>
}

/** Read access to one read model's documents, at the generation that is live in this process. */
export interface Documents<Doc extends Document> {
  get(id: string): Promise<Doc | null>
  /** In the order of the ids; unknown ones are left out. */
  many(ids: readonly string[]): Promise<Doc[]>
  /** A document whose indexed field is this text or a list that holds it; any of them when there are several. */
  having(field: keyof Doc & string, value: string): Promise<Doc | null>
  /** MongoDB filter, sort and projection. `limit` is needed: no query of ours is unbounded. */
  find(
    filter: Readonly<Record<string, unknown>>,
    options: {
      readonly sort?: Readonly<Record<string, 1 | -1>>
      readonly limit: number
      readonly fields?: readonly (keyof Doc & string)[]
    },
  ): Promise<Doc[]>
  count(filter: Readonly<Record<string, unknown>>): Promise<number>
  /** How many documents count for each of the names (see Projection.tallies), in their order. */
  tallies(names: readonly string[]): Promise<number[]>
}

/** What a query reads from. */
export interface ReadModels {
  /**
   * Says that the answer changes by itself at this time (RFC 3339 UTC), without any event: nobody keeps it beyond that.
   * Of several times the first one counts.
   */
  holdsUntil(time: string): void
  /** Answers another query within this one, kept as that query says. */
  ask<Q extends object, Answer>(definition: QueryDefinition<Q, Answer>, query: Q): Promise<Answer>
  of<Doc extends Document, Events extends EventMap>(
    projection: Projection<Doc, Events> | ComputedProjection<Doc, Events>,
  ): Documents<Doc>
}

/** A query and its answer: the QueryBus handler is generated from it. Pure but for `read`; `asOf` is its only clock. */
export interface QueryDefinition<Q extends object, Answer> {
  // Constructor arguments differ from query to query; the bus hands over instances only.
  readonly query: abstract new (...args: never[]) => Q
  /** The read models that it must see: their groups' lowest position is the answer's position. */
  readonly reads: readonly AnyProjection[]
  /** Milliseconds (at most 1,000) that an answer to an equal query may be kept in memory while it stands; absent: never. */
  readonly keep?: number
  /** Read models that change all the time: an answer stands although they do, and whoever keeps it bounds for how long. */
  readonly drifting?: readonly AnyProjection[]
  readonly answer: (query: Q, read: ReadModels, asOf: Date) => Promise<Answer>
}

/** What the QueryBus gives back. */
export interface Answered<Answer> {
  readonly answer: Answer
  /** The read models held everything up to here when they were read. */
  readonly position: string
  readonly standing: Standing
}

/** Whether an answer is still the one that would be given now, as far as this process knows. */
export interface Standing {
  /** The position up to which the answer holds by now; null, for good, once a document that it was made of has changed. */
  holds(): string | null
  /** Ids of the documents of a read model that it was made of, found or not; none when a search was among the reads. */
  read(projection: AnyProjection): readonly string[]
}

/** Where a query waits for: set by `awaiting`, invisible to validation. */
const positions = new WeakMap<object, { position?: string; asOf?: Date }>()

/** Makes a query wait until its read models have reached `position` (at most 5 s), or answer as of another time. */
export const awaiting = <Q extends object>(query: Q, options: { position?: string; asOf?: Date }): Q => {
  positions.set(query, options)
  return query
}

export const awaitedBy = (query: object): { position?: string; asOf?: Date } => positions.get(query) ?? {}
