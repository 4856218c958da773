// How far the read models are behind the log, from any process.
import { comparePositions } from '../event'
import { type EventLog, type LogFilter } from '../event-log'
import { reaching } from '../document-store/document-store'
import { type GenerationStatus, type GroupStatus, type Lag, type ProjectionSources } from './contract'
import { checkpointsOf, type Parked, parkedOf } from './generation'
import { statusOf } from './rebuild'

/** Events that are counted behind a checkpoint; a lag beyond is shown as more than this. */
const COUNTED = 1_000

/** Where a group stands; its generations include those that are being built or were replaced. */
export type Standing = Pick<GroupStatus, 'group' | 'position' | 'generations'> & {
  /** True when the group holds all that the log had. */
  readonly caughtUp: boolean
}

/** Reads the checkpoints, then what the log has beyond them. Throws Unavailable when a store cannot be reached. */
export const standingsOf = async (sources: ProjectionSources): Promise<readonly Standing[]> => {
  const { log, documents, projections, groups } = sources
  const checkpoints = await reaching(() => checkpointsOf(documents.db).find({}).sort({ _id: 1 }).toArray())
  const names = Object.keys(groups).filter(group => projections.some(projection => projection.group === group))
  return Promise.all(
    names.map(async group => {
      const generations = checkpoints.filter(checkpoint => checkpoint.group === group).map(statusOf)
      const mine = projections.filter(projection => projection.group === group)
      const position = lowest(mine.map(({ name, version }) => liveOf(generations, name, version)?.position ?? null))
      const caughtUp = (await log.nothingAfter(position, { categories: groups[group] ?? [] })) !== null
      return { group, position, caughtUp, generations }
    }),
  )
}

/**
 * Where every group stands, how far that is behind the log and what is parked. Works without a running projector. Throws
 * Unavailable when a store cannot be reached.
 */
export const projectionStatus = async (sources: ProjectionSources): Promise<readonly GroupStatus[]> =>
  Promise.all(
    (await standingsOf(sources)).map(async ({ group, position, caughtUp, generations }) => ({
      group,
      position,
      generations,
      lag: caughtUp ? NO_LAG : await lagAfter(sources.log, position, { categories: sources.groups[group] ?? [] }),
      parked: generations.reduce((sum, { stage, parked }) => (stage === 'live' ? sum + parked : sum), 0),
    })),
  )

/** What is parked: which documents stand still, since which events, and why. At most `limit` of them. */
export const parkedDocuments = (
  { documents }: Pick<ProjectionSources, 'documents'>,
  { limit = 100 }: { limit?: number } = {},
): Promise<readonly Parked[]> =>
  reaching(() =>
    parkedOf(documents.db)
      .find({}, { sort: { _id: 1 }, limit })
      .toArray(),
  )

/** The lowest of some positions; null when there are none. */
export const lowest = (positions: readonly (string | null)[]): string | null =>
  positions.reduce((low, position) => (comparePositions(position, low) < 0 ? position : low), positions[0] ?? null)

const liveOf = (
  generations: readonly GenerationStatus[],
  name: string,
  version: number,
): GenerationStatus | undefined =>
  generations.find(of => of.name === name && of.version === version && of.stage === 'live')

const NO_LAG: Lag = { events: 0, more: false, seconds: 0 }

const lagAfter = async (log: EventLog, after: string | null, filter: LogFilter): Promise<Lag> => {
  let events = 0
  let since: string | null = null
  for await (const event of log.readAll({ after, filter, limit: COUNTED + 1 })) {
    since ??= event.at
    events++
  }
  const age = since === null ? 0 : (Date.now() - Date.parse(since)) / 1_000
  return { events: Math.min(events, COUNTED), more: events > COUNTED, seconds: Math.max(0, age) }
}
