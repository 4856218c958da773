// aggregate: a pipeline over a collection; its first stages run as a query, so that an index can serve them.
import { type Document, encode, field, isDocument, isNumeric, toNumber, type Value } from '../bson/value'
import { parseStage } from '../aggregate/stages'
import { CommandError, notImplemented } from '../errors'
import { parseFilter } from '../query/filter'
import { everything, find, parseSort, type Query } from '../query/find'
import { type Examined } from '../query/scan'
import { OK } from '../wire/error-reply'
import { type Reply } from '../wire/message'
import { checkFields, type Context } from './context'
import { hintOf } from './reads'

const FIELDS = ['pipeline', 'cursor', 'hint', 'allowDiskUse', 'bypassDocumentValidation']

export function aggregateCommand(context: Context): Reply {
  checkFields(context, FIELDS)
  if (typeof field(context.body, 'aggregate') !== 'string') throw notImplemented('aggregation without a collection')
  const cursor = field(context.body, 'cursor')
  if (!isDocument(cursor))
    throw new CommandError(
      'FailedToParse',
      "The 'cursor' option is required, except for aggregate with the explain argument",
    )
  const size = field(cursor, 'batchSize')
  const namespace = `${context.database}.${context.collectionName}`
  const examined = context.examine()
  const source = encoded(pipeline(context, examined))
  const batch = context.store.cursors.start(
    namespace,
    source,
    isNumeric(size) ? toNumber(size) : undefined,
    false,
    examined,
    context.transaction,
  )
  return { document: { ok: OK }, cursor: { batch: 'firstBatch', ...batch, namespace } }
}

function pipeline(context: Context, examined: Examined): Iterable<Document> {
  const { query, rest } = headOf(context, stagesOf(context))
  return rest
    .map(stage => parseStage(stage, examined))
    .reduce((documents, stage) => stage(documents), documentsOf(context, query, examined))
}

function* documentsOf(context: Context, query: Query, examined: Examined): Iterable<Document> {
  const collection = context.collection()
  if (!collection) return
  for (const document of find(context.view, collection, query, examined)) yield document.value
}

function stagesOf(context: Context): Value[] {
  const given = field(context.body, 'pipeline')
  if (!Array.isArray(given)) throw new CommandError('TypeMismatch', "'pipeline' option must be specified as an array")
  return given
}

/** $match, $sort, $skip and $limit at the head, in this order, as a query; the stages after them. */
function headOf(context: Context, stages: Value[]): { query: Query; rest: Value[] } {
  const query: Query = { filter: everything, sort: [], skip: 0, limit: 0, hint: hintOf(context) }
  const rest = [...stages]
  const next = (name: string): Value => {
    const [stage] = rest
    if (!isDocument(stage) || Object.keys(stage).length !== 1 || !Object.hasOwn(stage, name)) return undefined
    rest.shift()
    return stage[name]
  }
  const match = next('$match')
  if (match !== undefined) {
    if (!isDocument(match))
      throw new CommandError('FailedToParse', 'the match filter must be an expression in an object')
    query.filter = parseFilter(match)
  }
  const sort = next('$sort')
  if (sort !== undefined) query.sort = parseSort(isDocument(sort) ? sort : {})
  const [stage] = rest
  const limit = isDocument(stage) ? field(stage, '$limit') : undefined
  if (isNumeric(limit) && Number.isInteger(toNumber(limit)) && toNumber(limit) > 0) {
    next('$limit')
    query.limit = toNumber(limit)
  }
  return { query, rest }
}

function* encoded(documents: Iterable<Document>): Generator<Buffer> {
  for (const document of documents) yield encode(document)
}
