// aggregate: a pipeline that is a query, $match, $sort, $skip and $limit in this order, and what is made of its documents.
import { Int32 } from 'bson'
import { type Document, encode, field, isDocument, isNumeric, numeric, toNumber, type Value } from '../bson/value'
import { CommandError, notImplemented } from '../errors'
import { type StoredDocument } from '../keyspace/documents'
import { parseFilter } from '../query/filter'
import { everything, find, parseSort, type Query } from '../query/find'
import { parseProjection } from '../query/projection'
import { type Reply } from '../wire/message'
import { checkFields, type Context } from './context'

interface Pipeline {
  query: Query
  finish: (documents: Iterable<StoredDocument>) => Iterable<Buffer, void>
}

/** Where a stage stands in a pipeline; in each place there is one at most. */
const places: Record<string, number> = { $match: 1, $sort: 2, $skip: 3, $limit: 4, $project: 5, $count: 5, $group: 5 }

/** The one $group there is: that by which drivers count documents. */
const COUNTED = encode({ _id: new Int32(1), n: { $sum: new Int32(1) } })

export function aggregateCommand(context: Context): Reply {
  checkFields(context, ['pipeline', 'cursor'])
  if (typeof field(context.body, 'aggregate') !== 'string') throw notImplemented('aggregation without a collection')
  if (!isDocument(field(context.body, 'cursor')))
    throw new CommandError(
      'FailedToParse',
      "The 'cursor' option is required, except for aggregate with the explain argument",
    )
  const { query, finish } = parsePipeline(context.array('pipeline'))
  const examined = context.examine()
  return context.firstBatch(finish(find(context.view, context.collection(), query, examined)), examined)
}

function parsePipeline(stages: Value[]): Pipeline {
  const pipeline: Pipeline = {
    query: { filter: everything, sort: [], skip: 0, limit: 0 },
    finish: function* (documents) {
      for (const { bytes } of documents) yield bytes
    },
  }
  let last = 0
  for (const stage of stages) {
    const [name, ...more] = isDocument(stage) ? Object.keys(stage) : []
    if (name === undefined || more.length > 0)
      throw new CommandError('Location40323', 'A pipeline stage specification object must contain exactly one field.')
    const place = Object.hasOwn(places, name) ? places[name]! : 0
    if (place === 0)
      throw notImplemented(`aggregation stage ${name}`, 'Location40324', `Unrecognized pipeline stage name: '${name}'`)
    if (place <= last)
      throw notImplemented(`pipeline other than $match, $sort, $skip, $limit, and then one of $project, $count, $group`)
    last = place
    add(pipeline, name, (stage as Document)[name])
  }
  return pipeline
}

function add(pipeline: Pipeline, stage: string, operand: Value): void {
  const { query } = pipeline
  switch (stage) {
    case '$match':
      query.filter = parseFilter(documentOf(stage, operand))
      return
    case '$sort':
      query.sort = parseSort(documentOf(stage, operand))
      if (query.sort.length === 0)
        throw new CommandError('Location15976', '$sort stage must have at least one sort key')
      return
    case '$skip':
      query.skip = wholeNumber(stage, operand)
      return
    case '$limit':
      query.limit = wholeNumber(stage, operand)
      if (query.limit === 0) throw new CommandError('Location15958', 'the limit must be positive')
      return
    case '$project': {
      const projection = parseProjection(documentOf(stage, operand))
      if (!projection)
        throw new CommandError(
          'Location51272',
          'Invalid $project :: caused by :: projection specification must have at least one field',
        )
      pipeline.finish = function* (documents) {
        for (const { value } of documents) yield encode(projection(value))
      }
      return
    }
    case '$count':
      if (typeof operand !== 'string' || operand === '' || /^\$|\./.test(operand))
        throw new CommandError('BadValue', 'the count field must be a non-empty string without $ or dots')
      pipeline.finish = counted(count => ({ [operand]: count }))
      return
    case '$group':
      if (!encode(documentOf(stage, operand)).equals(COUNTED))
        throw notImplemented('$group other than {_id: 1, n: {$sum: 1}}')
      pipeline.finish = counted(n => ({ _id: new Int32(1), n }))
  }
}

/** Where there is nothing to count there is no document, as in MongoDB. */
function counted(document: (count: Value) => Document): Pipeline['finish'] {
  return function* (documents) {
    let count = 0
    for (const _ of documents) count++
    if (count > 0) yield encode(document(numeric(count)))
  }
}

function documentOf(stage: string, operand: Value): Document {
  if (!isDocument(operand)) throw new CommandError('FailedToParse', `the ${stage} specification must be an object`)
  return operand
}

function wholeNumber(stage: string, operand: Value): number {
  const number = isNumeric(operand) ? toNumber(operand) : NaN
  if (!Number.isInteger(number) || number < 0)
    throw new CommandError('BadValue', `invalid argument to ${stage} stage: Expected a non-negative number`)
  return number
}
