// Who did what: to one article, to one list, and in the whole newsroom; the newest first.
import { type Static, Type } from '@sinclair/typebox'
import { NotFound, type QueryDefinition, streamOf } from '@stet/eventsourcing'
import { IsIn, IsOptional } from 'class-validator'
import { cursorOf, readCursor } from '../latest/cursor'
import { DEFAULT_LIMIT, Paged } from '../latest/latest'
import { builtInLabel } from '../lists/events'
import { isListName } from '../lists/lists'
import { IsId, IsShaped, IsTimestamp, nonBlank } from '../validation'
import { TOLD_TYPES, type ToldType } from './events-told'
import { history, type HistoryDocument, type HistoryEntry } from './history'

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()])

export const HistoryEntryAnswer = Type.Object(
  {
    about: Type.Union([Type.Literal('article'), Type.Literal('list'), Type.Literal('desk')], {
      description: 'desk: the work around the article',
    }),
    id: Type.String({ description: "The article's id, or the list's name" }),
    revision: Type.Integer({ minimum: 0, description: 'Of the stream after the event' }),
    what: Type.String({ description: 'Type of the event' }),
    at: Type.String({ format: 'date-time', description: 'RFC 3339, UTC' }),
    actor: Type.String({ description: 'Opaque subject id of who did it' }),
    client: nullable(Type.String({ description: 'The program through which' })),
    seen: nullable(Type.Integer({ description: 'Revision that the actor had seen, where that was said' })),
    fields: Type.Array(Type.String(), { description: 'Of the working copy, that changed' }),
    why: nullable(Type.String({ description: 'Reason, note or notice' })),
    details: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]), {
      description: 'What else the event says in short: slug, articleId, restoredFrom, mergedFrom, ...',
    }),
    desks: Type.Array(Type.String(), { description: 'Where the article was then, by slug' }),
    commandId: Type.String({ description: 'Events of one command have one' }),
  },
  { $id: 'HistoryEntry', additionalProperties: false },
)
export const HistoryAnswer = Type.Object(
  { items: Type.Array(HistoryEntryAnswer), next: nullable(Type.String()) },
  { $id: 'History', additionalProperties: false },
)
export type HistoryAnswer = Static<typeof HistoryAnswer>

/** What happened to an article, the newest first. */
export class GetArticleHistory extends Paged {
  @IsId() id!: string
}

/** What happened to a list, the newest first. */
export class GetListHistory extends Paged {
  /** Name of the list. */
  @IsShaped(nonBlank(200)) list!: string
}

/** What happened in the newsroom, the newest first; what is given must all hold. */
export class GetActivity extends Paged {
  /** Opaque subject id. */
  @IsOptional() @IsShaped(nonBlank(200)) actor?: string
  /** Slug of the desk that the article was at when it happened. */
  @IsOptional() @IsShaped(nonBlank(80)) desk?: string
  /** Type of the event. */
  @IsOptional() @IsIn([...TOLD_TYPES]) what?: ToldType
  /** From this time on. */
  @IsOptional() @IsTimestamp() from?: string
  /** Before this time. */
  @IsOptional() @IsTimestamp() until?: string
}

export const articleHistoryQuery: QueryDefinition<GetArticleHistory, HistoryAnswer> = {
  query: GetArticleHistory,
  reads: [history],
  answer: async ({ id, ...page }, read) => {
    const answer = await pageOf(streamOf('article', id.toLowerCase()), page, read)
    if (answer.items.length === 0 && page.cursor === undefined) throw new NotFound(`there is no article ${id}`)
    return answer
  },
}

export const listHistoryQuery: QueryDefinition<GetListHistory, HistoryAnswer> = {
  query: GetListHistory,
  reads: [history],
  answer: async ({ list, ...page }, read) => {
    if (!isListName(list)) throw new NotFound(`there is no list ${list}`)
    const answer = await pageOf(streamOf('list', list), page, read)
    if (answer.items.length === 0 && page.cursor === undefined && builtInLabel(list) === null)
      throw new NotFound(`there is no list ${list}`)
    return answer
  },
}

export const activityQuery: QueryDefinition<GetActivity, HistoryAnswer> = {
  query: GetActivity,
  reads: [history],
  answer: async ({ actor, desk, what, from, until, limit = DEFAULT_LIMIT, cursor }, read) => {
    const after = cursor === undefined ? null : readCursor(cursor, [/^\d{4}-\d\d-\d\dT[\d:.]+Z$/, /^\d{20}$/])
    const filter = {
      ...(actor !== undefined && { actor }),
      ...(desk !== undefined && { desks: desk }),
      ...(what !== undefined && { type: what }),
      // With every filter and without: other documents of the collection have no time.
      at: {
        $gte: from === undefined ? '' : utc(from),
        ...(until !== undefined && { $lt: utc(until) }),
        ...(after && { $lte: after[0] }),
      },
      ...(after && { $or: [{ at: { $lt: after[0] } }, { at: after[0], order: { $lt: after[1] } }] }),
    }
    const found = await read.of(history).find(filter, { sort: NEWEST_FIRST, limit: limit + 1 })
    return answerOf(found, limit, ({ at, order }) => [at, order])
  },
}

const NEWEST_FIRST = { at: -1, order: -1 } as const
const utc = (time: string): string => new Date(time).toISOString()

type Read = Parameters<(typeof activityQuery)['answer']>[1]

const pageOf = async (stream: string, { limit = DEFAULT_LIMIT, cursor }: Paged, read: Read): Promise<HistoryAnswer> => {
  const before = cursor === undefined ? null : Number(readCursor(cursor, [/^\d{1,15}$/])[0])
  const filter = { stream, ...(before !== null && { revision: { $lt: before } }) }
  const found = await read.of(history).find(filter, { sort: { revision: -1 }, limit: limit + 1 })
  return answerOf(found, limit, ({ revision }) => [String(revision)])
}

/** One more than asked for was read: it tells whether there is more. */
const answerOf = (
  found: readonly HistoryDocument[],
  limit: number,
  cursor: (last: HistoryEntry) => readonly string[],
): HistoryAnswer => {
  const shown = found.slice(0, limit).filter(document => 'stream' in document)
  const last = shown.at(-1)
  return { items: shown.map(itemOf), next: found.length > limit && last ? cursorOf(cursor(last)) : null }
}

const itemOf = ({
  about,
  id,
  revision,
  type,
  at,
  actor,
  client,
  seen,
  fields,
  why,
  details,
  desks,
  commandId,
}: HistoryEntry) => ({
  about,
  id,
  revision,
  what: type,
  at,
  actor,
  client,
  seen,
  fields: [...fields],
  why,
  details: { ...details },
  desks: [...desks],
  commandId,
})
