// For specs of popularity: publications and views as the log holds them, the read model on a store in memory, and queries to it.
import { type Document, type ReadModels, type RecordedEvent } from '@stet/eventsourcing'
import { type NewsroomEvents } from '../newsroom'
import { popularity, type PopularityDocument } from './popularity'

type Event = RecordedEvent<NewsroomEvents>

export const idOf = (article: number) => `00000000-0000-5000-8000-${String(article).padStart(12, '0')}`
export const START = Date.UTC(2026, 2, 1) / 60_000
export const timeOf = (minute: number) => new Date((START + minute) * 60_000).toISOString()

export const recorded = (type: string, key: string, data: unknown): Event => ({ type, key, data }) as unknown as Event
export const published = (article: number, section = 'news', language = 'en') =>
  recorded('ArticlePublished', idOf(article), { section: { slug: section, name: section }, language })
export const unpublished = (article: number) => recorded('ArticleUnpublished', idOf(article), { reason: null })
export const viewed = (minute: number, ...views: readonly (readonly [article: number, views: number])[]) =>
  recorded('ArticlesViewed', 'process', {
    minute: timeOf(minute),
    views: views.map(([article, count]) => [idOf(article), count, 'direct', 'mobile', '']),
  })

export const run = async (events: readonly Event[], batchSize: number, store = new Map<string, string>()) => {
  const parsed = (text: string) => JSON.parse(text) as PopularityDocument
  const computation = await popularity.open(async function* () {})
  for (let i = 0; i < events.length; i += batchSize) {
    const changed = await computation.fold(
      events.slice(i, i + batchSize),
      async ids => new Map(ids.flatMap(id => (store.has(id) ? [[id, parsed(store.get(id)!)] as const] : []))),
    )
    for (const [id, document] of changed) store.set(id, JSON.stringify(document))
  }
  return store
}

/** The documents of one read model as queries see them; filters by equality only, as the query needs. */
export const readOf = (store: ReadonlyMap<string, string>, cards: readonly Document[] = []): ReadModels => {
  const all = () => [...store.values()].map(text => JSON.parse(text) as Record<string, unknown> & Document)
  const documents = {
    get: async (id: string) => all().find(({ _id }) => _id === id) ?? null,
    many: async (ids: readonly string[]) => all().filter(({ _id }) => ids.includes(_id)),
    count: async () => store.size,
    find: async (
      filter: Readonly<Record<string, unknown>>,
      { sort = {}, limit }: { sort?: Readonly<Record<string, 1 | -1>>; limit: number },
    ) =>
      all()
        .filter(document => Object.entries(filter).every(([key, value]) => document[key] === value))
        .sort((a, b) => {
          for (const [key, direction] of Object.entries(sort)) {
            const [x, y] = [a[key] ?? -Infinity, b[key] ?? -Infinity] as [number, number]
            if (x !== y) return x < y ? -direction : direction
          }
          return 0
        })
        .slice(0, limit),
  }
  const others = {
    get: async () => null,
    find: async () => [],
    many: async (ids: readonly string[]) => cards.filter(({ _id }) => ids.includes(_id)),
  }
  const of = ({ name }: { readonly name: string }) => (name === popularity.name ? documents : others)
  return { of, ask: () => Promise.reject(new Error('not asked here')) } as unknown as ReadModels
}
