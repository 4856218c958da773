// What is scheduled, for editors; and what is due, for the timetable.
import { type Static, Type } from '@sinclair/typebox'
import { type QueryDefinition } from '@stet/eventsourcing'
import { IsIn, IsOptional } from 'class-validator'
import { SCHEDULABLE } from '../article/scheduling'
import { articleCards, liveCards } from '../cards/cards'
import { cursorOf, readCursor } from '../latest/cursor'
import { DEFAULT_LIMIT, Paged } from '../latest/latest'
import { IsId } from '../validation'
import { scheduledChanges, type ScheduledDocument } from './scheduled-changes'

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()])
const STATES = ['pending', 'failed'] as const
/** What happens to the entries of lists. */
const TIMED = ['feature', 'unfeature'] as const

export const ScheduledChangeAnswer = Type.Object(
  {
    scheduleId: nullable(
      Type.String({ format: 'uuid', description: "Null for an entry's start or end: it is timed in its list" }),
    ),
    articleId: Type.String({ format: 'uuid' }),
    list: nullable(Type.String({ description: 'The list whose entry starts or ends' })),
    change: Type.Union([...SCHEDULABLE, ...TIMED].map(kind => Type.Literal(kind))),
    at: Type.String({ format: 'date-time', description: 'RFC 3339, UTC' }),
    zone: nullable(Type.String({ description: 'The IANA zone that the time was given in' })),
    state: Type.Union(STATES.map(state => Type.Literal(state))),
    by: Type.String({ description: 'Opaque subject id of who scheduled it' }),
    headline: nullable(
      Type.String({ description: 'Of the frozen content, or of the live article that a list features' }),
    ),
    failure: nullable(
      Type.Object(
        { rule: Type.String({ description: 'The rule that forbade it' }), reason: Type.String() },
        { additionalProperties: false },
      ),
    ),
  },
  { $id: 'ScheduledChange', additionalProperties: false },
)
export const ScheduleAnswer = Type.Object(
  { items: Type.Array(ScheduledChangeAnswer), next: nullable(Type.String()) },
  { $id: 'Schedule', additionalProperties: false },
)
export type ScheduleAnswer = Static<typeof ScheduleAnswer>

/** Scheduled changes of articles, and entries of lists that are to start or end, the earliest first. */
export class GetSchedule extends Paged {
  /** Pending ones when absent; failed ones stay until somebody cancels or reschedules them. */
  @IsOptional() @IsIn(STATES) state?: (typeof STATES)[number]
  @IsOptional() @IsId() articleId?: string
}

export const scheduleQuery: QueryDefinition<GetSchedule, ScheduleAnswer> = {
  query: GetSchedule,
  reads: [scheduledChanges, articleCards],
  answer: async ({ state = 'pending', articleId, limit = DEFAULT_LIMIT, cursor }, read, asOf) => {
    const { at, ...after } = cursor === undefined ? {} : afterCursor(cursor)
    const earliest = (of: ScheduledDocument['state'], bounds: object | undefined) => {
      const wanted = { state: of, ...(articleId !== undefined && { articleId: articleId.toLowerCase() }) }
      const filter = { ...wanted, ...after, ...(bounds && { at: bounds }) }
      return read.of(scheduledChanges).find(filter, { sort: EARLIEST_FIRST, limit: limit + 1 })
    }
    const found = await earliest(state, at)
    // What has started or ended by itself is no longer coming.
    if (state === 'pending') found.push(...(await earliest('timed', { ...at, $gt: asOf.toISOString() })))
    found.sort((a, b) => (a.at === b.at ? (a._id < b._id ? -1 : 1) : a.at < b.at ? -1 : 1))
    const shown = found.slice(0, limit)
    const last = shown.at(-1)
    const listed = shown.flatMap(({ list, articleId }) => (list === null ? [] : [articleId]))
    const headlines = new Map(
      (await liveCards(read, [...new Set(listed)])).map(({ _id, card }) => [_id, card.headline]),
    )
    return {
      items: shown.map(change => answerOf(change, headlines.get(change.articleId) ?? null)),
      next: found.length > limit && last ? cursorOf([last.at, last._id]) : null,
    }
  },
}

/** What is due as of now. Internal: asked by the timetable. */
export class GetDueChanges {}

/** Looks of the timetable come every second: what is left over is due at the next one. */
const DUE_AT_ONCE = 100

export const dueQuery: QueryDefinition<GetDueChanges, readonly ScheduledDocument[]> = {
  query: GetDueChanges,
  reads: [scheduledChanges],
  answer: (_, read, asOf) =>
    read
      .of(scheduledChanges)
      .find({ state: 'pending', at: { $lte: asOf.toISOString() } }, { sort: EARLIEST_FIRST, limit: DUE_AT_ONCE }),
}

const EARLIEST_FIRST = { at: 1, _id: 1 } as const

const afterCursor = (cursor: string): { readonly at?: object; readonly $or?: object } => {
  const [at, id] = readCursor(cursor, [
    /^\d{4}-\d\d-\d\dT[\d:.]+Z$/,
    /^(?:[a-z0-9-]{1,80}:)?[0-9a-f-]{36}(?::(?:un)?feature)?$/,
  ])
  return { at: { $gte: at }, $or: [{ at: { $gt: at } }, { at, _id: { $gt: id } }] }
}

const answerOf = (change: ScheduledDocument, headlineNow: string | null) => {
  const { _id, articleId, kind, list, at, zone, state, by, headline, failure } = change
  return {
    scheduleId: list === null ? _id : null,
    articleId,
    list,
    change: kind,
    at,
    zone,
    // An entry does not fail to start or to end.
    state: state === 'failed' ? state : ('pending' as const),
    by,
    headline: list === null ? headline : headlineNow,
    failure,
  }
}
