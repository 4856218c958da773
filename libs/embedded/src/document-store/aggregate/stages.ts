// The stages of an aggregation pipeline, each a step from documents to documents.
import { Int32 } from 'bson'
import { show } from '../bson/show'
import { pathOf, valueAt } from '../bson/path'
import {
  type Document,
  field,
  isDocument,
  isNumeric,
  numeric,
  setField,
  toNumber,
  truthy,
  type Value,
} from '../bson/value'
import { CommandError, notImplemented } from '../errors'
import { sortKey } from '../index/keys'
import { parseFilter } from '../query/filter'
import { parseSort } from '../query/find'
import { matches } from '../query/match'
import { parseAddedFields, parseProjection } from '../query/projection'
import { evaluate } from './expression'
import { parseGroup } from './group'
import { parseExpression } from './parse'

export type Stage = (documents: Iterable<Document>) => Iterable<Document>
/** How a stage reads another collection: the documents that match a filter. */
export type Lookup = (collection: string, filter: Document) => Iterable<Document>

const stages: Record<string, (operand: Value, lookup: Lookup) => Stage> = {
  $match: operand => {
    const filter = parseFilter(documentOf('$match', operand))
    return documents => filtered(documents, document => matches(filter, document))
  },
  $project: operand => {
    const projection = parseProjection(documentOf('$project', operand), '$project')
    return documents => mapped(documents, document => projection?.(document) ?? document)
  },
  $addFields: operand => added(operand),
  $set: operand => added(operand),
  $unset: operand => {
    const names = (Array.isArray(operand) ? operand : [operand]).map(name => {
      if (typeof name !== 'string')
        throw new CommandError('FailedToParse', '$unset specification must be a string or an array of strings')
      return [name, new Int32(0)] as const
    })
    const projection = parseProjection(Object.fromEntries(names), '$project')
    return documents => mapped(documents, document => projection?.(document) ?? document)
  },
  $sort: operand => sorted(documentOf('$sort', operand)),
  $limit: operand => {
    const limit = wholeNumber('$limit', operand)
    if (limit === 0) throw new CommandError('BadValue', 'the limit must be positive')
    return documents => limited(documents, limit)
  },
  $skip: operand => {
    const skip = wholeNumber('$skip', operand)
    return documents => skipped(documents, skip)
  },
  $count: operand => {
    if (typeof operand !== 'string' || operand === '' || /^\$|\./.test(operand))
      throw new CommandError('BadValue', 'the count field must be a non-empty string without $ or dots')
    return documents => counted(documents, operand)
  },
  $group: operand => parseGroup(documentOf('$group', operand)),
  $unwind: operand => unwound(operand),
  $replaceRoot: operand => replaced(field(documentOf('$replaceRoot', operand), 'newRoot')),
  $replaceWith: operand => replaced(operand),
  $sortByCount: operand => {
    const group = parseGroup({ _id: operand, count: { $sum: new Int32(1) } })
    const order = sorted({ count: new Int32(-1) })
    return documents => order(group(documents))
  },
  $lookup: (operand, lookup) => looked(documentOf('$lookup', operand), lookup),
}

export function parseStage(stage: Value, lookup: Lookup): Stage {
  const names = isDocument(stage) ? Object.keys(stage) : []
  if (names.length !== 1)
    throw new CommandError('Location40324', 'A pipeline stage specification object must contain exactly one field.')
  const name = names[0]!
  const parse = Object.hasOwn(stages, name) ? stages[name] : undefined
  if (parse) return parse((stage as Document)[name], lookup)
  if (
    /^\$(facet|bucket|bucketAuto|merge|out|unionWith|graphLookup|sample|redact|geoNear|indexStats|collStats|changeStream|setWindowFields|densify|fill|documents|search\w*|currentOp|planCacheStats|listSessions)$/.test(
      name,
    )
  )
    throw notImplemented(`aggregation stage ${name}`)
  throw new CommandError('Location40324', `Unrecognized pipeline stage name: '${name}'`)
}

function* filtered(documents: Iterable<Document>, wanted: (document: Document) => boolean): Generator<Document> {
  for (const document of documents) if (wanted(document)) yield document
}

function* mapped(documents: Iterable<Document>, changed: (document: Document) => Document): Generator<Document> {
  for (const document of documents) yield changed(document)
}

function added(operand: Value): Stage {
  const projection = parseAddedFields(documentOf('$addFields', operand))
  return documents => mapped(documents, projection)
}

function sorted(sort: Document): Stage {
  const pattern = parseSort(sort)
  return documents => {
    const rows = Array.from(documents, document => ({ key: sortKey(document, pattern), document }))
    return rows.sort((a, b) => a.key.compare(b.key)).map(row => row.document)
  }
}

function* limited(documents: Iterable<Document>, limit: number): Generator<Document> {
  let left = limit
  for (const document of documents) {
    yield document
    if (--left === 0) return
  }
}

function* skipped(documents: Iterable<Document>, skip: number): Generator<Document> {
  let left = skip
  for (const document of documents) if (left-- <= 0) yield document
}

function* counted(documents: Iterable<Document>, name: string): Generator<Document> {
  let count = 0
  for (const _ of documents) count++
  if (count > 0) yield { [name]: numeric(count) }
}

function replaced(operand: Value): Stage {
  const expression = parseExpression(operand)
  return documents =>
    mapped(documents, document => {
      const root = evaluate(expression, document)
      if (!isDocument(root)) throw new CommandError('BadValue', "'newRoot' expression must evaluate to an object")
      return root
    })
}

function unwound(operand: Value): Stage {
  const options = typeof operand === 'string' ? { path: operand } : documentOf('$unwind', operand)
  for (const name of Object.keys(options))
    if (!['path', 'preserveNullAndEmptyArrays', 'includeArrayIndex'].includes(name))
      throw new CommandError('BadValue', `unrecognized option to $unwind stage: ${name}`)
  const dotted = field(options, 'path')
  if (typeof dotted !== 'string' || !dotted.startsWith('$'))
    throw new CommandError('BadValue', `path option to $unwind stage should be prefixed with a '$': ${show(dotted)}`)
  const path = pathOf(dotted.slice(1))
  const keep = truthy(field(options, 'preserveNullAndEmptyArrays'))
  if (field(options, 'includeArrayIndex') !== undefined) throw notImplemented('option includeArrayIndex of $unwind')
  return function* (documents) {
    for (const document of documents) {
      const value = valueAt(document, path)
      if (Array.isArray(value) && value.length > 0) for (const item of value) yield withValue(document, path, item)
      else if (Array.isArray(value)) {
        if (keep) yield withValue(document, path, undefined)
      } else if (value !== undefined && value !== null) yield document
      else if (keep) yield document
    }
  }
}

/** The document with another value at a path; documents on the way are copied. */
function withValue(document: Document, path: readonly string[], value: Value): Document {
  const [step, ...rest] = path
  const copy = { ...document }
  const inner = field(document, step!)
  if (rest.length > 0) setField(copy, step!, isDocument(inner) ? withValue(inner, rest, value) : inner)
  else if (value === undefined) delete copy[step!]
  else setField(copy, step!, value)
  return copy
}

function looked(operand: Document, lookup: Lookup): Stage {
  for (const name of Object.keys(operand))
    if (!['from', 'localField', 'foreignField', 'as'].includes(name)) throw notImplemented(`option ${name} of $lookup`)
  const [from, local, foreign, as] = ['from', 'localField', 'foreignField', 'as'].map(name => {
    const value = field(operand, name)
    if (typeof value !== 'string')
      throw new CommandError('FailedToParse', `$lookup argument '${name}' must be a string`)
    return value
  }) as [string, string, string, string]
  return documents =>
    mapped(documents, document => {
      const value = valueAt(document, pathOf(local)) ?? null
      const filter = { [foreign]: Array.isArray(value) ? { $in: value } : { $eq: value } }
      return withValue(document, pathOf(as), [...lookup(from, filter)])
    })
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
