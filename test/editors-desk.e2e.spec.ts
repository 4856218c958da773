// Work around articles as editors share it: talk that makes nothing stale, lists, counts, and a look before readers have one.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { signToken } from '@stet/platform'
import { type Answer, Client, type Outcome } from './support/client'
import { eventually, type Newsroom, startNewsroom } from './support/newsroom'

let newsroom: Newsroom
let client: Client
beforeAll(async () => {
  newsroom = await startNewsroom()
  client = new Client(newsroom)
})
afterAll(async () => {
  await newsroom?.stop()
  await newsroom?.dispose()
})

const articles = '/editorial/v1/articles'
const draft = async (headline: string, fields: object = {}) => {
  const body = { headline, section: 'News', bodyHtml: `<p>${headline}.</p>`, ...fields }
  const { id } = await client.command('/articles', body)
  await client.command(`/articles/${id}/source`, { outlet: 'Gazette', contributors: [] })
  return id
}
const talk = (id: string, action: string, body: object = {}, role: 'editor' | 'chief' = 'editor') =>
  client.command(`/articles/${id}/${action}`, body, { role })

interface Desk {
  readonly revision: number
  readonly notes: readonly { readonly noteId: string; readonly text: string }[]
  readonly claims: readonly { readonly by: string }[]
}
interface List {
  readonly items: readonly { readonly id: string; readonly openNotes: number; readonly claims: readonly object[] }[]
  readonly next: string | null
}
interface Counts {
  readonly total: number
  readonly stages: Readonly<Record<string, number>>
}

describe('the desk of an article', () => {
  it('makes no revision stale, whoever talks', async () => {
    const id = await draft('Harbour report')
    const seen = (await client.get(`${articles}/${id}`)).headers.get('etag')!
    await talk(id, 'notes', { text: 'Who is the source?' })
    await talk(id, 'assign', { desk: 'night', assignee: 'somebody' }, 'chief')
    await talk(id, 'due', { due: '2036-07-01T08:00', zone: 'Europe/Berlin' }, 'chief')
    await talk(id, 'claim', {}, 'chief')
    await talk(id, 'claim')
    const revised = await client.post(
      `${articles}/${id}/revise`,
      { summary: 'Ice.' },
      { headers: { 'if-match': seen, 'idempotency-key': randomUUID() } },
    )
    expect(revised.status).toBe(200)

    const { body } = await client.get<Desk>(`${articles}/${id}/desk`)
    expect(body).toMatchObject({
      desk: 'night',
      due: '2036-07-01T06:00:00.000Z',
      notes: [{ text: 'Who is the source?' }],
    })
    expect(body.claims).toHaveLength(2)
    await talk(id, 'notes/resolve', { noteId: body.notes[0]!.noteId })
    await talk(id, 'release')
    const after = (await client.get<Desk>(`${articles}/${id}/desk`)).body
    expect(after.notes).toEqual([])
    expect(after.claims).toHaveLength(1)
  })

  it('is there only for articles that are', async () => {
    const nowhere = randomUUID()
    for (const [action, body] of [
      ['notes', { text: 'x' }],
      ['assign', { desk: 'x' }],
      ['due', { due: null }],
      ['claim', {}],
    ] as const)
      expect((await client.post(`${articles}/${nowhere}/${action}`, body)).status).toBe(404)
    expect((await client.get(`${articles}/${nowhere}/desk`)).status).toBe(404)
  })

  it('is for reporters of other desks to read only', async () => {
    const id = await draft('Night shift')
    await talk(id, 'assign', { desk: 'night' })
    const reporter = async (desks: string[]) => ({
      role: null,
      token: await signToken({ dataDir: newsroom.dataDir, role: 'reporter', name: 'r', desks }),
    })
    const sport = await reporter(['sport'])
    expect((await client.post(`${articles}/${id}/notes`, { text: 'x' }, sport)).status).toBe(403)
    expect((await client.post(`${articles}/${id}/notes`, { text: 'x' }, await reporter(['night']))).status).toBe(200)
    expect((await client.get(`${articles}/${id}/desk`, sport)).status).toBe(200)
    expect((await client.post(`${articles}/${id}/assign`, { desk: 'sport' }, sport)).status).toBe(403)
  })
})

describe('the lists of editors', () => {
  it('find articles by what they are and whose they are, page by page, and count them', async () => {
    const desk = `desk-${randomUUID().slice(0, 8)}`
    const ids: string[] = []
    let position = ''
    for (let n = 0; n < 5; n++) {
      ids.unshift(await draft(`Ferry ${n} crosses`, { section: 'Boats', authors: ['Ann Other'], language: 'en-GB' }))
      await talk(ids[0]!, 'assign', { desk })
      position = (await talk(ids[0]!, 'due', { due: `2036-07-01T0${n}:00:00Z` })).position
    }
    const list = async (query: string) =>
      (await client.get<List>(`${articles}?${query}&position=${position}`)).body.items.map(({ id }) => id)
    expect(await list(`desk=${desk}`)).toEqual(ids)
    for (const query of ['section=boats', 'author=ann-other', 'language=en-gb', 'q=FERRY+cross', 'stage=draft'])
      expect(await list(`desk=${desk}&${query}`)).toEqual(ids)
    expect(await list(`desk=${desk}&sort=due`)).toEqual([...ids].reverse())
    expect(await list(`dueFrom=2036-07-01T01:00:00Z&dueTo=2036-07-01T03:00:00Z&sort=due`)).toEqual([ids[3], ids[2]])
    expect(await list(`desk=${desk}&q=nothing`)).toEqual([])

    const paged: string[] = []
    let path: string | null = `${articles}?desk=${desk}&limit=2`
    while (path !== null) {
      const page: Answer<List> = await client.get<List>(path)
      paged.push(...page.body.items.map(({ id }) => id))
      path = /<(.*)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1] ?? null
    }
    expect(paged).toEqual(ids)

    const published = await client.command(`/articles/${ids[0]}/publish`)
    const counts = (await client.get<Counts>(`${articles}/counts?desk=${desk}&position=${published.position}`)).body
    expect(counts).toMatchObject({ total: 5, stages: { draft: 4, live: 1 }, reviews: { none: 5 } })
    for (const query of ['stage=none', 'cursor=x', 'q=%20', 'dueFrom=now', 'unknown=1'])
      expect((await client.get(`${articles}?${query}`)).status).toBe(422)
  })

  it('count right after commands that came all at once', async () => {
    const desk = `desk-${randomUUID().slice(0, 8)}`
    const ids = await Promise.all(Array.from({ length: 20 }, (_, n) => draft(`Many ${n}`)))
    await Promise.all(ids.map(id => talk(id, 'assign', { desk })))
    await Promise.all(ids.slice(0, 7).map(id => client.command(`/articles/${id}/publish`)))
    await Promise.all(ids.slice(0, 3).map(id => client.command(`/articles/${id}/unpublish`)))
    const counted = async () => (await client.get<Counts>(`${articles}/counts?desk=${desk}`)).body.stages
    await eventually('all are counted', async () => (await counted()).unpublished === 3)
    expect(await counted()).toEqual({ draft: 13, live: 4, unpublished: 3, retracted: 0, spiked: 0 })
  })
})

interface Page {
  readonly article: { readonly id: string; readonly headline: string; readonly version: number }
}
interface Link {
  readonly path: string
  readonly until: string
}

describe('a look before readers have one', () => {
  const link = async (id: string, body: object = {}) =>
    (await client.post<Link>(`${articles}/${id}/preview-link`, body)).body
  const open = (path: string) => client.get<Page>(path)

  it('is the page that publishing it shows', async () => {
    const id = await draft('Opera opens')
    const { article } = (await client.get<Page>(`${articles}/${id}/preview`)).body
    const { position } = await client.command(`/articles/${id}/publish`)
    const { body } = await client.get<Page>(`/reader/v1/articles/${id}?position=${position}`)
    const times = { firstPublishedAt: '', publishedAt: '', updatedAt: '' }
    expect({ ...article, ...times }).toEqual({ ...body.article, ...times })
  })

  it('is given to others by a link, to that article alone, as it is when they look', async () => {
    const id = await draft('Secret budget')
    const { path } = await link(id)
    const first = await open(path)
    expect(first.body.article).toMatchObject({ id, headline: 'Secret budget' })
    expect(first.headers.get('cache-control')).toBe('no-store')
    expect(first.headers.get('x-robots-tag')).toContain('noindex')
    await client.command(`/articles/${id}/revise`, { headline: 'Secret plan' }, { headers: { 'if-match': '*' } })
    expect((await open(path)).body.article.headline).toBe('Secret plan')
    // Nothing of it is anywhere else.
    for (const other of [id, 'secret-budget', 'secret-plan'])
      expect((await client.get(`/reader/v1/articles/${other}`)).status).toBe(404)
    expect(JSON.stringify((await client.get('/reader/v1/articles?limit=100')).body)).not.toContain('Secret')
  })

  it('ends with the link, and when the article is put away', async () => {
    const id = await draft('Short look')
    const { path } = await link(id)
    const forged = [path.slice(0, -1), `${path}A`, path.replace(/.$/, last => (last === 'A' ? 'B' : 'A'))]
    const never = `/reader/v1/preview/${'A'.repeat(72)}`
    for (const other of [never, ...forged])
      expect(await open(other)).toMatchObject({
        status: 404,
        body: { detail: expect.stringContaining('no such preview') },
      })
    await client.command(`/articles/${id}/spike`)
    const put = await open(path)
    expect(put.status).toBe(404)
    expect(put.headers.get('x-robots-tag')).toContain('noindex')
    expect((await client.post<Outcome>(`${articles}/${id}/preview-link`, {})).status).toBe(409)
  })

  it('outlasts a restart, and lasts a week at most', async () => {
    const id = await draft('Restarted')
    const { path, until } = await link(id, { minutes: 5 })
    expect(Date.parse(until) - Date.now()).toBeLessThanOrEqual(300_000)
    for (const minutes of [0, 10_081, 1.5, '5'])
      expect((await client.post(`${articles}/${id}/preview-link`, { minutes })).status).toBe(422)
    expect(await newsroom.stop()).toBe(0)
    newsroom = await newsroom.restart()
    client = new Client(newsroom)
    expect((await open(path)).body.article.headline).toBe('Restarted')
  })
})
