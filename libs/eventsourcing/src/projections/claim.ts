// The read models and the log must be of one newsroom, and the read models no further than the log.
import { RuleBroken } from '../errors'
import { comparePositions } from '../event'
import { type EventLog } from '../event-log'
import { type DocumentStore, reaching } from '../document-store/document-store'
import { checkpointsOf } from './generation'

interface Claim {
  readonly _id: 'newsroom'
  readonly id: string
}

/**
 * Writes the newsroom's id into its database, or compares it with the one that is there; any number of processes may do
 * so at once. Throws RuleBroken `foreign-database` or `log-behind-read-models`, each with one line that says what to do,
 * and Unavailable.
 */
export const claimDatabase = async (
  { documents, log }: { documents: DocumentStore; log: EventLog },
  newsroomId: string,
): Promise<void> => {
  const { db } = documents
  const claims = db.collection<Claim>('newsroom')
  await reaching(() =>
    claims.updateOne({ _id: 'newsroom' }, { $setOnInsert: { id: newsroomId } }, { upsert: true }).catch(ignoreRace),
  )
  const claim = await reaching(() => claims.findOne({ _id: 'newsroom' }))
  if (claim?.id !== newsroomId)
    throw new RuleBroken(
      'foreign-database',
      `the database ${db.databaseName} belongs to newsroom ${claim?.id ?? 'unknown'}, the event log to ${newsroomId}: ` +
        'set MONGODB_DATABASE to the database of this log, or to a new one',
    )
  // The checkpoints first: the log only grows.
  const checkpoints = await reaching(() => checkpointsOf(db).find({}).toArray())
  const end = await log.end()
  const beyond = checkpoints.find(({ position }) => comparePositions(position, end) > 0)
  if (beyond)
    throw new RuleBroken(
      'log-behind-read-models',
      `${beyond._id} in the database ${db.databaseName} stands at ${beyond.position ?? ''}, but the event log ends at ` +
        `${end ?? 'its beginning'}: was an older log restored? Set MONGODB_DATABASE to a new database; it is filled from the log`,
    )
}

const DUPLICATE_KEY = 11000
const ignoreRace = (error: unknown): void => {
  if ((error as { code?: unknown }).code !== DUPLICATE_KEY) throw error
}
