// Whether a document matches a filter, by MongoDB's rules for arrays, null and missing fields.
import { compare, equal } from '../bson/order'
import { reach } from '../bson/path'
import { type Document, isDocument, isNumeric, kindOf, toNumber, type Value } from '../bson/value'
import { type Filter, type Range, type Test } from './filter'
import { isOfType } from './type-names'

export function matches(filter: Filter, document: Document): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.of.every(part => matches(part, document))
    case 'or':
      return filter.of.some(part => matches(part, document))
    case 'nor':
      return !filter.of.some(part => matches(part, document))
    case 'field':
      return fieldMatches(filter.test, document, filter.path)
  }
}

function fieldMatches(test: Test, document: Document, path: readonly string[]): boolean {
  if (test.op === 'not') return !test.of.every(part => fieldMatches(part, document, path))
  if (test.op === 'exists') return reach(document, path, value => value !== undefined) === test.wanted
  return reach(document, path, value => reachedMatches(test, value))
}

/** A test on what a path reached: on an array it holds when it holds of the whole or of any element. */
function reachedMatches(test: Test, value: Value): boolean {
  switch (test.op) {
    case 'size':
      return Array.isArray(value) && value.length === test.size
    case 'elemMatchValue':
      return Array.isArray(value) && value.some(item => test.of.every(part => elementMatches(part, item)))
    case 'elemMatchObject':
      return (
        Array.isArray(value) &&
        value.some(item =>
          isDocument(item)
            ? matches(test.filter, item)
            : Array.isArray(item) && matches(test.filter, Object.fromEntries(item.entries())),
        )
      )
    default:
      return valueMatches(test, value) || (Array.isArray(value) && value.some(item => valueMatches(test, item)))
  }
}

/** A test on one element of $elemMatch, which does not look into arrays inside the array, except as wholes. */
function elementMatches(test: Test, item: Value): boolean {
  if (test.op === 'not') return !test.of.every(part => elementMatches(part, item))
  if (test.op === 'size' || test.op === 'elemMatchValue' || test.op === 'elemMatchObject')
    return reachedMatches(test, item)
  return valueMatches(test, item)
}

/** A test on one value, arrays taken as wholes. Also how $pull tests an element. */
export function valueMatches(test: Test, value: Value): boolean {
  switch (test.op) {
    case 'eq':
      return equalOrMissing(value, test.value)
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return inRange(test.op, value, test.value)
    case 'in':
      return (
        test.values.some(wanted => equalOrMissing(value, wanted)) ||
        (typeof value === 'string' && test.patterns.some(pattern => pattern.matches(value)))
      )
    case 'regex':
      return typeof value === 'string'
        ? test.pattern.matches(value)
        : kindOf(value) === 'regex' && isSamePattern(value, test.pattern)
    case 'type':
      return isOfType(value, test.names)
    case 'mod':
      return isNumeric(value) && Math.trunc(toNumber(value)) % test.divisor === test.remainder
    case 'exists':
      return (value !== undefined) === test.wanted
    case 'not':
      return !test.of.every(part => valueMatches(part, value))
    case 'size':
    case 'elemMatchValue':
    case 'elemMatchObject':
      return reachedMatches(test, value)
    case 'never':
      return false
  }
}

function isSamePattern(value: Value, pattern: { source: string; options: string }): boolean {
  const { pattern: source, options } = value as { pattern: string; options: string } & Value
  return source === pattern.source && options === pattern.options
}

/** null equals a missing field. */
function equalOrMissing(value: Value, wanted: Value): boolean {
  if (value === undefined) return wanted === null
  return equal(value, wanted)
}

/** Only values of one type are compared with < and >, but for MinKey and MaxKey; null is also what is missing. */
function inRange(op: Range, value: Value, bound: Value): boolean {
  const present = value === undefined ? null : value
  const kind = kindOf(bound)
  if (value === undefined && kind !== 'null' && kind !== 'minKey' && kind !== 'maxKey') return false
  if (kindOf(present) !== kind && kind !== 'minKey' && kind !== 'maxKey') return false
  if (isNotANumber(present) || isNotANumber(bound))
    return isNotANumber(present) && isNotANumber(bound) && (op === 'gte' || op === 'lte')
  const order = compare(present, bound)
  switch (op) {
    case 'gt':
      return order > 0
    case 'gte':
      return order >= 0
    case 'lt':
      return order < 0
    case 'lte':
      return order <= 0
  }
}

function isNotANumber(value: Value): boolean {
  return isNumeric(value) && Number.isNaN(toNumber(value))
}
