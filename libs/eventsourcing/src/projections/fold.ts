// Folds a batch of events into the documents of a group's read models. Writes nothing.
import { isUndecodable, type LogEvent, type LoggedEvent } from '../event-log'
import { type AnyComputation, type AnyProjection, type Document } from '../projection'
import { type Checkpoint, type Parked } from './generation'
import { type Changes, type Shelf } from './shelf'
import { talliesAfter } from './tallies'

/** A generation that is being advanced by this process. */
export interface Member {
  readonly projection: AnyProjection
  readonly checkpoint: Checkpoint
  readonly shelf: Shelf
  /** Documents that stand still, by key. */
  readonly parked: Map<string, Parked>
  /** The cache of a computed projection; null until it is needed. */
  computation: AnyComputation | null
}

/** What a batch does to one generation. */
export interface Folded {
  readonly member: Member
  readonly changes: Changes
  /** Parking that is new or has grown. */
  readonly parked: readonly Parked[]
  /** Events that were parked. */
  readonly parkedEvents: number
}

/** An event that could not be folded or whose documents the store refused. */
export interface Suspect {
  readonly generation: string
  readonly position: string
  /** Key of the document; null: the fold as a whole. */
  readonly key: string | null
  readonly error: string
  /** True when folding works and writing does not: it is parked without folding it again. */
  readonly refused: boolean
}

/** Something was thrown at these events for the first time: forget everything, fold again from what is committed. */
export class Suspicious extends Error {
  constructor(
    readonly suspects: readonly Suspect[],
    /** The last event of the batch: up to here events are taken one at a time. */
    readonly until: string,
    message = suspects[0]?.error ?? 'an event could not be folded',
  ) {
    super(message)
  }
}

/** A group that cannot go on without skipping an event: a person must look. */
export class Halted extends Error {}

/** What was thrown before: an event that throws again is parked. */
export type Suspects = ReadonlyMap<string, Suspect>
export const suspectId = (generation: string, position: string, key: string | null): string =>
  JSON.stringify([generation, position, key])

/** Positions remembered of a parked document. */
const POSITIONS = 100
/** More parked documents than this are no accident of single documents. */
const TOO_MANY = 10_000

/**
 * Throws Suspicious at what was never thrown before, Halted at what cannot be parked, else folds or parks everything. An
 * event that cannot be decoded is a poison event of every read model that folds its type.
 */
export const foldBatch = async (
  members: readonly Member[],
  events: readonly LoggedEvent[],
  suspects: Suspects,
  /** Called before a computed projection is opened: its documents must all be committed. */
  settled: () => Promise<void>,
): Promise<readonly Folded[]> => {
  const until = events.at(-1)?.position ?? ''
  /** What came before it in the batch is committed first, by taking the events one at a time. */
  const halt = (message: string): never => {
    throw events.length > 1 ? new Suspicious([], until, message) : new Halted(message)
  }
  const fresh: Suspect[] = []
  const folded: Folded[] = []
  for (const member of members) {
    const relevant = events.filter(({ type }) => handles(member.projection, type))
    if (relevant.length === 0) continue
    if (member.projection.kind === 'computed') {
      const poison = relevant.find(isUndecodable)
      if (poison) halt(`${member.checkpoint._id}: ${poison.undecodable.message}`)
      const events = relevant.filter((event): event is LogEvent => !isUndecodable(event))
      const changes = await foldComputed(member, events, suspects, until, settled)
      folded.push({ member, changes, parked: [], parkedEvents: 0 })
    } else folded.push(await foldKeyed(member, relevant, suspects, fresh, halt))
  }
  if (fresh.length > 0) throw new Suspicious(fresh, until)
  return folded
}

/**
 * Whether a projection folds events of this type. A type that this code does not know is an event of newer code: a read
 * model that needs it has a new version.
 */
export const handles = ({ on }: AnyProjection, type: string): boolean =>
  Object.hasOwn(on, type) && on[type] !== 'ignore'

const foldKeyed = async (
  member: Member,
  events: readonly LoggedEvent[],
  suspects: Suspects,
  fresh: Suspect[],
  halt: (message: string) => never,
): Promise<Folded> => {
  const { projection, shelf, checkpoint } = member
  const keys = events.map(event => keysOf(projection, event, halt))
  const documents = await shelf.load(new Set(keys.flat().filter(key => !member.parked.has(key))))
  const before = new Map(documents)
  const parked = new Map<string, Parked>()
  let parkedEvents = 0
  const park = (parking: Parked, event: LoggedEvent) => {
    parked.set(parking.key, parkedWith(parking, event))
    parkedEvents++
  }
  const standing = (key: string) => parked.get(key) ?? member.parked.get(key)
  for (const [index, event] of events.entries()) {
    const fold = projection.on[event.type]
    if (typeof fold !== 'function') continue
    for (const key of keys[index] ?? []) {
      const stands = standing(key)
      if (stands) {
        park(stands, event)
        continue
      }
      if (isUndecodable(event)) {
        park(unparked(checkpoint._id, key, event.undecodable.message), event)
        continue
      }
      const known = suspects.get(suspectId(checkpoint._id, event.position, key))
      try {
        if (known?.refused) throw new Error(known.error)
        const document = fold(documents.get(key) as never, event as never, key)
        if (document && document._id !== key)
          throw new TypeError(`the document of ${key} came with _id ${document._id}`)
        documents.set(key, document)
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        const suspect = { generation: checkpoint._id, position: event.position, key, error: message, refused: false }
        if (known) park(unparked(checkpoint._id, key, message), event)
        else fresh.push(suspect)
      }
    }
  }
  if (member.parked.size + parked.size > TOO_MANY)
    throw new Halted(`${checkpoint._id}: more than ${TOO_MANY} documents had to be parked; mend it and restart`)
  const changes = new Map([...documents].filter(([key, document]) => before.get(key) !== document))
  const tallied = projection.tallies && (await talliesAfter(projection.tallies as never, before, changes, shelf))
  return {
    member,
    changes: tallied ? new Map([...changes, ...tallied]) : changes,
    parked: [...parked.values()],
    parkedEvents,
  }
}

/** Without keys nobody knows which documents would have to stand still. */
const keysOf = (projection: AnyProjection, event: LoggedEvent, halt: (message: string) => never): readonly string[] => {
  const { keys = {}, name } = projection
  const ofType = Object.hasOwn(keys, event.type) ? keys[event.type] : undefined
  if (!ofType) return [event.key]
  const failed = (reason: string) => halt(`${name}: no keys for ${event.type} at ${event.position}: ${reason}`)
  if (isUndecodable(event)) return failed(event.undecodable.message)
  try {
    return ofType(event as never)
  } catch (error) {
    return failed(String(error))
  }
}

const unparked = (generation: string, key: string, error: string): Parked => ({
  _id: `${generation}:${key}`,
  generation,
  key,
  error,
  events: 0,
  positions: [],
})

const parkedWith = (parked: Parked, { position }: LoggedEvent): Parked => ({
  ...parked,
  events: parked.events + 1,
  positions: parked.positions.length < POSITIONS ? [...parked.positions, position] : parked.positions,
})

const foldComputed = async (
  member: Member,
  events: readonly LogEvent[],
  suspects: Suspects,
  until: string,
  settled: () => Promise<void>,
): Promise<Changes> => {
  const { projection, shelf, checkpoint } = member
  // A store that cannot be reached is not the event's fault.
  const store: { error: Error | null } = { error: null }
  const reading = async <T>(read: Promise<T>): Promise<T> => {
    try {
      return await read
    } catch (error) {
      store.error = error instanceof Error ? error : new Error(String(error))
      throw error
    }
  }
  try {
    if (!member.computation) {
      await reading(settled())
      member.computation = await open(projection, shelf, reading)
    }
    const load = async (ids: readonly string[]): Promise<ReadonlyMap<string, Document>> => {
      const found = await reading(shelf.load(ids))
      return new Map([...found].filter((entry): entry is [string, Document] => entry[1] !== null))
    }
    return await member.computation.fold(events as never, load as never)
  } catch (error) {
    member.computation = null
    if (store.error !== null) throw store.error
    const message = error instanceof Error ? error.message : String(error)
    const position = events[0]?.position ?? until
    if (events.length === 1 && suspects.has(suspectId(checkpoint._id, position, null)))
      throw new Halted(`${checkpoint._id}: ${events[0]?.type ?? 'event'} at ${position} cannot be folded: ${message}`)
    const suspect = { generation: checkpoint._id, position, key: null, error: message, refused: false }
    throw new Suspicious([suspect], until)
  }
}

const open = (
  projection: AnyProjection,
  shelf: Shelf,
  reading: <T>(read: Promise<T>) => Promise<T>,
): Promise<AnyComputation> => {
  if (!projection.open) throw new TypeError(`${projection.name} is computed and cannot be opened`)
  const documents = (sort: Readonly<Record<string, 1 | -1>>): AsyncIterable<Document> => ({
    async *[Symbol.asyncIterator]() {
      const cursor = shelf.all(sort)
      try {
        for (;;) {
          const document = await reading(cursor.next())
          if (!document) return
          yield document
        }
      } finally {
        await cursor.close().catch(() => undefined)
      }
    },
  })
  return projection.open(documents as never)
}
