// For specs of related articles: publications as the log holds them, and the read model on a store in memory.
import { type RecordedEvent } from '@stet/eventsourcing'
import { type NewsroomEvents } from '../newsroom'
import { computedRelated, related, type RelatedDocument } from './related'

export type Event = RecordedEvent<NewsroomEvents>

export const idOf = (number: number) => `00000000-0000-5000-8000-${String(number).padStart(12, '0')}`

const recorded = (type: string, article: number, position: number, data: unknown): Event =>
  ({
    type,
    data,
    id: `event-${position}`,
    stream: `article-${idOf(article)}`,
    category: 'article',
    key: idOf(article),
    revision: 0,
    position: String(position),
    at: '2026-01-01T00:00:00.000Z',
  }) as unknown as Event

export interface Text {
  readonly body: string
  readonly language?: string
  readonly tags?: readonly string[]
  readonly publishedAt?: string
}

export const published = (article: number, position: number, { body, language = 'en', tags = [], publishedAt }: Text) =>
  recorded('ArticlePublished', article, position, {
    headline: '',
    summary: null,
    keyPoints: [],
    bodyHtml: `<p>${body}</p>`,
    language,
    tags: tags.map(slug => ({ slug, name: slug })),
    publishedAt: publishedAt ?? '2026-01-01T00:00:00.000Z',
  })

export const unpublished = (article: number, position: number) =>
  recorded('ArticleUnpublished', article, position, { reason: null })

/** Runs the read model on a store in memory; opened anew before each batch whose number is in `restarts`. */
export const run = async (events: readonly Event[], batchSize: number, restarts: ReadonlySet<number> = new Set()) => {
  const store = new Map<string, string>()
  const parsed = (text: string) => JSON.parse(text) as RelatedDocument
  const open = () =>
    related.open(async function* () {
      const documents = [...store.values()].map(parsed)
      yield* documents.sort((a, b) => (a.order < b.order ? -1 : 1))
    })
  let computation = await open()
  for (let i = 0, batch = 0; i < events.length; i += batchSize, batch++) {
    if (restarts.has(batch)) computation = await open()
    const changed = await computation.fold(
      events.slice(i, i + batchSize),
      async ids => new Map(ids.flatMap(id => (store.has(id) ? [[id, parsed(store.get(id)!)] as const] : []))),
    )
    for (const [id, document] of changed) {
      if (document === null) store.delete(id)
      else store.set(id, JSON.stringify(document))
    }
  }
  return store
}

export const listOf = (store: ReadonlyMap<string, string>, article: number) =>
  computedRelated(JSON.parse(store.get(idOf(article)) ?? '{"list":[]}') as RelatedDocument)
