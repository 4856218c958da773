// A log for measuring, the same for the same numbers. Its mix, per article: drafted, sourced, published, revised, published
// again and a reserved slug (6 events); one article in fifty featured; the rest of the events, between them, are views of ten
// articles each.
import { createHash } from 'node:crypto'
import { type EventLog, type EventToAppend } from '@stet/eventsourcing'
import { type ArticleEvents, type NewsroomEvents } from '@stet/newsroom'
import { v5 as uuidv5 } from 'uuid'

const NAMESPACE = '6f2a3c1e-55f4-4a0e-9b57-2c0f7d1f0a11'
const SECTIONS = ['News', 'Economy', 'Culture', 'Sport', 'Science']
const WORDS = ['harbour', 'budget', 'council', 'bridge', 'theatre', 'election', 'storm', 'railway', 'school', 'energy']

export const articleId = (n: number): string => uuidv5(`article ${n}`, NAMESPACE)
const slugOf = (n: number): string => `story-${n}`

const term = (name: string) => ({ slug: name.toLowerCase(), name })
const word = (n: number, i: number) => WORDS[createHash('md5').update(`${n}/${i}`).digest()[0]! % WORDS.length]!

const contentOf = (n: number): ArticleEvents['ArticleDrafted'] => {
  const paragraph = (p: number) =>
    Array.from({ length: 80 }, (_, i) => `${word(n, p * 80 + i)}${(n + i) % 97}`).join(' ')
  return {
    headline: `Story ${n}: ${word(n, 1)} and ${word(n, 2)}`,
    section: term(SECTIONS[n % SECTIONS.length]!),
    bodyHtml: `<p>${paragraph(0)}</p><p>${paragraph(1)}</p>`,
    summary: paragraph(2).slice(0, 200),
    keyPoints: [],
    tags: [term(word(n, 3)), term(word(n, 4))],
    authors: [],
    image: null,
    language: 'en',
    seo: null,
    canonicalUrl: null,
    wantedSlug: null,
  }
}

const pending = (
  at: string,
  stream: string,
  index: number,
  type: keyof NewsroomEvents,
  data: unknown,
): EventToAppend => {
  const id = uuidv5(`${stream} ${index}`, NAMESPACE)
  return {
    id,
    type,
    data,
    metadata: {
      $correlationId: id,
      $causationId: id,
      commandId: id,
      fingerprint: id,
      actor: 'bench',
      at,
      schemaVersion: 1,
    },
  }
}

export interface Mix {
  readonly articles: number
  /** Events of views. */
  readonly views: number
}

/** 200,000 events: 13,000 articles and 121,740 events of views. */
export const mixOf = (events: number): Mix => {
  const articles = Math.floor(events * 0.065)
  return { articles, views: events - articles * 6 - Math.floor(articles / 50) }
}

/** Of so many parts: articles come and are read all the time, so the one stands among the other in the log. */
const PARTS = 40

/** Appends the articles from a number on, and views, in turns; 64 appends under way at once. */
export const seedLog = async (log: EventLog, mix: Mix, from = 0): Promise<void> => {
  const shareOf = (count: number, part: number) => Math.floor((count * part) / PARTS)
  const viewed = { stream: `views-${uuidv5(`views ${from}`, NAMESPACE)}`, last: -1 }
  for (let part = 0; part < PARTS; part++) {
    const [begin, end] = [part, part + 1].map(at => from + shareOf(mix.articles - from, at)) as [number, number]
    await seedArticles(log, mix, begin, end)
    await seedViews(log, { ...mix, articles: end }, viewed, [shareOf(mix.views, part), shareOf(mix.views, part + 1)])
  }
}

const iso = (ago: number) => new Date(Date.now() - ago).toISOString()

const seedArticles = async (log: EventLog, mix: Mix, from: number, to: number): Promise<void> => {
  await inParallel(to - from, 64, async i => {
    const n = from + i
    const stream = `article-${articleId(n)}`
    const content = contentOf(n)
    const { wantedSlug: _, ...visible } = content
    const source = { outlet: 'Harbour Post', contributors: [{ name: 'agencies' }] }
    const at = iso((mix.articles - n) * 30_000)
    const live = (revision: number) => ({
      ...visible,
      source,
      relatedIds: [],
      blockedIds: [],
      slug: slugOf(n),
      revision,
      firstPublishedAt: at,
      publishedAt: at,
    })
    await log.append(`slug-${slugOf(n)}`, -1, [
      pending(at, `slug-${slugOf(n)}`, 0, 'SlugReserved', { articleId: articleId(n) }),
    ])
    await log.append(stream, -1, [
      pending(at, stream, 0, 'ArticleDrafted', content),
      pending(at, stream, 1, 'ArticleSourced', source),
      pending(at, stream, 2, 'ArticlePublished', live(1)),
      pending(at, stream, 3, 'ArticleRevised', { changes: { summary: `${visible.summary} (updated)` } }),
      pending(at, stream, 4, 'ArticlePublished', { ...live(3), summary: `${visible.summary} (updated)` }),
    ])
  })
  const list = 'list-editors-choice'
  const featured = Array.from({ length: to - from }, (_, i) => from + i).filter(n => n % 50 === 0)
  if (featured.length === 0) return
  const revision = (await log.lastOf(list))?.revision ?? -1
  const events = featured.map((n, i) =>
    pending(iso(0), list, revision + 1 + i, 'ArticleFeatured', {
      articleId: articleId(n),
      place: revision + 1 + i,
      from: null,
      until: null,
      zone: null,
      reason: null,
    }),
  )
  const result = await log.append(list, revision, events)
  if (!result.ok) throw new Error('somebody else writes to the list')
}

/** Events of views `from` to `to`, of a week, the newest last; `viewed` goes on with its stream. */
const seedViews = async (
  log: EventLog,
  mix: Mix,
  viewed: { readonly stream: string; last: number },
  [from, to]: readonly [number, number],
): Promise<void> => {
  for (const chunk of chunks(
    Array.from({ length: to - from }, (_, i) => from + i),
    500,
  )) {
    const events = chunk.map(n => {
      const at = iso(Math.floor(((mix.views - n) / mix.views) * 7 * 86_400_000))
      const views = Array.from({ length: 10 }, (_, i) => [
        articleId(zipf(n * 10 + i, mix.articles)),
        1 + (n % 3),
        'search',
        'mobile',
        'DE',
      ])
      return pending(at, viewed.stream, n, 'ArticlesViewed', { minute: `${at.slice(0, 17)}00.000Z`, views })
    })
    const result = await log.append(viewed.stream, viewed.last, events)
    if (!result.ok) throw new Error('somebody else writes views')
    viewed.last = result.revision
  }
}

/** A rank from 0 to size − 1, the low ones most often (Zipf with exponent 1), deterministic in `n`. */
export const zipf = (n: number, size: number): number => {
  const u = createHash('md5').update(String(n)).digest().readUInt32BE(0) / 2 ** 32
  return Math.min(size - 1, Math.floor(size ** u) - 1)
}

export const inParallel = async (count: number, width: number, job: (i: number) => Promise<unknown>): Promise<void> => {
  let next = 0
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (next < count) await job(next++)
    }),
  )
}

export const chunks = <T>(all: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size))
