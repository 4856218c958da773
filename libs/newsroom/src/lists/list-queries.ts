// Curated lists as readers see them: what is live of them and in time, in the editors' order.
import { NotFound, type QueryDefinition, type ReadModels } from '@stet/eventsourcing'
import { IsOptional } from 'class-validator'
import { type ListAnswer, type ListsAnswer } from '../answers'
import { articleCards, cardAnswers, liveCards } from '../cards/cards'
import { cursorOf, readCursor } from '../latest/cursor'
import { DEFAULT_LIMIT, Paged } from '../latest/latest'
import { type Site } from '../site'
import { IsShaped, nonBlank } from '../validation'
import { curatedLists, type ListHeading, listNamed, listsAfter } from './curated-lists'
import { arranged, nextTurn, phaseOf } from './entries'
import { isListName, LIST_NAME } from './lists'

/** All curated lists, in the order that decides a card's label. */
export class GetLists extends Paged {
  /** Slug of a section: the lists of its front. */
  @IsOptional() @IsShaped(nonBlank(80)) section?: string
}

/** A curated list with the cards of its live articles. */
export class GetList extends Paged {
  /** Name of the list. */
  @IsShaped(nonBlank(200)) list!: string
}

export const listsQuery: QueryDefinition<GetLists, ListsAnswer> = {
  query: GetLists,
  reads: [curatedLists],
  answer: async ({ section, ...paged }, read) => {
    const { items, next } = await pageOfLists(read, paged, section)
    return { items: items.map(({ _id, label, section }) => ({ list: _id, label, section })), next }
  },
}

/** A page of lists. They are never taken away, but may come to stand on another front. */
export const pageOfLists = async (
  read: ReadModels,
  { limit = DEFAULT_LIMIT, cursor }: Pick<Paged, 'limit' | 'cursor'>,
  section?: string,
): Promise<{ readonly items: readonly ListHeading[]; readonly next: string | null }> => {
  const [order = '', _id = ''] = cursor === undefined ? [] : readCursor(cursor, [LIST_ORDER, LIST_NAME])
  // One more than asked for tells whether there is more.
  const found = await listsAfter(read, cursor === undefined ? null : { order, _id }, limit + 1, section)
  const items = found.slice(0, limit)
  const last = items.at(-1)
  return { items, next: last && found.length > limit ? cursorOf([last.order, last._id]) : null }
}

const LIST_ORDER = /^[01]-[\d:.TZ-]{1,40}$/

export const listQuery = (site: Site): QueryDefinition<GetList, ListAnswer> => ({
  query: GetList,
  reads: [curatedLists, articleCards],
  answer: async ({ list: name, limit = DEFAULT_LIMIT, cursor }, read, asOf) => {
    const list = isListName(name) ? await listNamed(read, name) : null
    if (!list) throw new NotFound(`there is no list ${name}`)
    const now = asOf.toISOString()
    const turn = nextTurn(list.entries, now)
    if (turn !== null) read.holdsUntil(turn)
    const inTime = list.entries.filter(entry => phaseOf(entry, now) === 'now')
    const cards = new Map(
      (
        await liveCards(
          read,
          inTime.map(({ articleId }) => articleId),
        )
      ).map(card => [card._id, card]),
    )
    // What is not shown takes no place: the pins are the places that readers see.
    const live = arranged(inTime.filter(({ articleId }) => cards.has(articleId))).map(({ articleId }) => articleId)
    const rest = live.slice(cursor === undefined ? 0 : startAfter(live, cursor))
    const shown = rest.slice(0, limit)
    const last = shown.at(-1)
    return {
      list: list._id,
      label: list.label,
      section: list.section,
      items: await cardAnswers(
        read,
        site,
        shown.flatMap(id => cards.get(id) ?? []),
        asOf,
      ),
      next: last !== undefined && rest.length > limit ? cursorOf([String(live.indexOf(last)), last]) : null,
    }
  },
})

/** After the entry that the cursor names; where that is not shown any more, from the place it had. */
const startAfter = (shown: readonly string[], cursor: string): number => {
  const [place = '', id = ''] = readCursor(cursor, [/^\d{1,6}$/, /^[0-9a-f-]{36}$/])
  const now = shown.indexOf(id)
  return now < 0 ? Number(place) : now + 1
}
