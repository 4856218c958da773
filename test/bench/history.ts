// A log of 200,000 events: rebuilding every read model but related, starting on it, and what each process keeps in memory.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findRunningStores } from '@stet/embedded'
import { connectDocumentStore, connectEventLog, startProjections } from '@stet/eventsourcing'
import { GROUPS, projections } from '@stet/newsroom'
import { MongoClient } from 'mongodb'
import { eventually, type Newsroom, startNewsroom } from '../support/newsroom'
import { below, type Measure, rounded, stated } from './measures'
import { mixOf, seedLog } from './seed-log'
import { caughtUp, logOf, seeded } from './support'
import { folderSize } from './views'

const SMALL = 20_000
const LARGE = 200_000

export const history = async (): Promise<Measure[]> => {
  const probe = await mkdtemp(join(tmpdir(), 'stet-probe-'))
  const env = {
    MEMORY_PROBE: probe,
    NODE_OPTIONS: `--require ${join(__dirname, '../../../test/bench/memory-probe.cjs')}`,
  }
  let newsroom = await seeded(mixOf(SMALL), env)
  try {
    const small = await memory(newsroom, probe)
    const log = await logOf(newsroom)
    await seedLog(log, mixOf(LARGE), mixOf(SMALL).articles)
    await log.close()
    await caughtUp(newsroom)
    const large = await memory(newsroom, probe)
    const rebuilt = await rebuild(newsroom)
    await newsroom.stop()
    const started = performance.now()
    newsroom = await startNewsroom({ dataDir: newsroom.dataDir, env })
    await eventually('ready', async () => (await fetch(`${newsroom.url}/health/ready`)).ok)
    const ready = performance.now() - started
    return [
      stated(
        'the log',
        `${JSON.stringify(mixOf(LARGE))}, 6 events an article, ${rounded((await folderSize(newsroom.dataDir)) / 2 ** 20)} MiB of data directory`,
      ),
      ...rebuilt,
      below('start to ready', ready / 1_000, 's', 3),
      ...large.map((bytes, i) =>
        below(
          `heap and external memory of process ${i + 1}, growth from ${SMALL} to ${LARGE} events`,
          (bytes - (small[i] ?? 0)) / 2 ** 20,
          'MiB',
          10,
        ),
      ),
      stated('memory at 200,000 events', large.map(bytes => `${rounded(bytes / 2 ** 20)} MiB`).join(', ')),
    ]
  } finally {
    await newsroom.stop()
    await newsroom.dispose()
    await rm(probe, { recursive: true })
  }
}

/** Heap after collection plus external memory of the server and of its store process, in bytes. */
const memory = async (newsroom: Newsroom, probe: string): Promise<number[]> => {
  const pid = newsroom.process.pid!
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8'))
    .trim()
    .split(' ')
    .filter(Boolean)
    .map(Number)
  const read = async (process_: number) => {
    const file = join(probe, `${process_}.json`)
    await rm(file, { force: true })
    process.kill(process_, 'SIGUSR2')
    return eventually('the probe answers', async () => {
      const { heapUsed, external } = JSON.parse(await readFile(file, 'utf8')) as { heapUsed: number; external: number }
      return heapUsed + external
    })
  }
  return Promise.all([pid, ...children].map(read))
}

/** All read models but related from an empty database, beside reading the log and beside writing as many documents. */
const rebuild = async (newsroom: Newsroom): Promise<Measure[]> => {
  const urls = (await findRunningStores(newsroom.dataDir))!
  const log = connectEventLog({ url: urls.eventStoreUrl })
  const documents = connectDocumentStore({ url: urls.mongodbUrl, database: 'bench' })
  const wanted = projections.filter(({ group }) => group !== 'related')

  let events = 0
  let started = performance.now()
  for await (const _ of log.readAll({})) events++
  const readAll = events / ((performance.now() - started) / 1_000)

  started = performance.now()
  const running = startProjections({ log, documents, projections: wanted, groups: GROUPS })
  await eventually('rebuilt', () => running.ready(), 600_000)
  const seconds = (performance.now() - started) / 1_000
  await running.stop()

  const client = await new MongoClient(urls.mongodbUrl).connect()
  const written = client.db('bench')
  let count = 0
  let upserting = 0
  for (const { name, version } of wanted) {
    const all = await written.collection<{ _id: string }>(`${name}-v${version}-g1`).find({}).toArray()
    const copy = written.collection<{ _id: string }>(`copy-of-${name}`)
    const begun = performance.now()
    for (let i = 0; i < all.length; i += 500)
      await copy.bulkWrite(
        all.slice(i, i + 500).map(document => ({
          replaceOne: { filter: { _id: document._id }, replacement: document, upsert: true },
        })),
      )
    upserting += performance.now() - begun
    count += all.length
  }
  await client.close()
  await Promise.all([log.close(), documents.close()])
  const upserts = count / (upserting / 1_000)
  return [
    {
      what: `rebuild of all but related over ${events} events`,
      value: `${rounded(events / seconds)} events/s`,
      beside: `${rounded(readAll)} events/s read`,
      ratio: events / seconds / readAll,
      target: '≥ 0.5, or ≥ 0.7 of the upsert rate',
      holds: events / seconds / readAll >= 0.5,
    },
    stated('bulk upserts of the same final documents', `${rounded(upserts)} documents/s (${count} documents)`),
  ]
}
