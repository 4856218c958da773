// What editors say to a curated list. Places count from 0, over all entries, whether readers see them now or not.
import { Type } from '@sinclair/typebox'
import { IsInt, IsOptional, Max, Min } from 'class-validator'
import { zonedTimeText, zoneName } from '../text/zoned-time'
import { type ListSettings } from './events'
import { type Entries } from './entries'
import { IsId, IsNonBlank, IsShaped, IsText, nonBlank, uuid } from '../validation'

/** Entries that any list may hold. */
export const MAX_LIST = 500

const place = () =>
  Type.Integer({ minimum: 0, maximum: MAX_LIST - 1, description: `a place from 0 to ${MAX_LIST - 1}` })
const capacity = () => Type.Integer({ minimum: 1, maximum: MAX_LIST, description: `a number from 1 to ${MAX_LIST}` })

/** Creates a list of that name; the built-in ones exist. */
export class CreateList {
  /** What readers see on a card that is featured in it. */
  @IsNonBlank(100) label!: string
  /** Name or slug of the section whose front it stands on. */
  @IsOptional() @IsShaped(nonBlank(200)) section?: string | null
  /** Entries that it holds: when it is full, the last one that is not pinned falls off. */
  @IsOptional() @IsShaped(capacity()) capacity?: number | null
}

/** Changes what a list is: absent = unchanged, null = cleared. With less room, what stands last falls off. */
export class ChangeList {
  @IsOptional() @IsNonBlank(100) label?: string | null
  @IsOptional() @IsShaped(nonBlank(200)) section?: string | null
  @IsOptional() @IsShaped(capacity()) capacity?: number | null
}

/** When an entry is shown. */
abstract class InPeriod {
  /** Shown from this time on: RFC 3339 with an offset, or a local time beside `zone`. */
  @IsOptional() @IsShaped(zonedTimeText()) from?: string | null
  /** Shown until this time. */
  @IsOptional() @IsShaped(zonedTimeText()) until?: string | null
  /** IANA time zone, `Europe/Berlin`; kept so that editors see the times as they were meant. */
  @IsOptional() @IsShaped(zoneName()) zone?: string | null
}

/** Puts an article into the list; one that is not live is shown once it is. */
export class FeatureArticle extends InPeriod {
  @IsId() articleId!: string
  /** At the end when absent; the others move down, but for the pinned ones. */
  @IsOptional() @IsShaped(place()) place?: number | null
  /** Why, for colleagues. */
  @IsOptional() @IsText(1000) reason?: string | null
}

/** Moves an entry; a pinned one stays pinned, at the new place. */
export class MoveArticle {
  @IsId() articleId!: string
  @IsShaped(place()) place!: number
}

/** Keeps an entry at a place whatever is put before it. */
export class PinArticle {
  @IsId() articleId!: string
  /** Where it stands when absent. */
  @IsOptional() @IsShaped(place()) place?: number | null
}

export class UnpinArticle {
  @IsId() articleId!: string
}

/** Changes from and until when an entry is shown: absent = unchanged, null = without that bound. */
export class TimeFeature extends InPeriod {
  @IsId() articleId!: string
}

/** Puts all entries into a new order; what is pinned is pinned where it stands then. */
export class ReorderList {
  /** The articles of the list, each once. */
  @IsShaped(Type.Array(uuid(), { maxItems: MAX_LIST, description: `at most ${MAX_LIST} UUIDs` }))
  articleIds!: string[]
}

export class UnfeatureArticle {
  @IsId() articleId!: string
  /** Why, for colleagues. */
  @IsOptional() @IsText(1000) reason?: string | null
}

/** Brings a list back as it was: its entries with their places, pins, times and reasons, its label, section and capacity. */
export class RestoreList {
  /** Of the list's stream, from 0. */
  @IsInt() @Min(0) @Max(Number.MAX_SAFE_INTEGER) revision!: number
}

/** The same with what the list was. Internal: the decider reads no log. */
export class BringBackList extends RestoreList {
  remembered!: ListSettings & { readonly entries: Entries }
}

/** What says when an entry is shown. */
export type GivenPeriod = Pick<InPeriod, 'from' | 'until' | 'zone'>
