// Running and reading the read models within an app.
import {
  type DocumentStore,
  type EventLog,
  Halted,
  readSide,
  type ReadSideOptions,
  type RunningGroupStatus,
  type RunningProjections,
  type RunningReadSide,
  startProjections,
  Unavailable,
} from '@stet/eventsourcing'
import { GROUPS, PACES, projections } from '@stet/newsroom'
import { type AppContext } from '@stet/platform'

export interface ReadModelStores {
  readonly log: EventLog
  readonly documents: DocumentStore
}

/** Runs all groups; `onAdvance` is told after each commit of this process. */
export const runProjections = (
  { logger, metrics, health }: AppContext,
  stores: ReadModelStores,
  onAdvance: (group: string) => void,
): RunningProjections => {
  const running = startProjections({
    ...stores,
    projections,
    groups: GROUPS,
    paces: PACES,
    onAdvance,
    onError: (group, error) => {
      // While a store is gone this comes again and again: one line each, without a stack.
      if (error instanceof Halted) logger.error({ group }, `projections have halted: ${error.message}`)
      else if (error instanceof Unavailable) logger.warn({ group }, `projections back off: ${error.message}`)
      else logger.error({ group, err: error }, 'projections back off')
    },
  })
  metrics.showLag(async () => (await running.status()).map(lagOf))
  // Of this process's own knowledge: an alarm must not depend on a store that answers.
  metrics.showCounts('stet_projection_halted', '1 when an event stopped the group', 'group', () =>
    Object.fromEntries(
      Object.entries(running.states()).map(([group, { state }]) => [group, state === 'halted' ? 1 : 0]),
    ),
  )
  health.add('projections', async () => ({ ok: await running.ready(), detail: troubleOf(running) }))
  return running
}

/** Answers queries from the read models of this version. */
export const openReadSide = (
  stores: ReadModelStores,
  onLook: NonNullable<ReadSideOptions['onLook']>,
): RunningReadSide => readSide({ ...stores, projections, groups: GROUPS, onLook })

const lagOf = ({ group, lag, parked }: RunningGroupStatus) => ({
  group,
  events: lag.events,
  seconds: lag.seconds,
  parked,
})

const troubleOf = (running: RunningProjections): string =>
  Object.entries(running.states())
    .map(([group, { state, parked }]) => `${group}: ${state}${parked > 0 ? `, ${parked} events parked` : ''}`)
    .join(', ')
