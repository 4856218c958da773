// View ingest at 4,096 connections beside bare Fastify that answers 204 after a 250 ms timer; bytes of log per day.
import { randomUUID } from 'node:crypto'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import { startEmbeddedStores } from '@stet/embedded'
import { decoded, type LogEvent } from '@stet/eventsourcing'
import { type Newsroom } from '../support/newsroom'
import { editorsAtWork } from './editors'
import { hammer, steadiness } from './http-load'
import { type Measure, ratio, rounded, stated } from './measures'
import { articleId, chunks, zipf } from './seed-log'
import { bareFastify, BROWSER, logOf, seeded, viewLoad } from './support'

const ARTICLES = 1_000
const WARMUP = 3
const SECONDS = 10
/** Views a second of the day that is stated. */
const RATE = 100

export const views = async (): Promise<Measure[]> => {
  const newsroom = await seeded({ articles: ARTICLES, views: 0 })
  const bare = await bareFastify('timer')
  const spec = { ...viewLoad(ARTICLES), warmup: WARMUP, measure: SECONDS }
  try {
    const theirs = await hammer({ url: bare.url, ...spec })
    const ours = await hammer({ url: newsroom.url, ...spec })
    const editors = editorsAtWork(newsroom, ARTICLES)
    const busy = await hammer({ url: newsroom.url, ...spec })
    const edited = await editors.finish()
    const day = await bytesPerDay(newsroom)
    const all = [theirs, ours, busy]
    return [
      stated('phases', `${WARMUP} s of warm-up once all connections are answered, then ${SECONDS} s`),
      ratio('views at 4,096 connections', ours.rate, theirs.rate, 'views/s', 0.6),
      ratio('views at 4,096 connections, editors at work', busy.rate, theirs.rate, 'views/s', 0.6),
      stated('editors at work', edited),
      stated('slowest to fastest second: bare, ours, with editors', all.map(steadiness).join(', ')),
      stated('p99 of a view: bare, ours, with editors', all.map(({ p99 }) => `${rounded(p99)} ms`).join(', ')),
      stated('answers in the same order', JSON.stringify(all.map(({ statuses }) => statuses))),
      stated(
        `log per day at ${RATE} views/s over ${ARTICLES} articles`,
        `${rounded(day.bytes / 2 ** 20)} MiB on disk (${rounded(day.events)} events)`,
      ),
    ]
  } finally {
    bare.stop()
    await newsroom.stop()
    await newsroom.dispose()
  }
}

/** The events of twenty seconds at that rate, an hour of their kind on disk, as a day. */
const bytesPerDay = async (newsroom: Newsroom): Promise<{ bytes: number; events: number }> => {
  const seconds = 20
  const recorded = await recordedOf(newsroom, seconds)
  const hour = Math.round((recorded.length / seconds) * 3_600)
  const bytes = await bytesOnDisk(Array.from({ length: hour }, (_, i) => recorded[i % recorded.length]!))
  return { bytes: bytes * 24, events: hour * 24 }
}

/** What the log holds of so many seconds of views. */
const recordedOf = async (newsroom: Newsroom, seconds: number): Promise<LogEvent[]> => {
  const log = await logOf(newsroom)
  const after = await log.end()
  const sent: Promise<Response>[] = []
  const begun = performance.now()
  // By the clock, so that a busy machine sends late and never less.
  while (sent.length < seconds * RATE) {
    const due = Math.min(seconds * RATE, Math.floor(((performance.now() - begun) / 1_000) * RATE))
    for (let n = sent.length; n < due; n++)
      sent.push(
        fetch(`${newsroom.url}/reader/v1/views`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'user-agent': BROWSER,
            'x-forwarded-for': `11.0.${n >> 8}.${n & 255}`,
          },
          body: JSON.stringify({ articleId: articleId(zipf(n, ARTICLES)), viewId: randomUUID() }),
        }),
      )
    await delay(5)
  }
  const refused = (await Promise.all(sent)).filter(({ status }) => status !== 204)
  if (refused.length > 0) throw new Error(`${refused.length} views were refused`)
  const events: LogEvent[] = []
  for await (const event of log.readAll({ after, filter: { categories: ['views'] } })) events.push(decoded(event))
  await log.close()
  return events
}

/** By how much these events make the files of a log grow, indexes and all. */
const bytesOnDisk = async (events: readonly LogEvent[]): Promise<number> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'stet-bench-'))
  const stores = await startEmbeddedStores({ dataDir })
  try {
    const client = new EventStoreDBClient({ endpoint: stores.eventStoreUrl }, { insecure: true })
    const stream = `views-${randomUUID()}`
    const append = async (some: readonly LogEvent[]) => {
      for (const chunk of chunks(some, 4))
        await client.appendToStream(
          stream,
          chunk.map(({ type, data, metadata }) =>
            jsonEvent({ id: randomUUID(), type, data: data as Record<string, unknown>, metadata: { ...metadata } }),
          ),
        )
    }
    // A log that is not new: what its files begin with is no part of a day.
    await append(events.slice(0, 1_000))
    const before = await folderSize(dataDir)
    await append(events)
    await client.dispose()
    return (await folderSize(dataDir)) - before
  } finally {
    await stores.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}

/** Bytes of all files below a folder, as far as they hold something. */
export const folderSize = async (folder: string): Promise<number> => {
  const sizes = await Promise.all(
    (await readdir(folder, { withFileTypes: true })).map(async entry => {
      if (entry.isDirectory()) return folderSize(join(folder, entry.name))
      const { size, blocks } = await stat(join(folder, entry.name))
      // A file may be made larger than what was written to it; blocks are of 512 bytes.
      return Math.min(size, blocks * 512)
    }),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
