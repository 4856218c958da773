// Counts of views in time buckets, and what is computed from them. Integers only, so any order of views gives the same.
import { type PopularWindow } from '../answers'

/** Minutes and hours that are kept, counted back from the newest view. */
export const MINUTES_KEPT = 60
export const HOURS_KEPT = 192

/**
 * Views of one article. `minutes[i]` counts the minute `newest - i`, `hours[i]` the hour `floor(newest / 60) - i`; both
 * end at their oldest count, and index 0 is never 0.
 */
export interface Buckets {
  /** Minutes since 1970 of the newest view; -1 when there is none. */
  newest: number
  readonly minutes: number[]
  readonly hours: number[]
}

/** How a window is counted and how its score decays. All lengths are in buckets of its own width. */
interface WindowShape {
  readonly unit: 'minutes' | 'hours'
  /** The current bucket and the whole ones before it. */
  readonly buckets: number
  readonly halfLife: number
}

export const WINDOWS: Readonly<Record<PopularWindow, WindowShape>> = {
  '1h': { unit: 'minutes', buckets: 60, halfLife: 21 },
  '24h': { unit: 'hours', buckets: 25, halfLife: 12 },
  '7d': { unit: 'hours', buckets: 169, halfLife: 84 },
}

export const noViews = (): Buckets => ({ newest: -1, minutes: [], hours: [] })

/** Minutes since 1970 of an RFC 3339 time or a Date; null when it is not a time after 1970. */
export const minuteOf = (time: string | Date): number | null => {
  const milliseconds = typeof time === 'string' ? Date.parse(time) : time.getTime()
  return milliseconds >= 0 ? Math.floor(milliseconds / 60_000) : null
}

/**
 * Counts `views` in a minute. What is too old beside the newest view is forgotten; since a count survives exactly when it
 * is young enough beside the newest view of all, the order of calls makes no difference.
 */
export const addViews = (buckets: Buckets, minute: number, views: number): void => {
  const hour = Math.floor(minute / 60)
  const newestHour = Math.floor(buckets.newest / 60)
  add(buckets.minutes, minute - buckets.newest, MINUTES_KEPT, views)
  add(buckets.hours, hour - newestHour, HOURS_KEPT, views)
  if (minute > buckets.newest) buckets.newest = minute
}

/** `ahead`: by how many buckets the views are newer than index 0 (negative: older). */
const add = (counts: number[], ahead: number, kept: number, views: number): void => {
  if (ahead > 0) {
    if (ahead >= kept) counts.length = 0
    else if (counts.length > 0) counts.unshift(...new Array<number>(ahead).fill(0))
    counts.length = Math.min(counts.length, kept)
    // Zeros at the end, laid bare by the cut, would make equal counts look different.
    while (counts.at(-1) === 0) counts.pop()
    counts[0] = views
    return
  }
  const index = -ahead
  if (index >= kept) return
  while (counts.length <= index) counts.push(0)
  counts[index] = (counts[index] ?? 0) + views
}

/** Views in a window that ends within the bucket of `asOf` (minutes since 1970); later views do not count. */
export const viewsWithin = (buckets: Buckets, window: PopularWindow, asOf: number): number => {
  const { unit, buckets: width } = WINDOWS[window]
  const newest = unit === 'minutes' ? buckets.newest : Math.floor(buckets.newest / 60)
  const last = unit === 'minutes' ? asOf : Math.floor(asOf / 60)
  const counts = buckets[unit]
  let views = 0
  for (let i = Math.max(0, newest - last); i < counts.length && newest - i > last - width; i++) views += counts[i] ?? 0
  return views
}

/**
 * Half-life score l_H = b_max·d/H + log2 Σ c_b·2^((b−b_max)·d/H), rounded to 1e-6. Two scores of one window keep their
 * order as time passes, so nothing is ever rescored. null without views.
 */
export const scoreOf = (buckets: Buckets, window: PopularWindow): number | null => {
  if (buckets.newest < 0) return null
  const { unit, halfLife } = WINDOWS[window]
  const newest = unit === 'minutes' ? buckets.newest : Math.floor(buckets.newest / 60)
  const counts = buckets[unit]
  const weights = WEIGHTS[window]
  let sum = 0
  // From the oldest on: always the same order of additions, and the small ones first.
  for (let i = counts.length - 1; i >= 0; i--) sum += (counts[i] ?? 0) * (weights[i] ?? 0)
  return Math.round((newest / halfLife + Math.log2(sum)) * 1e6) / 1e6
}

const weightsOf = (halfLife: number): Float64Array =>
  Float64Array.from({ length: HOURS_KEPT }, (_, age) => 2 ** (-age / halfLife))
const WEIGHTS: Readonly<Record<PopularWindow, Float64Array>> = {
  '1h': weightsOf(WINDOWS['1h'].halfLife),
  '24h': weightsOf(WINDOWS['24h'].halfLife),
  '7d': weightsOf(WINDOWS['7d'].halfLife),
}

/** Counts as text, newest first, zeros empty: `3,,1`. Two hundred numbers in an array cost BSON ten times as much. */
export const encodeCounts = (counts: readonly number[]): string => counts.map(count => count || '').join(',')

export const decodeCounts = (text: string): number[] => (text === '' ? [] : text.split(',').map(Number))
