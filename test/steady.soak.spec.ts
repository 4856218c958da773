// Ten minutes of mixed load on one machine, the store process killed now and then: everything acknowledged is there once,
// and nothing piles up. Not part of `npm test`; `npm run test:soak`, with SOAK_MINUTES for another length.
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { history, tally } from './support/history'
import { startLoad } from './support/load'
import { eventually, type Newsroom, startNewsroom } from './support/newsroom'

const minutes = Number(process.env.SOAK_MINUTES ?? 10)
let newsroom: Newsroom

beforeAll(async () => {
  newsroom = await startNewsroom({ env: { TRUST_PROXY: 'on' } })
})
afterAll(async () => {
  await newsroom?.stop()
  await newsroom?.dispose()
})

const stores = async (): Promise<number[]> => {
  const { pid } = newsroom.process
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return children.trim().split(' ').filter(Boolean).map(Number)
}

it(
  'runs on, whatever happens to the stores',
  async () => {
    const load = startLoad(newsroom)
    const end = performance.now() + minutes * 60_000
    while (performance.now() < end) {
      await new Promise(resolve => setTimeout(resolve, Math.min(30_000, minutes * 6_000)))
      for (const pid of await stores()) process.kill(pid, 'SIGKILL')
      await eventually('the stores are back', async () => (await fetch(`${newsroom.url}/health/ready`)).ok)
    }
    const acknowledged = await load.finish()
    const recorded = tally(await history(newsroom))
    for (const [id, n] of acknowledged.commands) expect([id, recorded.commands.get(id)]).toEqual([id, n])
    for (const [id, n] of acknowledged.views) expect([id, recorded.views.get(id)]).toEqual([id, n])
    expect(newsroom.process.exitCode).toBeNull()
  },
  (minutes + 3) * 60_000,
)
