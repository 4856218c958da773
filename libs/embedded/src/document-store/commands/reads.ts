// find, getMore, killCursors, count, distinct, and what explain tells of a query.
import { Int32, Long } from 'bson'
import { equal } from '../bson/order'
import { pathOf, reach } from '../bson/path'
import { type Document, encode, field, isDocument, numeric, type Value } from '../bson/value'
import { CommandError } from '../errors'
import { describePlan } from '../query/plan'
import { find, parseSort, planFor, type Query } from '../query/find'
import { parseFilter } from '../query/filter'
import { parseProjection } from '../query/projection'
import { type Examined } from '../query/scan'
import { OK } from '../wire/error-reply'
import { type Reply } from '../wire/message'
import { checkFields, type Context } from './context'

const FIND = [
  'filter',
  'projection',
  'sort',
  'skip',
  'limit',
  'batchSize',
  'singleBatch',
  'hint',
  'noCursorTimeout',
  'allowDiskUse',
  'allowPartialResults',
]

export function findCommand(context: Context): Reply {
  checkFields(context, FIND)
  const query = findQuery(context)
  const examined = context.examine()
  const source = results(context, query, examined)
  const namespace = `${context.database}.${context.collectionName}`
  const batch = context.store.cursors.start(
    namespace,
    source,
    context.count('batchSize'),
    context.flag('singleBatch'),
    examined,
    context.transaction,
  )
  return { document: { ok: OK }, cursor: { batch: 'firstBatch', ...batch, namespace } }
}

function findQuery(context: Context): Query {
  return {
    filter: parseFilter(context.document('filter')),
    sort: parseSort(context.document('sort')),
    skip: context.count('skip') ?? 0,
    limit: context.count('limit') ?? 0,
    hint: hintOf(context),
  }
}

function* results(context: Context, query: Query, examined: Examined): Generator<Buffer> {
  const projection = parseProjection(context.document('projection'))
  const collection = context.collection()
  if (!collection) return
  for (const document of find(context.view, collection, query, examined))
    yield projection ? encode(projection(document.value)) : document.bytes
}

export function hintOf(context: Context): Value {
  const hint = field(context.body, 'hint')
  return isDocument(hint) && Object.keys(hint).length === 0 ? undefined : hint
}

export function getMoreCommand(context: Context): Reply {
  checkFields(context, ['collection', 'batchSize'])
  const namespace = `${context.database}.${context.string('collection')}`
  const id = context.long('getMore')
  const batchSize = context.count('batchSize')
  const batch = context.store.cursors.more(id, namespace, batchSize === 0 ? undefined : batchSize, context.transaction)
  return { document: { ok: OK }, cursor: { batch: 'nextBatch', ...batch, namespace } }
}

export function killCursorsCommand(context: Context): Reply {
  checkFields(context, ['cursors'])
  const ids = field(context.body, 'cursors')
  if (!Array.isArray(ids))
    throw new CommandError('TypeMismatch', "BSON field 'killCursors.cursors' is the wrong type, expected type 'array'")
  const killed: Value[] = []
  const notFound: Value[] = []
  for (const id of ids) (id instanceof Long && context.store.cursors.kill(id.toBigInt()) ? killed : notFound).push(id)
  return {
    document: { cursorsKilled: killed, cursorsNotFound: notFound, cursorsAlive: [], cursorsUnknown: [], ok: OK },
  }
}

export function countCommand(context: Context): Reply {
  checkFields(context, ['query', 'skip', 'limit', 'hint', 'fields'])
  const collection = context.collection()
  const filter = context.document('query')
  const skip = context.count('skip') ?? 0
  const limit = context.count('limit') ?? 0
  if (!collection) return { document: { n: new Int32(0), ok: OK } }
  if (Object.keys(filter).length === 0) {
    const all = context.transaction ? context.transaction.unit.countOf(collection) : context.engine.countOf(collection)
    const rest = Math.max(0, all - skip)
    return { document: { n: numeric(limit > 0 ? Math.min(limit, rest) : rest), ok: OK } }
  }
  let n = 0
  const query = { filter: parseFilter(filter), sort: [], skip, limit, hint: hintOf(context) }
  for (const _ of find(context.view, collection, query, context.examine())) n++
  return { document: { n: numeric(n), ok: OK } }
}

export function distinctCommand(context: Context): Reply {
  checkFields(context, ['key', 'query', 'hint'])
  const path = pathOf(context.string('key'))
  const collection = context.collection()
  const values: Value[] = []
  const seen = new Map<string, Value[]>()
  const add = (value: Value) => {
    if (value === undefined) return
    const bucket = JSON.stringify(typeof value === 'string' ? value : typeof value)
    const same = seen.get(bucket) ?? []
    if (same.some(other => equal(other, value))) return
    seen.set(bucket, [...same, value])
    values.push(value)
  }
  const query = { filter: parseFilter(context.document('query')), sort: [], skip: 0, limit: 0, hint: hintOf(context) }
  for (const document of collection ? find(context.view, collection, query, context.examine()) : [])
    reach(document.value, path, value => {
      for (const item of Array.isArray(value) ? value : [value]) add(item)
      return false
    })
  return { document: { values, ok: OK } }
}

/** The plan of a find and, unless only that was asked for, what running it has looked at. */
export function explainFind(context: Context, verbosity: string): Document {
  checkFields(context, FIND)
  const query = findQuery(context)
  const collection = context.collection()
  const namespace = `${context.database}.${context.collectionName}`
  if (!collection) return { queryPlanner: { namespace, winningPlan: { stage: 'EOF' } }, ok: OK }
  const chosen = planFor(collection, query)
  const sorting = !chosen.sorted && query.sort.length > 0
  const found = describePlan(chosen)
  const queryPlanner = { namespace, winningPlan: sorting ? { stage: 'SORT', inputStage: found } : found }
  if (verbosity === 'queryPlanner') return { queryPlanner, ok: OK }
  const examined = context.examine()
  let returned = 0
  for (const _ of find(context.view, collection, query, examined, chosen)) returned++
  const executionStats = {
    executionSuccess: true,
    nReturned: numeric(returned),
    totalKeysExamined: numeric(examined.keys),
    totalDocsExamined: numeric(examined.documents),
  }
  return { queryPlanner, executionStats, ok: OK }
}
