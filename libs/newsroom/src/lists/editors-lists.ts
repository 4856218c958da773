// Curated lists as editors see them: every entry, and why readers do not see it. The list itself is the folded stream, so
// that an ETag is never behind its own command; what is live is told by the read model.
import { type Static, Type } from '@sinclair/typebox'
import { NotFound, type QueryDefinition } from '@stet/eventsourcing'
import { articleCards, liveCards } from '../cards/cards'
import { Paged } from '../latest/latest'
import { curatedLists } from './curated-lists'
import { type CuratedList, type Entry, noList, phaseOf } from './entries'
import { pageOfLists } from './list-queries'
import { rememberedListOf, settingsOf } from './lists'

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()])
const timestamp = () => Type.String({ format: 'date-time', description: 'RFC 3339, UTC' })
const closed = { additionalProperties: false } as const

const settings = {
  list: Type.String({ description: 'Name of the list' }),
  label: Type.String(),
  section: nullable(Type.String({ description: 'Slug of the section whose front it stands on' })),
  capacity: nullable(Type.Integer({ minimum: 1, description: 'Entries that it holds' })),
}
const entry = {
  articleId: Type.String({ format: 'uuid' }),
  place: Type.Integer({ minimum: 0, description: 'Among all entries' }),
  pinned: nullable(Type.Integer({ minimum: 0, description: 'The place that it keeps' })),
  from: nullable(timestamp()),
  until: nullable(timestamp()),
  zone: nullable(Type.String({ description: 'The IANA zone that the times were given in' })),
  reason: nullable(Type.String()),
}
const WHY_NOT = ['not-live', 'not-yet', 'expired'] as const

export const EditorsListAnswer = Type.Object(
  {
    ...settings,
    revision: Type.Integer({ minimum: -1, description: 'Of the stream, -1 before the first event; also the ETag' }),
    entries: Type.Array(
      Type.Object(
        {
          ...entry,
          headline: nullable(Type.String({ description: 'As readers see it; null while the article is not live' })),
          shown: Type.Boolean({ description: 'Readers see it now' }),
          why: nullable(
            Type.Union(
              WHY_NOT.map(reason => Type.Literal(reason)),
              { description: 'Why readers do not see it' },
            ),
          ),
        },
        closed,
      ),
      { description: 'In order' },
    ),
  },
  { $id: 'EditorsList', ...closed },
)
export type EditorsListAnswer = Static<typeof EditorsListAnswer>

export const ListRevisionAnswer = Type.Object(
  {
    ...settings,
    revision: Type.Integer({ minimum: 0, description: 'Of the stream; also the ETag' }),
    entries: Type.Array(Type.Object(entry, closed), { description: 'In order, live or not' }),
  },
  { $id: 'ListRevision', ...closed },
)
export type ListRevisionAnswer = Static<typeof ListRevisionAnswer>

export const EditorsListsAnswer = Type.Object(
  {
    items: Type.Array(
      Type.Object({ ...settings, size: Type.Integer({ minimum: 0, description: 'Entries, shown or not' }) }, closed),
    ),
    next: nullable(Type.String()),
  },
  { $id: 'EditorsLists', ...closed },
)
export type EditorsListsAnswer = Static<typeof EditorsListsAnswer>

/** All curated lists, in the order that decides a card's label. */
export class GetEditorsLists extends Paged {}

export const editorsListsQuery: QueryDefinition<GetEditorsLists, EditorsListsAnswer> = {
  query: GetEditorsLists,
  reads: [curatedLists],
  answer: async (paged, read) => {
    const { items, next } = await pageOfLists(read, paged)
    return {
      items: items.map(({ _id, label, section, capacity, size }) => ({ list: _id, label, section, capacity, size })),
      next,
    }
  },
}

/** One list as editors see it. Internal: asked with what its stream told, null when that has no events. */
export class GetEditorsList {
  constructor(
    readonly list: string,
    readonly loaded: { readonly state: CuratedList; readonly revision: number } | null,
  ) {}
}

export const editorsListQuery: QueryDefinition<GetEditorsList, EditorsListAnswer> = {
  query: GetEditorsList,
  reads: [articleCards],
  answer: async ({ list, loaded }, read, asOf) => {
    const { state, revision } = loaded ?? { state: noList, revision: -1 }
    const known = settingsOf(state, list)
    if (!known) throw new NotFound(`there is no list ${list}`)
    const live = await liveCards(
      read,
      state.entries.map(({ articleId }) => articleId),
    )
    const headlines = new Map(live.map(({ _id, card }) => [_id, card.headline]))
    const entries = state.entries.map(placed).map(each => {
      const headline = headlines.get(each.articleId) ?? null
      const why = whyNot(phaseOf(each, asOf.toISOString()), headline !== null)
      return { ...each, headline, shown: why === null, why }
    })
    return { list, ...known, revision, entries }
  },
}

/** A list as it was after one of its revisions. @throws NotFound when it was none then */
export const listRevision = (list: string, state: CuratedList, revision: number): ListRevisionAnswer => {
  const { entries, ...known } = rememberedListOf(list, state)
  return { list, ...known, revision, entries: entries.map(placed) }
}

const placed = ({ pin, ...entry }: Entry, place: number): ListRevisionAnswer['entries'][number] => ({
  ...entry,
  place,
  pinned: pin,
})

/** What will not pass by itself is said first. */
const whyNot = (phase: ReturnType<typeof phaseOf>, isLive: boolean): (typeof WHY_NOT)[number] | null => {
  if (phase === 'over') return 'expired'
  if (!isLive) return 'not-live'
  return phase === 'now' ? null : 'not-yet'
}
