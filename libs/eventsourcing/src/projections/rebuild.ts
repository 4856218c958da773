// Builds a read model anew from the log, beside the running group and in any process, and lets it take its place.
import { comparePositions } from '../event'
import { NotFound, Unavailable } from '../errors'
import { DEFAULT_LIMITS } from './batches'
import { Overtaken } from './commit'
import { type GenerationStatus, type ProjectionSources, type RebuildOptions } from './contract'
import { Suspicious } from './fold'
import { type Checkpoint, checkpointsOf, createGeneration, ensureGenerations, removeGeneration } from './generation'
import { join } from './join'
import { membersOf } from './members'
import { Backoff, pause } from './pause'
import { Suspicion, Wing, type WingTools } from './wing'
import { unreachable } from '../document-store/document-store'

/** Milliseconds that the stores may be out of reach before a rebuild gives up. */
const PATIENCE = 60_000
/** Milliseconds between two reports of progress. */
const REPORT = 250

/**
 * Builds a new generation of a read model and replaces the live one by it in one transaction. What an earlier rebuild
 * has left unfinished is removed first: the code that began it may have been another. Throws NotFound for an unknown
 * name, Unavailable when a store stays out of reach, what `signal` was aborted with, and an Error when another rebuild of
 * the same read model took over.
 */
export const rebuildProjection = async (
  sources: ProjectionSources,
  name: string,
  { onProgress, signal = new AbortController().signal, limits }: RebuildOptions = {},
): Promise<GenerationStatus> => {
  const { log, documents, projections, groups } = sources
  const projection = projections.find(projection => projection.name === name)
  if (!projection)
    throw new NotFound(`no read model is called ${name}: there are ${projections.map(({ name }) => name).join(', ')}`)
  const { db } = documents
  await ensureGenerations(db, [projection])
  const of = { name, version: projection.version }
  for (const { _id } of await checkpointsOf(db)
    .find({ ...of, stage: 'building' })
    .toArray())
    await removeGeneration(db, _id)
  const known = await checkpointsOf(db).find(of).toArray()
  const next = 1 + Math.max(0, ...known.map(({ generation }) => generation))
  const id = await createGeneration(db, projection, next, 'building')

  const categories = groups[projection.group] ?? []
  const tools: WingTools = {
    log,
    documents,
    categories,
    limits: { ...DEFAULT_LIMITS, ...limits },
    suspicion: new Suspicion(),
  }
  const progress = reporter(onProgress, await log.end())
  const backoff = new Backoff(20, 2_000)
  let reached = performance.now()
  for (;;) {
    signal.throwIfAborted()
    try {
      const checkpoint = await checkpointsOf(db).findOne({ _id: id })
      if (!checkpoint || checkpoint.stage === 'retired')
        throw new TakenOver(`another rebuild of ${name} has taken over`)
      if (checkpoint.stage === 'live') {
        progress.done()
        return statusOf(checkpoint)
      }
      const wing = new Wing(tools, await membersOf(documents, [{ projection, checkpoint }]))
      await wing.run(signal, {
        advanced: (position, events) => {
          reached = performance.now()
          backoff.reset()
          progress.report(position, events)
        },
        caughtUp: async () => {
          const live = await checkpointsOf(db).findOne({ ...of, stage: 'live' })
          if (!live) throw new TakenOver(`${name} has no live generation any more`)
          const joined = await join(tools, wing, [live._id], { replace: true })
          if (joined === 'busy') await pause(5 + 20 * Math.random(), signal)
          return 'leave'
        },
      })
    } catch (error) {
      const passing = error instanceof Overtaken || error instanceof Suspicious
      const away = error instanceof Unavailable || unreachable(error)
      if (!passing && !away) throw error
      if (performance.now() - reached > PATIENCE)
        throw away ? new Unavailable('document store', `the rebuild of ${name} could not reach its stores`, 5) : error
      await pause(backoff.milliseconds, signal)
    }
  }
}

class TakenOver extends Error {}

export const statusOf = ({
  _id,
  name,
  version,
  generation,
  group,
  stage,
  position,
  parked,
}: Checkpoint): GenerationStatus => ({
  id: _id,
  name,
  version,
  generation,
  group,
  stage,
  position,
  parked,
})

/** Positions grow with the log's bytes, so their ratio is the share that is done. */
const reporter = (onProgress: RebuildOptions['onProgress'], end: string | null) => {
  let events = 0
  let last = performance.now()
  return {
    report(position: string, more: number) {
      events += more
      if (!onProgress || performance.now() - last < REPORT) return
      last = performance.now()
      onProgress({
        done: comparePositions(position, end) >= 0 ? 1 : Number(position) / Number(end ?? position),
        events,
      })
    },
    done() {
      onProgress?.({ done: 1, events })
    },
  }
}
