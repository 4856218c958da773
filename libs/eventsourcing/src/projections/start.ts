// Runs the read models of a newsroom in this process.
import { NotFound } from '../errors'
import { type ProjectionsOptions, type RunningProjections } from './contract'
import { Group } from './group'
import { rebuildProjection } from './rebuild'
import { projectionStatus, standingsOf } from './status'

/**
 * Starts every group that has a read model; nothing has to be reachable yet. Each group goes on by itself whatever happens
 * to the stores, and beside the same groups in other processes: every event has its effect once.
 */
export const startProjections = (options: ProjectionsOptions): RunningProjections => {
  const { projections, groups, failingFor = 30_000 } = options
  for (const { name, group } of projections)
    if (!groups[group]) throw new NotFound(`${name} is in the group ${group}, which follows no streams`)
  const running = Object.entries(groups).flatMap(([name, categories]) => {
    const members = projections.filter(({ group }) => group === name)
    return members.length > 0 ? [new Group(name, categories, members, options)] : []
  })
  /** Groups that were caught up once: from then on this process is ready. */
  const arrived = new Set<string>()
  return {
    status: async () =>
      (await projectionStatus(options)).map(status => {
        const group = running.find(({ name }) => name === status.group)
        return { ...status, state: group?.state ?? 'stopped', error: group?.error ?? null }
      }),
    states: () => Object.fromEntries(running.map(({ name, state, error, parked }) => [name, { state, error, parked }])),
    async ready() {
      if (running.some(group => group.state !== 'halted' && group.failingFor > failingFor)) return false
      // A halted group is as far as it can come until somebody mends it: an alarm, and no reason to serve nothing at all.
      for (const { name, state } of running) if (state === 'halted') arrived.add(name)
      if (!running.every(({ name }) => arrived.has(name)))
        for (const { group, caughtUp, generations } of await standingsOf(options).catch(() => []))
          if (caughtUp && generations.length > 0) arrived.add(group)
      return running.every(({ name }) => arrived.has(name))
    },
    rebuild: (name, rebuilding) => rebuildProjection(options, name, { limits: options.limits, ...rebuilding }),
    async stop() {
      await Promise.all(running.map(group => group.stop()))
    },
  }
}
