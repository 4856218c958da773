// Choosing the index that serves a query: by its tests, by its order, or both.
import { equal, keyOf } from '../bson/order'
import { isArrayIndex, isUnder } from '../bson/path'
import { type Document, type Value } from '../bson/value'
import { type Index } from '../index/definition'
import { type KeyPart, type KeyPattern } from '../index/keys'
import { type Collection } from '../keyspace/catalog'
import { documentKey } from '../keyspace/documents'
import { indexPrefix, MAX_ID_KEY, shortened } from '../keyspace/layout'
import { combinations, type Component, componentOf, type Interval, intervals, staysInType } from './bounds'
import { type Filter, type Test } from './filter'
import { type Query } from './find'
import { valueMatches } from './match'

/** What is read of which index. */
export interface Plan {
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

type Tests = Map<string, Test[]>

/** Most ranges that combinations of several $in may give; a single one may give as many as it names. */
const MAX_COMBINATIONS = 1_000

/** The branches of an $or are not looked at: they are tested on what the rest of the filter and the order leave. */
export function plan(collection: Collection, query: Query): Plan {
  const { filter } = query
  if (filter.kind === 'field' && filter.dotted === '_id' && filter.test.op === 'in' && filter.test.values.length === 1)
    return point(collection, filter.test.values[0])
  const tests = testsByField(filter)
  const candidates = collection.indexes
    .filter(index => index.ready && (!index.partial || implies(tests, index.partial.filter)))
    .map(index => candidate(collection, index, tests, query))
  // The first is that of _id, which without bounds is the whole collection.
  return candidates.reduce((a, b) => (b.score > a.score ? b : a)).plan
}

/** As explain shows it. */
export function describePlan({ index, bounded, reverse, sorted }: Plan): Document {
  const direction = reverse ? 'backward' : 'forward'
  const inputStage = { stage: 'IXSCAN', keyPattern: index.key, indexName: index.name, direction }
  const found = index.id === 0 && !bounded ? { stage: 'COLLSCAN', direction } : { stage: 'FETCH', inputStage }
  return sorted ? found : { stage: 'SORT', inputStage: found }
}

/** Most queries ask for one document by its _id: there is nothing to choose. */
function point(collection: Collection, id: Value): Plan {
  const idKey = keyOf(id)
  const key = documentKey(collection, idKey)
  const intervals = idKey.length > MAX_ID_KEY ? [] : [{ start: key, end: key }]
  return { index: collection.indexes[0]!, intervals, reverse: false, sorted: true, bounded: true, exact: true }
}

function candidate(
  collection: Collection,
  index: Index,
  tests: Tests,
  { sort, limit }: Query,
): { plan: Plan; score: number } {
  const { components, single } = bounds(index, tests)
  const prefix = indexPrefix(collection.id, index.id)
  const exact = index.unique && components.length === index.pattern.length && components.every(part => 'points' in part)
  const ranges = exact ? keysOf(prefix, components, index) : intervals(prefix, components)
  const order = orderOf(index, single, sort)
  const sorted = sort.length === 0 || (order !== undefined && ranges.length <= 1)
  const bounded = components.length > 0
  // More fixed fields are better than fewer, fixed better than bounded, and an order that comes for free better than none.
  let score = exact ? 100 : 0
  for (const part of components) score += 'span' in part ? 2 : part.points.length === 1 ? 5 : 3
  if (sort.length > 0 && sorted) score += limit > 0 ? 4 : score > 0 ? 2 : 0
  return { plan: { index, intervals: ranges, reverse: sorted && order === -1, sorted, bounded, exact }, score }
}

/** The keys of entries of a unique index, or of documents, that are fixed in all fields. */
function keysOf(prefix: Buffer, components: Component[], index: Index): Interval[] {
  const values = combinations(components)
  // No document has a longer _id, and LMDB takes no such key.
  const stored = index.id === 0 ? values.filter(({ length }) => length <= MAX_ID_KEY) : values.map(shortened)
  return stored.map(value => {
    const key = Buffer.concat([prefix, value])
    return { start: key, end: key }
  })
}

/** The parts of the index that are bounded, from its first field on; `single`: how many of them are fixed to one value. */
function bounds(index: Index, tests: Tests): { components: Component[]; single: number } {
  const components: Component[] = []
  let single = 0
  let total = 1
  for (const [i, part] of index.pattern.entries()) {
    const array = arrayOver(index, part)
    // Two fields of one array cannot both be bounded: a document may pass with different elements, its entries hold each apart.
    if (array !== undefined && index.pattern.slice(0, i).some(earlier => isUnder(earlier.dotted, array))) break
    // An array is reached by its positions and by its documents, and entries hold what stands at the position alone.
    if (array !== undefined && part.path.some(isArrayIndex)) break
    const component = componentOf(tests.get(part.dotted) ?? [], part, array !== undefined)
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

/** The outermost array that a part may lie in. */
function arrayOver(index: Index, { dotted }: KeyPart): string | undefined {
  return [...index.traits.arrays].filter(array => isUnder(dotted, array)).sort((a, b) => a.length - b.length)[0]
}

/** 1 or -1 when the entries, fixed in the first `single` fields, come in the order asked for or its reverse. */
function orderOf(index: Index, single: number, sort: KeyPattern): 1 | -1 | undefined {
  if (sort.length === 0) return 1
  if (index.traits.shortened) return undefined
  const fixed = new Set(
    index.pattern
      .slice(0, single)
      .filter(part => !arrayOver(index, part))
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
    if (next.dotted !== part.dotted || arrayOver(index, next)) return undefined
    if (sign !== undefined && sign !== next.direction * part.direction) return undefined
    sign = next.direction * part.direction
  }
  return (sign ?? 1) as 1 | -1
}

/** The tests that every result passes, by field. */
function testsByField(filter: Filter, tests: Tests = new Map()): Tests {
  if (filter.kind === 'and') for (const part of filter.of) testsByField(part, tests)
  if (filter.kind === 'field') {
    if (!tests.has(filter.dotted)) tests.set(filter.dotted, [])
    tests.get(filter.dotted)!.push(filter.test)
  }
  return tests
}

/** Whether the tests let through only documents that the partial filter lets through. */
function implies(tests: Tests, partial: Filter): boolean {
  if (partial.kind === 'and') return partial.of.every(part => implies(tests, part))
  if (partial.kind !== 'field') return false
  return (tests.get(partial.dotted) ?? []).some(test => testImplies(test, partial.test))
}

function testImplies(test: Test, wanted: Test): boolean {
  if (test.op === 'in')
    return test.values.every(
      value => !Array.isArray(value) && (wanted.op === 'exists' ? value !== null : valueMatches(wanted, value)),
    )
  if (wanted.op === 'exists') return test.op === 'exists' ? test.wanted : test.op === 'range' && staysInType(test)
  if (test.op !== 'range' || wanted.op !== 'range' || test.direction !== wanted.direction) return false
  return valueMatches(wanted, test.bound) || (test.inclusive === wanted.inclusive && equal(test.bound, wanted.bound))
}
