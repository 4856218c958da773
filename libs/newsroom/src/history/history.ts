// Read model: one small document for each event of articles, lists and the desk.
import { type Computation, type ComputedProjection } from '@stet/eventsourcing'
import { ignoreFounding, type NewsroomEvents } from '../newsroom'
import { ignoreSlugs } from '../slugs/events'
import { ignoreViews } from '../views/events'
import { foldAllTold, type Told, type ToldEvent, type ToldType, toldOf } from './events-told'

/** `_id` is `{stream}@{revision}`. */
export interface HistoryEntry extends Told {
  readonly _id: string
  readonly stream: string
  readonly about: 'article' | 'list' | 'desk'
  /** The article's id, or the list's name. */
  readonly id: string
  readonly revision: number
  /** The event's position in twenty digits: as text it sorts as the log does. */
  readonly order: string
  readonly type: ToldType
  /** RFC 3339 UTC. */
  readonly at: string
  readonly actor: string
  readonly client: string | null
  /** Revision that the actor had seen, where that was said. */
  readonly seen: number | null
  readonly commandId: string
  /** The desk that the article was at; two where it went from one to another. */
  readonly desks: readonly string[]
}

/** Where an article is, if anywhere: `_id` is `at-desk-{articleId}`. */
export interface AtDesk {
  readonly _id: string
  readonly desk: string
}

export type HistoryDocument = HistoryEntry | AtDesk

/** Entries depend on where their article was then, so they are folded by batches; nothing is kept in between. */
export const history: ComputedProjection<HistoryDocument, NewsroomEvents> = {
  kind: 'computed',
  name: 'history',
  version: 1,
  group: 'history',
  indexes: [
    { key: { stream: 1, revision: -1 } },
    { key: { at: -1, order: -1 } },
    { key: { actor: 1, at: -1, order: -1 } },
    { key: { desks: 1, at: -1, order: -1 } },
    { key: { type: 1, at: -1, order: -1 } },
  ],
  on: { ...foldAllTold, ...ignoreFounding, ...ignoreSlugs, ...ignoreViews },
  open: async () => telling,
}

const telling: Computation<HistoryDocument, NewsroomEvents> = {
  fold: async (events, load) => {
    const told = events as readonly ToldEvent[]
    const known = new Map(await load([...new Set(told.flatMap(idsFor))]))
    const changed = new Map<string, HistoryDocument | null>()
    const put = (id: string, document: HistoryDocument | null) => {
      if (document) known.set(id, document)
      else known.delete(id)
      changed.set(id, document)
    }
    for (const event of told) {
      for (const id of erasedBy(event)) put(id, null)
      const at = event.category === 'list' ? undefined : known.get(atDesk(event.key))
      const desk = at && 'desk' in at ? at.desk : null
      const next = deskAfter(event, desk)
      // What is erased is also where the article was.
      const entry = entryOf(event, event.type === 'DeskErased' ? [] : [desk, next])
      put(entry._id, entry)
      const id = atDesk(event.key)
      if (next !== desk) put(id, next === null ? null : { _id: id, desk: next })
    }
    return changed
  },
}

const deskAfter = ({ type, data }: ToldEvent, before: string | null): string | null => {
  if (type === 'DeskErased') return null
  return type === 'ArticleAssigned' ? slugOrNull(data.desk) : before
}

const ERASURES: ReadonlySet<ToldType> = new Set(['ArticleRedacted', 'ArticleErased', 'DeskErased'])

const idsFor = (event: ToldEvent): string[] => [...(event.category === 'list' ? [] : [atDesk(event.key)])]

/** Ids of the entries that go with their events; the one of the erasure stays, and says on whose word. */
const erasedBy = ({ type, stream, revision }: ToldEvent): string[] =>
  ERASURES.has(type) ? Array.from({ length: revision }, (_, earlier) => entryId(stream, earlier)) : []

const entryId = (stream: string, revision: number): string => `${stream}@${revision}`
const atDesk = (articleId: string): string => `at-desk-${articleId}`
const slugOrNull = (desk: unknown): string | null => (typeof desk === 'string' ? desk : null)

const entryOf = (event: ToldEvent, desks: readonly (string | null)[]): HistoryEntry => {
  const { stream, category, key, revision, position, type, at, metadata } = event
  const { actor, client, expected, commandId } = metadata
  return {
    _id: entryId(stream, revision),
    stream,
    about: category === 'list' || category === 'desk' ? category : 'article',
    id: key,
    revision,
    order: position.padStart(20, '0'),
    type,
    at,
    actor,
    client: client ?? null,
    seen: expected ?? null,
    commandId,
    desks: [...new Set(desks)].filter(desk => desk !== null),
    ...toldOf(event),
  }
}
