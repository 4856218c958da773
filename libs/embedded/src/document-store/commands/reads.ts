// find, getMore, killCursors, count, distinct, and what explain tells of a query.
import { Long } from 'bson'
import { identityOf } from '../bson/order'
import { pathOf, reach } from '../bson/path'
import { type Document, encode, field, MAX_DOCUMENT_BYTES, numeric, type Value } from '../bson/value'
import { CommandError, notImplemented } from '../errors'
import { describePlan, plan } from '../query/plan'
import { find, isEverything, parseSort, type Query } from '../query/find'
import { parseFilter } from '../query/filter'
import { parseProjection } from '../query/projection'
import { type Examined } from '../query/scan'
import { OK } from '../wire/error-reply'
import { type Reply } from '../wire/message'
import { checkFields, Context } from './context'

const FIND = ['filter', 'projection', 'sort', 'skip', 'limit', 'batchSize', 'singleBatch']

export function findCommand(context: Context): Reply {
  checkFields(context, FIND)
  const query = findQuery(context)
  const examined = context.examine()
  return context.firstBatch(results(context, query, examined), examined)
}

function findQuery(context: Context): Query {
  return {
    filter: parseFilter(context.document('filter')),
    sort: parseSort(context.document('sort')),
    skip: context.count('skip') ?? 0,
    limit: context.count('limit') ?? 0,
  }
}

function* results(context: Context, query: Query, examined: Examined): Generator<Buffer> {
  const projection = parseProjection(context.document('projection'))
  for (const document of find(context.view, context.collection(), query, examined))
    yield projection ? encode(projection(document.value)) : document.bytes
}

export function getMoreCommand(context: Context): Reply {
  checkFields(context, ['collection', 'batchSize'])
  const namespace = `${context.database}.${context.string('collection')}`
  const id = context.long('getMore')
  const batchSize = context.count('batchSize')
  const batch = context.store.cursors.more(id, namespace, batchSize === 0 ? undefined : batchSize, context)
  return { document: { ok: OK }, cursor: { batch: 'nextBatch', ...batch, namespace } }
}

export function killCursorsCommand(context: Context): Reply {
  checkFields(context, ['cursors'])
  const killed: Value[] = []
  const notFound: Value[] = []
  for (const id of context.array('cursors'))
    (id instanceof Long && context.store.cursors.kill(id.toBigInt()) ? killed : notFound).push(id)
  return {
    document: { cursorsKilled: killed, cursorsNotFound: notFound, cursorsAlive: [], cursorsUnknown: [], ok: OK },
  }
}

export function countCommand(context: Context): Reply {
  checkFields(context, ['query', 'skip', 'limit'])
  const collection = context.collection()
  const filter = parseFilter(context.document('query'))
  const skip = context.count('skip') ?? 0
  const limit = context.count('limit') ?? 0
  if (collection && isEverything(filter)) {
    const rest = Math.max(0, context.engine.countOf(collection) - skip)
    return { document: { n: numeric(limit > 0 ? Math.min(limit, rest) : rest), ok: OK } }
  }
  let n = 0
  for (const _ of find(context.view, collection, { filter, sort: [], skip, limit }, context.examine())) n++
  return { document: { n: numeric(n), ok: OK } }
}

export function distinctCommand(context: Context): Reply {
  checkFields(context, ['key', 'query'])
  const path = pathOf(context.string('key'))
  const query = { filter: parseFilter(context.document('query')), sort: [], skip: 0, limit: 0 }
  const values = new Map<string, Value>()
  let bytes = 0
  const add = (value: Value) => {
    const identity = identityOf(value)
    if (value === undefined || values.has(identity)) return
    values.set(identity, value)
    bytes += identity.length
    // At most twice what the value takes in the answer.
    if (bytes > 2 * MAX_DOCUMENT_BYTES) throw new CommandError('Location17217', 'distinct too big, 16mb cap')
  }
  for (const document of find(context.view, context.collection(), query, context.examine()))
    reach(document.value, path, value => {
      if (Array.isArray(value)) value.forEach(add)
      else add(value)
      return false
    })
  return { document: { values: [...values.values()], ok: OK } }
}

/** The plan of a find and, unless only that was asked for, what running it has looked at. */
export function explainCommand(context: Context): Reply {
  checkFields(context, ['verbosity'])
  const explained = context.document('explain')
  const verbosity = field(context.body, 'verbosity') ?? 'allPlansExecution'
  if (!['queryPlanner', 'executionStats', 'allPlansExecution'].includes(verbosity as string))
    throw new CommandError(
      'FailedToParse',
      `verbosity string must be one of {'queryPlanner', 'executionStats', 'allPlansExecution'}`,
    )
  const command = Object.keys(explained)[0] ?? ''
  if (command !== 'find') throw notImplemented(`explain of ${command}`)
  const body = { ...explained, $db: context.database }
  return { document: explainFind(new Context(context.store, { ...context.request, body }, command), verbosity) }
}

function explainFind(context: Context, verbosity: Value): Document {
  checkFields(context, FIND)
  const query = findQuery(context)
  const collection = context.collection()
  const examined = context.examine()
  const queryPlanner = {
    namespace: context.namespace,
    winningPlan: collection ? describePlan(plan(collection, query)) : { stage: 'EOF' },
  }
  if (verbosity === 'queryPlanner') return { queryPlanner, ok: OK }
  let returned = 0
  for (const _ of find(context.view, collection, query, examined)) returned++
  const executionStats = {
    executionSuccess: true,
    nReturned: numeric(returned),
    totalKeysExamined: numeric(examined.keys),
    totalDocsExamined: numeric(examined.documents),
  }
  return { queryPlanner, executionStats, ok: OK }
}
