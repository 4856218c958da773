// Generations of read models: one collection and one checkpoint each. A fresh start, a deployment of a new version and a
// rebuild are the same thing: a generation that is behind, catches up, and joins its group.
import { type Collection, type CreateIndexesOptions, type Db, MongoServerError } from 'mongodb'
import { type AnyProjection, type Document } from '../projection'
import { changeLogsOf } from './changes'

/** The checkpoint of a generation: a document of the collection `projections`. */
export interface Checkpoint {
  /** Name of the generation's collection: `{name}-v{version}-g{generation}`. */
  readonly _id: string
  readonly name: string
  readonly version: number
  readonly generation: number
  readonly group: string
  /** Of the last event that was folded into the documents; null: none yet. */
  readonly position: string | null
  /** building: a rebuild that has not joined; live: what is read, one per name and version; retired: was live. */
  readonly stage: 'building' | 'live' | 'retired'
  /** Written anew by what joins here, so that whoever advances looks again; null or absent: nothing has. */
  readonly claim?: string | null
  /** Parked events. */
  readonly parked: number
  readonly retiredAt?: Date
}

/** A document that stands still because an event could not be folded into it: collection `parked`. */
export interface Parked {
  /** `{generation}:{key}`. */
  readonly _id: string
  readonly generation: string
  readonly key: string
  /** The message of what was thrown by the first event. */
  readonly error: string
  /** Events that are not in the document: the first one and those after it. */
  readonly events: number
  /** Their positions: the first 100. */
  readonly positions: readonly string[]
}

export const checkpointsOf = (db: Db): Collection<Checkpoint> => db.collection<Checkpoint>('projections', MAJORITY)
export const parkedOf = (db: Db): Collection<Parked> => db.collection<Parked>('parked', MAJORITY)
export const documentsOf = (db: Db, id: string): Collection<Document> => db.collection<Document>(id, MAJORITY)

/** What is folded further must not be rolled back by a failover. */
const MAJORITY = { readConcern: { level: 'majority' as const } }

/** The live generations of the projections in the versions given. */
export const liveGenerations = async (
  db: Db,
  projections: readonly AnyProjection[],
): Promise<{ projection: AnyProjection; checkpoint: Checkpoint }[]> => {
  const live = await checkpointsOf(db).find({ stage: 'live' }).toArray()
  return projections.flatMap(projection => {
    const checkpoint = live.find(({ name, version }) => name === projection.name && version === projection.version)
    return checkpoint ? [{ projection, checkpoint }] : []
  })
}

/**
 * Makes what transactions need to find: the collections, their indexes, and a live generation for each projection that
 * has none. Any number of processes may do so at once.
 */
export const ensureGenerations = async (db: Db, projections: readonly AnyProjection[]): Promise<void> => {
  await createCollection(db, 'projections')
  await createCollection(db, 'parked')
  await createCollection(db, 'changes')
  await createIndexes(db, 'parked', [{ key: { generation: 1 } }])
  const known = await checkpointsOf(db).find({}).toArray()
  for (const projection of projections) {
    const mine = known.filter(({ name, version }) => name === projection.name && version === projection.version)
    if (mine.some(({ stage }) => stage === 'live')) continue
    await createGeneration(db, projection, 1 + Math.max(0, ...mine.map(({ generation }) => generation)), 'live')
  }
}

/** Creates a generation's collection, then its checkpoint; does nothing when it exists. */
export const createGeneration = async (
  db: Db,
  { name, version, group, indexes = [] }: AnyProjection,
  generation: number,
  stage: 'building' | 'live',
): Promise<string> => {
  const _id = `${name}-v${version}-g${generation}`
  await createCollection(db, _id)
  await createIndexes(db, _id, indexes)
  try {
    await checkpointsOf(db).insertOne({
      _id,
      name,
      version,
      generation,
      group,
      position: null,
      stage,
      parked: 0,
    })
  } catch (error) {
    if (!hasCode(error, DUPLICATE_KEY)) throw error
  }
  return _id
}

/**
 * Removes a generation that is not live. It is retired first, so that whoever still writes it loses at once, and its
 * checkpoint goes last: a name is not used again before the collection is gone.
 */
export const removeGeneration = async (db: Db, id: string): Promise<void> => {
  await checkpointsOf(db).updateOne(
    { _id: id, stage: { $ne: 'retired' } },
    { $set: { stage: 'retired', retiredAt: new Date() } },
  )
  await parkedOf(db).deleteMany({ generation: id })
  await changeLogsOf(db).deleteOne({ _id: id })
  await db.dropCollection(id).catch((error: unknown) => {
    if (!hasCode(error, NAMESPACE_NOT_FOUND)) throw error
  })
  await checkpointsOf(db).deleteOne({ _id: id })
}

/**
 * Drops what no process of this version reads any more: retired and unfinished generations, and all generations of lower
 * versions. Nothing younger than `grace` ms is dropped: another process may not have seen yet that it was replaced.
 * Returns the names of the collections. Do not call it while old code is running or a rebuild is under way.
 */
export const dropOldGenerations = async (
  db: Db,
  projections: readonly AnyProjection[],
  { grace = 10_000 }: { grace?: number } = {},
): Promise<readonly string[]> => {
  const dropped: string[] = []
  for (const { _id, name, version, stage, retiredAt } of await checkpointsOf(db).find({}).toArray()) {
    const projection = projections.find(projection => projection.name === name)
    const replaced = stage === 'retired' && (!retiredAt || Date.now() - retiredAt.getTime() >= grace)
    const outdated = projection !== undefined && version < projection.version
    if (!replaced && !outdated && stage !== 'building') continue
    await removeGeneration(db, _id)
    dropped.push(_id)
  }
  return dropped
}

const createCollection = async (db: Db, name: string): Promise<void> => {
  try {
    await db.createCollection(name)
  } catch (error) {
    if (!hasCode(error, NAMESPACE_EXISTS)) throw error
  }
}

const createIndexes = async (db: Db, name: string, indexes: NonNullable<AnyProjection['indexes']>): Promise<void> => {
  for (const { key, unique, partialFilterExpression } of indexes) {
    const options: CreateIndexesOptions = {
      ...(unique === undefined ? {} : { unique }),
      ...(partialFilterExpression === undefined ? {} : { partialFilterExpression }),
    }
    await db.collection(name).createIndex(key, options)
  }
}

const NAMESPACE_NOT_FOUND = 26
const NAMESPACE_EXISTS = 48
const DUPLICATE_KEY = 11000
const hasCode = (error: unknown, code: number): boolean => error instanceof MongoServerError && error.code === code
