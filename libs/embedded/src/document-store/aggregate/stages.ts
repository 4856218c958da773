// The stages of an aggregation pipeline, each a step from documents to documents.
import { calculateObjectSize } from 'bson'
import { type Document, isDocument, isNumeric, numeric, toNumber, type Value } from '../bson/value'
import { CommandError, notImplemented } from '../errors'
import { parseFilter } from '../query/filter'
import { parseSort } from '../query/find'
import { matches } from '../query/match'
import { parseProjection } from '../query/projection'
import { type Examined } from '../query/scan'
import { sorted } from '../query/sort'
import { parseGroup } from './group'

export type Stage = (documents: Iterable<Document>) => Iterable<Document>

const stages: Record<string, (operand: Value, examined: Examined) => Stage> = {
  $match: operand => {
    const filter = parseFilter(documentOf('$match', operand))
    return function* (documents) {
      for (const document of documents) if (matches(filter, document)) yield document
    }
  },
  $project: operand => {
    const specification = documentOf('$project', operand)
    const projection = parseProjection(specification)
    if (!projection)
      throw new CommandError(
        'Location51272',
        'Invalid $project :: caused by :: projection specification must have at least one field',
      )
    return function* (documents) {
      for (const document of documents) yield projection(document)
    }
  },
  $sort: (operand, examined) => {
    const pattern = parseSort(documentOf('$sort', operand))
    return documents => sorted(documents, document => [document, calculateObjectSize(document)], pattern, examined)
  },
  $limit: operand => {
    const limit = wholeNumber('$limit', operand)
    if (limit === 0) throw new CommandError('Location15958', 'the limit must be positive')
    return documents => limited(documents, limit)
  },
  $skip: operand => {
    const skip = wholeNumber('$skip', operand)
    return function* (documents) {
      let left = skip
      for (const document of documents) if (left-- <= 0) yield document
    }
  },
  $count: operand => {
    if (typeof operand !== 'string' || operand === '' || /^\$|\./.test(operand))
      throw new CommandError('BadValue', 'the count field must be a non-empty string without $ or dots')
    return function* (documents) {
      let count = 0
      for (const _ of documents) count++
      if (count > 0) yield { [operand]: numeric(count) }
    }
  },
  $group: (operand, examined) => parseGroup(documentOf('$group', operand), examined),
}

export function parseStage(stage: Value, examined: Examined): Stage {
  const names = isDocument(stage) ? Object.keys(stage) : []
  if (names.length !== 1)
    throw new CommandError('Location40323', 'A pipeline stage specification object must contain exactly one field.')
  const name = names[0]!
  const parse = Object.hasOwn(stages, name) ? stages[name] : undefined
  if (!parse)
    throw notImplemented(`aggregation stage ${name}`, 'Location40324', `Unrecognized pipeline stage name: '${name}'`)
  return parse((stage as Document)[name], examined)
}

function* limited(documents: Iterable<Document>, limit: number): Generator<Document> {
  let left = limit
  for (const document of documents) {
    yield document
    if (--left === 0) return
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
