// Either store gone for ten seconds under load: 503 with Retry-After, then everything catches up by itself.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Client } from './support/client'
import { history, tally } from './support/history'
import { startLoad } from './support/load'
import { eventually, type Newsroom, startNewsroom } from './support/newsroom'
import { type Stores, startStores } from './support/stores'

let stores: Stores
let newsroom: Newsroom
let client: Client
const commands = new Map<string, number>()
const views = new Map<string, number>()

beforeAll(async () => {
  stores = await startStores()
  newsroom = await startNewsroom({ env: { ...stores.env, TRUST_PROXY: 'on' } })
  client = new Client(newsroom)
})
afterAll(async () => {
  await newsroom?.stop()
  await stores.dispose()
  await newsroom?.dispose()
})

const seconds = (n: number) => new Promise(resolve => setTimeout(resolve, n * 1_000))

describe.each(['events', 'documents'] as const)('the store of %s', kind => {
  it('may be gone for ten seconds', async () => {
    const load = startLoad(newsroom, { editors: 2, readers: 2 })
    const { id } = await client.publish(`Before the outage of ${kind}`)
    await stores[kind].kill()
    const away = seconds(10)
    const refused = await eventually('a 503', async () => {
      const answer =
        kind === 'events'
          ? await client.post(`/editorial/v1/articles/${id}/revise`, { summary: 'x' }, { headers: { 'if-match': '*' } })
          : await client.get(`/reader/v1/lists?limit=${1 + Math.floor(Math.random() * 100)}`)
      return answer.status === 503 ? answer : null
    })
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect((await client.get('/health/ready')).status).toBe(503)
    expect((await client.get('/health/live')).status).toBe(200)
    await away
    await stores[kind].start()

    const { position } = await eventually('a command goes through', async () => {
      const answer = await client.post(
        `/editorial/v1/articles/${id}/revise`,
        { summary: `After the outage of ${kind}` },
        { headers: { 'if-match': '*' } },
      )
      return answer.status === 200 ? client.command(`/articles/${id}/publish`) : null
    })
    const page = await eventually('the page follows', async () => {
      const answer = await client.get<{ article: { summary: string } }>(
        `/reader/v1/articles/${id}?position=${position}`,
      )
      return answer.status === 200 ? answer.body : null
    })
    expect(page.article.summary).toBe(`After the outage of ${kind}`)
    const acknowledged = await load.finish()
    // The server itself was there all the time: whoever was refused was told when to come back.
    expect([...acknowledged.refused.keys()].filter(status => status !== 503)).toEqual([])
    if (kind === 'events') expect(acknowledged.refused.get(503)).toBeGreaterThan(0)
    acknowledged.commands.forEach((n, id) => commands.set(id, n))
    acknowledged.views.forEach((n, id) => views.set(id, n))
    await eventually('ready again', async () => (await client.get('/health/ready')).status === 200)
  }, 120_000)
})

it('lost and doubled nothing', async () => {
  const events = await history(newsroom)
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length)
  const recorded = tally(events)
  expect(commands.size).toBeGreaterThan(1)
  for (const [id, n] of commands) expect([id, recorded.commands.get(id)]).toEqual([id, n])
  for (const [id, n] of views) expect([id, recorded.views.get(id)]).toEqual([id, n])
})
