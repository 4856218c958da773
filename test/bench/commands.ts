// 64 editors at once, each revising an article of their own, beside bare appends of the official client of the same size
// and at the same concurrency.
import { randomUUID } from 'node:crypto'
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import { findRunningStores } from '@stet/embedded'
import { startNewsroom } from '../support/newsroom'
import { hammer } from './http-load'
import { type Measure, quantile, ratio, stated } from './measures'
import { inParallel } from './seed-log'
import { caughtUp } from './support'

const EDITORS = 64
const APPENDS = 15_000
/** Of commands, after a warm-up. */
const SECONDS = 8

export const commands = async (): Promise<Measure[]> => {
  const newsroom = await startNewsroom()
  try {
    const authorization = `Bearer ${await newsroom.token('editor')}`
    const post = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
      const response = await fetch(`${newsroom.url}/editorial/v1${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization, 'idempotency-key': randomUUID(), ...headers },
        body: JSON.stringify(body),
      })
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
      await response.arrayBuffer()
    }
    const ids = Array.from({ length: EDITORS }, () => randomUUID())
    for (const id of ids)
      await post('/articles', { id, headline: 'Measured', section: 'News', bodyHtml: '<p>Text.</p>' })
    // From a process of its own over plain sockets, so that what is measured is the server.
    const load = await hammer({
      url: newsroom.url,
      method: 'POST',
      paths: ids.map(id => `/editorial/v1/articles/${id}/revise`),
      bodies: Array.from({ length: 1_000 }, (_, i) => JSON.stringify({ summary: `${i} ${'x'.repeat(900)}` })),
      headers: { authorization, 'content-type': 'application/json', 'if-match': '*' },
      keys: true,
      ownPaths: true,
      connections: EDITORS,
      measure: SECONDS,
      warmup: 3,
    })
    const others = Object.keys(load.statuses).filter(status => status !== '200')
    if (others.length > 0) throw new Error(`not every command was accepted: ${JSON.stringify(load.statuses)}`)

    // The projections of those commands must not run beside the bare appends.
    await caughtUp(newsroom)
    const theirs = await bareAppends((await findRunningStores(newsroom.dataDir))!.eventStoreUrl)
    return [
      ratio(`commands of ${EDITORS} editors`, load.rate, theirs.rate, '/s', 0.5),
      stated('p50 and p99 of a command', both(load.p50, load.p99)),
      stated('p50 and p99 of a bare append', both(quantile(theirs.times, 0.5), quantile(theirs.times, 0.99))),
    ]
  } finally {
    await newsroom.stop()
    await newsroom.dispose()
  }
}

const both = (p50: number, p99: number): string => `${p50.toFixed(1)} ms, ${p99.toFixed(1)} ms`

/** Appends of one event of the same size, each at its stream's own revision. */
const bareAppends = async (endpoint: string): Promise<{ rate: number; times: readonly number[] }> => {
  const client = new EventStoreDBClient({ endpoint }, { insecure: true })
  let times: number[] = []
  const append = (count: number) =>
    inParallel(count, EDITORS, async i => {
      const event = jsonEvent({
        id: randomUUID(),
        type: 'ArticleRevised',
        data: { changes: { summary: `${i} ${'x'.repeat(900)}` } },
        metadata: {
          $correlationId: randomUUID(),
          $causationId: randomUUID(),
          actor: 'bench',
          at: new Date().toISOString(),
        },
      })
      const sent = performance.now()
      await client.appendToStream(`bench-${randomUUID()}`, event, { expectedRevision: 'no_stream' })
      times.push(performance.now() - sent)
    })
  await append(2_000)
  times = []
  const started = performance.now()
  await append(APPENDS)
  const rate = APPENDS / ((performance.now() - started) / 1_000)
  await client.dispose()
  return { rate, times: times.sort((a, b) => a - b) }
}
