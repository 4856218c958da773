// Read model: each curated list with what it is, its place among the lists and its entries in order.
import { type Document, type Projection, type ReadModels, type RecordedEvent } from '@stet/eventsourcing'
import { ignoreReaders, ignoreWorking } from '../article/events'
import { ignoreDesk } from '../desk/events'
import { ignoreFounding, type NewsroomEvents } from '../newsroom'
import { ignoreSlugs } from '../slugs/events'
import { ignoreViews } from '../views/events'
import { type Entries, evolveList, noList } from './entries'
import { BUILT_IN_LISTS, builtInLabel, type ListEvents, type ListSettings } from './events'

/** A list without its entries. */
export interface ListHeading extends Document, ListSettings {
  /** Sorts the lists: the built-in ones first, then in order of creation. The first one decides a card's label. */
  readonly order: string
  /** Number of entries, shown or not. */
  readonly size: number
}

/** `_id` is the list's name. */
export interface ListDocument extends ListHeading {
  /** Live or not, in time or not. */
  readonly entries: Entries
}

/** The list after an event of its stream. */
const told = (known: ListDocument | null, event: RecordedEvent<ListEvents>, name: string): ListDocument => {
  const { order, ...before } = known ?? builtIn(name, `1-${event.at}`)
  const { label, section, capacity, entries } = evolveList(before, event)
  return { _id: name, label: label ?? before.label, section, capacity, order, size: entries.length, entries }
}

export const curatedLists: Projection<ListDocument, NewsroomEvents> = {
  name: 'curated-lists',
  version: 1,
  group: 'newsroom',
  cached: 200,
  indexes: [{ key: { order: 1, _id: 1 } }, { key: { section: 1, order: 1, _id: 1 } }],
  on: {
    ...ignoreFounding,
    ...ignoreWorking,
    ...ignoreReaders,
    ...ignoreDesk,
    ListCreated: told,
    ListChanged: told,
    ArticleFeatured: told,
    ArticleMoved: told,
    ArticlePinned: told,
    ArticleFeatureTimed: told,
    ListReordered: told,
    ListRestored: told,
    ArticleUnfeatured: told,
    ...ignoreSlugs,
    ...ignoreViews,
  },
}

const HEADING = ['label', 'section', 'capacity', 'order', 'size'] as const

/**
 * At most `limit` lists in order, after one of them, of one section's front where it is named; the built-in ones also before
 * anything was put on them.
 */
export const listsAfter = async (
  read: ReadModels,
  after: Pick<ListHeading, '_id' | 'order'> | null,
  limit: number,
  section?: string,
): Promise<ListHeading[]> => {
  const lists = read.of(curatedLists)
  const filter = {
    ...(section !== undefined && { section }),
    ...(after && { $or: [{ order: { $gt: after.order } }, { order: after.order, _id: { $gt: after._id } }] }),
  }
  const [found, touched] = await Promise.all([
    lists.find(filter, { sort: { order: 1, _id: 1 }, limit, fields: HEADING }),
    lists.many(BUILT_IN_LISTS.map(({ name }) => name)),
  ])
  const untouched = BUILT_IN_LISTS.filter(({ name }) => !touched.some(list => list._id === name))
    .map(({ name }) => builtIn(name))
    .filter(list => (!after || byOrder(after, list) < 0) && (section === undefined || list.section === section))
  return [...untouched, ...found].sort(byOrder).slice(0, limit)
}

/** A list by its name, null when there is none. */
export const listNamed = async (read: ReadModels, name: string): Promise<ListDocument | null> =>
  (await read.of(curatedLists).get(name)) ?? (builtInLabel(name) === null ? null : builtIn(name))

/** Those of the named lists that exist, in order. */
export const listsNamed = async (read: ReadModels, names: readonly string[]): Promise<ListDocument[]> =>
  names.length === 0 ? [] : (await read.of(curatedLists).many(names)).sort(byOrder)

/** A list before anything was recorded of it; one that is not built in takes its place by `created`. */
const builtIn = (name: string, created = ''): ListDocument => {
  const place = BUILT_IN_LISTS.findIndex(list => list.name === name)
  const order = place < 0 ? created : `0-${String(place).padStart(4, '0')}`
  return { _id: name, ...noList, label: builtInLabel(name) ?? name, order, size: 0 }
}

const byOrder = (a: Pick<ListHeading, '_id' | 'order'>, b: Pick<ListHeading, '_id' | 'order'>): number =>
  a.order === b.order ? (a._id === b._id ? 0 : a._id < b._id ? -1 : 1) : a.order < b.order ? -1 : 1
