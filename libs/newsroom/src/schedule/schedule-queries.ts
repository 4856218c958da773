// What is scheduled, for editors; and what is due, for the timetable.
import { type Static, Type } from '@sinclair/typebox'
import { type QueryDefinition } from '@stet/eventsourcing'
import { IsIn, IsOptional } from 'class-validator'
import { SCHEDULABLE } from '../article/scheduling'
import { cursorOf, readCursor } from '../latest/cursor'
import { DEFAULT_LIMIT, Paged } from '../latest/latest'
import { IsId } from '../validation'
import { scheduledChanges, type ScheduledDocument } from './scheduled-changes'

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()])
const STATES = ['pending', 'failed'] as const

export const ScheduledChangeAnswer = Type.Object(
  {
    scheduleId: Type.String({ format: 'uuid' }),
    articleId: Type.String({ format: 'uuid' }),
    change: Type.Union(SCHEDULABLE.map(kind => Type.Literal(kind))),
    at: Type.String({ format: 'date-time', description: 'RFC 3339, UTC' }),
    zone: nullable(Type.String({ description: 'The IANA zone that the time was given in' })),
    state: Type.Union(STATES.map(state => Type.Literal(state))),
    by: Type.String({ description: 'Opaque subject id of who scheduled it' }),
    headline: nullable(Type.String({ description: 'Of the frozen content' })),
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

/** Scheduled changes of articles, the earliest first. */
export class GetSchedule extends Paged {
  /** Pending ones when absent; failed ones stay until somebody cancels or reschedules them. */
  @IsOptional() @IsIn(STATES) state?: (typeof STATES)[number]
  @IsOptional() @IsId() articleId?: string
}

export const scheduleQuery: QueryDefinition<GetSchedule, ScheduleAnswer> = {
  query: GetSchedule,
  reads: [scheduledChanges],
  answer: async ({ state = 'pending', articleId, limit = DEFAULT_LIMIT, cursor }, read) => {
    const filter = {
      state,
      ...(articleId !== undefined && { articleId: articleId.toLowerCase() }),
      ...(cursor !== undefined && afterCursor(cursor)),
    }
    const found = await read.of(scheduledChanges).find(filter, { sort: EARLIEST_FIRST, limit: limit + 1 })
    const shown = found.slice(0, limit)
    const last = shown.at(-1)
    return { items: shown.map(answerOf), next: found.length > limit && last ? cursorOf([last.at, last._id]) : null }
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

const afterCursor = (cursor: string) => {
  const [at, id] = readCursor(cursor, [/^\d{4}-\d\d-\d\dT[\d:.]+Z$/, /^[0-9a-f-]{36}$/])
  return { at: { $gte: at }, $or: [{ at: { $gt: at } }, { at, _id: { $gt: id } }] }
}

const answerOf = ({ _id, articleId, kind, at, zone, state, by, headline, failure }: ScheduledDocument) => ({
  scheduleId: _id,
  articleId,
  change: kind,
  at,
  zone,
  state,
  by,
  headline,
  failure,
})
