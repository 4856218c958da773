// What is to happen by itself at a time: frozen as it was approved, done once, and on record also when it could not be done.
import { type DecideContext, Invalid, type NewEvent, NotFound, type Reservation, RuleBroken } from '@stet/eventsourcing'
import { Type } from '@sinclair/typebox'
import { IsOptional } from 'class-validator'
import { instantOf, zonedTimeText, zoneName } from '../text/zoned-time'
import { IsId, IsNonBlank, IsShaped, IsSlug, IsText } from '../validation'
import { type ArticleEvents, type ScheduledChange } from './events'
import { type Policy } from './policy'
import {
  assertNotWithdrawn,
  assertPublishable,
  liveOf,
  notLive,
  publishableOf,
  seenOf,
  slugReservation,
} from './publishing'
import { type Article, readersView, same, type Schedule, workedOn } from './state'

type Decided = readonly NewEvent<ArticleEvents>[]
type Context = Omit<DecideContext, 'reserved'>

/** Pending and failed changes of one article. */
export const MAX_SCHEDULES = 20
/** Days ahead. */
export const FURTHEST = 3660

export const SCHEDULABLE = ['publish', 'correct', 'unpublish'] as const
export type ScheduledKind = (typeof SCHEDULABLE)[number]

/** A time by an offset or by the clock of a zone. */
abstract class AtATime {
  /** RFC 3339 with an offset, or a local time beside `zone`. */
  @IsShaped(zonedTimeText()) at!: string
  /** IANA time zone, `Europe/Berlin`; kept so that editors see the time as it was meant. */
  @IsOptional() @IsShaped(zoneName()) zone?: string | null
}

/** Schedules a change. What is approved now is what will be shown: later revisions do not leak in. */
export class ScheduleChange extends AtATime {
  @IsShaped(
    Type.Union(
      SCHEDULABLE.map(kind => Type.Literal(kind)),
      { description: SCHEDULABLE.join(', ') },
    ),
  )
  change!: ScheduledKind
  /** Of a publication: path of the page, reserved now. */
  @IsOptional() @IsSlug() slug?: string | null
  /** Of a correction: what was wrong, for readers. */
  @IsOptional() @IsNonBlank(2000) note?: string | null
  /** Of an unpublication. */
  @IsOptional() @IsText(1000) reason?: string | null
}

/** Moves a change to another time, and tries a failed one again. */
export class RescheduleChange extends AtATime {
  @IsId() scheduleId!: string
  /** `current`: what is approved now instead of what was frozen. */
  @IsOptional()
  @IsShaped(Type.Union([Type.Literal('frozen'), Type.Literal('current')], { description: 'frozen or current' }))
  content?: 'frozen' | 'current' | null
}

/** Calls a change off; a failed one leaves the editors' list. */
export class CancelScheduledChange {
  @IsId() scheduleId!: string
  @IsOptional() @IsText(1000) reason?: string | null
}

/** Does what is due. Internal: sent by the timetable in the name of who scheduled it. */
export class PerformScheduledChange {
  @IsId() scheduleId!: string
}

export const scheduling = (policy: Policy) => ({
  ScheduleChange(command: ScheduleChange, article: Article, context: DecideContext): Decided {
    const { at, zone } = timeOf(command, context)
    assertEmbargoOver(article, command.change, at)
    const change = frozen(command, article, context, policy)
    if (Object.values(article.schedules).some(known => isSame(known, { at, zone, change, state: 'pending' }))) return []
    if (Object.keys(article.schedules).length >= MAX_SCHEDULES)
      throw new RuleBroken(
        'too-many-schedules',
        `article ${context.key} has ${MAX_SCHEDULES} scheduled changes: cancel one`,
      )
    return [{ type: 'ArticleChangeScheduled', data: { scheduleId: context.commandId, at, zone, change } }]
  },

  RescheduleChange(command: RescheduleChange, article: Article, context: DecideContext): Decided {
    const scheduleId = command.scheduleId.toLowerCase()
    const known = scheduleOf(article, scheduleId, context)
    const { at, zone } = timeOf(command, context)
    const { change: before } = known
    assertEmbargoOver(article, before.kind, at)
    const change = command.content === 'current' ? refrozen(before, article, context, policy) : before
    if (isSame(known, { at, zone, change, state: 'pending' })) return []
    return [{ type: 'ArticleChangeRescheduled', data: { scheduleId, at, zone, change } }]
  },

  CancelScheduledChange({ scheduleId: given, reason }: CancelScheduledChange, article: Article): Decided {
    const scheduleId = given.toLowerCase()
    // Unknown, cancelled before or done: either way it will not happen any more.
    if (!article.schedules[scheduleId]) return []
    return [{ type: 'ArticleChangeCancelled', data: { scheduleId, reason: reason?.trim() || null } }]
  },

  PerformScheduledChange({ scheduleId }: PerformScheduledChange, article: Article, context: DecideContext): Decided {
    const schedule = article.schedules[scheduleId]
    if (schedule?.state !== 'pending') return []
    const late = Date.parse(context.at) - Date.parse(schedule.at)
    if (late < 0) throw new RuleBroken('not-due', `change ${scheduleId} is due at ${schedule.at}`)
    const due = schedule.at
    try {
      const effect = performed(schedule.change, article, context)
      return [
        { type: 'ArticleChangePerformed', data: { scheduleId, due, lateSeconds: Math.floor(late / 1000) } },
        ...effect,
      ]
    } catch (error) {
      // A rule that has come to forbid it is no error of the timetable: editors have to see it.
      if (!(error instanceof RuleBroken)) throw error
      return [{ type: 'ArticleChangeFailed', data: { scheduleId, due, rule: error.code, reason: error.message } }]
    }
  },
})

/** What is scheduled to be shown has its slug from then on. */
export const scheduleReservation =
  (policy: Policy) =>
  (command: ScheduleChange, article: Article, context: Context): Reservation | null => {
    if (command.change === 'unpublish') return null
    assertFreezable(article, context, policy)
    return slugReservation(article, context, command.slug)
  }

const frozen = (command: ScheduleChange, article: Article, context: DecideContext, policy: Policy): ScheduledChange => {
  const { change: kind, slug, note, reason } = command
  const misplaced = kind !== 'publish' && slug ? 'slug' : kind !== 'correct' && note ? 'note' : null
  if (misplaced) throw new Invalid([{ pointer: `#/${misplaced}`, detail: `means nothing when the change is ${kind}` }])
  if (kind === 'unpublish') {
    workedOn(article, context.key)
    return { kind, reason: reason?.trim() || null }
  }
  assertFreezable(article, context, policy)
  const content = publishableOf(article, context, kind === 'publish' ? slug : null)
  if (kind === 'publish') return { kind, content }
  if (!note) throw new Invalid([{ pointer: '#/note', detail: 'a correction tells readers what was wrong' }])
  return { kind, content, note: note.trim() }
}

const refrozen = (
  change: ScheduledChange,
  article: Article,
  context: DecideContext,
  policy: Policy,
): ScheduledChange => {
  if (change.kind === 'unpublish') return change
  assertFreezable(article, context, policy)
  // It keeps the address that was reserved for it.
  return { ...change, content: { ...publishableOf(article, context, change.content.slug) } }
}

/** What holds it back now may have ended when it is due; that it is not approved will not mend itself. */
const assertFreezable = (article: Article, context: Context, policy: Policy): void => {
  workedOn(article, context.key)
  assertPublishable({ ...article, embargo: null, wire: null }, context, policy)
}

const assertEmbargoOver = ({ embargo }: Article, kind: ScheduledKind, at: string): void => {
  if (kind !== 'unpublish' && embargo !== null && Date.parse(at) < Date.parse(embargo))
    throw new RuleBroken('held', `the embargo lasts until ${embargo}: schedule it for then or later`)
}

/** The events that the change comes to now; throws the rule that forbids it. */
const performed = (change: ScheduledChange, article: Article, context: DecideContext): Decided => {
  switch (change.kind) {
    case 'unpublish':
      if (article.stage !== 'live' && article.stage !== 'retracted') throw notLive(context.key, 'unpublish')
      return [{ type: 'ArticleUnpublished', data: { reason: change.reason } }]
    case 'publish': {
      assertNotWithdrawn(article, context)
      const isShown = article.live !== null && same(seenOf(change.content), readersView(article.live))
      return isShown ? [] : [{ type: 'ArticlePublished', data: liveOf(change.content, article, context) }]
    }
    case 'correct':
      assertNotWithdrawn(article, context)
      if (article.stage !== 'live') throw notLive(context.key, 'correct')
      return [{ type: 'ArticleCorrected', data: { ...liveOf(change.content, article, context), note: change.note } }]
  }
}

/** Equal but for the revision that the content was taken at, which every event moves. */
const isSame = (a: Schedule, b: Schedule): boolean => same(withoutRevision(a), withoutRevision(b))
const withoutRevision = ({ change, ...schedule }: Schedule) => ({
  ...schedule,
  change: 'content' in change ? { ...change, content: seenOf(change.content) } : change,
})

const scheduleOf = (article: Article, scheduleId: string, { key }: Context): Schedule => {
  workedOn(article, key)
  const schedule = article.schedules[scheduleId]
  if (!schedule) throw new NotFound(`article ${key} has no scheduled change ${scheduleId}`)
  return schedule
}

const timeOf = (
  { at: given, zone }: AtATime,
  context: Context,
): { readonly at: string; readonly zone: string | null } => {
  const at = instantOf(given, zone)
  const ahead = Date.parse(at) - Date.parse(context.at)
  if (ahead <= 0) throw new Invalid([{ pointer: '#/at', detail: `${given} has passed: do it now instead` }])
  if (ahead > FURTHEST * 86_400_000)
    throw new Invalid([{ pointer: '#/at', detail: `${given} lies more than ${FURTHEST} days ahead` }])
  return { at, zone: zone ?? null }
}
