// View ingest at 4,096 connections beside bare Fastify that answers 204 after a 250 ms timer; bytes of log per day.
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { decoded } from '@stet/eventsourcing'
import { hammer } from './http-load'
import { type Measure, ratio, rounded, stated } from './measures'
import { articleId, zipf } from './seed-log'
import { bareFastify, BROWSER, logOf, seeded } from './support'

const ARTICLES = 1_000

export const views = async (): Promise<Measure[]> => {
  const newsroom = await seeded({ articles: ARTICLES, views: 0 })
  const bare = await bareFastify('timer')
  const spec = {
    method: 'POST' as const,
    paths: ['/reader/v1/views'],
    bodies: Array.from({ length: 20_000 }, (_, i) => JSON.stringify({ articleId: articleId(zipf(i, ARTICLES)) })),
    headers: { 'content-type': 'application/json', 'user-agent': BROWSER },
    addresses: true,
    connections: 4_096,
    seconds: 10,
    warmup: 3,
  }
  try {
    const theirs = await hammer({ url: bare.url, ...spec })
    const ours = await hammer({ url: newsroom.url, ...spec })
    const [day, events] = await bytesPerDay(newsroom)
    return [
      ratio('views at 4,096 connections', ours.rate, theirs.rate, 'views/s', 0.6),
      stated('p99 of a view', `${rounded(ours.p99)} ms beside ${rounded(theirs.p99)} ms`),
      stated('answers', JSON.stringify([ours.statuses, theirs.statuses])),
      stated(
        'log per day at 100 views/s over 1,000 articles',
        `${rounded(day / 2 ** 20)} MiB of events (${events} a day)`,
      ),
    ]
  } finally {
    bare.stop()
    await newsroom.stop()
    await newsroom.dispose()
  }
}

/** Twenty seconds of 100 views a second with view ids, in the log's own bytes, as a day. */
const bytesPerDay = async (newsroom: Awaited<ReturnType<typeof seeded>>): Promise<[number, string]> => {
  const seconds = 20
  const log = await logOf(newsroom)
  const after = await log.end()
  const sent: Promise<unknown>[] = []
  for (let second = 0; second < seconds; second++) {
    const next = delay(1_000)
    for (let i = 0; i < 100; i++) {
      const n = second * 100 + i
      sent.push(
        fetch(`${newsroom.url}/reader/v1/views`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'user-agent': BROWSER,
            'x-forwarded-for': `11.0.${n >> 8}.${n & 255}`,
          },
          body: JSON.stringify({ articleId: articleId(zipf(n, ARTICLES)), viewId: crypto.randomUUID() }),
        }),
      )
      await delay(9)
    }
    await next
  }
  await Promise.all(sent)
  let bytes = 0
  let events = 0
  for await (const event of log.readAll({ after, filter: { categories: ['views'] } })) {
    bytes += Buffer.byteLength(JSON.stringify(decoded(event).data)) + Buffer.byteLength(JSON.stringify(event.metadata))
    events++
  }
  await log.close()
  return [(bytes / seconds) * 86_400, rounded((events / seconds) * 86_400)]
}

/** Bytes of all files below a folder. */
export const folderSize = async (folder: string): Promise<number> => {
  const sizes = await Promise.all(
    (await readdir(folder, { withFileTypes: true })).map(async entry =>
      entry.isDirectory() ? folderSize(join(folder, entry.name)) : (await stat(join(folder, entry.name))).size,
    ),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
