// Two projectors on the same stores for a minute, one of them killed with -9 again and again: every effect once, positions
// never go back, and a rebuild of each read model gives the same bytes.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { comparePositions } from '@stet/eventsourcing'
import { startLoad } from './support/load'
import { eventually, type Newsroom, startNewsroom } from './support/newsroom'
import { openReadModels, type ReadModelFiles } from './support/read-models'
import { type Stores, startStores } from './support/stores'

let stores: Stores
let newsroom: Newsroom
let steady: Newsroom
let readModels: ReadModelFiles

const projector = (dataDir: string, wait = true) =>
  startNewsroom({ app: 'projector', dataDir, wait, env: { ...stores.env, TRUST_PROXY: 'on' } })

beforeAll(async () => {
  stores = await startStores()
  newsroom = await startNewsroom({ env: { ...stores.env, TRUST_PROXY: 'on' } })
  steady = await projector(newsroom.dataDir)
  readModels = await openReadModels(stores.env)
})
afterAll(async () => {
  await readModels.close()
  await Promise.all([steady.stop(), newsroom.stop()])
  await stores.dispose()
  await newsroom?.dispose()
})

it('have every effect once, whoever is killed', async () => {
  const load = startLoad(newsroom, { editors: 2, readers: 2 })
  const positions = new Map<string, string | null>()
  let watching = true
  const watch = (async () => {
    while (watching) {
      for (const { _id, position } of await readModels.live()) {
        expect(comparePositions(positions.get(_id) ?? null, position)).toBeLessThanOrEqual(0)
        positions.set(_id, position)
      }
    }
  })()
  // Looked at below; until then a failure must not end the process.
  watch.catch(() => undefined)
  const end = performance.now() + 60_000
  let kills = 0
  while (performance.now() < end) {
    // At any instant from its start on: while it connects, catches up, stands by or commits.
    const victim = await projector(newsroom.dataDir, false)
    await new Promise(resolve => setTimeout(resolve, 500 + Math.random() * 5_000))
    await victim.kill()
    kills++
  }
  const acknowledged = await load.finish().finally(() => (watching = false))
  await watch
  expect(kills).toBeGreaterThan(10)
  // Nobody who writes or reads notices.
  expect(Object.fromEntries(acknowledged.refused)).toEqual({})

  const metrics = async () => (await fetch(`${newsroom.url}/metrics`)).text()
  await eventually('every group has caught up', async () => {
    const lags = [...(await metrics()).matchAll(/^stet_projection_lag_events\{[^}]*\} (\d+)$/gm)]
    return lags.length >= 3 && lags.every(([, lag]) => lag === '0')
  })
  const articles = [...acknowledged.commands.keys()]
  const cards = (await readModels.live()).find(({ name }) => name === 'article-cards')!
  expect(await readModels.db.collection(cards._id).countDocuments({})).toBe(articles.length)

  const before = await readModels.live()
  const digests = new Map(
    await Promise.all(before.map(async ({ _id, name }) => [name, await readModels.digest(_id)] as const)),
  )
  const cli = join(__dirname, '../dist/apps/cli/src/main.js')
  for (const { name } of before)
    await promisify(execFile)(process.execPath, [cli, 'rebuild', name], {
      env: { PATH: process.env.PATH, ...newsroom.env },
    })
  const after = await readModels.live()
  for (const { _id, name, generation } of after) {
    expect(generation).toBe(before.find(old => old.name === name)!.generation + 1)
    expect([name, await readModels.digest(_id)]).toEqual([name, digests.get(name)])
  }
}, 240_000)
