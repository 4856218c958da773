// Curated lists as readers see them: what is live of them, in the editors' order.
import { NotFound, type QueryDefinition } from '@stet/eventsourcing'
import { type ListAnswer, type ListsAnswer } from '../answers'
import { articleCards, cardAnswers, liveCards } from '../cards/cards'
import { cursorOf, readCursor } from '../latest/cursor'
import { DEFAULT_LIMIT, Paged } from '../latest/latest'
import { type Site } from '../site'
import { IsShaped, nonBlank } from '../validation'
import { curatedLists, listNamed, listsAfter } from './curated-lists'
import { isListName, LIST_NAME } from './lists'

/** All curated lists, in the order that decides a card's label. */
export class GetLists extends Paged {}

/** A curated list with the cards of its live articles. */
export class GetList extends Paged {
  /** Name of the list. */
  @IsShaped(nonBlank(200)) list!: string
}

export const listsQuery: QueryDefinition<GetLists, ListsAnswer> = {
  query: GetLists,
  reads: [curatedLists],
  answer: async ({ limit = DEFAULT_LIMIT, cursor }, read) => {
    // Lists are never taken away: the one that the cursor names is still there.
    const after = cursor === undefined ? null : await listNamed(read, readCursor(cursor, [LIST_NAME])[0] ?? '')
    // One more than asked for tells whether there is more.
    const found = await listsAfter(read, after, limit + 1)
    const shown = found.slice(0, limit)
    const last = shown.at(-1)
    return {
      items: shown.map(({ _id, label }) => ({ list: _id, label })),
      next: last && found.length > limit ? cursorOf([last._id]) : null,
    }
  },
}

export const listQuery = (site: Site): QueryDefinition<GetList, ListAnswer> => ({
  query: GetList,
  reads: [curatedLists, articleCards],
  answer: async ({ list: name, limit = DEFAULT_LIMIT, cursor }, read) => {
    const list = isListName(name) ? await listNamed(read, name) : null
    if (!list) throw new NotFound(`there is no list ${name}`)
    const rest = list.entries.slice(cursor === undefined ? 0 : startAfter(list.entries, cursor))
    const live = await liveCards(read, rest)
    const shown = live.slice(0, limit)
    const last = shown.at(-1)
    return {
      list: list._id,
      label: list.label,
      items: await cardAnswers(read, site, shown),
      next: last && live.length > limit ? cursorOf([String(list.entries.indexOf(last._id)), last._id]) : null,
    }
  },
})

/** After the entry that the cursor names; where that was taken off meanwhile, from the place it had. */
const startAfter = (entries: readonly string[], cursor: string): number => {
  const [place = '', id = ''] = readCursor(cursor, [/^\d{1,6}$/, /^[0-9a-f-]{36}$/])
  const now = entries.indexOf(id)
  return now < 0 ? Number(place) : now + 1
}
