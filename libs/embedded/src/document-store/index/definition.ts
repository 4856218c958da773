// An index: what createIndexes asks for, checked, and what is known of its entries.
import { Int32 } from 'bson'
import { equal } from '../bson/order'
import { show } from '../bson/show'
import { type Document, field, isDocument, isNumeric, toNumber, truthy, type Value } from '../bson/value'
import { CommandError, notImplemented } from '../errors'
import { type Filter, parseFilter } from '../query/filter'
import { keyPattern, type KeyPattern } from './keys'

/** What is known of an index's entries and never becomes untrue again. */
export interface Traits {
  /** Dotted paths at which some document has an array: such an index has several entries per document. */
  arrays: Set<string>
  /** Whether some entry's values were too long for a key, so that their order is known only in part. */
  shortened: boolean
}

export interface Index {
  /** 0 is the documents themselves, by _id. */
  readonly id: number
  readonly name: string
  readonly key: Document
  readonly pattern: KeyPattern
  readonly unique: boolean
  readonly partial?: { readonly document: Document; readonly filter: Filter }
  readonly traits: Traits
  /** The traits as the catalog on disk has them; a transaction that found a new one may yet be aborted. */
  stored: Traits
  /** False until the entries of the documents that were there before are committed; then queries may use it. */
  ready: boolean
}

const known = new Set(['key', 'name', 'unique', 'partialFilterExpression'])

/** @throws CannotCreateIndex, BadValue, or NotImplemented for kinds and options that this store does not have. */
export function parseIndex(specification: Document, id: number): Index {
  for (const option of Object.keys(specification))
    if (!known.has(option))
      throw notImplemented(
        `index option ${option}`,
        'InvalidIndexSpecificationOption',
        `The field '${option}' is not valid for an index specification`,
      )
  const key = field(specification, 'key')
  if (!isDocument(key) || Object.keys(key).length === 0)
    throw new CommandError('CannotCreateIndex', 'Index keys cannot be empty.')
  if (isIdKey(key)) checkIdIndex(specification, key)
  const given = field(specification, 'name')
  if (typeof given !== 'string' || given === '')
    throw new CommandError('FailedToParse', "The 'name' field is a required property of an index specification")
  const partial = field(specification, 'partialFilterExpression')
  if (partial !== undefined && !isDocument(partial))
    throw new CommandError('TypeMismatch', "The field 'partialFilterExpression' must be an object")
  return {
    id,
    name: given,
    key,
    pattern: keyPattern(key, directionOf),
    unique: truthy(field(specification, 'unique')),
    ...(partial && { partial: { document: partial, filter: partialFilter(partial) } }),
    traits: { arrays: new Set(), shortened: false },
    stored: { arrays: new Set(), shortened: false },
    ready: false,
  }
}

const idKey: Document = { _id: new Int32(1) }

/** The index every collection has. */
export function idIndex(): Index {
  return { ...parseIndex({ key: idKey, name: '_id_' }, 0), unique: true, ready: true }
}

/** As listIndexes shows it. */
export function describeIndex(index: Index): Document {
  return {
    v: new Int32(2),
    key: index.key,
    name: index.name,
    ...(index.unique && index.id !== 0 && { unique: true }),
    ...(index.partial && { partialFilterExpression: index.partial.document }),
  }
}

function isIdKey(key: Document): boolean {
  const direction = field(key, '_id')
  return Object.keys(key).length === 1 && isNumeric(direction) && Math.abs(toNumber(direction)) === 1
}

/** The index that every collection has may be asked for again, as it is. */
function checkIdIndex(specification: Document, key: Document): void {
  const option = Object.keys(specification).find(name => name !== 'key' && name !== 'name')
  if (option)
    throw new CommandError(
      'InvalidIndexSpecificationOption',
      `The field '${option}' is not valid for an _id index specification. Specification: ${show(specification)}`,
    )
  if (!equal(key, idKey))
    throw new CommandError('BadValue', `The field 'key' for an _id index must be {_id: 1}, but got ${show(key)}`)
}

function directionOf(dotted: string, direction: Value): 1 | -1 {
  if (typeof direction === 'string')
    throw notImplemented(`index of type ${direction}`, 'CannotCreateIndex', `Unknown index plugin '${direction}'`)
  if (dotted.includes('$**')) throw notImplemented('wildcard index', 'CannotCreateIndex')
  if (dotted === '' || dotted.startsWith('.') || dotted.endsWith('.') || dotted.includes('..'))
    throw new CommandError('CannotCreateIndex', 'Index keys cannot contain an empty field.')
  const number = isNumeric(direction) ? toNumber(direction) : 0
  if (number === 0 || Number.isNaN(number))
    throw new CommandError('CannotCreateIndex', `Values in the index key pattern cannot be 0.`)
  return number > 0 ? 1 : -1
}

function partialFilter(document: Document): Filter {
  const filter = parseFilter(document)
  const parts = filter.kind === 'and' ? filter.of : [filter]
  if (!parts.every(mayBePartial))
    throw new CommandError(
      'CannotCreateIndex',
      'unsupported expression in partial index: ' + Object.keys(document).join(', '),
    )
  return filter
}

/** Of what MongoDB allows there: equality, ranges, $in and $exists: true, one or several of them. */
function mayBePartial(filter: Filter): boolean {
  if (filter.kind !== 'field') return false
  const { test } = filter
  return test.op === 'in' || test.op === 'range' || (test.op === 'exists' && test.wanted)
}

export function copyTraits(traits: Traits): Traits {
  return { arrays: new Set(traits.arrays), shortened: traits.shortened }
}
