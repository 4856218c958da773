// The first page, end to end: real items imported over HTTP, published, featured and viewed; readers get the whole page.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Client } from './support/client'
import { articleIdOf, wireItem } from './support/items'
import { eventually, type Newsroom, startNewsroom } from './support/newsroom'

interface Page {
  readonly article: Record<string, unknown> & { id: string; slug: string }
  readonly related: Record<string, unknown>[]
  readonly popular: Record<string, unknown>[]
}

// One real page with its three items lies beside a development checkout; a clone alone has items of its own.
const seed = join(__dirname, '../../shared/seed')
const real = existsSync(join(seed, 'expected-page.json'))

const load = async (name: string): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(join(seed, name), 'utf8')) as Record<string, unknown>

const own = () => ({
  items: [
    wireItem('urn:example:bridge', {
      headline: 'River bridge closes for repairs',
      paragraphs: ['The old bridge closes on Monday.', 'Ferries run every ten minutes.'],
      sources: ['Harbour Post', 'Coastal Wire', 'agencies'],
      tags: ['Transport', 'Harbour'],
      related: ['urn:example:ferry', 'urn:example:tunnel'],
    }),
    wireItem('urn:example:ferry', {
      headline: 'Ferry timetable doubles',
      sources: ['Harbour Post'],
      tags: ['Ferries'],
    }),
    wireItem('urn:example:tunnel', {
      headline: 'Opinion: build the tunnel',
      sources: ['Harbour Post'],
      tags: ['Tunnel'],
    }),
  ],
  expected: {
    article: {
      headline: 'River bridge closes for repairs',
      bodyText: ['The old bridge closes on Monday.', 'Ferries run every ten minutes.'],
      sourceLine: 'Source: Harbour Post with Coastal Wire and agencies',
    },
    related: [
      { label: "Editor's choice", section: { name: 'News' }, headline: 'Ferry timetable doubles' },
      { label: "Editor's choice", section: { name: 'News' }, headline: 'Opinion: build the tunnel' },
    ],
    popular: [{ label: "Editor's choice", section: { name: 'News' }, headline: 'Opinion: build the tunnel' }],
  },
})

const scenarios: [string, () => Promise<{ items: Record<string, unknown>[]; expected: object }>][] = [
  ['items of our own', async () => own()],
  ...(real
    ? ([
        [
          'the real page',
          async () => ({
            items: await Promise.all(['kursk', 'borrell', 'wps'].map(name => load(`${name}.ninjs.json`))),
            expected: await load('expected-page.json'),
          }),
        ],
      ] as [string, () => Promise<{ items: Record<string, unknown>[]; expected: object }>][])
    : []),
]

describe.each(scenarios)('a newsroom with %s', (_name, load) => {
  let newsroom: Newsroom
  let client: Client

  beforeAll(async () => {
    newsroom = await startNewsroom()
    client = new Client(newsroom)
  })
  afterAll(async () => {
    expect(await newsroom.stop()).toBe(0)
    await newsroom?.dispose()
  })

  it('shows the page as expected', async () => {
    const { items, expected } = await load()
    let position = ''
    for (const item of items) {
      const answer = await client.post('/editorial/v1/imports/ninjs?publish=true', item, { role: 'service' })
      expect(answer.status).toBe(200)
      expect(answer.body.id).toBe(articleIdOf(String(item.uri)))
      position = answer.body.position
    }
    const [main, first, most] = items.map(item => articleIdOf(String(item.uri)))
    for (const articleId of [first, most])
      position = (await client.command('/lists/editors-choice/feature', { articleId })).position

    const before = await client.get<Page>(`/reader/v1/articles/${main}?position=${position}`)
    expect(before.status).toBe(200)
    expect(before.body.article.id).toBe(main)
    const { slug } = before.body.article
    expect(slug).toMatch(/^[a-z0-9-]+$/)
    const lastWord = String(before.body.article.headline).split(' ')[0]!.toLowerCase()
    expect(slug).toContain(lastWord)

    // The third is viewed most; the views come from different readers' networks.
    const views = [...Array<string>(5).fill(most!), main!, first!]
    await Promise.all(
      views.map(async (articleId, i) => {
        const view = { articleId, viewId: `00000000-0000-4000-8000-00000000000${i}`, referrer: 'https://example.org/' }
        const answer = await client.post('/reader/v1/views', JSON.stringify(view), {
          headers: { 'content-type': 'text/plain', 'user-agent': `${BROWSER} Reader/${i}` },
        })
        expect(answer.status).toBe(204)
      }),
    )
    const page = await eventually('the most viewed article is the most popular one', async () => {
      const { body } = await client.get<Page>(`/reader/v1/articles/${slug}`)
      return body.popular[0]?.id === most && body.popular.length === 3 ? body : null
    })
    // The expected lists begin ours; the cards' facts and every field of the article must hold.
    expect(page).toMatchObject({ article: (expected as Page).article })
    for (const list of ['related', 'popular'] as const) {
      const wanted = (expected as Page)[list]
      expect(page[list].slice(0, wanted.length)).toMatchObject(wanted)
    }
    expect(page.popular.map(({ rank }) => rank)).toEqual([1, 2, 3])
    expect(page.related.map(({ id }) => id)).toEqual([first, most])
    expect(page.related[0]).toMatchObject({ why: { by: 'editors' } })
  })

  it('takes a retraction out of every list at once and answers 410', async () => {
    const { items } = await load()
    const [main, first] = items.map(item => articleIdOf(String(item.uri)))
    const { position } = await client.command(
      `/articles/${first}/unpublish`,
      { reason: 'taken down' },
      { role: 'chief' },
    )
    const gone = await client.get(`/reader/v1/articles/${first}?position=${position}`)
    expect(gone.status).toBe(410)
    const page = await client.get<Page>(`/reader/v1/articles/${main}?position=${position}`)
    expect([...page.body.related, ...page.body.popular].map(({ id }) => id)).not.toContain(first)
    const list = await client.get<{ items: { id: string }[] }>(`/reader/v1/lists/editors-choice?position=${position}`)
    expect(list.body.items.map(({ id }) => id)).not.toContain(first)
    // Published again it returns to its places.
    const back = await client.command(`/articles/${first}/publish`)
    const again = await client.get<{ items: { id: string }[] }>(
      `/reader/v1/lists/editors-choice?position=${back.position}`,
    )
    expect(again.body.items.map(({ id }) => id)).toContain(first)
  })

  it('imports a second time without changing anything', async () => {
    const { items } = await load()
    const first = await client.get(`/editorial/v1/articles/${articleIdOf(String(items[0]!.uri))}`)
    const answer = await client.post('/editorial/v1/imports/ninjs?publish=true', items[0], { role: 'service' })
    expect(answer.status).toBe(200)
    expect(`"${answer.body.revision}"`).toBe(first.headers.get('etag'))
  })
})

const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
