// Measures what one publication costs the read model of related articles, documents in memory instead of a database.
import { type RecordedEvent } from '@stet/eventsourcing'
import { type LiveContent } from '../article/content'
import { type NewsroomEvents } from '../newsroom'
import { related, type RelatedDocument } from './related'

export interface RelatedFigures {
  readonly articles: number
  /** Milliseconds per publication over the last tenth: folding one event and making the changed documents. */
  readonly p50: number
  readonly p99: number
  /** Lists that one publication changed, its own included, on average. */
  readonly listsChanged: number
  /** Milliseconds to open the cache from the documents. */
  readonly open: number
  /** Bytes of JSON of one document, on average. */
  readonly bytes: number
}

/** Publishes so many articles of about 400 words over a vocabulary with Zipf's law and a hundred subjects. */
export const benchRelated = async (articles = 10_000): Promise<RelatedFigures> => {
  const documents = new Map<string, RelatedDocument>()
  const load = async (ids: readonly string[]) =>
    new Map(ids.flatMap(id => (documents.has(id) ? [[id, documents.get(id)!] as const] : [])))
  const none = async function* (): AsyncGenerator<RelatedDocument> {}
  const computation = await related.open(none)
  const text = texts()
  const times: number[] = []
  let changes = 0
  for (let i = 0; i < articles; i++) {
    const event = publication(i, text())
    const start = performance.now()
    const changed = await computation.fold([event], load)
    if (i >= articles * 0.9) {
      times.push(performance.now() - start)
      changes += changed.size
    }
    for (const [id, document] of changed) if (document) documents.set(id, document)
  }
  times.sort((a, b) => a - b)
  const ordered = [...documents.values()].sort((a, b) => (a.order < b.order ? -1 : 1))
  const start = performance.now()
  await related.open(async function* () {
    yield* ordered
  })
  return {
    articles,
    p50: times[Math.floor(times.length / 2)] ?? 0,
    p99: times[Math.floor(times.length * 0.99)] ?? 0,
    listsChanged: changes / times.length,
    open: performance.now() - start,
    bytes: JSON.stringify(ordered).length / ordered.length,
  }
}

/** The same texts on every run: a linear congruential generator, constants of Numerical Recipes. */
const texts = (): (() => string) => {
  let seed = 1
  const random = () => (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32
  const zipf = (words: number) => Math.floor(words ** random()) - 1
  const word = (number: number) => (number * 7_919 + 60_466_176).toString(36).slice(-5)
  return () => {
    const subject = Math.floor(random() * 100)
    return Array.from({ length: 400 }, () =>
      random() < 0.15 ? `s${subject}w${zipf(200)}`.padEnd(5, 'x') : word(zipf(50_000)),
    ).join(' ')
  }
}

const publication = (number: number, body: string): RecordedEvent<NewsroomEvents, 'ArticlePublished'> => {
  const key = `00000000-0000-5000-8000-${String(number).padStart(12, '0')}`
  const at = new Date(Date.UTC(2026, 0, 1) + number * 600_000).toISOString()
  const data: LiveContent = {
    headline: body.slice(0, 60),
    section: { slug: 'news', name: 'News' },
    bodyHtml: `<p>${body}</p>`,
    summary: null,
    keyPoints: [],
    tags: [],
    authors: [],
    image: null,
    language: 'en',
    seo: null,
    canonicalUrl: null,
    source: { outlet: 'Stet', contributors: [] },
    relatedIds: [],
    blockedIds: [],
    slug: `article-${number}`,
    revision: 1,
    firstPublishedAt: at,
    publishedAt: at,
    updatedAt: at,
  }
  return {
    type: 'ArticlePublished',
    data,
    id: key,
    stream: `article-${key}`,
    category: 'article',
    key,
    revision: 1,
    position: String(1_000 + number),
    at,
    metadata: {
      $correlationId: key,
      $causationId: key,
      commandId: key,
      fingerprint: '',
      actor: 'bench',
      at,
      schemaVersion: 1,
    },
  }
}
