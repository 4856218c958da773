// What operators do about erasures before a scavenge: end those that were cut short, and see that the read models follow.
import {
  type Aggregates,
  decoded,
  type EventLog,
  type LogEvent,
  parkedDocuments,
  projectionStatus,
  type ProjectionSources,
} from '@stet/eventsourcing'
import { decidersOf, DEFAULT_POLICY, desk as deskDecider, EraseDesk } from '@stet/newsroom'

/** Types of the events with which a stream begins anew. */
const ANEW = decidersOf(DEFAULT_POLICY).flatMap(({ anew = {} }) => Object.keys(anew))

/**
 * Truncates every stream before the event that it begins anew with, and erases the desk's talk about erased articles.
 * Whatever was done already stays as it is. Answers how many such events the log holds. Throws Unavailable.
 */
export const finishErasures = async (log: EventLog, aggregates: Aggregates): Promise<number> => {
  let found = 0
  for await (const logged of log.readAll({ filter: { types: ANEW } })) {
    const event = decoded(logged)
    await log.truncateBefore(event.stream, event.revision)
    if (event.type === 'ArticleErased') await eraseDesk(event, aggregates)
    found++
  }
  return found
}

/** The command that followed the article's, or would have: a repeat of it does nothing. */
const eraseDesk = async ({ key, at, data, metadata }: LogEvent, aggregates: Aggregates): Promise<void> => {
  const { actor, commandId, $correlationId: correlationId } = metadata
  const { authority, reason } = data as EraseDesk
  const command = Object.assign(new EraseDesk(), { authority, reason, final: true })
  const envelope = { key, actor, at, correlationId, commandId, causationId: commandId }
  await aggregates.execute(deskDecider, 'EraseDesk', command, envelope)
}

/** Read models that may hold something that was erased. */
export interface Unfollowed {
  /** Ids of generations that are read and have not come to the last erasure yet: they will when a projector runs. */
  readonly behind: readonly string[]
  /** Ids of generations that were replaced, or are of another version, and stand before it. */
  readonly old: readonly string[]
  /** Documents that stand still since an event that could not be folded. */
  readonly parked: number
}

/** Throws Unavailable. */
export const unfollowed = async (sources: ProjectionSources): Promise<Unfollowed> => {
  const { log, projections, groups } = sources
  const behind: string[] = []
  const old: string[] = []
  for (const { group, generations } of await projectionStatus(sources)) {
    const erasures = { categories: groups[group] ?? [], types: ANEW }
    for (const { id, name, version, stage, position } of generations) {
      if (await log.nothingAfter(position, erasures)) continue
      const isRead = stage === 'live' && projections.some(of => of.name === name && of.version === version)
      ;(isRead ? behind : old).push(id)
    }
  }
  return { behind, old, parked: (await parkedDocuments(sources)).length }
}
