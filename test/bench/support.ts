// What the sections share: a server on a seeded log, and bare Fastify to measure beside.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { findRunningStores, STORE_NODE_OPTIONS } from '@stet/embedded'
import { connectEventLog, type EventLog } from '@stet/eventsourcing'
import { eventually, type Newsroom, startNewsroom } from '../support/newsroom'
import { type LoadSpec } from './http-load'
import { articleId, type Mix, seedLog, zipf } from './seed-log'

export const BROWSER = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0'

/** Views over so many articles at 4,096 connections, each with a viewId as the docs tell readers' pages to send. */
export const viewLoad = (articles: number): Omit<LoadSpec, 'url' | 'measure'> => ({
  method: 'POST',
  paths: ['/reader/v1/views'],
  bodies: Array.from({ length: 20_000 }, (_, i) =>
    JSON.stringify({ articleId: articleId(zipf(i, articles)), viewId: '$uuid' }),
  ),
  headers: { 'content-type': 'application/json', 'user-agent': BROWSER },
  addresses: true,
  connections: 4_096,
  expects: '204',
})

/** A program of this folder in a process of its own, once it says something; the stores and what they are beside alike. */
export const startServer = async (file: string, ...args: string[]): Promise<ChildProcess> => {
  const child = spawn(process.execPath, [...STORE_NODE_OPTIONS, join(__dirname, file), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  process.on('exit', () => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child
}

/** The event log of a running newsroom on embedded stores. */
export const logOf = async (newsroom: Newsroom): Promise<EventLog> => {
  const urls = await findRunningStores(newsroom.dataDir)
  if (!urls) throw new Error('no embedded stores are running')
  return connectEventLog({ url: urls.eventStoreUrl })
}

/** Waits until every group of the server's projections has caught up. */
export const caughtUp = (newsroom: Newsroom, timeout = 600_000): Promise<true> =>
  eventually(
    'the read models catch up',
    async () => {
      const text = await (await fetch(`${newsroom.url}/metrics`)).text()
      const lags = [...text.matchAll(/^stet_projection_lag_events\{[^}]*\} (\d+)$/gm)].map(([, lag]) => Number(lag))
      return lags.length >= 3 && lags.every(lag => lag === 0)
    },
    timeout,
  )

/** A server with a seeded log, its read models caught up. */
export const seeded = async (mix: Mix, env: Record<string, string> = {}): Promise<Newsroom> => {
  const newsroom = await startNewsroom({ env: { TRUST_PROXY: 'on', ...env } })
  const log = await logOf(newsroom)
  await seedLog(log, mix)
  await log.close()
  await caughtUp(newsroom)
  return newsroom
}

/** Bare Fastify in a process of its own. */
export const bareFastify = async (...args: string[]): Promise<{ url: string; stop(): void }> => {
  const child: ChildProcess = spawn(process.execPath, [join(__dirname, 'bare-fastify.js'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  process.on('exit', () => child.kill('SIGKILL'))
  const [line] = (await once(child.stdout!, 'data')) as [Buffer]
  return { url: line.toString().trim(), stop: () => void child.kill('SIGKILL') }
}
