// Nobody's work is overwritten and a repeat has one effect: revisions, idempotency keys, slugs, all under races.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Client, type Outcome } from './support/client'
import { type Newsroom, startNewsroom } from './support/newsroom'

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

const draft = (headline = 'Two editors') =>
  client.command('/articles', { headline, section: 'News', bodyHtml: '<p>As drafted.</p>' })

describe('two editors', () => {
  it('who revise from the same revision: one is told, nothing is overwritten', async () => {
    const { id } = await draft()
    const revise = (headline: string) =>
      client.post<Outcome & { expected: number; current: number }>(
        `/editorial/v1/articles/${id}/revise`,
        { headline },
        { headers: { 'if-match': '"0"' } },
      )
    const answers = await Promise.all([revise('By the first'), revise('By the second')])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412])
    const won = answers.findIndex(({ status }) => status === 200)
    expect(answers[1 - won]!.body).toMatchObject({ expected: 0, current: 1 })
    const view = await client.get<{ working: { headline: string } }>(`/editorial/v1/articles/${id}`)
    expect(view.headers.get('etag')).toBe('"1"')
    expect(JSON.stringify(view.body)).toContain(['By the first', 'By the second'][won])
    expect(JSON.stringify(view.body)).not.toContain(['By the first', 'By the second'][1 - won])
  })

  it('need If-Match where content is replaced; a star overrides, a weak tag is accepted', async () => {
    const { id } = await draft()
    const revise = (match?: string) =>
      client.post(
        `/editorial/v1/articles/${id}/revise`,
        { summary: `for ${match}` },
        match ? { headers: { 'if-match': match } } : {},
      )
    expect((await revise()).status).toBe(428)
    expect((await revise('W/"0"')).status).toBe(200)
    expect((await revise('"0"')).status).toBe(412)
    expect((await revise('*')).status).toBe(200)
    expect((await revise('zero')).status).toBe(400)
  })
})

describe('a thousand commands at once', () => {
  const ARTICLES = 50
  const EACH = 10

  it('over fifty articles: each effect is there once, and who was too late was told so', async () => {
    const ids = await Promise.all(Array.from({ length: ARTICLES }, async (_, n) => (await draft(`Article ${n}`)).id))
    const revise = async (id: string, summary: string, match: string) => {
      const headers = { 'if-match': match, 'idempotency-key': randomUUID() }
      const { status, body } = await client.post(`/editorial/v1/articles/${id}/revise`, { summary }, { headers })
      return { ...body, id, summary, status }
    }
    const answers = await Promise.all(
      Array.from({ length: EACH }, (_, round) =>
        ids.flatMap(id => [revise(id, `over ${round}`, '*'), revise(id, `on top ${round}`, '"0"')]),
      ).flat(),
    )
    expect(answers).toHaveLength(1_000)
    for (const id of ids) {
      const [over, onTop] = [/^over/, /^on top/].map(kind => answers.filter(a => a.id === id && kind.test(a.summary)))
      expect(over!.map(({ status }) => status)).toEqual(over!.map(() => 200))
      const won = onTop!.filter(({ status }) => status === 200)
      expect(won.length).toBeLessThanOrEqual(1)
      expect(onTop!.filter(({ status }) => status === 412)).toHaveLength(EACH - won.length)
      const events = await client.get<string>(`/analyst/v1/events?stream=article-${id}`)
      const log = [events.body].flatMap(text => text.trim().split('\n')).map(line => JSON.parse(line) as LoggedRevision)
      // A summary is one command's: each that was accepted stands in the log once, where its answer said, and nothing else does.
      const told = [...over!, ...won].sort((a, b) => a.revision - b.revision)
      expect(log.slice(1).map(({ revision, data }) => [revision, data.changes])).toEqual(
        told.map(({ revision, summary }) => [revision, { summary }]),
      )
      const view = await client.get<{ working: { summary: string } }>(`/editorial/v1/articles/${id}`)
      expect(view.body.working.summary).toBe(told.at(-1)!.summary)
    }
  })
})

interface LoggedRevision {
  readonly revision: number
  readonly data: { readonly changes: object }
}

describe('the same idempotency key', () => {
  it('fifty times at once: one effect, fifty equal answers', async () => {
    const { id } = await draft()
    const headers = { 'idempotency-key': `"${randomUUID()}"`, 'if-match': '"0"' }
    const answers = await Promise.all(
      Array.from({ length: 50 }, () =>
        client.post(`/editorial/v1/articles/${id}/revise`, { headline: 'Once' }, { headers }),
      ),
    )
    expect(new Set(answers.map(({ status, body }) => `${status} ${JSON.stringify(body)}`))).toEqual(
      new Set([`200 ${JSON.stringify(answers[0]!.body)}`]),
    )
    expect(answers[0]!.body.revision).toBe(1)
    expect(answers.filter(answer => answer.headers.get('idempotent-replayed') === 'true')).toHaveLength(49)
    const other = await client.post(`/editorial/v1/articles/${id}/revise`, { headline: 'Twice' }, { headers })
    expect(other.status).toBe(422)
  })

  it('drafts one article, also for a repeat after a restart', async () => {
    const headers = { 'idempotency-key': randomUUID() }
    const body = { headline: 'Drafted once', section: 'News', bodyHtml: '<p>Once.</p>' }
    const first = await client.post('/editorial/v1/articles', body, { headers })
    expect(first.status).toBe(201)
    expect(await newsroom.stop()).toBe(0)
    newsroom = await newsroom.restart()
    client = new Client(newsroom)
    const second = await client.post('/editorial/v1/articles', body, { headers })
    expect(second.body).toEqual(first.body)
    expect(second.headers.get('idempotent-replayed')).toBe('true')
  })
})

describe('a slug', () => {
  it('belongs to one article, whatever the race of publications', async () => {
    const articles = await Promise.all(
      Array.from({ length: 8 }, async (_, i) => {
        const { id } = await draft(`Race ${i}`)
        await client.command(`/articles/${id}/source`, { outlet: 'Harbour Post', contributors: [] })
        return id
      }),
    )
    const answers = await Promise.all(
      articles.map(id => client.post<{ code: string }>(`/editorial/v1/articles/${id}/publish`, { slug: 'the-race' })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(7).fill(409)])
    expect(JSON.stringify(answers.find(({ status }) => status === 409)!.body)).toContain('slug-taken')
  })

  it('that is derived is numbered when it is taken', async () => {
    const outcomes = []
    for (let i = 0; i < 3; i++) outcomes.push(await client.publish('The very same headline'))
    const slugs = await Promise.all(
      outcomes.map(async ({ id, position }) => {
        const page = await client.get<{ article: { slug: string } }>(`/reader/v1/articles/${id}?position=${position}`)
        return page.body.article.slug
      }),
    )
    expect(slugs).toEqual(['the-very-same-headline', 'the-very-same-headline-2', 'the-very-same-headline-3'])
  })
})
