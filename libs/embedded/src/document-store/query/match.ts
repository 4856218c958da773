// Whether a document matches a filter, by MongoDB's rules for arrays, null and missing fields.
import { compare, equal } from '../bson/order'
import { type Path, reach } from '../bson/path'
import { type Document, isNumeric, kindOf, toNumber, type Value } from '../bson/value'
import { type Filter, type Range, type Test } from './filter'

export function matches(filter: Filter, document: Document): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.of.every(part => matches(part, document))
    case 'or':
      return filter.of.some(part => matches(part, document))
    case 'field':
      return fieldMatches(filter.test, document, filter.path)
  }
}

/** An array that a path reached by its name passes a test when it does as a whole, or any element of it. */
function fieldMatches(test: Test, document: Document, path: Path): boolean {
  if (test.op === 'not') return !test.of.every(part => fieldMatches(part, document, path))
  if (test.op === 'exists') return reach(document, path, value => value !== undefined) === test.wanted
  return reach(
    document,
    path,
    (value, byPosition) =>
      valueMatches(test, value) ||
      (!byPosition && Array.isArray(value) && value.some(item => valueMatches(test, item))),
  )
}

/** A test on one value, arrays taken as wholes. */
export function valueMatches(test: Test, value: Value): boolean {
  switch (test.op) {
    case 'in':
      return test.values.some(wanted => equalOrMissing(value, wanted))
    case 'range':
      return inRange(test, value)
    case 'exists':
      return (value !== undefined) === test.wanted
    case 'not':
      return !test.of.every(part => valueMatches(part, value))
  }
}

/** null equals a missing field. */
function equalOrMissing(value: Value, wanted: Value): boolean {
  return value === undefined ? wanted === null : equal(value, wanted)
}

/** Only values of one type are compared with < and >, but for MinKey and MaxKey; null is also what is missing. */
function inRange({ direction, inclusive, bound }: Range, value: Value): boolean {
  const present = value === undefined ? null : value
  const kind = kindOf(bound)
  if (kindOf(present) !== kind && kind !== 'minKey' && kind !== 'maxKey') return false
  // NaN is neither below nor above a number.
  if (kind === 'number' && isNotANumber(present) !== isNotANumber(bound)) return false
  const order = compare(present, bound) * direction
  return order > 0 || (inclusive && order === 0)
}

function isNotANumber(value: Value): boolean {
  return isNumeric(value) && Number.isNaN(toNumber(value))
}
