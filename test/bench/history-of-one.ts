// One article with 5,000 events beside one with 50: commands to it, its history's first page, and what was long ago.
import { randomUUID } from 'node:crypto'
import { type EventToAppend } from '@stet/eventsourcing'
import { type Newsroom, startNewsroom } from '../support/newsroom'
import { type Measure, quantile, rounded, stated } from './measures'
import { chunks } from './seed-log'
import { caughtUp, logOf } from './support'

const SHORT = 50
const LONG = 5_000
const ROUNDS = 400
/** What a long history may cost, in times of what a short one does. */
const MOST = 1.5

export const historyOfOne = async (): Promise<Measure[]> => {
  let newsroom = await startNewsroom()
  try {
    const short = await article(newsroom, SHORT)
    const long = await article(newsroom, LONG)
    await caughtUp(newsroom)
    await newsroom.stop()
    newsroom = await newsroom.restart()
    const call = await caller(newsroom)
    const revise = (id: string) => call(`/articles/${id}/revise`, { summary: randomUUID() })
    // Nothing of either is in memory yet.
    const cold = [await timed(() => revise(short)), await timed(() => revise(long))]
    const commands = await beside(
      () => revise(short),
      () => revise(long),
    )
    const pages = await beside(
      () => call(`/articles/${short}/history`),
      () => call(`/articles/${long}/history`),
    )
    const old = await beside(
      () => call(`/articles/${short}/diff?from=1&to=2`),
      () => call(`/articles/${long}/diff?from=1&to=2`),
      50,
    )
    const late = await timed(() => call(`/articles/${long}/diff?from=${LONG - 2}&to=${LONG - 1}`))
    const recent = await timed(() => call(`/articles/${long}/diff?from=${LONG - 1}&to=${LONG}`))
    const refused = await beside(
      () => call(`/articles/${short}/revise`, { summary: 'x' }, '"1"'),
      () => call(`/articles/${long}/revise`, { summary: 'x' }, '"1"'),
      50,
    )
    return [
      within('a command, p50', commands, 0.5),
      within('first page of the history, p50', pages, 0.5),
      stated('p99 of a command', both(commands, 0.99)),
      stated('p99 of the first page', both(pages, 0.99)),
      stated('the first command after a restart', `${ms(cold[1]!)} beside ${ms(cold[0]!)}`),
      stated('what differs between the first two revisions, p50', both(old, 0.5)),
      stated('what differs between two late revisions, then between two after them', `${ms(late)}, ${ms(recent)}`),
      stated('412 on the second revision, with what changed since, p50', both(refused, 0.5)),
    ]
  } finally {
    await newsroom.stop()
    await newsroom.dispose()
  }
}

/** Milliseconds, sorted: of the short history and of the long one. */
interface Times {
  readonly short: readonly number[]
  readonly long: readonly number[]
}

/** In turn, so that what else the machine does hits both alike. */
const beside = async (short: () => Promise<unknown>, long: () => Promise<unknown>, rounds = ROUNDS): Promise<Times> => {
  const times: { short: number[]; long: number[] } = { short: [], long: [] }
  for (let round = -rounds / 10; round < rounds; round++) {
    const [a, b] = [await timed(short), await timed(long)]
    if (round < 0) continue
    times.short.push(a)
    times.long.push(b)
  }
  const sorted = (all: readonly number[]) => [...all].sort((a, b) => a - b)
  return { short: sorted(times.short), long: sorted(times.long) }
}

const timed = async (task: () => Promise<unknown>): Promise<number> => {
  const started = performance.now()
  await task()
  return performance.now() - started
}

const ms = (value: number): string => `${rounded(value)} ms`
const both = ({ short, long }: Times, q: number): string => `${ms(quantile(long, q))} beside ${ms(quantile(short, q))}`

const within = (what: string, { short, long }: Times, q: number): Measure => {
  const [ours, theirs] = [quantile(long, q), quantile(short, q)]
  return {
    what: `${what}, ${LONG} events beside ${SHORT}`,
    value: ms(ours),
    beside: ms(theirs),
    ratio: ours / theirs,
    target: `≤ ${MOST}`,
    holds: ours / theirs <= MOST,
  }
}

type Call = (path: string, body?: unknown, ifMatch?: string) => Promise<void>

const caller = async (newsroom: Newsroom): Promise<Call> => {
  const authorization = `Bearer ${await newsroom.token('editor')}`
  return async (path, body, ifMatch = '*') => {
    const response = await fetch(`${newsroom.url}/editorial/v1${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization,
        ...(body !== undefined && {
          'content-type': 'application/json',
          'idempotency-key': randomUUID(),
          'if-match': ifMatch,
        }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok && !(ifMatch !== '*' && response.status === 412))
      throw new Error(`${path}: ${response.status} ${text}`)
  }
}

/** An article of as many events, revised by one person after the other. */
const article = async (newsroom: Newsroom, events: number): Promise<string> => {
  const id = randomUUID()
  const call = await caller(newsroom)
  await call('/articles', { id, headline: 'Revised', section: 'News', bodyHtml: `<p>${'Text. '.repeat(500)}</p>` })
  const log = await logOf(newsroom)
  const revisions = Array.from({ length: events - 1 }, (_, i): EventToAppend => {
    const commandId = randomUUID()
    return {
      id: randomUUID(),
      type: 'ArticleRevised',
      data: { changes: { summary: `${i} ${'x'.repeat(500)}` } },
      metadata: {
        $correlationId: commandId,
        $causationId: commandId,
        commandId,
        fingerprint: 'bench',
        actor: `editor-${i % 20}`,
        at: new Date().toISOString(),
      },
    }
  })
  let revision = 0
  for (const chunk of chunks(revisions, 500)) {
    const result = await log.append(`article-${id}`, revision, chunk)
    if (!result.ok) throw new Error('somebody else writes to the article')
    revision = result.revision
  }
  await log.close()
  return id
}
