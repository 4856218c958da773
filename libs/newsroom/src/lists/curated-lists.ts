// Read model: each curated list with its label, its place among the lists and its articles in order.
import { type Document, type Projection, type ReadModels } from '@stet/eventsourcing'
import { ignoreReaders, ignoreWorking } from '../article/events'
import { ignoreDesk } from '../desk/events'
import { ignoreFounding, type NewsroomEvents } from '../newsroom'
import { ignoreSlugs } from '../slugs/events'
import { ignoreViews } from '../views/events'
import { BUILT_IN_LISTS } from './events'
import { builtInLabel } from './lists'

/** `_id` is the list's name. */
export interface ListDocument extends Document {
  readonly label: string
  /** Sorts the lists: the built-in ones first, then in order of creation. The first one decides a card's label. */
  readonly order: string
  /** Ids of its articles, live or not. */
  readonly entries: readonly string[]
}

export const curatedLists: Projection<ListDocument, NewsroomEvents> = {
  name: 'curated-lists',
  version: 1,
  group: 'newsroom',
  cached: 200,
  indexes: [{ key: { order: 1, _id: 1 } }],
  on: {
    ...ignoreFounding,
    ...ignoreWorking,
    ...ignoreReaders,
    ...ignoreDesk,
    ListCreated: (list, { data, at }, name) => ({
      _id: name,
      label: data.label,
      order: list?.order ?? `1-${at}`,
      entries: list?.entries ?? [],
    }),
    ArticleFeatured: (list, { data }, name) => {
      const { label, order, entries } = list ?? builtIn(name)
      return { _id: name, label, order, entries: [...entries, data.articleId] }
    },
    ArticleUnfeatured: (list, { data }, name) => {
      const { label, order, entries } = list ?? builtIn(name)
      return { _id: name, label, order, entries: entries.filter(id => id !== data.articleId) }
    },
    ...ignoreSlugs,
    ...ignoreViews,
  },
}

/** At most `limit` lists in order, after one of them; the built-in ones also before anything was put on them. */
export const listsAfter = async (
  read: ReadModels,
  after: ListDocument | null,
  limit: number,
): Promise<ListDocument[]> => {
  const lists = read.of(curatedLists)
  const filter = after && { $or: [{ order: { $gt: after.order } }, { order: after.order, _id: { $gt: after._id } }] }
  const [found, touched] = await Promise.all([
    lists.find(filter ?? {}, { sort: { order: 1, _id: 1 }, limit }),
    lists.many(BUILT_IN_LISTS.map(({ name }) => name)),
  ])
  const untouched = BUILT_IN_LISTS.filter(({ name }) => !touched.some(list => list._id === name))
    .map(({ name }) => builtIn(name))
    .filter(list => !after || byOrder(after, list) < 0)
  return [...untouched, ...found].sort(byOrder).slice(0, limit)
}

/** A list by its name, null when there is none. */
export const listNamed = async (read: ReadModels, name: string): Promise<ListDocument | null> =>
  (await read.of(curatedLists).get(name)) ?? (builtInLabel(name) === null ? null : builtIn(name))

/** Those of the named lists that exist, in order. */
export const listsNamed = async (read: ReadModels, names: readonly string[]): Promise<ListDocument[]> =>
  names.length === 0 ? [] : (await read.of(curatedLists).many(names)).sort(byOrder)

const builtIn = (name: string): ListDocument => {
  const place = BUILT_IN_LISTS.findIndex(list => list.name === name)
  return { _id: name, label: builtInLabel(name) ?? name, order: `0-${String(place).padStart(4, '0')}`, entries: [] }
}

const byOrder = (a: ListDocument, b: ListDocument): number =>
  a.order === b.order ? (a._id === b._id ? 0 : a._id < b._id ? -1 : 1) : a.order < b.order ? -1 : 1
