// 64 editors at once, each revising an article of their own, beside bare appends of the official client of the same size
// and at the same concurrency.
import { randomUUID } from 'node:crypto'
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import { findRunningStores } from '@stet/embedded'
import { startNewsroom } from '../support/newsroom'
import { type Measure, quantile, ratio, stated } from './measures'
import { inParallel } from './seed-log'

const EDITORS = 64
const COMMANDS = 15_000

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
    const latencies: number[] = []
    const revise = (count: number) =>
      inParallel(count, EDITORS, async i => {
        const started = performance.now()
        await post(`/articles/${ids[i % EDITORS]}/revise`, { summary: `${i} ${'x'.repeat(900)}` }, { 'if-match': '*' })
        latencies.push(performance.now() - started)
      })
    await revise(2_000)
    latencies.length = 0
    const started = performance.now()
    await revise(COMMANDS)
    const ours = COMMANDS / ((performance.now() - started) / 1_000)
    latencies.sort((a, b) => a - b)

    const theirs = await bareAppends((await findRunningStores(newsroom.dataDir))!.eventStoreUrl)
    return [
      ratio(`commands of ${EDITORS} editors`, ours, theirs, '/s', 0.5),
      stated(
        'p50 and p99 of a command',
        `${quantile(latencies, 0.5).toFixed(1)} ms, ${quantile(latencies, 0.99).toFixed(1)} ms`,
      ),
    ]
  } finally {
    await newsroom.stop()
    await newsroom.dispose()
  }
}

/** Appends of one event of the same size, each at its stream's own revision. */
const bareAppends = async (endpoint: string): Promise<number> => {
  const client = new EventStoreDBClient({ endpoint }, { insecure: true })
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
      await client.appendToStream(`bench-${randomUUID()}`, event, { expectedRevision: 'no_stream' })
    })
  await append(2_000)
  const started = performance.now()
  await append(COMMANDS)
  const rate = COMMANDS / ((performance.now() - started) / 1_000)
  await client.dispose()
  return rate
}
