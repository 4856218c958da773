// Whatever indexes there are: a query finds the same documents in the same order as without any, in and out of a transaction.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { Double, Int32, MinKey } from 'bson'
import fc from 'fast-check'
import { compare } from '../bson/order'
import { type Document, field, numeric, type Value } from '../bson/value'
import { type Index, parseIndex } from '../index/definition'
import { sortKey } from '../index/keys'
import { type Collection } from '../keyspace/catalog'
import {
  deleteDocument,
  indexDocuments,
  insertDocument,
  replaceDocument,
  storable,
  type StoredDocument,
} from '../keyspace/documents'
import { Engine } from '../keyspace/engine'
import { type Unit } from '../keyspace/unit'
import { type View } from '../keyspace/view'
import { parseFilter } from './filter'
import { everything, find, parseSort, type Query } from './find'
import { matches } from './match'
import { plan } from './plan'
import { examining } from './scan'

let engine: Engine
let directory: string
let collections = 0

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'stet-test-'))
  engine = new Engine(join(directory, 'documents'))
})
afterAll(async () => {
  await engine.close()
  rmSync(directory, { recursive: true })
})

const number = fc.integer({ min: 0, max: 4 }).map(value => new Int32(value))
const scalar: fc.Arbitrary<Value> = fc.oneof(
  { weight: 3, arbitrary: number },
  fc.constantFrom<Value>(null, 'a', 'ab', 'b', new Double(1.5), true, new MinKey()),
  // Too long for a key, and not told apart by what is left of them there.
  fc.constantFrom('y', 'z').map(end => `${'x'.repeat(300)}${end}`),
)
const leaf = fc.oneof({ weight: 4, arbitrary: scalar }, fc.array(scalar, { maxLength: 3 }))
const inner = fc.record({ c: leaf, d: scalar }, { requiredKeys: [] }) as fc.Arbitrary<Document>
// b may be documents and arrays of documents, p what has positions, t an array, the others neither: two arrays beside each
// other could not be indexed.
const content = fc.record(
  {
    a: scalar,
    b: fc.oneof(inner, fc.array(fc.oneof({ weight: 4, arbitrary: inner }, scalar), { maxLength: 3 })),
    e: scalar,
    t: fc.array(scalar, { maxLength: 3 }),
    p: fc.oneof(fc.array(fc.oneof(leaf, inner), { maxLength: 2 }), fc.record({ 0: fc.oneof(leaf, inner) })),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<Document>

const paths = fc.constantFrom('a', 'b.c', 'b.d', 'e', 't', '_id', 'b', 'p.0', 'p.0.c')
const operators = fc.oneof(
  fc
    .tuple(fc.constantFrom('$eq', '$gt', '$gte', '$lt', '$lte', '$ne'), leaf)
    .map(([name, value]) => ({ [name]: value })),
  fc.tuple(number, number).map(([low, high]) => ({ $gte: low, $lt: high })),
  fc.array(scalar, { maxLength: 3 }).map(items => ({ $in: items })),
  fc.boolean().map(wanted => ({ $exists: wanted })),
  scalar.map(value => ({ $not: { $gt: value } })),
)
const clause = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(paths, operators).map(([path, test]): Document => ({ [path]: test })) },
  // Of an array one element may pass the one test, another one the other.
  fc.tuple(number, number).map(([c, d]): Document => ({ 'b.c': c, 'b.d': d })),
  fc.tuple(number, number).map(([low, high]): Document => ({ t: { $gte: low, $lt: high } })),
  // What stands at a position does not say what a document beside it lacks.
  fc.constantFrom('p.0', 'p.0.c').map((path): Document => ({ [path]: null })),
)
const filters = fc.oneof(
  fc.array(clause, { maxLength: 3 }).map((parts): Document => (parts.length > 0 ? { $and: parts } : {})),
  fc.array(clause, { minLength: 1, maxLength: 2 }).map((parts): Document => ({ $or: parts })),
)
const direction = fc.constantFrom(new Int32(1), new Int32(-1))
const sortsBy = (...fields: string[]) =>
  fc
    .uniqueArray(fc.tuple(fc.constantFrom(...fields), direction), { maxLength: 2, selector: ([path]) => path })
    .map(parts => ({ ...Object.fromEntries(parts) }))
const sorts = fc.oneof(sortsBy('a', 'b.c', 'e'), sortsBy('a', 'p.0', 'e'))

const keys: Document[] = [
  { a: new Int32(1) },
  { a: new Int32(-1), e: new Int32(1) },
  { e: new Int32(1), a: new Int32(1), t: new Int32(-1) },
  { 'b.c': new Int32(1), 'b.d': new Int32(-1) },
  { e: new Int32(-1), 'b.c': new Int32(1) },
  { t: new Int32(1) },
  { b: new Int32(1) },
  { 'p.0': new Int32(1) },
  { 'p.0.c': new Int32(-1), e: new Int32(1) },
]
const partial: Document[] = [
  { key: { a: new Int32(1), e: new Int32(-1) }, partialFilterExpression: { a: { $gt: new Int32(1) } } },
  { key: { e: new Int32(1) }, partialFilterExpression: { e: { $exists: true } } },
]

function indexes(collection: Collection): Index[] {
  // Of two that serve a query alike the first is taken: the partial ones, where they may be.
  const asked = [...partial, ...keys.map((key): Document => ({ key }))]
  const all = asked.map((index, i) => ({ ...parseIndex({ ...index, name: `i${i}` }, i + 1), ready: true }))
  collection.indexes = [collection.indexes[0]!, ...all]
  return all
}

function stored(unit: Unit, collection: Collection): StoredDocument[] {
  return [...find(() => unit.view, collection, { filter: everything, sort: [], skip: 0, limit: 0 }, examining())]
}

/** Inserts all, then replaces and deletes some: indexes have to follow. */
function change(unit: Unit, collection: Collection, documents: Document[], replacements: Document[]): void {
  documents.forEach((document, i) => insertDocument(unit, collection, storable({ _id: new Int32(i), ...document })))
  const present = stored(unit, collection)
  replacements.forEach((replacement, i) => {
    const before = present[i * 2]
    if (before) replaceDocument(unit, collection, before, storable({ _id: field(before.value, '_id'), ...replacement }))
  })
  if (present.length > 4) deleteDocument(unit, collection, present[3]!)
}

function compareWithoutIndexes(view: View, collection: Collection, query: Query): void {
  const bare = { ...collection, indexes: [collection.indexes[0]!] }
  const run = (from: Collection, asked: Query) =>
    [...find(() => view, from, asked, examining())].map(document => document.value)
  const all = run(bare, { filter: everything, sort: [], skip: 0, limit: 0 }).filter(document =>
    matches(query.filter, document),
  )
  const found = run(collection, query)
  const byId = (documents: Document[]) => documents.map(document => field(document, '_id')).sort(compare)
  expect(byId(found)).toEqual(byId(all))
  for (let i = 1; i < found.length && query.sort.length > 0; i++)
    expect(sortKey(found[i - 1]!, query.sort).compare(sortKey(found[i]!, query.sort))).toBeLessThanOrEqual(0)
}

test('results with indexes equal those without, also over the writes of a transaction and after its commit', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(content, { maxLength: 12 }),
      fc.array(content, { maxLength: 4 }),
      fc.array(fc.tuple(filters, sorts), { minLength: 5, maxLength: 5 }),
      fc.boolean(),
      async (documents, replacements, asked, inTransaction) => {
        const collection = engine.catalog.draft('test', `c${collections++}`)
        const queries = asked.map(([filter, sort]): Query => ({
          filter: parseFilter(filter),
          sort: parseSort(sort),
          skip: 0,
          limit: 0,
        }))
        const check = (view: View) => queries.forEach(query => compareWithoutIndexes(view, collection, query))
        if (inTransaction) {
          await engine.write(unit => void unit.changed.add(collection))
          indexes(collection)
          const transaction = engine.begin()
          change(transaction.unit, collection, documents, replacements)
          check(transaction.unit.view)
          await engine.commit(transaction, () => undefined)
        } else {
          await engine.write(unit => {
            change(unit, collection, documents, replacements)
            for (const index of indexes(collection)) indexDocuments(unit, collection, index, stored(unit, collection))
            unit.changed.add(collection)
          })
        }
        check(engine.committed)
      },
    ),
    { numRuns: 300 },
  )
})

test('what is above MinKey may be missing or NaN: no index of what is there alone serves it', async () => {
  const collection = engine.catalog.draft('test', `c${collections++}`)
  indexes(collection)
  await engine.write(unit => {
    for (const e of [undefined, new Double(NaN), new Int32(1)])
      insertDocument(unit, collection, storable({ _id: numeric(unit.claimed.size), ...(e && { e }) }))
  })
  const query: Query = {
    filter: parseFilter({ e: { $gt: new MinKey() } }),
    sort: parseSort({ e: new Int32(1) }),
    skip: 0,
    limit: 9,
  }
  expect([...find(() => engine.committed, collection, query, examining())]).toHaveLength(3)
})

test('very many tests on one field are planned at once', () => {
  const collection = engine.catalog.draft('test', `c${collections++}`)
  indexes(collection)
  const tests = Array.from({ length: 50_000 }, (_, i) => ({ a: { $gte: new Int32(i) } }))
  const before = performance.now()
  const query: Query = { filter: parseFilter({ $and: tests }), sort: [], skip: 0, limit: 0 }
  expect(plan(collection, query).index.name).toBe('i0')
  expect(performance.now() - before).toBeLessThan(10_000)
})

test.each([false, true])('large documents are read ahead by few, each once (backwards: %p)', async reverse => {
  const collection = engine.catalog.draft('test', `c${collections++}`)
  const ids = Array.from({ length: 40 }, (_, i) => new Int32(i))
  await engine.write(unit => {
    for (const _id of ids) insertDocument(unit, collection, storable({ _id, filler: 'x'.repeat(300_000) }))
  })
  const transaction = engine.begin()
  const [first, ...others] = ids.slice(0, 21).map(_id => storable({ _id, small: true }))
  for (const other of others) deleteDocument(transaction.unit, collection, other)
  replaceDocument(transaction.unit, collection, storable({ _id: ids[0]!, filler: '' }), first!)
  for (const [view, expected] of [
    [engine.committed, ids],
    [transaction.unit.view, [ids[0]!, ...ids.slice(21)]],
  ] as const) {
    const examined = examining()
    const found: Value[] = []
    const sort = parseSort({ _id: new Int32(reverse ? -1 : 1) })
    for (const { value } of find(() => view, collection, { filter: everything, sort, skip: 0, limit: 0 }, examined)) {
      found.push(value['_id'])
      expect(examined.held).toBeLessThan(1_500_000)
    }
    expect(found).toEqual(reverse ? [...expected].reverse() : expected)
  }
  engine.end(transaction)
})
