// Article pages: one hot page and Zipf over 10,000 articles beside bare Fastify with the same bytes, cold pages beside a
// bare findOne of the official driver.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findRunningStores } from '@stet/embedded'
import { MongoClient } from 'mongodb'
import { hammer } from './http-load'
import { type Measure, ratio, stated } from './measures'
import { inParallel, zipf } from './seed-log'
import { bareFastify, seeded } from './support'

const ARTICLES = 10_000
const path = (n: number) => `/reader/v1/articles/story-${n}`

export const pages = async (): Promise<Measure[]> => {
  const newsroom = await seeded({ articles: ARTICLES, views: 2_000 })
  const folder = await mkdtemp(join(tmpdir(), 'stet-bench-'))
  const page = Buffer.from(await (await fetch(newsroom.url + path(0))).arrayBuffer())
  await writeFile(join(folder, 'page'), page)
  const bare = await bareFastify('page', join(folder, 'page'))
  const load = { connections: 64, seconds: 5 }
  try {
    const hot = { paths: [path(0)], ...load }
    const bareRate = (await hammer({ url: bare.url, ...hot })).rate
    const ours = await hammer({ url: newsroom.url, ...hot })
    const paths = Array.from({ length: 200_000 }, (_, i) => path(zipf(i, ARTICLES)))
    const spread = await hammer({ url: newsroom.url, ...load, paths })
    // Each page once: nothing of it is in memory.
    const cold = await hammer({
      url: newsroom.url,
      ...load,
      seconds: 2,
      warmup: 0.2,
      paths: Array.from({ length: ARTICLES }, (_, i) => path(ARTICLES - 1 - i)),
    })
    const found = await bareFindOne(newsroom.dataDir)
    return [
      stated('a page', `${page.length} bytes`),
      ratio('one hot page', ours.rate, bareRate, 'GET/s', 0.8),
      ratio(`Zipf over ${ARTICLES} articles`, spread.rate, bareRate, 'GET/s', 0.5),
      ratio('cold pages beside a bare findOne', cold.rate, found, '/s', 0.4),
      stated(
        'p99 of a hot, a Zipf and a cold page',
        [ours, spread, cold].map(({ p99 }) => `${p99.toFixed(1)} ms`).join(', '),
      ),
      stated('answers', JSON.stringify([ours.statuses, spread.statuses, cold.statuses])),
    ]
  } finally {
    bare.stop()
    await newsroom.stop()
    await newsroom.dispose()
    await rm(folder, { recursive: true })
  }
}

/** findOne of whole page documents by id through the official driver, 64 under way, a second. */
const bareFindOne = async (dataDir: string): Promise<number> => {
  const client = await new MongoClient((await findRunningStores(dataDir))!.mongodbUrl).connect()
  const name = (await client.db('stet').listCollections({}, { nameOnly: true }).toArray())
    .map(collection => collection.name)
    .find(collection => collection.startsWith('article-pages-'))!
  const collection = client.db('stet').collection<{ _id: string }>(name)
  const ids = (await collection.find({}, { projection: { _id: 1 } }).toArray()).map(({ _id }) => _id)
  const started = performance.now()
  await inParallel(20_000, 64, i => collection.findOne({ _id: ids[(i * 7919) % ids.length]! }))
  const rate = 20_000 / ((performance.now() - started) / 1_000)
  await client.close()
  return rate
}
