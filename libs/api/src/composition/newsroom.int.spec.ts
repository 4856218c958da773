// A newsroom put together on both embedded stores: what operators see of it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, it } from '@jest/globals'
import { startDocumentStore, startEventStore } from '@stet/embedded'
import { connectDocumentStore, connectEventLog, type EventLog, type Upcaster } from '@stet/eventsourcing'
import { type NewsroomEvents, upcasters } from '@stet/newsroom'
import { type App, type AppContext, createHttpServer, Health, Metrics, readConfig } from '@stet/platform'
import { pino } from 'pino'
import { openNewsroom } from './newsroom'

let folder: string
let context: AppContext
let app: App
let log: EventLog
let store: { readonly url: string; readonly database: string }
const closing: (() => Promise<unknown>)[] = []
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stet-'))
  const [events, documents] = [join(folder, 'e.sock'), join(folder, 'd.sock')]
  const eventStore = await startEventStore({ socketPath: events, directory: join(folder, 'events') })
  const documentStore = await startDocumentStore({ socketPath: documents, directory: join(folder, 'documents') })
  closing.push(
    () => eventStore.close(),
    () => documentStore.close(),
  )
  const config = readConfig({ DATA_DIR: folder, LOG_LEVEL: 'silent' }, { stores: 'embedded-or-remote' })
  const logger = pino({ level: config.logLevel })
  const metrics = new Metrics({ app: 'spec' })
  context = { config, logger, metrics, health: new Health(), http: createHttpServer(config, { logger, metrics }) }
  const mongodbUrl = `mongodb://${encodeURIComponent(documents)}/?directConnection=true`
  store = { url: mongodbUrl, database: config.mongodbDatabase }
  // As the next version of the product would read the events of this one.
  const up = (data: { label: string }) => ({ ...data, label: data.label.toUpperCase() })
  ;(upcasters as Upcaster[]).push({ type: 'ListCreated', from: 1, up })
  closing.push(async () => (upcasters as Upcaster[]).pop())
  app = await openNewsroom(context, { eventStoreUrl: `unix:${events}`, mongodbUrl }, ['reader', 'projections'])
  closing.push(() => app.close())
  log = connectEventLog({ url: `unix:${events}` })
  closing.push(() => log.close())
})
afterAll(async () => {
  for (const close of closing.reverse()) await close()
  rmSync(folder, { recursive: true, force: true })
})

const append = async <T extends keyof NewsroomEvents>(stream: string, type: T, data: NewsroomEvents[T]) => {
  const revision = (await log.lastOf(stream))?.revision ?? -1
  const id = randomUUID()
  const at = new Date().toISOString()
  const metadata = { $correlationId: id, $causationId: id, commandId: id, fingerprint: '', actor: 'spec', at }
  await log.append(stream, revision, [{ id, type, data, metadata }])
}
const viewed = (articleId: string, views: number, minute = new Date().toISOString()) =>
  append('views-spec', 'ArticlesViewed', { minute, views: [[articleId, views, 'direct', 'mobile', '']] })

const eventually = async (check: () => Promise<boolean>): Promise<void> => {
  const until = performance.now() + 20_000
  while (!(await check())) {
    if (performance.now() > until) throw new Error(`never: ${check.toString()}`)
    await new Promise(resolve => setImmediate(resolve))
  }
}
const shown = (line: string) =>
  eventually(async () => (await context.metrics.registry.metrics()).split('\n').includes(line))

describe('the metrics', () => {
  it('show views by what became of them, those of what is not live too', async () => {
    const live = randomUUID()
    await append(`article-${live}`, 'ArticlePublished', published)
    await viewed(live, 1)
    await append(`article-${live}`, 'ArticleUnpublished', { reason: null })
    await viewed(live, 2)
    await viewed(randomUUID(), 4)
    await viewed(live, 8, 'noon')
    await shown('stet_views_in_log{outcome="malformed",app="spec"} 1')
    await shown('stet_views_in_log{outcome="counted",app="spec"} 1')
    await shown('stet_views_in_log{outcome="not_live",app="spec"} 2')
    await shown('stet_views_in_log{outcome="unknown",app="spec"} 4')
  })
})

describe('the read models', () => {
  it('are made of older shapes too, read as the newest', async () => {
    await append('list-older', 'ListCreated', { label: 'Older', section: null, capacity: null })
    const { url, database } = store
    const documents = connectDocumentStore({ url, database })
    closing.push(() => documents.close())
    const lists = documents.db.collection<{ _id: string; label: string }>('curated-lists-v1-g1')
    await eventually(async () => (await lists.findOne({ _id: 'older' }))?.label === 'OLDER')
  })
})

const published: NewsroomEvents['ArticlePublished'] = {
  headline: 'A headline',
  section: { slug: 'news', name: 'News' },
  bodyHtml: '<p>Text.</p>',
  summary: null,
  keyPoints: [],
  tags: [],
  authors: [],
  image: null,
  language: 'en',
  seo: null,
  canonicalUrl: null,
  source: { outlet: 'The Gazette', contributors: [] },
  relatedIds: [],
  blockedIds: [],
  slug: 'a-headline',
  revision: 0,
  firstPublishedAt: '2026-01-01T00:00:00.000Z',
  publishedAt: '2026-01-01T00:00:00.000Z',
}
