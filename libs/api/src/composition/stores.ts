// The way to the two stores: connected, measured, watched, and surely this newsroom's.
import { randomUUID } from 'node:crypto'
import {
  claimDatabase,
  connectDocumentStore,
  connectEventLog,
  type DocumentStore,
  type EventLog,
  found,
  Unavailable,
} from '@stet/eventsourcing'
import { upcasters } from '@stet/newsroom'
import { type AppContext, ConfigError, type Metrics } from '@stet/platform'

export interface StoreUrls {
  readonly eventStoreUrl: string
  readonly mongodbUrl: string
}

/** How a newsroom's log begins (docs/events.md). */
export const FOUNDING = { stream: 'newsroom-founding', type: 'NewsroomFounded' } as const

/** The stores of an app that starts none. */
export const configuredStores = ({ config }: AppContext): StoreUrls => {
  const { eventStoreUrl, mongodbUrl } = config
  if (eventStoreUrl === null || mongodbUrl === null)
    throw new ConfigError('EVENTSTORE_URL and MONGODB_URL must be given here')
  return { eventStoreUrl, mongodbUrl }
}

export interface OpenLog {
  readonly log: EventLog
  readonly newsroomId: string
}

/** The log, founded; waits as long as the store cannot be reached. @throws RuleBroken when it is somebody else's */
export const openLog = async ({ config, logger, metrics, health }: AppContext, urls: StoreUrls): Promise<OpenLog> => {
  const connected = connectEventLog({
    url: urls.eventStoreUrl,
    prefix: config.streamPrefix,
    upcasters,
    log: line => logger.warn(line),
  })
  const log = measured(connected, metrics)
  health.add('event-store', async () => ({ ok: await log.ping() }))
  const { id } = await reachable(() => found(log, { ...FOUNDING, newId: randomUUID }), logger)
  return { log, newsroomId: id }
}

/** The database of this newsroom's read models; waits as long as the store cannot be reached. */
export const openDocuments = async (
  { config, logger, health }: AppContext,
  urls: StoreUrls,
  { log, newsroomId }: OpenLog,
): Promise<DocumentStore> => {
  const documents = connectDocumentStore({ url: urls.mongodbUrl, database: config.mongodbDatabase })
  health.add('document-store', async () => ({ ok: await documents.ping() }))
  await reachable(() => claimDatabase({ documents, log }, newsroomId), logger)
  return documents
}

const LONGEST_WAIT = 2_000

/** The setting that says where a store is; without it, it is the one that the program brings along. */
const SETTINGS = {
  'event store': 'EVENTSTORE_URL',
  'document store': 'MONGODB_URL',
  'read model': 'MONGODB_URL',
} as const satisfies Record<Unavailable['store'], string>

/** A store that starts later than we do is no reason to end. */
const reachable = async <T>(attempt: () => Promise<T>, logger: AppContext['logger']): Promise<T> => {
  for (let wait = 50; ; wait = Math.min(wait * 2, LONGEST_WAIT)) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
      logger.warn(`waiting for the ${error.store} (${SETTINGS[error.store]}): ${error.message}`)
      await new Promise(resolve => setTimeout(resolve, wait))
    }
  }
}

/** The log with the time of its appends. */
const measured = (log: EventLog, metrics: Metrics): EventLog => ({
  append: async (stream, expected, events) => {
    const started = performance.now()
    const taken = () => (performance.now() - started) / 1_000
    try {
      const result = await log.append(stream, expected, events)
      metrics.appends(result.ok ? 'appended' : 'refused').observe(taken())
      return result
    } catch (error) {
      metrics.appends('unavailable').observe(taken())
      throw error
    }
  },
  truncateBefore: (stream, revision) => log.truncateBefore(stream, revision),
  readStream: (stream, options) => log.readStream(stream, options),
  lastOf: stream => log.lastOf(stream),
  readAll: options => log.readAll(options),
  subscribe: options => log.subscribe(options),
  versionOf: type => log.versionOf(type),
  end: () => log.end(),
  nothingAfter: (after, filter) => log.nothingAfter(after, filter),
  ping: () => log.ping(),
  close: () => log.close(),
})
