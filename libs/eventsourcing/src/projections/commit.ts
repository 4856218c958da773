// One MongoDB transaction: documents and checkpoints move together, or nothing moves.
import {
  type AnyBulkWriteOperation,
  BSON,
  type ClientSession,
  MongoBulkWriteError,
  MongoError,
  MongoInvalidArgumentError,
} from 'mongodb'
import { type DocumentStore, unreachable } from '../document-store/document-store'
import { type Document } from '../projection'
import { noteChanges } from './changes'
import { type Folded, type Member } from './fold'
import { type Checkpoint, checkpointsOf, documentsOf, parkedOf } from './generation'
import { type Changes } from './shelf'

/** Another process (or a generation that joined) was first: nothing was written, what is known here is out of date. */
export class Overtaken extends Error {}

/** The store refused what was folded, and would refuse it again: a unique index, a document that is too large. */
export class RefusedWrite extends Error {
  constructor(
    readonly folded: Folded,
    /** The document that was refused; null when the store did not say. */
    readonly key: string | null,
    cause: unknown,
  ) {
    super(`${folded.member.checkpoint._id}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

/** The checkpoints of generations that advance together: all of them stand at `position`. */
export interface Standing {
  readonly ids: readonly string[]
  /** The claims they had when they were read: a new one means that something is about to join. */
  readonly claims: readonly (string | null)[]
  readonly position: string | null
  readonly stage: 'building' | 'live'
}

/**
 * Moves checkpoints from where they stand to `to`, with everything that was folded in between. Throws Overtaken,
 * RefusedWrite, or the driver's error: whether it was committed is unknown then, and the stored checkpoint says so.
 */
export const commitBatch = (
  documents: DocumentStore,
  from: Standing,
  to: string,
  folded: readonly Folded[],
): Promise<void> =>
  inTransaction(documents, async session => {
    await moveCheckpoints(documents, session, from, { position: to })
    await writeFolded(documents, session, folded)
    // Nobody reads what is still being built.
    if (from.stage === 'live') await noteChanges(documents.db, session, to, folded)
  })

/** Runs `write` in a transaction and commits it, once: the caller starts over from the stored checkpoint. */
export const inTransaction = async <T>(
  { client }: DocumentStore,
  write: (session: ClientSession) => Promise<T>,
): Promise<T> => {
  const session = client.startSession()
  try {
    session.startTransaction({ readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority' } })
    const result = await write(session)
    await session.commitTransaction()
    return result
  } catch (error) {
    if (session.inTransaction()) await session.abortTransaction().catch(() => undefined)
    throw conflict(error) ? new Overtaken('another process is writing these read models') : error
  } finally {
    await session.endSession().catch(() => undefined)
  }
}

export const claimsOf = (checkpoints: readonly Checkpoint[]): Standing['claims'] =>
  checkpoints.map(({ claim }) => claim ?? null)

/** The first statement of every transaction: it locks the checkpoints, or fails. */
export const moveCheckpoints = async (
  { db }: DocumentStore,
  session: ClientSession,
  { ids, claims, position, stage }: Standing,
  $set: Partial<Checkpoint>,
): Promise<void> => {
  const standing = { _id: { $in: [...ids] }, claim: { $in: [...claims] }, position, stage }
  const { matchedCount } = await checkpointsOf(db).updateMany(standing, { $set }, { session })
  if (matchedCount !== ids.length) throw new Overtaken('the checkpoint has moved')
}

/** Writes the changed documents and what was parked. */
export const writeFolded = async (
  { db }: DocumentStore,
  session: ClientSession,
  folded: readonly Folded[],
): Promise<void> => {
  for (const part of folded) {
    const { member, changes, parked, parkedEvents } = part
    for (const operations of chunks(operationsOf(changes)))
      try {
        await documentsOf(db, member.checkpoint._id).bulkWrite(operations, { session, ordered: true })
      } catch (error) {
        throw refused(error) ? new RefusedWrite(part, refusedKey(operations, error), error) : error
      }
    if (parked.length === 0) continue
    await checkpointsOf(db).updateOne({ _id: member.checkpoint._id }, { $inc: { parked: parkedEvents } }, { session })
    await parkedOf(db).bulkWrite(
      parked.map(replacement => ({
        replaceOne: { filter: { _id: replacement._id }, replacement, upsert: true },
      })),
      { session, ordered: true },
    )
  }
}

/** Until the commit: the next batch is folded on top of what this one did. */
export const pin = (folded: readonly Folded[]): void => {
  for (const { member, changes, parked } of folded) {
    member.shelf.pin(changes)
    for (const stands of parked) member.parked.set(stands.key, stands)
  }
}

/** After the commit. */
export const acknowledge = (folded: readonly Folded[]): void => {
  for (const { member, changes } of folded) member.shelf.committed(changes)
}

/** Frees what is known about these generations: after an abort none of it is certain any more. */
export const forget = (members: readonly Member[]): void => {
  for (const member of members) {
    member.shelf.forget()
    member.computation = null
  }
}

const operationsOf = (changes: Changes): AnyBulkWriteOperation<Document>[] => {
  const operations: AnyBulkWriteOperation<Document>[] = []
  for (const [_id, document] of changes)
    operations.push(
      document === null
        ? { deleteOne: { filter: { _id } } }
        : { replaceOne: { filter: { _id }, replacement: document, upsert: true } },
    )
  return operations
}

/**
 * Documents of one command. A store may do a command in one go: a thousand documents of a flood of views must not hold up
 * the few of a publication.
 */
const AT_ONCE = 100

function* chunks<Operation>(operations: readonly Operation[]): Generator<Operation[]> {
  for (let start = 0; start < operations.length; start += AT_ONCE) yield operations.slice(start, start + AT_ONCE)
}

const refusedKey = (operations: readonly AnyBulkWriteOperation<Document>[], error: unknown): string | null => {
  const index = error instanceof MongoBulkWriteError ? [error.writeErrors].flat()[0]?.index : undefined
  const operation = index === undefined ? undefined : operations[index]
  if (!operation) return null
  const filter =
    'replaceOne' in operation ? operation.replaceOne.filter : 'deleteOne' in operation ? operation.deleteOne.filter : {}
  return typeof filter._id === 'string' ? filter._id : null
}

const WRITE_CONFLICT = 112
const conflict = (error: unknown): boolean => error instanceof MongoError && error.code === WRITE_CONFLICT

/** Of a transaction: with fewer events in it, it may be taken. */
const TOO_LARGE = new Set([257, 10_334])
/** Of the store, whatever it was given: there is no room. */
const FULL = 14_031

/**
 * True when it is these documents that cannot be stored, and not the store that is away, busy or full. Only what is known
 * to be that counts, for a document that was refused is parked: the driver gives a lost connection as an error of a bulk
 * write, too, and labels as transient only the first connection that was lost.
 */
const refused = (error: unknown): boolean => {
  // The driver would not send it: too large, or nothing that BSON can hold.
  if (error instanceof MongoInvalidArgumentError || error instanceof BSON.BSONError || error instanceof RangeError)
    return true
  if (!(error instanceof MongoError)) return false
  if (unreachable(error) || conflict(error) || error.hasErrorLabel('TransientTransactionError')) return false
  if (error.code === FULL) return false
  const statements = error instanceof MongoBulkWriteError ? [error.writeErrors].flat() : []
  return statements.length > 0 || TOO_LARGE.has(Number(error.code))
}
