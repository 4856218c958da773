// A newsroom's app from the parts that it is asked for: the one place where everything is put together.
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { type DynamicModule } from '@nestjs/common'
import { Aggregates, type EventLog, type ReadSide } from '@stet/eventsourcing'
import { GetViewTotals, ViewCounter, viewTotalsQuery } from '@stet/newsroom'
import {
  type App,
  type AppContext,
  ConfigError,
  ensureTokens,
  networksOf,
  NetworksError,
  Revocations,
  SignedLinks,
} from '@stet/platform'
import { serveDocs } from '../openapi/docs'
import { Previews } from '../preview/previews'
import { ViewRecorder } from '../reader/view-recorder'
import { analystModule, editorialModule, readerModule } from './modules'
import { openReadSide, runProjections } from './read-models'
import { openDocuments, openLog, type StoreUrls } from './stores'
import { runTimetable } from './timetable'

export type Part = 'editorial' | 'reader' | 'analyst' | 'projections'

/** Version of the API's document. */
const VERSION = '0.1.0'

/** Opens the stores and starts the parts. What is given to `close` is closed in the reverse order of its opening. */
export const openNewsroom = async (
  context: AppContext,
  urls: StoreUrls,
  parts: readonly Part[],
  afterwards: () => Promise<void> = async () => {},
): Promise<App> => {
  const { config, logger, http } = context
  const closing: (() => Promise<void> | void)[] = [afterwards]
  const site = { url: config.siteUrl ?? '' }
  const modules: DynamicModule[] = []
  if (!config.auth) await sayTokens(context)
  const isDatacentre = await datacentres(config.datacentresFile)

  const opened = await openLog(context, urls)
  const { log } = opened
  closing.push(() => log.close())
  if (parts.includes('analyst')) modules.push(analystModule(log))

  if (parts.some(part => part !== 'analyst')) {
    const documents = await openDocuments(context, urls, opened)
    closing.push(() => documents.close())
    const stores = { log, documents }
    const policy = { approval: config.approval }
    const aggregates = new Aggregates(log)
    const reading = openReadSide(stores, ({ began }) => http.hot.confirm(began))
    if (parts.includes('projections')) {
      const running = runProjections(context, stores, () => reading.refresh())
      closing.push(() => running.stop())
      const timetable = runTimetable(context, { aggregates, reading, policy })
      closing.push(() => timetable.stop())
    }
    closing.push(() => reading.stop())
    const previews = new Previews({ aggregates, reading, site, links: new SignedLinks(config) })
    if (parts.includes('editorial')) modules.push(editorialModule({ aggregates, reading, policy, previews }))
    if (parts.includes('reader')) {
      // Readers are served nothing before it is there; editors go on writing while it is being built.
      context.health.add('read-models', async () => ({ ok: await reading.ready() }))
      const recorder = await startRecorder(context, log, site, isDatacentre)
      closing.push(() => recorder.stop())
      showViewTotals(context, reading)
      modules.push(readerModule(context, { reading, recorder, site, previews }))
    }
  }
  return {
    modules,
    revocations: new Revocations(log),
    prepare: app => {
      if (modules.length > 0) serveDocs(app, VERSION)
    },
    listening: url => {
      site.url ||= url
    },
    close: async () => {
      for (const close of closing.reverse())
        try {
          await close()
        } catch (error) {
          logger.warn({ err: error }, 'closing went wrong')
        }
    },
  }
}

/** Networks of DATACENTRES_FILE. @throws ConfigError for what cannot be read or is no list of networks */
const datacentres = async (file: string | null): Promise<(ip: string) => boolean> => {
  if (file === null) return () => false
  try {
    return networksOf(await readFile(file, 'utf8'))
  } catch (error) {
    const reason = error instanceof NetworksError ? error.message : 'it cannot be read'
    throw new ConfigError(`DATACENTRES_FILE ${JSON.stringify(file)} must be a file of networks: ${reason}`)
  }
}

const startRecorder = async (
  { config, metrics }: AppContext,
  log: EventLog,
  site: { url: string },
  isDatacentre: (ip: string) => boolean,
): Promise<ViewRecorder> => {
  const counter = new ViewCounter({
    // Known only once the server listens, where SITE_URL is not given.
    get siteUrl() {
      return site.url
    },
    newSalt: () => randomBytes(32),
    isDatacentre,
    // A hash of the view and one of the visitor.
    capacity: 2 * config.viewsRemembered,
  })
  const recorder = await ViewRecorder.start({ log, counter })
  metrics.showCounts('stet_views', 'Views since the start, by what became of them', 'outcome', () => {
    const { recorded, notCounted, waiting } = recorder.statistics()
    return { recorded, waiting, ...notCounted }
  })
  return recorder
}

/** What the log holds, whichever process recorded it: views of what is not live are told apart only there. */
const showViewTotals = ({ metrics }: AppContext, reading: ReadSide): void =>
  metrics.showCounts('stet_views_in_log', 'Views in the log, by what became of them', 'outcome', async () => {
    const { answer } = await reading.answer(viewTotalsQuery, new GetViewTotals())
    const { counted, notLive, unknown, malformed } = answer
    return { counted, not_live: notLive, unknown, malformed }
  })

const sayTokens = async ({ config, logger }: AppContext): Promise<void> => {
  const { folder, written } = await ensureTokens(config.dataDir)
  if (written) logger.warn(`the first tokens were made: ${folder}`)
}
