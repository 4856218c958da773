// Which part of an index the tests on its fields leave, as ranges of the index's bytes.
import { keyOf, rank } from '../bson/order'
import { kindOf, type Value } from '../bson/value'
import { type KeyPart } from '../index/keys'
import { after, boundOf } from '../keyspace/layout'
import { type Test } from './filter'

export interface Interval {
  start: Buffer
  end: Buffer
}

/** A part of what one field may hold: prefixes of encoded values, ascending. */
interface Span {
  low?: { bytes: Buffer; inclusive: boolean }
  high?: { bytes: Buffer; inclusive: boolean }
}

export type Component = { points: Buffer[] } | { span: Span }

/**
 * What the tests on one field leave of it, in the order of the index; undefined when they leave everything.
 * `several`: the field may be an array, of which different elements may pass different tests: only one test counts.
 */
export function componentOf(tests: readonly Test[], { direction }: KeyPart, several: boolean): Component | undefined {
  const spans: Span[] = []
  for (const test of tests) {
    const points = pointsOf(test)
    if (points) return { points: distinctSorted(points.map(bytes => (direction === 1 ? bytes : inverted(bytes)))) }
    const span = spanOf(test)
    if (span) spans.push(span)
  }
  if (spans.length === 0) return undefined
  const span = several ? spans[0]! : spans.reduce(intersection)
  return { span: direction === 1 ? span : { low: invertedBound(span.high), high: invertedBound(span.low) } }
}

/** All combinations of points, then at most one span, as ranges after the prefix of the index. */
export function intervals(prefix: Buffer, components: Component[]): Interval[] {
  const starts = combinations(components)
  const last = components.at(-1)
  if (last && 'span' in last) return starts.map(start => spanInterval(prefix, start, last.span))
  return merged(starts.map(start => spanInterval(prefix, start, {})))
}

function spanInterval(prefix: Buffer, fixed: Buffer, { low, high }: Span): Interval {
  return { start: startOf(prefix, fixed, low), end: endOf(prefix, fixed, high) }
}

function startOf(prefix: Buffer, fixed: Buffer, low: Span['low']): Buffer {
  const whole = low ? Buffer.concat([fixed, low.bytes]) : fixed
  const bound = boundOf(whole)
  const key = Buffer.concat([prefix, bound])
  return low && !low.inclusive && bound === whole ? after(key) : key
}

function endOf(prefix: Buffer, fixed: Buffer, high: Span['high']): Buffer {
  const whole = high ? Buffer.concat([fixed, high.bytes]) : fixed
  const bound = boundOf(whole)
  const key = Buffer.concat([prefix, bound])
  return !high || high.inclusive || bound !== whole ? after(key) : key
}

/** All combinations of points, one of each component, in order. */
export function combinations(components: Component[]): Buffer[] {
  let starts = [Buffer.alloc(0)]
  for (const component of components)
    if ('points' in component)
      starts = starts.flatMap(start => component.points.map(point => Buffer.concat([start, point])))
  return starts
}

/** Points that were shortened to the same bound give the same range: read it once. */
function merged(ranges: Interval[]): Interval[] {
  return ranges.filter((range, i) => i === 0 || !range.start.equals(ranges[i - 1]!.start))
}

function pointsOf(test: Test): Buffer[] | undefined {
  switch (test.op) {
    case 'eq':
      return Array.isArray(test.value) ? undefined : [keyOf(test.value)]
    case 'in':
      if (test.patterns.length > 0 || test.values.some(Array.isArray)) return undefined
      return test.values.map(keyOf)
    case 'exists':
      return test.wanted ? undefined : [keyOf(null)]
    case 'gte':
    case 'lte':
      return test.value === null ? [keyOf(null)] : undefined
    default:
      return undefined
  }
}

function spanOf(test: Test): Span | undefined {
  switch (test.op) {
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return rangeSpan(test.op, test.value)
    case 'regex': {
      const { prefix } = test.pattern
      if (prefix === '' || prefix.includes('\0')) return undefined
      const bytes = Buffer.concat([Buffer.from([rank.string]), Buffer.from(prefix)])
      return { low: { bytes, inclusive: true }, high: { bytes, inclusive: true } }
    }
    default:
      return undefined
  }
}

/** A comparison leaves only values of its own type. */
function rangeSpan(op: 'gt' | 'gte' | 'lt' | 'lte', value: Value): Span | undefined {
  const kind = kindOf(value)
  if (['array', 'null', 'undefined', 'minKey', 'maxKey'].includes(kind)) return undefined
  const type = { bytes: Buffer.from([rank[kind]]), inclusive: true }
  const bound = { bytes: keyOf(value), inclusive: op === 'gte' || op === 'lte' }
  return op === 'gt' || op === 'gte' ? { low: bound, high: type } : { low: type, high: bound }
}

function intersection(a: Span, b: Span): Span {
  return { low: tighter(a.low, b.low, 1), high: tighter(a.high, b.high, -1) }
}

function tighter(a: Span['low'], b: Span['low'], sign: 1 | -1): Span['low'] {
  if (!a || !b) return a ?? b
  const order = a.bytes.compare(b.bytes) * sign
  // A type byte is a prefix of every bound within the type; as an upper bound it is the looser one.
  if (sign === -1 && isPrefix(a.bytes, b.bytes)) return b.bytes.length === a.bytes.length && !a.inclusive ? a : b
  if (sign === -1 && isPrefix(b.bytes, a.bytes)) return a
  if (order === 0) return a.inclusive ? b : a
  return order > 0 ? a : b
}

function isPrefix(prefix: Buffer, bytes: Buffer): boolean {
  return bytes.subarray(0, prefix.length).equals(prefix)
}

function invertedBound(bound: Span['low']): Span['low'] {
  return bound && { bytes: inverted(bound.bytes), inclusive: bound.inclusive }
}

function inverted(bytes: Buffer): Buffer {
  return Buffer.from(bytes.map(byte => ~byte & 0xff))
}

function distinctSorted(points: Buffer[]): Buffer[] {
  const sorted = points.sort((a, b) => a.compare(b))
  return sorted.filter((point, i) => i === 0 || !point.equals(sorted[i - 1]!))
}
