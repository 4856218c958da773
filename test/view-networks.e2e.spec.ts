// Views from listed networks are not counted, and a list that cannot be used stops the start.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { Client } from './support/client'
import { startNewsroom } from './support/newsroom'

const BROWSER = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stet-'))
})
afterAll(() => rm(folder, { recursive: true }))

const listed = async (text: string) => {
  const file = join(folder, 'networks')
  await writeFile(file, text)
  return file
}

it('views from listed networks are not counted', async () => {
  const env = { TRUST_PROXY: 'on', DATACENTRES_FILE: await listed('# Servers\n192.0.2.0/24\n2001:db8::/32\n') }
  const newsroom = await startNewsroom({ env })
  const client = new Client(newsroom)
  const { id } = await client.publish('Read by a machine')
  for (const address of ['192.0.2.7', '2001:db8::7', '198.51.100.7'])
    await client.post(
      '/reader/v1/views',
      { articleId: id },
      { headers: { 'user-agent': BROWSER, 'x-forwarded-for': address } },
    )
  const metrics = await (await fetch(`${newsroom.url}/metrics`)).text()
  expect(metrics).toMatch(/^stet_views\{outcome="datacentre"[^}]*\} 2$/m)
  expect(metrics).toMatch(/^stet_views\{outcome="recorded"[^}]*\} 1$/m)
  await newsroom.stop()
  await newsroom.dispose()
})

it.each([
  ['192.0.2.0/24\n192.0.2/24\n', 'must be a file of networks: line 2 is no network'],
  [null, 'must be a file of networks: it cannot be read'],
])('a list like %j stops the start with one line', async (text, reason) => {
  const file = text === null ? join(folder, 'none') : await listed(text)
  const dataDir = await mkdtemp(join(folder, 'data-'))
  await expect(startNewsroom({ dataDir, env: { DATACENTRES_FILE: file } })).rejects.toThrow(
    `DATACENTRES_FILE ${JSON.stringify(file)} ${reason}`,
  )
})
