// One view as a reader's browser reports it, and what is known of the request.
import { IsOptional, IsString, IsUUID, MaxLength } from 'class-validator'

/** Body of the view beacon. */
export class ViewDto {
  /** The article that is read. */
  @IsUUID()
  articleId!: string

  /** Made once per page view by the page: a repeat of the beacon is not counted again. */
  @IsOptional()
  @IsUUID()
  viewId?: string

  /** What the page was opened from (`document.referrer`). */
  @IsOptional()
  @IsString()
  @MaxLength(2048)
  referrer?: string
}

/** What counting needs of the request; nothing of it is kept but in memory, hashed, and never in the log. */
export interface ViewContext {
  /** Address of the visitor, IPv4 or IPv6. */
  readonly ip: string
  /** Header `User-Agent`. */
  readonly userAgent: string | undefined
  /** Header `Sec-Purpose` (or the older `Purpose`, `X-Moz`). */
  readonly purpose?: string | undefined
  /** Headers `Sec-GPC: 1` or `DNT: 1`: counted without a hash of the visitor. */
  readonly unhashed?: boolean
  /** ISO 3166-1 alpha-2, when a proxy that is trusted says so. */
  readonly country?: string | undefined
}

/** Why a view was not counted. */
export const NOT_COUNTED = ['bot', 'datacentre', 'prefetch', 'repeat', 'visitor', 'rate'] as const
export type NotCounted = (typeof NOT_COUNTED)[number]
export type ViewOutcome = 'counted' | NotCounted
