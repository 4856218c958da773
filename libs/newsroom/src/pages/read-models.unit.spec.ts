// What readers are answered from the newsroom's read models, given the events of the log.
import { describe, expect, it } from '@jest/globals'
import { type QueryDefinition } from '@stet/eventsourcing'
import { Value } from '@sinclair/typebox/value'
import { FormatRegistry, type TSchema } from '@sinclair/typebox'
import fc from 'fast-check'
import { CardsAnswer, ListAnswer, ListsAnswer, PageAnswer, RelatedAnswer } from '../answers'
import { type LiveContent } from '../article/content'
import { GetLatest, latestQuery } from '../latest/latest'
import { GetList, GetLists, listQuery, listsQuery } from '../lists/list-queries'
import { GetPopular, popularQuery } from '../popularity'
import { computedRelated, related, type RelatedDocument } from '../related'
import { violationsOf } from '../validation'
import { AT, type Event, type Recorded, recorded } from '../testing/scenario.fixture.spec'
import { FoldedReadModels } from '../testing/read-models.fixture.spec'
import { GetArticlePage, GetRelated, pageQuery, relatedQuery } from './page-queries'

FormatRegistry.Set('uuid', text => /^[0-9a-f-]{36}$/.test(text))
FormatRegistry.Set('date-time', text => !Number.isNaN(Date.parse(text)))

const site = { url: 'https://news.example/' }
const popular = popularQuery(site)
const page = pageQuery(site, { related, computedRelated, popular })
const relatedPage = relatedQuery(site, { related, computedRelated, popular })
const id = (n: number) => `3f0c1f5e-8a5d-4d5e-9a53-${String(n).padStart(12, '0')}`
const day = (n: number) => `2026-01-${String(n).padStart(2, '0')}T00:00:00.000Z`

const content = (n: number, more: Partial<LiveContent> = {}): LiveContent => ({
  headline: `Headline ${n}`,
  section: { slug: 'news', name: 'News', scheme: 'desk' },
  bodyHtml: '<p>One.</p><script>x</script><p onclick="x">Two.</p>',
  summary: `Summary ${n}`,
  keyPoints: [],
  tags: [{ slug: 'ice', name: 'Ice', code: '7' }],
  authors: [{ slug: 'staff', name: 'Staff' }],
  image: { url: 'https://news.example/a.jpg', width: 4 },
  language: 'en',
  seo: null,
  canonicalUrl: null,
  source: { outlet: 'Gazette', contributors: [{ name: 'A', kind: 'wire' }, { name: 'agencies' }] },
  relatedIds: [],
  blockedIds: [],
  slug: `headline-${n}`,
  revision: 1,
  firstPublishedAt: day(n),
  publishedAt: day(n),
  updatedAt: day(n),
  ...more,
})
const publish = (n: number, more?: Partial<LiveContent>): Recorded[] =>
  recorded(`article-${id(n)}`, [{ type: 'ArticlePublished', data: content(n, more) }])
const unpublish = (n: number) => recorded(`article-${id(n)}`, [{ type: 'ArticleUnpublished', data: { reason: null } }])
const list = (name: string, ...events: Event[]) => recorded(`list-${name}`, events)
const feature = (n: number): Event => ({
  type: 'ArticleFeatured',
  data: { articleId: id(n), place: 9, from: null, until: null, zone: null, reason: null },
})
const unfeature = (n: number): Event => ({
  type: 'ArticleUnfeatured',
  data: { articleId: id(n), cause: 'editor', reason: null },
})

const noPopular = { definition: '', window: '24h', asOf: AT, items: [], next: null }
const readModels = (...events: Recorded[]) => new FoldedReadModels(events, new Map([[GetPopular, noPopular]]))
const asked = async <Q extends object, A>(
  read: FoldedReadModels,
  definition: QueryDefinition<Q, A>,
  schema: TSchema,
  query: Q,
): Promise<A> => {
  expect(violationsOf(query)).toEqual([])
  const answer = await definition.answer(query, read, new Date(AT))
  expect([...Value.Errors(schema, answer)]).toEqual([])
  return answer
}
const pageOf = (read: FoldedReadModels, idOrSlug: string, include?: GetArticlePage['include']) =>
  asked(read, page, PageAnswer, Object.assign(new GetArticlePage(), { idOrSlug, ...(include && { include }) }))
const latest = (read: FoldedReadModels, query: Partial<GetLatest> = {}) =>
  asked(read, latestQuery(site), CardsAnswer, Object.assign(new GetLatest(), query))
const listOf = (read: FoldedReadModels, query: Partial<GetList>) =>
  asked(read, listQuery(site), ListAnswer, Object.assign(new GetList(), query))
const headlines = (items: readonly { readonly headline: string }[]) => items.map(({ headline }) => headline)

describe('an article page', () => {
  it('holds all of the article, sanitised', async () => {
    const { article } = await pageOf(readModels(...publish(1)), 'headline-1')
    expect(article).toEqual({
      id: id(1),
      slug: 'headline-1',
      url: 'https://news.example/headline-1',
      canonicalUrl: 'https://news.example/headline-1',
      headline: 'Headline 1',
      summary: 'Summary 1',
      keyPoints: [],
      bodyHtml: '<p>One.</p><p>Two.</p>',
      bodyText: ['One.', 'Two.'],
      section: { slug: 'news', name: 'News' },
      tags: [{ slug: 'ice', name: 'Ice', code: '7' }],
      authors: [{ slug: 'staff', name: 'Staff', role: null }],
      source: {
        outlet: 'Gazette',
        contributors: [
          { name: 'A', kind: 'wire' },
          { name: 'agencies', kind: null },
        ],
        usageTerms: null,
        originalUrl: null,
      },
      sourceLine: 'Source: Gazette with A and agencies',
      image: { url: 'https://news.example/a.jpg', width: 4, height: null, alt: null, caption: null, credit: null },
      language: 'en',
      seo: { title: null, description: null },
      corrections: [],
      retraction: null,
      version: 1,
      firstPublishedAt: day(1),
      publishedAt: day(1),
      updatedAt: day(1),
    })
  })

  it('is found by id and slug, and leads there from every slug that it had, and counts its versions', async () => {
    const read = readModels(...publish(1), ...publish(1, { slug: 'moved', headline: 'Moved' }))
    for (const address of [id(1), id(1).toUpperCase(), 'moved'])
      expect((await pageOf(read, address)).article).toMatchObject({ slug: 'moved', headline: 'Moved', version: 2 })
    // Chains are collapsed: every old address leads to the newest one.
    const again = readModels(...publish(1), ...publish(1, { slug: 'moved' }), ...publish(1, { slug: 'last' }))
    for (const address of ['headline-1', 'moved'])
      await expect(pageOf(again, address)).rejects.toMatchObject({ code: 'moved', to: 'last' })
  })

  it('is unknown, gone and back', async () => {
    await expect(pageOf(readModels(), 'headline-1')).rejects.toMatchObject({ code: 'not-found' })
    await expect(pageOf(readModels(), id(1))).rejects.toMatchObject({ code: 'not-found' })
    const gone = readModels(...publish(1), ...unpublish(1))
    for (const address of [id(1), 'headline-1'])
      await expect(pageOf(gone, address)).rejects.toMatchObject({ code: 'gone' })
    const back = readModels(...publish(1), ...unpublish(1), ...publish(1))
    expect((await pageOf(back, id(1))).article.version).toBe(2)
  })

  it('never shows a draft', async () => {
    const drafted = recorded(`article-${id(1)}`, [
      { type: 'ArticleDrafted', data: { ...content(1), wantedSlug: 'headline-1' } },
      { type: 'ArticleRevised', data: { changes: { headline: 'Secret' } } },
    ])
    const read = readModels(...drafted)
    await expect(pageOf(read, id(1))).rejects.toMatchObject({ code: 'not-found' })
    expect(read.bytes()).not.toContain('Headline 1')
    expect((await pageOf(readModels(...publish(1), ...drafted), id(1))).article.headline).toBe('Headline 1')
  })

  it('of what is not live asks for as much as of what never was, and says the same', async () => {
    const { source: _s, relatedIds: _r, slug: _g, revision: _v, ...more } = content(1)
    const { firstPublishedAt: _f, publishedAt: _p, updatedAt: _u, ...draft } = more
    const read = readModels(
      ...publish(2, { relatedIds: [id(1)] }),
      ...recorded(`article-${id(1)}`, [{ type: 'ArticleDrafted', data: { ...draft, wantedSlug: 'kept-quiet' } }]),
      ...recorded('slug-kept-quiet', [{ type: 'SlugReserved', data: { articleId: id(1) } }]),
      ...list('editors-choice', feature(1)),
    )
    // The time of an answer is that of its reads: the same ones, in the same order.
    const refusal = async (idOrSlug: string, definition: typeof page | typeof relatedPage) => {
      read.reads.length = 0
      const query = Object.assign(new GetArticlePage(), { idOrSlug })
      const error = await definition.answer(query as never, read, new Date(AT)).then(
        () => null,
        (error: unknown) => error as Error,
      )
      return { error: error?.constructor.name, says: error?.message.replace(idOrSlug, 'NAME'), reads: [...read.reads] }
    }
    for (const definition of [page, relatedPage]) {
      expect(await refusal(id(1), definition)).toEqual(await refusal(id(99), definition))
      expect(await refusal('kept-quiet', definition)).toEqual(await refusal('never-was', definition))
      expect((await refusal(id(1), definition)).error).toBe('NotFound')
    }
  })

  it('holds what was asked for, and finds it with few reads', async () => {
    const read = readModels(...publish(1, { relatedIds: [id(2)] }), ...publish(2))
    expect(Object.keys(await pageOf(read, id(1), []))).toEqual(['article'])
    expect(Object.keys(await pageOf(read, id(1), ['popular']))).toEqual(['article', 'popular'])
    read.reads.length = 0
    await pageOf(read, 'headline-1')
    expect(read.reads).toEqual(['article-pages having', 'related get', 'article-cards many'])
  })
})

describe('related articles', () => {
  const entry = (n: number, score: number) => ({ id: id(n), score, terms: 'ice harbo', tags: ['ice'] })
  const document = (...list: ReturnType<typeof entry>[]) => ({ _id: id(1), list }) as unknown as RelatedDocument

  it("are the editors' first, then computed; never itself, not live or of another language", async () => {
    const read = readModels(
      ...publish(1, { relatedIds: [id(3), id(1), id(9), id(4), id(5)] }),
      ...publish(2),
      ...publish(3),
      ...publish(4, { language: 'de' }),
      ...publish(5),
      ...unpublish(5),
      ...publish(6, { language: 'en-GB' }),
    ).put(related, document(entry(2, 9), entry(3, 8), entry(6, 7), entry(4, 6)))
    const { items } = await asked(
      read,
      relatedPage,
      RelatedAnswer,
      Object.assign(new GetRelated(), { idOrSlug: id(1) }),
    )
    expect(items.map(({ id: found, why }) => [found, why.by, why.terms, why.tags])).toEqual([
      [id(3), 'editors', ['ice', 'harbo'], ['ice']],
      [id(2), 'computed', ['ice', 'harbo'], ['ice']],
      [id(6), 'computed', ['ice', 'harbo'], ['ice']],
    ])
    expect((await pageOf(read, id(1))).related).toEqual(items)
  })

  it('are ten at most', async () => {
    const others = Array.from({ length: 12 }, (_, i) => i + 2)
    const read = readModels(...publish(1, { relatedIds: others.map(id) }), ...others.flatMap(n => publish(n)))
    expect((await pageOf(read, id(1))).related).toHaveLength(10)
  })
})

describe('the latest', () => {
  const read = readModels(
    ...publish(1),
    ...publish(2, { section: { slug: 'sport', name: 'Sport' }, language: 'de' }),
    ...publish(3, { tags: [], authors: [{ slug: 'desk', name: 'Desk' }] }),
    ...publish(4, { publishedAt: day(3) }),
    ...publish(5),
    ...unpublish(5),
    ...list('editors-choice', feature(7)),
  )

  it.each<[Partial<GetLatest>, number[]]>([
    [{}, [4, 3, 2, 1]],
    [{ section: 'news' }, [4, 3, 1]],
    [{ tag: 'ice' }, [4, 2, 1]],
    [{ author: 'desk' }, [3]],
    [{ language: 'DE' }, [2]],
    [{ section: 'news', tag: 'ice' }, [4, 1]],
    [{ section: 'none' }, []],
  ])('by %j is %j', async (query, expected) => {
    const { items, next } = await latest(read, query)
    expect(items.map(card => card.id)).toEqual(expected.map(id))
    expect(next).toBeNull()
  })

  it('goes on after a cursor, also while articles come and go', async () => {
    const first = await latest(read, { limit: 2 })
    expect(headlines(first.items)).toEqual(['Headline 4', 'Headline 3'])
    const changed = readModels(...publish(1), ...publish(2), ...publish(6))
    expect(headlines((await latest(changed, { limit: 2, cursor: first.next ?? '' })).items)).toEqual([
      'Headline 2',
      'Headline 1',
    ])
  })

  it.each([
    '',
    'x',
    'W10',
    Buffer.from('["a","b"]').toString('base64url'),
    Buffer.from('{"$gt":""}').toString('base64url'),
  ])('refuses the cursor %j', async cursor => {
    await expect(latest(read, { cursor })).rejects.toMatchObject({ code: 'invalid' })
  })

  it('refuses limits out of range', () => {
    for (const limit of [0, 101, 1.5, Number.NaN])
      expect(violationsOf(Object.assign(new GetLatest(), { limit }))).toMatchObject([{ pointer: '#/limit' }])
  })

  it('is complete whatever the limit', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        async (days, limit) => {
          const many = readModels(...days.flatMap((d, n) => publish(n + 1, { publishedAt: day(d) })))
          const all = (await latest(many, { limit: 100 })).items.map(card => card.id)
          const found: string[] = []
          let cursor: string | null | undefined
          while (cursor !== null) {
            const answer: { items: { id: string }[]; next: string | null } = await latest(many, {
              limit,
              ...(cursor && { cursor }),
            })
            found.push(...answer.items.map(card => card.id))
            cursor = answer.next
          }
          expect(found).toEqual(all)
          expect(all).toHaveLength(days.length)
        },
      ),
      { numRuns: 50 },
    )
  })
})

describe('curated lists', () => {
  const created = (label: string): Event => ({
    type: 'ListCreated',
    data: { label, section: null, capacity: null },
  })
  const labelled = (...events: Recorded[]) => readModels(...publish(1), ...publish(2), ...events)

  it("show what is live of them in the editors' order, and give cards their label", async () => {
    const read = labelled(...list('editors-choice', feature(2), feature(8), feature(1)))
    expect(await listOf(read, { list: 'editors-choice' })).toMatchObject({
      list: 'editors-choice',
      label: "Editor's choice",
      items: [{ id: id(2), label: "Editor's choice" }, { id: id(1) }],
      next: null,
    })
    const taken = labelled(...list('editors-choice', feature(2), feature(1), unfeature(2)))
    expect((await latest(taken)).items.map(({ label }) => label)).toEqual([null, "Editor's choice"])
  })

  it('keep an article that is taken back, and show it when it is back', async () => {
    const listed = list('editors-choice', feature(1))
    const gone = labelled(...listed, ...unpublish(1))
    expect((await listOf(gone, { list: 'editors-choice' })).items).toEqual([])
    const back = labelled(...listed, ...unpublish(1), ...publish(1))
    expect((await listOf(back, { list: 'editors-choice' })).items).toMatchObject([{ label: "Editor's choice" }])
    const early = readModels(...listed, ...publish(1))
    expect((await latest(early)).items).toMatchObject([{ label: "Editor's choice" }])
  })

  it('are unknown until they are created, and the first one by order gives the label', async () => {
    const read = labelled(
      ...list('long-reads', created('Long reads'), feature(1)),
      ...list('a', created('A'), feature(2)),
    )
    await expect(listOf(read, { list: 'none' })).rejects.toMatchObject({ code: 'not-found' })
    expect(await asked(read, listsQuery, ListsAnswer, new GetLists())).toEqual({
      items: [
        { list: 'editors-choice', label: "Editor's choice", section: null },
        { list: 'a', label: 'A', section: null },
        { list: 'long-reads', label: 'Long reads', section: null },
      ],
      next: null,
    })
    const two = await asked(read, listsQuery, ListsAnswer, Object.assign(new GetLists(), { limit: 2 }))
    expect(two.items).toHaveLength(2)
    const rest = await asked(read, listsQuery, ListsAnswer, Object.assign(new GetLists(), { cursor: two.next ?? '' }))
    expect(rest).toEqual({ items: [{ list: 'long-reads', label: 'Long reads', section: null }], next: null })
    const both = labelled(...list('a', created('A'), feature(1)), ...list('editors-choice', feature(1)))
    expect((await pageOf(both, id(1), [])).article.id).toBe(id(1))
    expect((await latest(both)).items.at(-1)).toMatchObject({ label: "Editor's choice" })
  })

  it('are all there, however many, page by page', async () => {
    const names = Array.from({ length: 1_050 }, (_, i) => `list-${String(i).padStart(4, '0')}`)
    const read = readModels(...names.flatMap(name => list(name, created(name))), ...list('editors-choice', feature(1)))
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const query = Object.assign(new GetLists(), { limit: 100 }, cursor && { cursor })
      const answer: ListsAnswer = await asked(read, listsQuery, ListsAnswer, query)
      seen.push(...answer.items.map(item => item.list))
      cursor = answer.next ?? undefined
    } while (cursor !== undefined)
    expect(seen).toEqual(['editors-choice', ...names])
  })

  it('go on after a cursor, also when its entry was taken off', async () => {
    const three = (...events: Event[]) =>
      readModels(...[1, 2, 3].flatMap(n => publish(n)), ...list('editors-choice', ...[1, 2, 3].map(feature), ...events))
    const first = await listOf(three(), { list: 'editors-choice', limit: 1 })
    expect(headlines(first.items)).toEqual(['Headline 1'])
    const next = { list: 'editors-choice', cursor: first.next ?? '' }
    expect(headlines((await listOf(three(), next)).items)).toEqual(['Headline 2', 'Headline 3'])
    expect(headlines((await listOf(three(unfeature(1)), next)).items)).toEqual(['Headline 2', 'Headline 3'])
    await expect(listOf(three(), { list: 'editors-choice', cursor: 'x' })).rejects.toMatchObject({ code: 'invalid' })
  })
})

describe('slugs', () => {
  it('belong to an article until released', () => {
    const reserved = recorded('slug-ice', [{ type: 'SlugReserved', data: { articleId: id(1) } }])
    expect(
      readModels(...reserved)
        .collections.get('slugs')
        ?.get('ice'),
    ).toEqual({ _id: 'ice', articleId: id(1) })
    const released = recorded('slug-ice', [{ type: 'SlugReleased', data: { articleId: id(1) } }])
    expect(readModels(...reserved, ...released).collections.get('slugs')?.size).toBe(0)
  })
})

describe('the read models', () => {
  it('are the same bytes for the same log, and never hold what is undefined', () => {
    const log = [
      ...publish(1),
      ...list('editors-choice', feature(1), feature(2)),
      ...unpublish(1),
      ...publish(2),
      ...publish(1),
    ]
    expect(readModels(...log).bytes()).toBe(readModels(...log).bytes())
  })
})
