// Which part of an index the tests on its fields leave, as ranges of the index's bytes.
import { distinct, keyOf } from '../bson/order'
import { kindOf, type Value } from '../bson/value'
import { type KeyPart } from '../index/keys'
import { after, boundOf } from '../keyspace/layout'
import { type Range, type Test } from './filter'

/** From one key up to another, which is not in it. */
export interface Interval {
  start: Buffer
  end: Buffer
}

/** What is left of one field: some of its values, or all in a span, as bytes in the order of the index. */
export type Component = { points: Buffer[] } | { span: Interval }

/**
 * What the tests on one field leave of it; undefined when they leave everything.
 * `several`: the field may be an array, of which different elements may pass different tests: only one test counts.
 */
export function componentOf(tests: readonly Test[], { direction }: KeyPart, several: boolean): Component | undefined {
  const spans: Interval[] = []
  for (const test of tests) {
    const points = pointsOf(test)
    if (points) return { points: distinct(points.map(value => keyOf(value, direction))) }
    if (test.op === 'range' && staysInType(test)) spans.push(spanOf(test, direction))
  }
  if (spans.length === 0) return undefined
  return { span: several ? spans[0]! : spans.reduce(intersection) }
}

/** All combinations of points, then at most one span, as ranges after the prefix of the index. */
export function intervals(prefix: Buffer, components: Component[]): Interval[] {
  const last = components.at(-1)
  const span = last && 'span' in last ? last.span : undefined
  const ranges = combinations(components).map(fixed => rangeOf(prefix, fixed, span))
  // Points that were shortened to the same bound give the same range: read it once.
  return ranges.filter((range, i) => i === 0 || !range.start.equals(ranges[i - 1]!.start))
}

/** All combinations of points, one of each component, in order. */
export function combinations(components: Component[]): Buffer[] {
  let starts = [Buffer.alloc(0)]
  for (const component of components)
    if ('points' in component)
      starts = starts.flatMap(start => component.points.map(point => Buffer.concat([start, point])))
  return starts
}

/** Whether a comparison passes values of the bound's own type alone, and neither null nor what is missing. */
export function staysInType({ bound }: Range): boolean {
  return !['array', 'null', 'undefined', 'minKey', 'maxKey'].includes(kindOf(bound))
}

function rangeOf(prefix: Buffer, fixed: Buffer, span?: Interval): Interval {
  const from = span ? Buffer.concat([fixed, span.start]) : fixed
  const to = span ? Buffer.concat([fixed, span.end]) : fixed
  const end = Buffer.concat([prefix, boundOf(to)])
  // A bound that is only the beginning of values takes in all that begin so.
  const whole = span !== undefined && boundOf(to) === to
  return { start: Buffer.concat([prefix, boundOf(from)]), end: whole ? end : after(end) }
}

function pointsOf(test: Test): Value[] | undefined {
  if (test.op === 'in') return test.values.some(Array.isArray) ? undefined : test.values
  if (test.op === 'exists') return test.wanted ? undefined : [null]
  return test.op === 'range' && test.bound === null && test.inclusive ? [null] : undefined
}

/** From the bound to the end of its type, or from the beginning of its type to the bound. */
function spanOf({ bound, direction, inclusive }: Range, order: 1 | -1): Interval {
  const bytes = keyOf(bound, order)
  const type = bytes.subarray(0, 1)
  return direction === order
    ? { start: inclusive ? bytes : after(bytes), end: after(type) }
    : { start: type, end: inclusive ? after(bytes) : bytes }
}

function intersection(a: Interval, b: Interval): Interval {
  return { start: a.start.compare(b.start) > 0 ? a.start : b.start, end: a.end.compare(b.end) < 0 ? a.end : b.end }
}
