// The calls that the product makes of its stores, noted by the stores themselves while all of it is used, are those that
// docs/embedded-stores.md lists: none is missing there, none is listed that is never made.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { Client } from './support/client'
import { wireItem } from './support/items'
import { eventually, type Newsroom, startNewsroom } from './support/newsroom'

const run = promisify(execFile)
const program = join(__dirname, '../apps/cli/bin/stet.cjs')

let folder: string
let newsroom: Newsroom

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stet-calls-'))
  const record = join(folder, 'calls')
  newsroom = await startNewsroom({ env: { STET_RECORD_CALLS: record, EVENTSTORE_URL: '', MONGODB_URL: '' } })
})
afterAll(async () => {
  await newsroom?.stop()
  await newsroom?.dispose()
  await rm(folder, { recursive: true, force: true })
})

const stet = async (...args: string[]): Promise<string> => {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, DATA_DIR: newsroom.dataDir }
  return (await run(process.execPath, [program, ...args], { env, maxBuffer: 256 * 1_048_576 })).stdout
}

/** Everything that its users can do. */
const useAll = async (): Promise<void> => {
  await stet('demo')
  const client = new Client(newsroom)
  const first = await client.publish('Bridge closes', { tags: ['Transport'], authors: ['A. Writer'], language: 'en' })
  const { id } = await client.publish('Bridge closes', { slug: 'bridge-closes-again', tags: ['Transport'] })
  const ifMatch = { headers: { 'if-match': '*' } }
  await client.command(`/articles/${id}/relate`, { articleIds: [first.id] }, ifMatch)
  await client.command(`/articles/${id}/revise`, { summary: 'Until May.' }, ifMatch)
  await client.command(`/articles/${id}/publish`)
  await client.command('/lists/editors-choice/feature', { articleId: id })
  await client.command('/lists/editors-choice/unfeature', { articleId: id })
  const { position } = await client.command(`/articles/${first.id}/unpublish`, { reason: 'A mistake.' })
  const item = wireItem('urn:example:calls', { headline: 'From the wire', tags: ['Transport'] })
  await client.command('/imports/ninjs?publish=true', item, { role: 'service' })
  expect((await client.get(`/editorial/v1/articles/${id}`)).status).toBe(200)

  await client.command(`/articles/${id}/assign`, { desk: 'night' })
  await client.command(`/articles/${id}/due`, { due: '2036-07-01T08:00:00Z' })
  const { body: listed } = await client.get<{ next: string }>('/editorial/v1/articles?limit=1')
  for (const query of [
    `?limit=1&cursor=${listed.next}`,
    '?q=bridge+clo&desk=night',
    '?sort=due&dueTo=2037-01-01T00:00:00Z',
    '/counts?desk=night',
    `/${id}/desk`,
    `/${id}/preview`,
  ])
    expect({ query, status: (await client.get(`/editorial/v1/articles${query}`)).status }).toEqual({
      query,
      status: 200,
    })

  for (const path of [
    `articles/${id}/history?limit=2`,
    'lists/editors-choice/history',
    'activity?limit=3',
    'activity?what=ArticlePublished',
    `articles/${id}/revisions/1`,
    `articles/${id}/diff?from=0`,
    'lists?limit=2',
    'lists/editors-choice',
    'schedule',
    `schedule?articleId=${id}`,
  ])
    expect({ path, status: (await client.get(`/editorial/v1/${path}`)).status }).toEqual({ path, status: 200 })

  for (const path of [
    `articles/${id}?position=${position}`,
    'articles/bridge-closes-again',
    `articles/${id}/related`,
    'articles?limit=3',
    'articles?section=news&language=en',
    'articles?tag=transport',
    'articles?author=a-writer',
    'popular?window=1h',
    'popular?window=7d&section=news&language=en',
    'lists',
    'lists?section=sport',
    'lists/editors-choice',
  ])
    expect({ path, status: (await client.get(`/reader/v1/${path}`)).status }).toEqual({ path, status: 200 })
  const { body } = await client.get<{ next: string }>('/reader/v1/articles?limit=3')
  expect((await client.get(`/reader/v1/articles?limit=3&cursor=${body.next}`)).status).toBe(200)
  expect((await client.get(`/reader/v1/articles/${first.id}`)).status).toBe(410)
  expect((await client.get('/reader/v1/articles/nothing-here')).status).toBe(404)
  const seen = await client.post('/reader/v1/views', { articleId: id }, { headers: { 'user-agent': BROWSER } })
  expect(seen.status).toBe(204)
  for (const query of ['limit=5', `from=${position}`, `stream=article-${id}`, 'type=ArticlePublished'])
    expect((await client.get(`/analyst/v1/events?${query}`)).status).toBe(200)
  for (const path of ['/health/ready', '/metrics']) expect((await client.get(path)).status).toBe(200)

  await stet('replay', '--stream', `article-${id}`)
  await stet('replay', '--type', 'ArticlePublished', '--from', position, '--limit', '2')

  const word = { authority: 'District Court', reason: 'A name must go.' }
  const erase = (more: object) =>
    client.post<{ preview: { confirmation: string } }>(
      `/editorial/v1/articles/${first.id}/erase`,
      { ...word, ...more },
      { role: 'chief' },
    )
  const { confirmation } = (await erase({})).body.preview
  expect((await erase({ confirmation })).status).toBe(200)
  await stet('scavenge')
  await eventually('ready', async () => (await fetch(`${newsroom.url}/health/ready`)).ok)

  await stet('rebuild', 'article-pages')
  await stet('rebuild', 'popularity')
  await stet('projections', '--drop-old')
  await stet('backup', join(folder, 'backup'))
}

it('are those of the table in the docs', async () => {
  await useAll()
  // A start on what is there already makes other calls than the first one.
  expect(await newsroom.stop()).toBe(0)
  newsroom = await newsroom.restart()
  await eventually('ready', async () => (await fetch(`${newsroom.url}/health/ready`)).ok)
  expect(await newsroom.stop()).toBe(0)

  const made = new Set((await readFile(join(folder, 'calls'), 'utf8')).trim().split('\n'))
  const { always, sometimes } = listed(await readFile(join(__dirname, '../docs/embedded-stores.md'), 'utf8'))
  expect({
    missing: [...made].filter(call => !always.has(call) && !sometimes.has(call)).sort(),
    neverMade: [...always].filter(call => !made.has(call)).sort(),
  }).toEqual({ missing: [], neverMade: [] })
}, 240_000)

/** The rows of the tables: a call, then its parts, each in backticks. What depends on luck stands under a heading of its own. */
const listed = (text: string): { always: Set<string>; sometimes: Set<string> } => {
  const [certain = '', uncertain = ''] = text.split('### Calls that depend on the moment')
  const callsIn = (part: string) =>
    [...part.matchAll(/^\| `([\w.]+)` .*$/gm)].flatMap(([row, call]) => {
      const [, ...parts] = [...row.matchAll(/`([^`]+)`/g)].map(([, code]) => code!)
      return [call!, ...parts.map(one => `${call} ${one}`)]
    })
  return { always: new Set(callsIn(certain)), sometimes: new Set(callsIn(uncertain)) }
}

const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
