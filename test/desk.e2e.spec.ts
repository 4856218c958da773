// The life of an article as editors lead it and readers see it: corrected, retracted, embargoed, scheduled, moved.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { randomUUID } from 'node:crypto'
import { Client, type Outcome } from './support/client'
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

interface Page {
  readonly article: {
    readonly slug: string
    readonly headline: string
    readonly bodyHtml: string
    readonly version: number
    readonly updatedAt: string
    readonly corrections: readonly { readonly at: string; readonly note: string }[]
    readonly retraction: { readonly notice: string } | null
  }
}
interface EditorsView {
  readonly stage: string
  readonly revision: number
  readonly working: { readonly headline: string; readonly summary: string | null }
  readonly schedules: readonly { readonly scheduleId: string; readonly state: string }[]
}

const articles = '/editorial/v1/articles'
const post = (id: string, action: string, body: object = {}, headers: Record<string, string> = {}) =>
  client.post<Outcome & { rule?: string }>(`${articles}/${id}/${action}`, body, {
    headers: { 'idempotency-key': randomUUID(), ...headers },
  })
const page = (name: string, position?: string) =>
  client.get<Page>(`/reader/v1/articles/${name}${position === undefined ? '' : `?position=${position}`}`)
const editors = async (id: string) => (await client.get<EditorsView>(`${articles}/${id}`)).body
const draft = async (headline: string) => {
  const { id } = await client.command('/articles', { headline, section: 'News', bodyHtml: `<p>${headline}.</p>` })
  await client.command(`/articles/${id}/source`, { outlet: 'Gazette', contributors: [] })
  return id
}
const soon = (milliseconds: number) => new Date(Date.now() + milliseconds).toISOString()

describe('a live article', () => {
  it('is corrected with a note, and mended without one; what else was written stays inside', async () => {
    const { id, position } = await client.publish('Bridge closes on Munday')
    await client.command(`/articles/${id}/revise`, { summary: 'Not for readers yet' }, { headers: { 'if-match': '*' } })
    const before = (await page(id, position)).body.article

    const amended = await post(id, 'amend', { headline: 'Bridge closes on Monday' }, { 'if-match': '"3"' })
    expect(amended.status).toBe(200)
    const mended = (await page(id, amended.body.position)).body.article
    expect(mended).toMatchObject({ headline: 'Bridge closes on Monday', version: 1, corrections: [] })
    expect(mended.updatedAt).toBe(before.updatedAt)

    const note = 'The bridge closes on Tuesday.'
    const correction = { note, headline: 'Bridge closes on Tuesday' }
    expect((await post(id, 'correct', correction)).status).toBe(428)
    expect((await post(id, 'correct', correction, { 'if-match': '"3"' })).status).toBe(412)
    const corrected = await post(id, 'correct', correction, { 'if-match': amended.headers.get('etag')! })
    const shown = (await page(id, corrected.body.position)).body.article
    expect(shown).toMatchObject({ headline: 'Bridge closes on Tuesday', version: 2, corrections: [{ note }] })
    expect(JSON.stringify(shown)).not.toContain('Not for readers')
    expect((await editors(id)).working).toMatchObject({
      headline: 'Bridge closes on Tuesday',
      summary: 'Not for readers yet',
    })
  })

  it('is retracted: the notice stays, the text goes, no list shows it, and it is not simply published again', async () => {
    const { id } = await client.publish('Mayor resigns')
    const featured = await client.command('/lists/editors-choice/feature', { articleId: id })
    const shownIn = async (path: string, position: string) =>
      JSON.stringify((await client.get(`${path}${path.includes('?') ? '&' : '?'}position=${position}`)).body).includes(
        id,
      )
    expect(await shownIn('/reader/v1/lists/editors-choice', featured.position)).toBe(true)

    const { body } = await post(id, 'retract', { notice: 'The mayor did not resign.', reason: 'one source only' })
    const { article } = (await page(id, body.position)).body
    expect(article).toMatchObject({ bodyHtml: '', retraction: { notice: 'The mayor did not resign.' } })
    expect(JSON.stringify(article)).not.toContain('one source only')
    for (const path of ['/reader/v1/lists/editors-choice', '/reader/v1/articles', '/reader/v1/popular?window=24h'])
      expect(await shownIn(path, body.position)).toBe(false)
    expect((await post(id, 'publish')).body).toMatchObject({ rule: 'retracted' })
  })

  it('moves to another address, and the old one leads there until it is given up', async () => {
    const { id } = await client.publish('Ferry doubles')
    const moved = await post(id, 'publish', { slug: 'ferry-every-ten-minutes' })
    await page(id, moved.body.position)
    const old = await client.get('/reader/v1/articles/ferry-doubles?include=related')
    expect(old.status).toBe(308)
    expect(new URL(old.headers.get('location')!, `${newsroom.url}/reader/v1/articles/ferry-doubles`).href).toBe(
      `${newsroom.url}/reader/v1/articles/ferry-every-ten-minutes?include=related`,
    )

    const other = await draft('Another ferry')
    expect((await post(other, 'publish', { slug: 'ferry-doubles' })).body).toMatchObject({ rule: 'slug-taken' })
    expect((await post(id, 'yield-slug', { slug: 'ferry-every-ten-minutes' })).body.rule).toBe('current-slug')
    const key = { 'idempotency-key': randomUUID() }
    for (let i = 0; i < 2; i++) expect((await post(id, 'yield-slug', { slug: 'ferry-doubles' }, key)).status).toBe(200)
    const taken = await post(other, 'publish', { slug: 'ferry-doubles' })
    expect(taken.status).toBe(200)
    expect((await page('ferry-doubles', taken.body.position)).body.article.headline).toBe('Another ferry')
    expect((await post(id, 'publish', { slug: 'ferry-doubles' })).body).toMatchObject({ rule: 'slug-taken' })
  })
})

describe('before an article is live', () => {
  it('an embargo holds it back by every way until its time', async () => {
    const id = await draft('Budget')
    const until = soon(1_500)
    expect((await post(id, 'embargo', { until })).status).toBe(200)
    expect((await post(id, 'publish')).body).toMatchObject({ rule: 'held' })
    expect((await post(id, 'schedule', { change: 'publish', at: soon(500) })).body).toMatchObject({ rule: 'held' })
    expect((await page('budget')).status).toBe(404)
    await eventually('the embargo ends', async () => (await post(id, 'publish')).status === 200)
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(until))
  })

  it('a spiked one is put away until it is restored', async () => {
    const id = await draft('Nothing in it')
    expect((await post(id, 'spike', { reason: 'no news' })).status).toBe(200)
    expect((await post(id, 'publish')).body).toMatchObject({ rule: 'spiked' })
    expect((await post(id, 'restore')).status).toBe(200)
    expect((await post(id, 'publish')).status).toBe(200)
  })
})

describe('a scheduled change', () => {
  const schedule = async (id: string, body: object) => (await post(id, 'schedule', body)).body
  const pending = async (state = 'pending') =>
    (
      await client.get<{ items: { articleId: string; change: string; failure: { rule: string } | null }[] }>(
        `/editorial/v1/schedule?state=${state}&limit=100`,
      )
    ).body.items

  it('publishes what was frozen, once, and nothing that was written after', async () => {
    const id = await draft('Opera opens')
    await schedule(id, { change: 'publish', at: soon(1_000) })
    await client.command(`/articles/${id}/revise`, { headline: 'Secret' }, { headers: { 'if-match': '*' } })
    const { article } = await eventually('it is published', async () => {
      const answer = await page(id)
      return answer.status === 200 && answer.body
    })
    expect(article.headline).toBe('Opera opens')
    expect((await editors(id)).working.headline).toBe('Secret')
    expect((await pending()).map(({ articleId }) => articleId)).not.toContain(id)
  })

  it('is moved and called off', async () => {
    const id = await draft('Postponed')
    await schedule(id, { change: 'publish', at: '2036-07-01T08:00', zone: 'Europe/Berlin' })
    const [planned] = (await editors(id)).schedules
    const scheduleId = planned!.scheduleId
    const later = { scheduleId, at: '2036-07-02T08:00', zone: 'Europe/Berlin' }
    const { position } = (await post(id, 'reschedule', later)).body
    const { items } = (
      await client.get<{ items: { scheduleId: string; at: string; zone: string }[] }>(
        `/editorial/v1/schedule?articleId=${id}&position=${position}`,
      )
    ).body
    expect(items).toMatchObject([{ scheduleId, at: '2036-07-02T06:00:00.000Z', zone: 'Europe/Berlin' }])
    await post(id, 'unschedule', { scheduleId })
    expect((await editors(id)).schedules).toEqual([])
  })

  it('that has become impossible is shown to editors with its reason', async () => {
    const id = await draft('Doomed')
    await schedule(id, { change: 'publish', at: soon(700) })
    await post(id, 'spike')
    const failed = await eventually('it fails', async () =>
      (await pending('failed')).find(({ articleId }) => articleId === id),
    )
    expect(failed).toMatchObject({ change: 'publish', failure: { rule: 'spiked' } })
  })

  it('that was due while everything was down is done at the start, in order, and says that it was late', async () => {
    const [first, second] = [await draft('First'), await draft('Second')]
    const due = Date.now() + 4_000
    await schedule(second, { change: 'publish', at: new Date(due - 100).toISOString() })
    await schedule(first, { change: 'publish', at: new Date(due - 200).toISOString() })
    await newsroom.killTree()
    await eventually('the time has passed', () => Date.now() > due + 1_000)
    newsroom = await newsroom.restart()
    client = new Client(newsroom)
    for (const id of [first, second]) await eventually('it is published', async () => (await page(id)).status === 200)
    const { body } = await client.get<string>('/analyst/v1/events?type=ArticleChangePerformed')
    const late = body
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as { stream: string; data: { lateSeconds: number } })
      .filter(({ stream }) => [first, second].some(id => stream === `article-${id}`))
    expect(late.map(({ stream }) => stream)).toEqual([`article-${first}`, `article-${second}`])
    for (const { data } of late) expect(data.lateSeconds).toBeGreaterThanOrEqual(1)
  })

  it('is done once beside a second timetable', async () => {
    const urls = newsroom.env.EVENTSTORE_URL ? {} : await storesOf(newsroom)
    const other = await startNewsroom({ app: 'projector', env: { ...newsroom.env, ...urls, PORT: '0' } })
    try {
      const ids = await Promise.all(Array.from({ length: 20 }, (_, i) => draft(`Twice ${i}`)))
      const at = soon(1_500)
      await Promise.all(ids.map(id => schedule(id, { change: 'publish', at })))
      for (const id of ids) await eventually('it is published', async () => (await page(id)).status === 200)
      const { body } = await client.get<string>('/analyst/v1/events?type=ArticleChangePerformed')
      for (const id of ids) expect(body.split(`article-${id}`).length - 1).toBe(1)
    } finally {
      await other.stop()
      await other.dispose()
    }
  })
})

/** The private sockets of a running server, for another app beside it. */
const storesOf = async ({ dataDir }: Newsroom): Promise<Record<string, string>> => {
  const { findRunningStores } = await import('@stet/embedded')
  const { eventStoreUrl, mongodbUrl } = (await findRunningStores(dataDir))!
  return { EVENTSTORE_URL: eventStoreUrl, MONGODB_URL: mongodbUrl }
}
