// One measured figure beside what it must reach, and the table that they end in.
export interface Measure {
  readonly what: string
  readonly value: string
  /** What it is compared with, measured in the same run. */
  readonly beside?: string
  readonly ratio?: number
  /** The bound that the figure must keep, e.g. `≥ 0.8` or `< 150 ms`. */
  readonly target?: string
  readonly holds?: boolean
}

const number = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 })
export const rounded = (n: number): string => number.format(n)

/** A rate beside another one, both in things a second. */
export const ratio = (what: string, ours: number, theirs: number, unit: string, atLeast: number): Measure => ({
  what,
  value: `${rounded(ours)} ${unit}`,
  beside: `${rounded(theirs)} ${unit}`,
  ratio: ours / theirs,
  target: `≥ ${atLeast}`,
  holds: ours / theirs >= atLeast,
})

/** A cost beside another one, which may be so many times as dear. */
export const atMost = (what: string, ours: number, theirs: number, unit: string, times: number): Measure => ({
  what,
  value: `${rounded(ours)} ${unit}`,
  beside: `${rounded(theirs)} ${unit}`,
  ratio: ours / theirs,
  target: `< ${times}`,
  holds: ours / theirs < times,
})

/** A figure that must stay below a bound. */
export const below = (what: string, value: number, unit: string, bound: number): Measure => ({
  what,
  value: `${rounded(value)} ${unit}`,
  target: `< ${bound} ${unit}`,
  holds: value < bound,
})

/** A figure that is stated only. */
export const stated = (what: string, value: string): Measure => ({ what, value })

export const print = (measures: readonly Measure[]): void => {
  for (const { what, value, beside, ratio, target, holds } of measures) {
    const verdict = holds === undefined ? '      ' : holds ? 'holds ' : 'SHORT '
    const compared = beside === undefined ? '' : ` beside ${beside} = ${ratio!.toFixed(2)}`
    console.log(`${verdict} ${what}: ${value}${compared}${target === undefined ? '' : ` (${target})`}`)
  }
}

export const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.floor(q * (sorted.length - 1))] ?? NaN
