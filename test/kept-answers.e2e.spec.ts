// What a reader API keeps, while another process writes the read models: drafts outdate nothing, a publication only what it
// changes, and what was taken back is in no answer any more.
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { Client, type Outcome } from './support/client'
import { eventually, type Newsroom, startNewsroom } from './support/newsroom'
import { startStores, type Stores } from './support/stores'

let stores: Stores
let editorial: Newsroom
let projector: Newsroom
let readers: Newsroom
let editor: Client
let reader: Client

beforeAll(async () => {
  stores = await startStores()
  editorial = await startNewsroom({ app: 'editorial-api', env: stores.env })
  const { dataDir } = editorial
  projector = await startNewsroom({ app: 'projector', dataDir, env: stores.env })
  readers = await startNewsroom({ app: 'reader-api', dataDir, env: { ...stores.env, TRUST_PROXY: 'on' } })
  editor = new Client(editorial)
  reader = new Client(readers)
})
afterAll(async () => {
  await Promise.all([editorial, projector, readers].map(app => app.stop()))
  await stores.dispose()
  await editorial.dispose()
})

const MATCH_ANY = { headers: { 'if-match': '*' } }
const page = (id: string) => `/reader/v1/articles/${id}`
const arrived = ({ position }: Outcome) => reader.get(`/reader/v1/articles?limit=1&position=${position}`)

/** Answers of pages from kept bytes and others, since the start. */
const counts = async () => {
  const text = await (await fetch(`${readers.url}/metrics`)).text()
  const sum = (route: string) =>
    text
      .split('\n')
      .filter(line => line.startsWith('stet_http_request_seconds_count') && line.includes(`route="${route}"`))
      .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  return { kept: sum('/reader/v1/articles/:idOrSlug (kept)'), made: sum('/reader/v1/articles/:idOrSlug') }
}

it('go on being served while editors save drafts, and say how far they go', async () => {
  const { id } = await editor.publish('Read by everybody')
  const other = await editor.publish('Worked on')
  await arrived(other)
  await reader.get(page(id))
  const before = await counts()
  let furthest = 0
  for (let i = 0; i < 20; i++) {
    const saved = await editor.command(`/articles/${other.id}/revise`, { summary: `Draft ${i}` }, MATCH_ANY)
    await arrived(saved)
    const { headers } = await reader.get(page(id))
    if (Number(headers.get('stet-position')) >= Number(saved.position)) furthest++
  }
  expect(furthest).toBe(20)
  // A busy machine may look too late now and then.
  expect((await counts()).kept - before.kept).toBeGreaterThan(10)
})

it('follow a publication, a list and a retraction, wherever the article is shown', async () => {
  const body = '<p>The council wants the harbour bridge before the summer, say the engineers of the harbour.</p>'
  const shown = await editor.publish('The harbour bridge', { bodyHtml: body })
  const holder = await editor.publish('The bridge in the harbour', { bodyHtml: body })
  const related = { articleIds: [shown.id] }
  await editor.command(`/articles/${holder.id}/relate`, related, MATCH_ANY)
  await arrived(await editor.command(`/articles/${holder.id}/publish`))
  const view = { articleId: shown.id }
  const browser = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0'
  const viewed = await reader.post('/reader/v1/views', view, {
    headers: { 'user-agent': browser, 'x-forwarded-for': '192.0.2.7' },
  })
  expect(viewed.status).toBe(204)
  const places = [
    page(holder.id),
    `${page(holder.id)}/related`,
    '/reader/v1/articles',
    '/reader/v1/popular',
    '/reader/v1/lists/editors-choice',
  ]
  const showing = async (what: string) => {
    const answers = await Promise.all(places.map(place => reader.get(place)))
    return answers.map(({ body }) => JSON.stringify(body).includes(what))
  }
  const everywhere = (shows: boolean) => places.map(() => shows)

  await editor.command('/lists/editors-choice/feature', { articleId: shown.id })
  await eventually('it is shown everywhere', async () => (await showing(shown.id)).every(Boolean))
  const { headers } = await reader.get(page(holder.id))
  expect(headers.get('surrogate-key')?.split(' ')).toEqual(
    expect.arrayContaining([`article:${shown.id}`, 'list:editors-choice']),
  )

  await editor.command(`/articles/${shown.id}/revise`, { headline: 'The bridge is closed' }, MATCH_ANY)
  await arrived(await editor.command(`/articles/${shown.id}/publish`))
  // Whoever has waited for it sees it everywhere: what was kept went with the look that told of it.
  expect(JSON.stringify((await reader.get(page(shown.id))).body)).toContain('closed')
  expect(await showing('The bridge is closed')).toEqual(everywhere(true))

  await arrived(await editor.command(`/articles/${shown.id}/unpublish`, { reason: 'wrong' }))
  expect((await reader.get(page(shown.id))).status).toBe(410)
  expect(await showing(shown.id)).toEqual(everywhere(false))
})
