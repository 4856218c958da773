// The entries of a list in their order: pinned ones at their places, the others around them. Pure.
import { type RecordedEvent } from '@stet/eventsourcing'
import { type ListEntry, type ListEvents, type ListSettings, type Period } from './events'

export type Entry = ListEntry
export type Entries = readonly Entry[]

/** A list as its stream tells it. */
export interface CuratedList extends Omit<ListSettings, 'label'> {
  /** Null until it is created. */
  readonly label: string | null
  /** In order, each article once. */
  readonly entries: Entries
}

export const noList: CuratedList = { label: null, section: null, capacity: null, entries: [] }

/**
 * The entries with each pinned one at its place, no two of which are the same, and the others around them in the order
 * that they have. Where the list does not reach as far as a pin, that entry stands after the others until it does. The
 * same order results for any part of a list: what readers see of it keeps the pins too.
 */
export const arranged = (entries: Entries): Entry[] => {
  const pinned = new Map(entries.flatMap(entry => (entry.pin === null ? [] : [[entry.pin, entry]])))
  const beyond = [...pinned.values()].filter(({ pin }) => pin !== null && pin >= entries.length).sort(byPin)
  const others = [...entries.filter(({ pin }) => pin === null), ...beyond].values()
  return entries.flatMap((_, place) => pinned.get(place) ?? others.next().value ?? [])
}

/** The entries with one that is not pinned at a place, or behind the pinned ones from there on. */
export const withEntry = (entries: Entries, entry: Entry, place: number): Entry[] => {
  const others = without(entries, entry.articleId)
  return arranged([...others.slice(0, place), entry, ...others.slice(place)])
}

export const without = (entries: Entries, articleId: string): Entry[] =>
  arranged(entries.filter(entry => entry.articleId !== articleId))

export const placeOf = (entries: Entries, articleId: string): number =>
  entries.findIndex(entry => entry.articleId === articleId)

/** The entries after one was moved: its pin, if it has one, moves with it. */
export const withMoved = (entries: Entries, { articleId, place }: ListEvents['ArticleMoved']): Entries => {
  const entry = entries.find(each => each.articleId === articleId)
  if (!entry) return entries
  return entry.pin === null ? withEntry(entries, entry, place) : changed(entries, articleId, { pin: place })
}

/** The list after an event: told once, for the decider and for every read model. */
export const evolveList = (list: CuratedList, event: RecordedEvent<ListEvents>): CuratedList => {
  const { entries } = list
  switch (event.type) {
    case 'ListCreated':
    case 'ListChanged':
      return { ...list, ...event.data }
    case 'ArticleFeatured': {
      const { articleId, place, from, until, zone, reason } = event.data
      return { ...list, entries: withEntry(entries, { articleId, pin: null, from, until, zone, reason }, place) }
    }
    case 'ArticleMoved':
      return { ...list, entries: withMoved(entries, event.data) }
    case 'ArticlePinned':
      return { ...list, entries: changed(entries, event.data.articleId, { pin: event.data.place }) }
    case 'ArticleFeatureTimed': {
      const { articleId, from, until, zone } = event.data
      return { ...list, entries: changed(entries, articleId, { from, until, zone }) }
    }
    case 'ListReordered': {
      const known = new Map(entries.map(entry => [entry.articleId, entry]))
      return {
        ...list,
        entries: event.data.articleIds.flatMap((id, place) => {
          const entry = known.get(id)
          return entry ? [entry.pin === null ? entry : { ...entry, pin: place }] : []
        }),
      }
    }
    case 'ListRestored': {
      const { label, section, capacity, entries: before } = event.data
      return { ...list, label, section, capacity, entries: before }
    }
    case 'ArticleUnfeatured':
      return { ...list, entries: without(entries, event.data.articleId) }
  }
}

/** Whether a period has come, as of a time of RFC 3339 UTC: times of one form sort by their text. */
export const phaseOf = ({ from, until }: Pick<Period, 'from' | 'until'>, at: string): 'not-yet' | 'now' | 'over' => {
  if (until !== null && until <= at) return 'over'
  return from !== null && from > at ? 'not-yet' : 'now'
}

/** The next time at which one of the periods begins or ends, null when none will. */
export const nextTurn = (periods: readonly Pick<Period, 'from' | 'until'>[], at: string): string | null =>
  periods
    .flatMap(({ from, until }) => [from, until])
    .reduce((next, time) => (time !== null && time > at && (next === null || time < next) ? time : next), null)

const changed = (entries: Entries, articleId: string, change: Partial<Entry>): Entry[] =>
  arranged(entries.map(entry => (entry.articleId === articleId ? { ...entry, ...change } : entry)))

const byPin = (a: Entry, b: Entry): number => (a.pin ?? 0) - (b.pin ?? 0)
