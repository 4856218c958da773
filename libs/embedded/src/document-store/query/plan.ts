// Choosing the index that serves a query: by its tests, by its order, or both.
import { equal, keyOf } from '../bson/order'
import { type Document, type Value } from '../bson/value'
import { CommandError } from '../errors'
import { type Index } from '../index/definition'
import { type KeyPart, type KeyPattern } from '../index/keys'
import { type Collection } from '../keyspace/catalog'
import { indexPrefix, MAX_ID_KEY, shortened } from '../keyspace/layout'
import { combinations, type Component, componentOf, type Interval, intervals } from './bounds'
import { type Filter, type Test } from './filter'
import { valueMatches } from './match'

/** Ranges of one index, read one after the other. */
export interface Scan {
  kind: 'scan'
  index: Index
  intervals: Interval[]
  reverse: boolean
  /** Whether the documents come in the order asked for. */
  sorted: boolean
  /** Whether the index's fields are bounded at all. */
  bounded: boolean
  /** Whether every range is one whole key, to be fetched rather than sought. */
  exact: boolean
}
/** One scan per branch of an $or. */
export interface Union {
  kind: 'union'
  scans: Scan[]
  sorted: false
}
/** One document, by its _id. */
export interface Point {
  kind: 'point'
  idKey: Buffer
  sorted: true
}
export type Plan = Scan | Union | Point

type Tests = Map<string, Test[]>

/** Most ranges that combinations of several $in may give; a single one may give as many as it names. */
const MAX_COMBINATIONS = 1_000

export function plan(collection: Collection, filter: Filter, sort: KeyPattern, limited: boolean, hint?: Value): Plan {
  if (filter.kind === 'field' && filter.dotted === '_id' && filter.test.op === 'eq' && hint === undefined)
    return { kind: 'point', idKey: keyOf(filter.test.value), sorted: true }
  const tests = testsByField(filter)
  const usable = hint === undefined ? collection.indexes.filter(index => index.ready) : [hinted(collection, hint)]
  const candidates = usable
    .filter(index => hint !== undefined || !index.partial || implies(tests, index.partial.filter))
    .map(index => candidate(collection, index, tests, sort, limited))
  const best = candidates.reduce((a, b) => (b.score > a.score ? b : a))
  if (best.score > 0 || hint !== undefined) return best.scan
  return unionOf(collection, filter) ?? wholeCollection(collection, tests, sort)
}

/** As explain shows it. */
export function describePlan(chosen: Plan): Document {
  if (chosen.kind === 'point') return { stage: 'EXPRESS_IXSCAN', indexName: '_id_' }
  if (chosen.kind === 'union') return { stage: 'OR', inputStages: chosen.scans.map(describePlan) }
  if (chosen.index.id === 0 && !chosen.bounded)
    return { stage: 'COLLSCAN', direction: chosen.reverse ? 'backward' : 'forward' }
  return {
    stage: 'FETCH',
    inputStage: {
      stage: 'IXSCAN',
      keyPattern: chosen.index.key,
      indexName: chosen.index.name,
      isMultiKey: chosen.index.traits.arrays.size > 0,
      isUnique: chosen.index.unique,
      isPartial: chosen.index.partial !== undefined,
      direction: chosen.reverse ? 'backward' : 'forward',
    },
  }
}

function hinted(collection: Collection, hint: Value): Index {
  const found = collection.indexes.find(index =>
    typeof hint === 'string' ? index.name === hint : equal(index.key, hint),
  )
  if (!found?.ready)
    throw new CommandError(
      'BadValue',
      'error processing query: planner returned error: hint provided does not correspond to an existing index',
    )
  return found
}

function wholeCollection(collection: Collection, tests: Tests, sort: KeyPattern): Scan {
  return candidate(collection, collection.indexes[0]!, tests, sort, true).scan
}

function unionOf(collection: Collection, filter: Filter): Union | undefined {
  const parts = filter.kind === 'and' ? filter.of : [filter]
  const branches = parts.flatMap(part => (part.kind === 'or' ? [part.of] : []))[0]
  if (!branches) return undefined
  const scans: Scan[] = []
  for (const branch of branches) {
    const chosen = plan(collection, branch, [], false)
    if (chosen.kind === 'point')
      scans.push(candidate(collection, collection.indexes[0]!, testsByField(branch), [], false).scan)
    else if (chosen.kind === 'union') scans.push(...chosen.scans)
    else if (chosen.bounded) scans.push(chosen)
    else return undefined
  }
  return { kind: 'union', scans, sorted: false }
}

function candidate(
  collection: Collection,
  index: Index,
  tests: Tests,
  sort: KeyPattern,
  limited: boolean,
): { scan: Scan; score: number } {
  const { components, single } = bounds(index, tests)
  const prefix = indexPrefix(collection.id, index.id)
  const order = orderOf(index, single, sort)
  const exact = index.unique && components.length === index.pattern.length && components.every(part => 'points' in part)
  const ranges = exact ? keysOf(prefix, components, index) : intervals(prefix, components)
  const sorted = order !== undefined && (sort.length === 0 || ranges.length <= 1)
  const scan: Scan = {
    kind: 'scan',
    index,
    intervals: ranges,
    reverse: sorted && order === -1,
    sorted,
    bounded: components.length > 0,
    exact,
  }
  return { scan, score: scoreOf(scan, components, sort.length > 0, limited) }
}

/** The keys of entries of a unique index, or of documents, that are fixed in all fields. */
function keysOf(prefix: Buffer, components: Component[], index: Index): Interval[] {
  const values = combinations(components)
  // No document has a longer _id, and LMDB takes no such key.
  const possible = index.id === 0 ? values.filter(({ length }) => length <= MAX_ID_KEY) : values
  return possible.map(values => {
    const key = Buffer.concat([prefix, index.id === 0 ? values : shortened(values)])
    return { start: key, end: key }
  })
}

/** More fixed fields are better than fewer, fixed better than bounded, and an order that comes for free is better than none. */
function scoreOf(scan: Scan, components: Component[], sorting: boolean, limited: boolean): number {
  const { index, sorted } = scan
  let score = 0
  for (const component of components) score += 'span' in component ? 2 : component.points.length === 1 ? 5 : 3
  if (index.unique && components.length === index.pattern.length && components.every(part => 'points' in part))
    score += 100
  if (sorting && sorted) score += limited ? 4 : score > 0 ? 2 : 0
  return score
}

/** The parts of the index that are bounded, from its first field on; `single`: how many of them are fixed to one value. */
function bounds(index: Index, tests: Tests): { components: Component[]; single: number } {
  const components: Component[] = []
  let single = 0
  let total = 1
  for (const [i, part] of index.pattern.entries()) {
    const present = tests.get(part.dotted)
    if (!present || sharesArray(index, part, index.pattern.slice(0, i))) break
    const component = componentOf(present, part, underArray(index, part) !== undefined)
    if (!component) break
    if ('points' in component) {
      total *= component.points.length
      if (total > MAX_COMBINATIONS && i > 0 && component.points.length > 1) break
      if (component.points.length === 1 && single === i) single++
    }
    components.push(component)
    if ('span' in component) break
  }
  return { components, single }
}

/** Two fields of one array cannot both be bounded: a document may pass with different elements, its entries hold each apart. */
function sharesArray(index: Index, part: KeyPart, earlier: KeyPattern): boolean {
  const array = underArray(index, part)
  return array !== undefined && earlier.some(other => isUnder(other.dotted, array))
}

function underArray(index: Index, { dotted }: KeyPart): string | undefined {
  return [...index.traits.arrays].find(array => isUnder(dotted, array))
}

function isUnder(dotted: string, array: string): boolean {
  return dotted === array || dotted.startsWith(`${array}.`)
}

/** 1 or -1 when the entries, fixed in the first `single` fields, come in the order asked for or its reverse. */
function orderOf(index: Index, single: number, sort: KeyPattern): 1 | -1 | undefined {
  if (sort.length === 0) return 1
  if (index.traits.shortened) return undefined
  const fixed = new Set(
    index.pattern
      .slice(0, single)
      .filter(part => !underArray(index, part))
      .map(part => part.dotted),
  )
  // Entries of equal values stand in the order of _id.
  const order: KeyPart[] = [...index.pattern]
  if (!index.unique) order.push({ dotted: '_id', path: ['_id'], direction: 1 })
  let at = 0
  let sign: number | undefined
  for (const part of sort) {
    if (fixed.has(part.dotted)) continue
    while (at < order.length && at < single && order[at]!.dotted !== part.dotted) at++
    const next = order[at++]
    if (!next) return index.unique ? ((sign ?? 1) as 1 | -1) : undefined
    if (next.dotted !== part.dotted || underArray(index, next)) return undefined
    if (sign !== undefined && sign !== next.direction * part.direction) return undefined
    sign = next.direction * part.direction
  }
  return (sign ?? 1) as 1 | -1
}

/** The tests that every result passes, by field; those on fields of array elements under the full path. */
function testsByField(filter: Filter): Tests {
  const tests: Tests = new Map()
  const collect = (part: Filter, prefix: string) => {
    if (part.kind === 'and') for (const inner of part.of) collect(inner, prefix)
    if (part.kind !== 'field') return
    const { test } = part
    const dotted = prefix + part.dotted
    if (test.op === 'elemMatchObject') return collect(test.filter, `${dotted}.`)
    // A missing field of an element may also be one of a scalar element, which has no entry of its own.
    if (prefix !== '' && test.op === 'exists') return
    const present = tests.get(dotted) ?? []
    tests.set(dotted, [
      ...present,
      ...(test.op === 'elemMatchValue' ? test.of.filter(inner => inner.op !== 'not') : [test]),
    ])
  }
  collect(filter, '')
  return tests
}

/** Whether the tests let through only documents that the partial filter lets through. */
function implies(tests: Tests, partial: Filter): boolean {
  if (partial.kind === 'and') return partial.of.every(part => implies(tests, part))
  if (partial.kind !== 'field') return false
  return (tests.get(partial.dotted) ?? []).some(test => testImplies(test, partial.test))
}

function testImplies(test: Test, wanted: Test): boolean {
  if (test.op === 'eq' && !Array.isArray(test.value))
    return wanted.op === 'exists' ? test.value !== null : valueMatches(wanted, test.value)
  if (test.op === 'in' && test.patterns.length === 0 && !test.values.some(Array.isArray))
    return test.values.every(value => testImplies({ op: 'eq', value }, wanted))
  if (wanted.op === 'exists') {
    if (test.op === 'exists') return test.wanted === wanted.wanted
    return (test.op === 'gt' || test.op === 'gte' || test.op === 'lt' || test.op === 'lte') && test.value !== null
  }
  if ((test.op === 'gt' || test.op === 'gte') && (wanted.op === 'gt' || wanted.op === 'gte'))
    return valueMatches(wanted, test.value) || (test.op === wanted.op && equal(test.value, wanted.value))
  if ((test.op === 'lt' || test.op === 'lte') && (wanted.op === 'lt' || wanted.op === 'lte'))
    return valueMatches(wanted, test.value) || (test.op === wanted.op && equal(test.value, wanted.value))
  return false
}
