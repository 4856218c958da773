// The whole tree killed with -9 twenty times under mixed load, and again while it recovers: nothing acknowledged is lost, nothing is applied twice, and
// it starts again without a hand.
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { Client } from './support/client'
import { history, tally } from './support/history'
import { startLoad } from './support/load'
import { eventually, type Newsroom, startNewsroom } from './support/newsroom'

let newsroom: Newsroom
/** Milliseconds from a start on existing data until ready. */
let start = 0
const atRandom = (from: number, to: number) =>
  new Promise(resolve => setTimeout(resolve, from + Math.random() * (to - from)))

beforeAll(async () => {
  newsroom = await startNewsroom({ env: { TRUST_PROXY: 'on' } })
  await newsroom.stop()
  const begun = performance.now()
  newsroom = await newsroom.restart()
  start = performance.now() - begun
})
afterAll(async () => {
  await newsroom?.stop()
  await newsroom?.dispose()
})

it('survives twenty kills of the whole tree under load', async () => {
  const load = startLoad(newsroom)
  let inRecovery = 0
  for (let kill = 0; kill < 20; kill++) {
    await atRandom(200, 1_000)
    await newsroom.killTree()
    // Two times of three the recovery is killed too, once or twice, at any instant of it.
    for (let again = 0; again < kill % 3; again++) {
      newsroom = await newsroom.restart({ wait: false })
      await atRandom(0, start * 0.9)
      if (!newsroom.isReady()) inRecovery++
      await newsroom.killTree()
    }
    newsroom = await newsroom.restart()
    load.aim(newsroom)
  }
  const acknowledged = await load.finish()
  expect(inRecovery).toBeGreaterThanOrEqual(10)
  expect([...acknowledged.refused.keys()].filter(status => status !== 0 && status !== 503)).toEqual([])
  expect(acknowledged.commands.size).toBeGreaterThan(20)

  const events = await history(newsroom)
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length)
  const next = new Map<string, number>()
  for (const { stream, revision } of events) {
    expect(revision).toBe(next.get(stream) ?? 0)
    next.set(stream, revision + 1)
  }
  const recorded = tally(events)
  const sorted = (counts: ReadonlyMap<string, number>) => [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
  expect(sorted(recorded.commands)).toEqual(sorted(acknowledged.commands))
  expect(sorted(recorded.views)).toEqual(sorted(acknowledged.views))

  // And the read models follow by themselves.
  const client = new Client(newsroom)
  const [most] = [...acknowledged.views].sort(([, a], [, b]) => b - a)
  const top = Math.max(...acknowledged.views.values())
  expect(most![1]).toBe(top)
  await eventually('the most viewed article leads the ranking', async () => {
    const { body } = await client.get<{ items: { id: string }[] }>('/reader/v1/popular?window=24h&limit=1')
    return acknowledged.views.get(body.items[0]?.id ?? '') === top
  })
}, 400_000)
