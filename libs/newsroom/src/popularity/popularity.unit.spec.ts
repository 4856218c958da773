// Popularity: any order and batching of views gives the same bytes, and a ranking equals counting by hand.
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { POPULAR_WINDOWS, type PopularWindow } from '../answers'
import { addViews, decodeCounts, encodeCounts, noViews, scoreOf, viewsWithin } from './buckets'
import { GetPopular, popularIds, popularQuery, viewTotals } from './popular-query'
import { type ArticlePopularity, trendingScore } from './popularity'
import { idOf, published, readOf, recorded, run, START, timeOf, unpublished, viewed } from './popularity.fixture.spec'

const documentOf = (store: ReadonlyMap<string, string>, article: number) =>
  JSON.parse(store.get(idOf(article)) ?? 'null') as ArticlePopularity

const LENGTHS: Readonly<Record<PopularWindow, number>> = { '1h': 60, '24h': 25, '7d': 169 }
/** Counted from the views themselves, without any bucket. */
const countedByHand = (
  views: readonly (readonly [minute: number, count: number])[],
  window: PopularWindow,
  now: number,
) => {
  const unit = window === '1h' ? 1 : 60
  const bucket = (minute: number) => Math.floor((START + minute) / unit)
  return views
    .filter(([minute]) => bucket(minute) <= bucket(now) && bucket(minute) > bucket(now) - LENGTHS[window])
    .reduce((sum, [, count]) => sum + count, 0)
}

describe('buckets', () => {
  it('follow the formula of the score', () => {
    const buckets = noViews()
    for (const [minute, views] of [
      [0, 3],
      [21, 2],
      [42, 1],
    ] as const)
      addViews(buckets, 600_000 + minute, views)
    // Three views two half-lives ago, two one ago and one now weigh 3/4 + 2/2 + 1.
    expect(scoreOf(buckets, '1h')).toBe(Math.round((600_042 / 21 + Math.log2(2.75)) * 1e6) / 1e6)
    expect(scoreOf(buckets, '24h')).toBe(Math.round((10_000 / 12 + Math.log2(6)) * 1e6) / 1e6)
    expect(scoreOf(noViews(), '7d')).toBeNull()
  })

  it('are what was added, as text and back', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(20_000), fc.integer({ min: 1, max: 9_999 })), { minLength: 1 }), views => {
        const buckets = noViews()
        for (const [minute, count] of views) addViews(buckets, minute, count)
        const newest = Math.max(...views.map(([minute]) => minute))
        const expected = (unit: number, kept: number) => {
          const counts: number[] = []
          for (const [minute, count] of views) {
            const age = Math.floor(newest / unit) - Math.floor(minute / unit)
            if (age >= kept) continue
            while (counts.length <= age) counts.push(0)
            counts[age]! += count
          }
          return counts
        }
        expect(buckets).toEqual({ newest, minutes: expected(1, 60), hours: expected(60, 192) })
        expect(decodeCounts(encodeCounts(buckets.hours))).toEqual(buckets.hours)
      }),
    )
  })

  it('do not count what comes after the time that is asked for', () => {
    const buckets = noViews()
    addViews(buckets, 1_000, 5)
    addViews(buckets, 1_010, 7)
    expect(viewsWithin(buckets, '1h', 1_009)).toBe(5)
    expect(viewsWithin(buckets, '1h', 1_059)).toBe(12)
    expect(viewsWithin(buckets, '1h', 1_060)).toBe(7)
    expect(viewsWithin(buckets, '1h', 1_070)).toBe(0)
  })
})

describe('views', () => {
  it('count while their article is live, and are counted as not counted otherwise', async () => {
    const store = await run(
      [
        viewed(0, [1, 1]),
        published(1),
        viewed(1, [1, 2], [9, 4]),
        unpublished(1),
        viewed(2, [1, 8]),
        published(1),
        viewed(3, [1, 16]),
        recorded('ArticlesViewed', 'process', { minute: 'noon', views: [[idOf(1), 1, 'direct', 'mobile', '']] }),
      ],
      500,
    )
    expect(documentOf(store, 1)).toMatchObject({ live: true, minutes: '16,,2', hours: '18', notLive: 8 })
    expect(await viewTotals(readOf(store))).toEqual({ counted: 18, notLive: 8, unknown: 5, malformed: 1 })
  })

  it('of ids that nobody published leave no documents behind', async () => {
    const store = await run([viewed(0, ...Array.from({ length: 1_000 }, (_, i) => [i, 1] as const))], 1)
    expect([...store.keys()]).toEqual(['totals'])
  })

  it('trend when they are more now than over the day', async () => {
    const steady = Array.from({ length: 24 }, (_, hour) => viewed(hour * 60, [1, 100]))
    const store = await run([published(1), published(2), ...steady, viewed(23 * 60, [2, 100])], 500)
    const trends = [1, 2].map(article => trendingScore(documentOf(store, article)) ?? 0)
    expect(trends[1]).toBeGreaterThan(trends[0]!)
    const { score1h, score24h } = documentOf(store, 2)
    expect(trends[1]).toBeCloseTo(score1h! - 0.5 * score24h!, 5)
    expect(trendingScore({ score1h: null, score24h: null })).toBeNull()
  })
})

describe('the same views', () => {
  it('give the same bytes in any order and in any batches', async () => {
    const view = fc.tuple(fc.nat(12_000), fc.nat(9), fc.integer({ min: 1, max: 500 }))
    await fc.assert(
      fc.asyncProperty(
        fc
          .array(view, { minLength: 1, maxLength: 120 })
          .chain(views => fc.tuple(fc.constant(views), fc.shuffledSubarray(views, { minLength: views.length }))),
        fc.integer({ min: 1, max: 40 }),
        async ([views, shuffled], batch) => {
          const first = Array.from({ length: 8 }, (_, article) => published(article))
          const events = (some: typeof views) =>
            some.map(([minute, article, count]) => viewed(minute, [article, count]))
          const sorted = (store: ReadonlyMap<string, string>) => [...store].sort(([a], [b]) => (a < b ? -1 : 1))
          const whole = sorted(await run([...first, ...events(views)], 500))
          expect(sorted(await run([...first, ...events(shuffled)], 1))).toEqual(whole)
          expect(sorted(await run([...first, ...events(shuffled)], batch))).toEqual(whole)
          // A restart reads what was written.
          const half = await run([...first, ...events(views.slice(0, views.length / 2))], 7)
          expect(sorted(await run(events(views.slice(views.length / 2)), 7, half))).toEqual(whole)
        },
      ),
      { numRuns: 40 },
    )
  })
})

describe('what is popular', () => {
  it('is ranked exactly as counting by hand ranks it', async () => {
    const article = fc.record({
      section: fc.constantFrom('news', 'sport'),
      language: fc.constantFrom('en-GB', 'hy'),
      live: fc.boolean(),
      views: fc.array(fc.tuple(fc.nat(11_000), fc.integer({ min: 1, max: 9 })), { maxLength: 12 }),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(article, { maxLength: 30 }),
        fc.integer({ min: 11_000, max: 11_300 }),
        fc.constantFrom(...POPULAR_WINDOWS),
        fc.constantFrom(undefined, 'news'),
        fc.constantFrom(undefined, 'en-GB', 'hy'),
        async (articles, now, window, section, language) => {
          const store = await run(
            [
              ...articles.map(({ section, language }, i) => published(i, section, language)),
              ...articles.flatMap(({ views }, i) => views.map(([minute, count]) => viewed(minute, [i, count]))),
              ...articles.flatMap(({ live }, i) => (live ? [] : [unpublished(i)])),
            ],
            500,
          )
          const expected = articles
            .map((one, i) => ({ ...one, id: idOf(i), count: countedByHand(one.views, window, now) }))
            .filter(({ live, count }) => live && count > 0)
            .filter(one => (section ?? one.section) === one.section && (language ?? one.language) === one.language)
            .sort((a, b) => b.count - a.count || (a.id < b.id ? -1 : 1))
          // Any spelling of a tag means it, as for what is latest.
          const query = { window, ...(section && { section }), ...(language && { language: language.toUpperCase() }) }
          const asOf = new Date((START + now) * 60_000 + 30_000)
          expect(await popularIds(query, readOf(store), asOf)).toEqual(expected.map(({ id }) => id))
        },
      ),
      { numRuns: 60 },
    )
  })

  it('is answered as cards with their ranks; what has no card is passed over', async () => {
    const store = await run(
      [1, 2, 3, 4, 5].flatMap(article => [published(article), viewed(0, [article, 10 * article])]),
      500,
    )
    const card = (article: number) => ({
      _id: idOf(article),
      card: {
        slug: `article-${article}`,
        section: { slug: 'news', name: 'News' },
        headline: `Article ${article}`,
        summary: null,
        keyPoints: [],
        image: null,
        publishedAt: timeOf(0),
        language: 'en',
        tags: [],
        authors: [],
      },
      lists: [],
    })
    const query = popularQuery({ url: 'https://example.org' })
    const asked = Object.assign(new GetPopular(), { limit: 2 })
    const cards = [card(1), card(2), card(4)]
    const answer = await query.answer(asked, readOf(store, cards), new Date(timeOf(5)))
    expect(answer).toMatchObject({ window: '24h', asOf: timeOf(5), next: null })
    expect(answer.definition).toContain('the current hour and the 24 hours before it')
    expect(answer.items.map(({ rank, slug, url }) => [rank, slug, url])).toEqual([
      [1, 'article-4', 'https://example.org/article-4'],
      [2, 'article-2', 'https://example.org/article-2'],
    ])
    expect((await query.answer(asked, readOf(store, cards), new Date(timeOf(60 * 26)))).items).toEqual([])
  })
})
