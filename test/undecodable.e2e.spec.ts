// One event that nobody can decode, in a running newsroom: the rest goes on, and everybody is told.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { binaryEvent, EventStoreDBClient } from '@eventstore/db-client'
import { findRunningStores } from '@stet/embedded'
import { Client, type Outcome } from './support/client'
import { eventually, type Newsroom, startNewsroom } from './support/newsroom'

const stetFile = join(__dirname, '../apps/cli/bin/stet.cjs')

let newsroom: Newsroom
let client: Client
let broken: Outcome
beforeAll(async () => {
  newsroom = await startNewsroom()
  client = new Client(newsroom)
  broken = await client.publish('About to break')
  await client.get(`/reader/v1/articles/${broken.id}?position=${broken.position}`)
  await appendBytes(`article-${broken.id}`, 'ArticlePublished', '{"half":')
})
afterAll(async () => {
  await newsroom.stop()
  await newsroom.dispose()
})

/** As another tool might, past everything that Stet checks. */
const appendBytes = async (stream: string, type: string, text: string): Promise<void> => {
  const { EVENTSTORE_URL } = newsroom.env
  const url = EVENTSTORE_URL ?? (await findRunningStores(newsroom.dataDir))?.eventStoreUrl ?? ''
  const store = url.startsWith('unix:')
    ? new EventStoreDBClient({ endpoint: url }, { insecure: true })
    : EventStoreDBClient.connectionString(url)
  const data = new TextEncoder().encode(text)
  await store.appendToStream((newsroom.env.STREAM_PREFIX ?? '') + stream, binaryEvent({ type, data }))
  await store.dispose()
}

const metric = async (name: string, group: string): Promise<number> => {
  const { body } = await client.get<string>('/metrics')
  return Number(new RegExp(`^${name}\\{group="${group}"[^}]*\\} (\\S+)$`, 'm').exec(body)?.[1])
}

const stet = async (...args: string[]): Promise<string> => {
  const env = { ...process.env, ...newsroom.env }
  return (await promisify(execFile)(process.execPath, [stetFile, ...args], { env, maxBuffer: 2 ** 24 })).stdout
}

describe('an event that cannot be decoded', () => {
  it('stops no other article from being published', async () => {
    const { id } = await client.publish('Still on time')
    await eventually('the page is there', async () => (await client.get(`/reader/v1/articles/${id}`)).status === 200)
    // The page stands still where it was.
    expect((await client.get(`/reader/v1/articles/${broken.id}`)).status).toBe(200)
  })

  it('is counted and shown', async () => {
    for (const [group, parked] of [
      ['newsroom', 2],
      ['desk', 1],
    ] as const)
      await eventually(
        `it is parked in ${group}`,
        async () => (await metric('stet_projection_parked_events', group)) === parked,
      )
    for (const group of ['related', 'readership', 'history'])
      await eventually(`${group} has halted`, async () => (await metric('stet_projection_halted', group)) === 1)
    for (const group of ['newsroom', 'desk']) {
      expect(await metric('stet_projection_halted', group)).toBe(0)
      expect(await metric('stet_projection_lag_events', group)).toBe(0)
    }
    expect(await metric('stet_projection_lag_events', 'related')).toBeGreaterThan(0)
    const ready = await client.get('/health/ready')
    expect(ready.status).toBe(200)
    const { detail } = (ready.body.checks as Record<string, { detail?: string }>).projections ?? {}
    expect(detail).toContain('newsroom: running, 2 events parked')
    expect(detail).toContain('desk: running, 1 events parked')
    expect(detail).toContain('related: halted')
    expect(await stet('projections')).toContain(`parked: article-pages-v2-g1 ${broken.id}: 1 events, event `)
  })

  it('does not keep a server from starting again', async () => {
    await newsroom.stop()
    newsroom = await newsroom.restart()
    client = new Client(newsroom)
    await eventually('it is ready', async () => (await client.get('/health/ready')).status === 200, 60_000)
    expect((await client.get(`/reader/v1/articles/${broken.id}`)).status).toBe(200)
  })

  it('is told to whoever sends a command to its stream', async () => {
    // Not through the client: no operation describes a 500, since none should ever be seen.
    const ask = async (path: string, init: RequestInit = {}) => {
      const authorization = `Bearer ${await newsroom.token('editor')}`
      const headers = { authorization, 'content-type': 'application/json' }
      const answer = await fetch(`${newsroom.url}/editorial/v1/articles/${broken.id}${path}`, { ...init, headers })
      return { status: answer.status, body: (await answer.json()) as { type: string; detail: string } }
    }
    const { status, body } = await ask('/unpublish', { method: 'POST', body: '{"reason":"cannot be seen"}' })
    expect([status, body.type]).toEqual([500, '/problems/undecodable-event'])
    expect(body.detail).toContain(`stream article-${broken.id}`)
    expect((await ask('')).body.type).toBe('/problems/undecodable-event')
  })

  it('stands in the history with what was recorded', async () => {
    const { status, body } = await client.get<string>('/analyst/v1/events')
    expect(status).toBe(200)
    const records = body.trim().split('\n')
    const events = records.map(line => JSON.parse(line) as Record<string, unknown>)
    expect(events.filter(({ undecodable }) => undecodable)).toMatchObject([
      {
        stream: `article-${broken.id}`,
        type: 'ArticlePublished',
        data: null,
        undecodable: {
          reason: expect.stringContaining('its data is no JSON'),
          base64: Buffer.from('{"half":').toString('base64'),
        },
      },
    ])
    expect(events.at(-1)).toMatchObject({ type: 'ArticlePublished', data: { headline: 'Still on time' } })
    expect((await stet('replay')).trim().split('\n')).toEqual(records)
  })
})
