// What the history tells of an event: who, what, when, from which revision, through which client, why. No content.
import { type RecordedEvent } from '@stet/eventsourcing'
import { ignoreReaders, ignoreWorking } from '../article/events'
import { ignoreDesk } from '../desk/events'
import { ignoreLists } from '../lists/events'
import { type NewsroomEvents } from '../newsroom'

/** Every event of articles, lists and the desk: a new one is told without a line here. */
const TOLD = { ...ignoreWorking, ...ignoreReaders, ...ignoreLists, ...ignoreDesk }
export type ToldType = keyof typeof TOLD
export const TOLD_TYPES = Object.keys(TOLD) as readonly ToldType[]
export const foldAllTold = Object.fromEntries(TOLD_TYPES.map(type => [type, 'fold'])) as Record<ToldType, 'fold'>

export type ToldEvent = RecordedEvent<Pick<NewsroomEvents, ToldType>>

export type Detail = string | number | boolean | null

/** What of an event's data says what was done, beside its fields: short, and never a text of the article. */
const DETAILS = [
  'articleId',
  'label',
  'section',
  'capacity',
  'place',
  'cause',
  'slug',
  'revision',
  'restoredFrom',
  'mergedFrom',
  'scheduleId',
  'at',
  'zone',
  'due',
  'lateSeconds',
  'rule',
  'until',
  'desk',
  'assignee',
  'noteId',
  'uri',
  'version',
  'held',
  'authority',
] as const
const LONGEST_DETAIL = 300
const LONGEST_REASON = 2_000

type Data = Readonly<Record<string, unknown>>

export interface Told {
  /** Fields of the working copy that changed. */
  readonly fields: readonly string[]
  /** The reason, note or notice that came with it. */
  readonly why: string | null
  readonly details: Readonly<Record<string, Detail>>
}

export const toldOf = ({ data }: { readonly data: unknown }): Told => {
  // Another program may have written it: what is not as it should be is not told.
  const known = isObject(data) ? data : {}
  return {
    fields: isObject(known.changes) ? Object.keys(known.changes).slice(0, 100) : [],
    why: whyOf(known),
    details: detailsOf(known),
  }
}

const whyOf = ({ reason, note, notice }: Data): string | null => {
  const why = [reason, note, notice].find(each => typeof each === 'string' && each !== '')
  return typeof why === 'string' ? why.slice(0, LONGEST_REASON) : null
}

const detailsOf = (data: Data): Readonly<Record<string, Detail>> => {
  const details: Record<string, Detail> = {}
  for (const name of DETAILS) {
    const value = data[name]
    if (typeof value === 'number' || typeof value === 'boolean' || value === null) details[name] = value
    if (typeof value === 'string') details[name] = value.slice(0, LONGEST_DETAIL)
  }
  const { change } = data
  if (isObject(change) && typeof change.kind === 'string') details.change = change.kind.slice(0, LONGEST_DETAIL)
  return details
}

const isObject = (value: unknown): value is Data => typeof value === 'object' && value !== null && !Array.isArray(value)
