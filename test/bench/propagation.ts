// From a publish answer to the reader's page, of a new article and of a changed page that is hot, alone and under full
// view load.
import { Client } from '../support/client'
import { type Newsroom } from '../support/newsroom'
import { startLoad } from './http-load'
import { below, type Measure, quantile, stated } from './measures'
import { articleId } from './seed-log'
import { seeded, viewLoad } from './support'

const ARTICLES = 1_000
/** Publications to measure of each kind, so that a p99 is more than one outlier; fewer when they take too long. */
const WANTED = 500
const SECONDS = 60

export const propagation = async (): Promise<Measure[]> => {
  const newsroom = await seeded({ articles: ARTICLES, views: 0 })
  try {
    await both(newsroom, 50, 10)
    const alone = await both(newsroom, WANTED, SECONDS)
    const load = startLoad({ url: newsroom.url, ...viewLoad(ARTICLES), warmup: 3, measure: 'until stopped' })
    await load.steady
    const loaded = await both(newsroom, WANTED, SECONDS)
    load.stop()
    const { rate, statuses } = await load.result
    const line = (what: string, times: readonly number[]) =>
      below(
        `${what}, p99 of ${times.length} (p50 ${quantile(times, 0.5).toFixed(1)} ms)`,
        quantile(times, 0.99),
        'ms',
        150,
      )
    return [
      line('publish to a new page', alone.first),
      line('publish to a changed page that is hot', alone.changed),
      line('publish to a new page, under full view load', loaded.first),
      line('publish to a changed page that is hot, under full view load', loaded.changed),
      stated(
        'the load, all 4,096 connections answered before',
        `${Math.round(rate)} views/s, ${JSON.stringify(statuses)}`,
      ),
    ]
  } finally {
    await newsroom.stop()
    await newsroom.dispose()
  }
}

interface Times {
  readonly first: readonly number[]
  readonly changed: readonly number[]
}

/** Milliseconds of new pages and of changed ones, sorted; `seconds` bounds each kind. */
const both = async (newsroom: Newsroom, wanted: number, seconds: number): Promise<Times> => ({
  first: await repeated(wanted, seconds, n => firstPublication(newsroom, n)),
  changed: await repeated(wanted, seconds, n => changedPage(newsroom, n)),
})

const repeated = async (wanted: number, seconds: number, measured: (n: number) => Promise<number>) => {
  const times: number[] = []
  const end = performance.now() + seconds * 1_000
  for (let n = 0; n < wanted && performance.now() < end; n++) times.push(await measured(n))
  return times.sort((a, b) => a - b)
}

/** Asks for a page as a reader does, again and again, until it shows what it should; milliseconds. */
const untilShown = async (newsroom: Newsroom, id: string, shows: (text: string) => boolean): Promise<number> => {
  const answered = performance.now()
  for (;;) {
    const answer = await fetch(`${newsroom.url}/reader/v1/articles/${id}`)
    const text = await answer.text()
    if (answer.status === 200 && shows(text)) return performance.now() - answered
  }
}

const firstPublication = async (newsroom: Newsroom, n: number): Promise<number> => {
  const { id } = await new Client(newsroom).publish(`Measured ${n}`)
  return untilShown(newsroom, id, () => true)
}

let changes = 0
/** The page is read before, so that its bytes are kept when it changes. */
const changedPage = async (newsroom: Newsroom, n: number): Promise<number> => {
  const client = new Client(newsroom)
  const id = articleId(n % ARTICLES)
  const summary = `Changed for the ${++changes}. time`
  await client.command(`/articles/${id}/revise`, { summary }, { headers: { 'if-match': '*' } })
  for (let i = 0; i < 3; i++) await (await fetch(`${newsroom.url}/reader/v1/articles/${id}`)).arrayBuffer()
  await client.command(`/articles/${id}/publish`)
  return untilShown(newsroom, id, text => text.includes(summary))
}
