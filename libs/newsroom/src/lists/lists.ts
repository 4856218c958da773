// A curated list: the articles that editors put forward, in order, guarded by the list's own revision.
import { type DecideContext, decider, Invalid, type NewEvent, NotFound, RuleBroken } from '@stet/eventsourcing'
import { FURTHEST } from '../article/scheduling'
import { same } from '../article/state'
import { collapsed, slugOfName } from '../text/slug'
import { instantOf } from '../text/zoned-time'
import {
  BringBackList,
  ChangeList,
  CreateList,
  FeatureArticle,
  type GivenPeriod,
  MAX_LIST,
  MoveArticle,
  PinArticle,
  ReorderList,
  TimeFeature,
  UnfeatureArticle,
  UnpinArticle,
} from './commands'
import {
  type CuratedList,
  type Entries,
  type Entry,
  evolveList,
  noList,
  phaseOf,
  placeOf,
  withEntry,
  withMoved,
  without,
} from './entries'
import { builtInLabel, type ListEvents, type ListSettings, type Period } from './events'

/** Lower-case words joined by hyphens, at most 80 characters: a list's name, which is its stream's key. */
export const LIST_NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/
export const isListName = (name: string): boolean => name.length <= 80 && LIST_NAME.test(name)

type Decided = readonly NewEvent<ListEvents>[]
type Context = Pick<DecideContext, 'key' | 'at'>

export const curatedList = decider<CuratedList, ListEvents>()({
  category: 'list',
  commands: {
    CreateList,
    ChangeList,
    FeatureArticle,
    MoveArticle,
    PinArticle,
    UnpinArticle,
    TimeFeature,
    ReorderList,
    BringBackList,
    UnfeatureArticle,
  },
  initial: noList,
  decide: {
    CreateList({ label, section, capacity }, list, { key }) {
      if (!isListName(key)) throw unknown(key)
      const wanted = { label: collapsed(label), section: sectionOf(section), capacity: capacity ?? null }
      const known = settingsOf(list, key)
      if (!known) return [{ type: 'ListCreated', data: wanted }]
      if (differing(known, wanted) === null) return []
      throw new RuleBroken('list-exists', `list ${key} exists with the label "${known.label}": change it instead`)
    },

    ChangeList({ label, section, capacity }, list, context) {
      const before = existing(list, context)
      if (label === null)
        throw new Invalid([{ pointer: '#/label', detail: 'a list has a label: it cannot be cleared' }])
      const change = differing(before, {
        label: label === undefined ? before.label : collapsed(label),
        section: section === undefined ? before.section : sectionOf(section),
        capacity: capacity === undefined ? before.capacity : capacity,
      })
      if (!change) return []
      const room = change.capacity === undefined ? MAX_LIST : (change.capacity ?? MAX_LIST)
      const falling = makingRoom(list.entries, { room, falls: true }, context)
      return [{ type: 'ListChanged', data: change }, ...falling.map(fallen)]
    },

    FeatureArticle(command, list, context): Decided {
      const { capacity } = existing(list, context)
      const articleId = command.articleId.toLowerCase()
      const known = list.entries.find(entry => entry.articleId === articleId)
      // An entry that is over counts as none: it is only that passing time writes nothing.
      if (known && phaseOf(known, context.at) !== 'over') {
        if (isAsFeatured(command, known, list.entries)) return []
        const place = placeOf(list.entries, articleId)
        throw new RuleBroken(
          'already-featured',
          `list ${context.key} holds article ${articleId} at place ${place}: move it, or change its times`,
        )
      }
      const period = inTime(periodOf(command), context)
      const reason = reasonOf(command.reason)
      const others = without(list.entries, articleId)
      const falling = makingRoom(others, { room: (capacity ?? MAX_LIST) - 1, falls: capacity !== null }, context)
      const staying = others.filter(entry => !falling.includes(entry))
      const entry = { articleId, pin: null, ...period, reason }
      const place = placeOf(withEntry(staying, entry, command.place ?? staying.length), articleId)
      return [...falling.map(fallen), { type: 'ArticleFeatured', data: { articleId, place, ...period, reason } }]
    },

    MoveArticle({ articleId, place: wanted }, list, context) {
      const entry = entryOf(list, articleId, context)
      if (entry.pin !== null) return pinnedAt(entry, wanted, list, context, 'ArticleMoved')
      const place = placeOf(withMoved(list.entries, { articleId: entry.articleId, place: wanted }), entry.articleId)
      return place === placeOf(list.entries, entry.articleId)
        ? []
        : [{ type: 'ArticleMoved', data: { articleId: entry.articleId, place } }]
    },

    PinArticle({ articleId, place }, list, context) {
      const entry = entryOf(list, articleId, context)
      const wanted = place ?? entry.pin ?? placeOf(list.entries, entry.articleId)
      return pinnedAt(entry, wanted, list, context, 'ArticlePinned')
    },

    UnpinArticle({ articleId }, list, context) {
      const entry = entryOf(list, articleId, context)
      return entry.pin === null ? [] : [{ type: 'ArticlePinned', data: { articleId: entry.articleId, place: null } }]
    },

    TimeFeature(command, list, context) {
      const entry = entryOf(list, command.articleId, context)
      const period = periodOf(command, entry)
      if (isSamePeriod(period, entry) && period.zone === entry.zone) return []
      return [{ type: 'ArticleFeatureTimed', data: { articleId: entry.articleId, ...inTime(period, context) } }]
    },

    ReorderList({ articleIds }, list, context) {
      existing(list, context)
      const wanted = articleIds.map(id => id.toLowerCase())
      const now = list.entries.map(({ articleId }) => articleId)
      const named = new Set(wanted)
      const left = now.find(id => !named.has(id))
      const strange = wanted.find((id, place) => !now.includes(id) || wanted.indexOf(id) !== place)
      if (strange !== undefined)
        throw new Invalid([{ pointer: '#/articleIds', detail: `${strange} is not in the list, or named twice` }])
      if (left !== undefined)
        throw new Invalid([{ pointer: '#/articleIds', detail: `${left} is in the list too: name every entry` }])
      return wanted.every((id, place) => id === now[place])
        ? []
        : [{ type: 'ListReordered', data: { articleIds: wanted } }]
    },

    BringBackList({ revision, remembered }, list, { key }) {
      return same(remembered, rememberedListOf(key, list))
        ? []
        : [{ type: 'ListRestored', data: { restoredFrom: revision, ...remembered } }]
    },

    UnfeatureArticle({ articleId, reason }, list, context) {
      existing(list, context)
      const id = articleId.toLowerCase()
      if (placeOf(list.entries, id) < 0) return []
      return [{ type: 'ArticleUnfeatured', data: { articleId: id, cause: 'editor', reason: reasonOf(reason) } }]
    },
  },
  evolve: {
    ListCreated: evolveList,
    ListChanged: evolveList,
    ArticleFeatured: evolveList,
    ArticleMoved: evolveList,
    ArticlePinned: evolveList,
    ArticleFeatureTimed: evolveList,
    ListReordered: evolveList,
    ListRestored: evolveList,
    ArticleUnfeatured: evolveList,
  },
  exists: { FeatureArticle: ({ articleId }) => `article-${articleId.toLowerCase()}` },
})

/** What a list is, null while there is none of this name: a built-in one is there before anything was recorded of it. */
export const settingsOf = (list: CuratedList, name: string): ListSettings | null => {
  const label = list.label ?? builtInLabel(name)
  return label === null ? null : { label, section: list.section, capacity: list.capacity }
}

/** What a list was, in one order of fields. @throws NotFound when it was none */
export const rememberedListOf = (name: string, list: CuratedList): BringBackList['remembered'] => {
  const settings = settingsOf(list, name)
  if (!settings) throw unknown(name)
  return { ...settings, entries: list.entries }
}

const existing = (list: CuratedList, { key }: Context): ListSettings => {
  const settings = settingsOf(list, key)
  if (!settings) throw unknown(key)
  return settings
}

const unknown = (name: string) => new NotFound(`there is no list ${name}`)

const entryOf = (list: CuratedList, articleId: string, context: Context): Entry => {
  existing(list, context)
  const id = articleId.toLowerCase()
  const entry = list.entries.find(each => each.articleId === id)
  if (!entry) throw new NotFound(`list ${context.key} does not hold article ${id}`)
  return entry
}

const sectionOf = (section: string | null | undefined): string | null => (section ? slugOfName(section) : null)
const reasonOf = (reason: string | null | undefined): string | null => reason?.trim() || null

/** What of the settings is different, null: nothing. */
const differing = (before: ListSettings, after: ListSettings): Partial<ListSettings> | null => {
  const changed = Object.entries(after).filter(([field, value]) => value !== before[field as keyof ListSettings])
  return changed.length === 0 ? null : Object.fromEntries(changed)
}

/**
 * What falls off so that no more than `room` entries are left: those that are over, then the last ones that are not
 * pinned, if any of these may.
 * @throws RuleBroken when that is not enough
 */
const makingRoom = (
  entries: Entries,
  { room, falls }: { room: number; falls: boolean },
  { key, at }: Context,
): Entries => {
  const excess = entries.length - room
  if (excess <= 0) return []
  const backwards = [...entries].reverse()
  const over = backwards.filter(entry => phaseOf(entry, at) === 'over')
  const last = falls ? backwards.filter(entry => entry.pin === null && !over.includes(entry)) : []
  const falling = [...over, ...last].slice(0, excess)
  if (falling.length === excess) return falling
  throw new RuleBroken('list-full', `list ${key} is full${falls ? ' of pinned articles' : ''}: take one off first`)
}

const fallen = ({ articleId }: Entry): NewEvent<ListEvents> => ({
  type: 'ArticleUnfeatured',
  data: { articleId, cause: 'capacity', reason: null },
})

const pinnedAt = (
  { articleId, pin }: Entry,
  place: number,
  list: CuratedList,
  context: Context,
  type: 'ArticleMoved' | 'ArticlePinned',
): Decided => {
  if (pin === place) return []
  const { capacity } = existing(list, context)
  if (capacity !== null && place >= capacity)
    throw new Invalid([
      { pointer: '#/place', detail: `the list has room for ${capacity}: its last place is ${capacity - 1}` },
    ])
  const there = list.entries.find(entry => entry.pin === place)
  if (there)
    throw new RuleBroken(
      'place-pinned',
      `article ${there.articleId} is pinned at place ${place}: unpin or move it first`,
    )
  return [{ type, data: { articleId, place } }]
}

/** The period that is given on top of another one; times in UTC. */
const periodOf = ({ from, until, zone }: GivenPeriod, base: Period = ALWAYS): Period => {
  if (zone && !from && !until) throw new Invalid([{ pointer: '#/zone', detail: 'means nothing without from or until' }])
  const timeOf = (given: string | null | undefined, before: string | null, pointer: string) =>
    given === undefined ? before : given === null ? null : instantOf(given, zone, pointer)
  return {
    from: timeOf(from, base.from, '#/from'),
    until: timeOf(until, base.until, '#/until'),
    zone: from || until ? (zone ?? null) : base.zone,
  }
}

const ALWAYS: Period = { from: null, until: null, zone: null }

/** The period, if somebody can still see it; throws Invalid. */
const inTime = (period: Period, { at }: Context): Period => {
  const { from, until } = period
  if (phaseOf(period, at) === 'over')
    throw new Invalid([{ pointer: '#/until', detail: `${until} has passed: take the article off instead` }])
  if (from !== null && until !== null && until <= from)
    throw new Invalid([{ pointer: '#/until', detail: `${until} is not after ${from}` }])
  const furthest = new Date(Date.parse(at) + FURTHEST * 86_400_000).toISOString()
  const pointer = from !== null && from > furthest ? '#/from' : until !== null && until > furthest ? '#/until' : null
  if (pointer) throw new Invalid([{ pointer, detail: `lies more than ${FURTHEST} days ahead` }])
  return period
}

const isSamePeriod = (a: Period, b: Period): boolean => a.from === b.from && a.until === b.until

/** Whether the article stands as it was asked for; what was not said is as it is. */
const isAsFeatured = (command: FeatureArticle, entry: Entry, entries: Entries): boolean => {
  const { place, reason } = command
  const { articleId } = entry
  const stands = placeOf(entries, articleId)
  return (
    (place === undefined ||
      place === null ||
      placeOf(withMoved(entries, { articleId, place }), articleId) === stands) &&
    (reason === undefined || reasonOf(reason) === entry.reason) &&
    isSamePeriod(periodOf(command, entry), entry)
  )
}
