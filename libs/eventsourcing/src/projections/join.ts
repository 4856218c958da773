// How generations that were behind join those that are ahead: at one position, in one transaction.
import { randomUUID } from 'node:crypto'
import { type DocumentStore } from '../document-store/document-store'
import { comparePositions } from '../event'
import { type EventLog, type LoggedEvent } from '../event-log'
import { acknowledge, claimsOf, forget, inTransaction, moveCheckpoints, Overtaken, pin, writeFolded } from './commit'
import { noteChanges } from './changes'
import { foldBatch } from './fold'
import { type Checkpoint, checkpointsOf } from './generation'
import { type Suspicion, type Wing } from './wing'

export interface JoinTools {
  readonly log: EventLog
  readonly documents: DocumentStore
  readonly categories: readonly string[]
  readonly suspicion: Suspicion
}

/** Events that are folded while the others are locked out; with more to do the joiners catch up further first. */
const REMAINDER = 500

/** busy: another process held the lock; behind: too far, or ahead by events that the others lack. Nothing was done. */
export type Joined = 'joined' | 'busy' | 'behind'

/**
 * Lets a wing join the live generations `ids`: locks their checkpoints (whoever advances them fails and looks again),
 * folds what is missing up to their position, and commits. With `replace` the joiners take the place of the generations
 * they join, which are retired. After a throw the wing must be loaded again.
 */
export const join = async (
  tools: JoinTools,
  wing: Wing,
  ids: readonly string[],
  { replace }: { replace: boolean },
): Promise<Joined> => {
  const { documents, suspicion } = tools
  const claim = randomUUID()
  let locked = false
  try {
    // Its leader may be in another process and commits again and again: it has to look anew first, and that takes longer.
    if (replace) await checkpointsOf(documents.db).updateMany({ _id: { $in: [...ids] } }, { $set: { claim } })
    const folded = await inTransaction(documents, async session => {
      const found = await checkpointsOf(documents.db)
        .find({ _id: { $in: [...ids] } }, { session })
        .toArray()
      const position = agreed(found, ids)
      const ahead = comparePositions(wing.standing.position, position) > 0
      // Both may hold the same events, and one of them have looked further for more.
      if (ahead && !replace && (await remainder(tools, position, wing.standing.position)).length > 0) throw new NotYet()
      const met = ahead ? wing.standing.position : position
      await moveCheckpoints(
        documents,
        session,
        { ids, claims: claimsOf(found), position, stage: 'live' },
        replace ? { stage: 'retired', retiredAt: new Date() } : { position: met, claim },
      )
      const events = await remainder(tools, wing.standing.position, met)
      locked = true
      const folded = await foldBatch(wing.members, events, suspicion.suspects, () => Promise.resolve())
      pin(folded)
      await moveCheckpoints(documents, session, wing.standing, { position: met, stage: 'live', claim })
      await writeFolded(documents, session, folded)
      if (!replace && met !== null) await noteChanges(documents.db, session, met, folded)
      return folded
    })
    acknowledge(folded)
    return 'joined'
  } catch (error) {
    if (!locked && error instanceof NotYet) return 'behind'
    if (!locked && error instanceof Overtaken) return 'busy'
    forget(wing.members)
    throw error
  }
}

class NotYet extends Error {}

const agreed = (found: readonly Checkpoint[], ids: readonly string[]): string | null => {
  const [first] = found
  if (!first || found.length !== ids.length) throw new Overtaken('a generation to join is gone')
  if (found.some(({ position, stage }) => position !== first.position || stage !== 'live'))
    throw new Overtaken('the generations to join have moved')
  return first.position
}

const remainder = async (
  { log, categories }: JoinTools,
  after: string | null,
  until: string | null,
): Promise<readonly LoggedEvent[]> => {
  const events: LoggedEvent[] = []
  if (comparePositions(after, until) >= 0) return events
  const filter = { categories: [...categories] }
  for await (const event of log.readAll({ after, filter, limit: REMAINDER + 1 })) {
    if (comparePositions(event.position, until) > 0) break
    events.push(event)
    if (events.length > REMAINDER) throw new NotYet()
  }
  return events
}
