// What the last commits of each live generation have written: by it every process knows what it may keep no longer, and
// that a commit which wrote nothing (a draft was saved) outdates nothing.
import { type AnyBulkWriteOperation, type ClientSession, type Collection, type Db } from 'mongodb'
import { comparePositions } from '../event'
import { type Folded } from './fold'

/** The document of a generation in the collection `changes`. */
interface ChangeLog {
  /** Name of the generation's collection. */
  readonly _id: string
  /** The last commits that wrote documents, the newest last. */
  readonly commits: readonly Commit[]
}

interface Commit {
  readonly position: string
  /** Ids of the documents that were written; null: too many to name. */
  readonly keys: readonly string[] | null
}

/** Ids of documents that have changed; null: any of them may have. */
export type Changed = readonly string[] | null

/** Commits remembered: at ten milliseconds from one to the next, more than a reader may be behind. */
const COMMITS = 32
/** Documents of one commit that are named. */
const KEYS = 64

export const changeLogsOf = (db: Db): Collection<ChangeLog> => db.collection<ChangeLog>('changes')

/** Notes, within the transaction that writes them, which documents were written. */
export const noteChanges = async (
  db: Db,
  session: ClientSession,
  position: string,
  folded: readonly Folded[],
): Promise<void> => {
  const operations = folded
    .filter(({ changes }) => changes.size > 0)
    .map(({ member, changes }): AnyBulkWriteOperation<ChangeLog> => {
      const commit: Commit = { position, keys: changes.size > KEYS ? null : [...changes.keys()] }
      return {
        updateOne: {
          filter: { _id: member.checkpoint._id },
          update: { $push: { commits: { $each: [commit], $slice: -COMMITS } } },
          upsert: true,
        },
      }
    })
  if (operations.length > 0) await changeLogsOf(db).bulkWrite(operations, { session, ordered: true })
}

/** What was written to generations after the positions given; the answer has them all. */
export const changesSince = async (
  db: Db,
  positions: ReadonlyMap<string, string | null>,
): Promise<ReadonlyMap<string, Changed>> => {
  if (positions.size === 0) return new Map()
  const logs = await changeLogsOf(db)
    .find({ _id: { $in: [...positions.keys()] } })
    .toArray()
  const commits = new Map(logs.map(({ _id, commits }) => [_id, commits]))
  return new Map([...positions].map(([id, position]) => [id, changedAfter(position, commits.get(id) ?? [])]))
}

const changedAfter = (position: string | null, commits: readonly Commit[]): Changed => {
  const since = commits.filter(commit => comparePositions(commit.position, position) > 0)
  // Were all that are remembered later ones, there may have been more of them.
  if (since.length === COMMITS) return null
  const keys = new Set<string>()
  for (const commit of since) {
    if (commit.keys === null) return null
    for (const key of commit.keys) keys.add(key)
  }
  return [...keys]
}
