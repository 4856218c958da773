// Article pages: one hot page and Zipf over 10,000 articles beside bare Fastify with the same bytes, without and with
// editors at work; cold pages of a fresh process beside a bare findOne of the official driver.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findRunningStores } from '@stet/embedded'
import { MongoClient } from 'mongodb'
import { type Newsroom } from '../support/newsroom'
import { editorsAtWork } from './editors'
import { hammer, steadiness } from './http-load'
import { type Measure, ratio, stated } from './measures'
import { articleId, inParallel, zipf } from './seed-log'
import { bareFastify, caughtUp, seeded } from './support'

const ARTICLES = 10_000
/** More articles, which only warm a fresh process up: their pages are never measured. */
const OTHERS = 2_000
const CONNECTIONS = 64
const WARMUP = 2
/** Until most pages of the spread have been asked for once: what is measured is a server that has been up for a while. */
const WARMUP_SPREAD = 15
const SECONDS = 6
const path = (n: number) => `/reader/v1/articles/story-${n}`
const numbers = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i)

export const pages = async (): Promise<Measure[]> => {
  let newsroom = await seeded({ articles: ARTICLES + OTHERS, views: 2_000 })
  const folder = await mkdtemp(join(tmpdir(), 'stet-bench-'))
  const page = Buffer.from(await (await fetch(newsroom.url + path(0))).arrayBuffer())
  await writeFile(join(folder, 'page'), page)
  const bare = await bareFastify('page', join(folder, 'page'))
  try {
    const load = { connections: CONNECTIONS, warmup: WARMUP, measure: SECONDS }
    const hot = { paths: [path(0)], ...load }
    const paths = numbers(0, 200_000).map(i => path(zipf(i, ARTICLES)))
    const spread = { ...load, paths, warmup: WARMUP_SPREAD }
    const bareRate = await hammer({ url: bare.url, ...hot })
    const quiet = [await hammer({ url: newsroom.url, ...hot }), await hammer({ url: newsroom.url, ...spread })] as const
    const editors = editorsAtWork(newsroom, ARTICLES)
    const busy = [await hammer({ url: newsroom.url, ...hot }), await hammer({ url: newsroom.url, ...spread })] as const
    const edited = await editors.finish()

    await caughtUp(newsroom)
    await newsroom.stop()
    newsroom = await newsroom.restart()
    const cold = await coldPages(newsroom)
    const found = await bareFindOne(newsroom.dataDir)
    const all = [bareRate, ...quiet, ...busy, cold]
    return [
      stated('a page', `${page.length} bytes`),
      stated(
        'phases',
        `${WARMUP} s of warm-up (${WARMUP_SPREAD} s of Zipf), then ${SECONDS} s; answers in its slowest and fastest second below`,
      ),
      ratio('one hot page', quiet[0].rate, bareRate.rate, 'GET/s', 0.8),
      ratio(`Zipf over ${ARTICLES} articles`, quiet[1].rate, bareRate.rate, 'GET/s', 0.5),
      ratio('one hot page, editors at work', busy[0].rate, bareRate.rate, 'GET/s', 0.8),
      ratio(`Zipf over ${ARTICLES} articles, editors at work`, busy[1].rate, bareRate.rate, 'GET/s', 0.5),
      stated('editors at work', edited),
      ratio(`${ARTICLES} cold pages, each once, beside a bare findOne of each`, cold.rate, found, '/s', 0.4),
      stated(
        'slowest to fastest second: bare, hot, Zipf, both with editors',
        all.slice(0, 5).map(steadiness).join(', '),
      ),
      stated('p99: bare, hot, Zipf, both with editors, cold', all.map(({ p99 }) => `${p99.toFixed(1)} ms`).join(', ')),
      stated('answers in the same order', JSON.stringify(all.map(({ statuses }) => statuses))),
    ]
  } finally {
    bare.stop()
    await newsroom.stop()
    await newsroom.dispose()
    await rm(folder, { recursive: true })
  }
}

/** Every page once, on a process that has served only other ones. Throws when a single answer came from kept bytes. */
const coldPages = async (newsroom: Newsroom) => {
  const once = (numbers: readonly number[]) =>
    hammer({ url: newsroom.url, connections: CONNECTIONS, measure: 'once', paths: numbers.map(path) })
  await once(numbers(ARTICLES, OTHERS))
  const before = await keptAnswers(newsroom)
  const cold = await once(numbers(0, ARTICLES))
  const kept = (await keptAnswers(newsroom)) - before
  if (kept !== 0 || cold.statuses['200'] !== ARTICLES)
    throw new Error(`not cold: ${kept} answers from kept bytes, ${JSON.stringify(cold.statuses)}`)
  return cold
}

/** Answers so far that came from kept bytes. */
const keptAnswers = async (newsroom: Newsroom): Promise<number> => {
  const text = await (await fetch(`${newsroom.url}/metrics`)).text()
  const counts = text.matchAll(/^stet_http_request_seconds_count\{[^}]*route="[^"]*\(kept\)"[^}]*\} (\d+)$/gm)
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0)
}

/** findOne of the same page documents, each once, through the official driver, 64 under way, a second. */
const bareFindOne = async (dataDir: string): Promise<number> => {
  const client = await new MongoClient((await findRunningStores(dataDir))!.mongodbUrl).connect()
  const name = (await client.db('stet').listCollections({}, { nameOnly: true }).toArray())
    .map(collection => collection.name)
    .find(collection => collection.startsWith('article-pages-'))!
  const collection = client.db('stet').collection<{ _id: string }>(name)
  const find = (from: number, count: number) =>
    inParallel(count, CONNECTIONS, async i => {
      if (!(await collection.findOne({ _id: articleId(from + i) }))) throw new Error(`no page of story ${from + i}`)
    })
  await find(ARTICLES, OTHERS)
  const started = performance.now()
  await find(0, ARTICLES)
  const rate = ARTICLES / ((performance.now() - started) / 1_000)
  await client.close()
  return rate
}
