// $push with its modifiers: $each, then $position, $sort, $slice, in that order.
import { compare } from '../bson/order'
import { type Document, field, isDocument, isNumeric, toNumber, type Value } from '../bson/value'
import { CommandError } from '../errors'
import { keyPart, type KeyPattern, sortKey } from '../index/keys'
import { typeName } from '../query/type-names'

const modifiers = new Set(['$each', '$position', '$sort', '$slice'])

export function pushed(array: Value[], operand: Value): Value[] {
  if (!isDocument(operand) || !Object.hasOwn(operand, '$each')) return [...array, operand]
  for (const name of Object.keys(operand)) if (!modifiers.has(name)) throw bad(`Unrecognized clause in $push: ${name}`)
  const each = field(operand, '$each')
  if (!Array.isArray(each))
    throw new CommandError(
      'BadValue',
      `The argument to $each in $push must be an array but it was of type: ${typeName(each)}`,
    )
  const position = whole(operand, '$position')
  const slice = whole(operand, '$slice')
  const grown = [...array]
  grown.splice(position ?? grown.length, 0, ...each)
  const order = orderOf(field(operand, '$sort'))
  if (order) grown.sort(order)
  if (slice === undefined) return grown
  return slice === 0 ? [] : slice > 0 ? grown.slice(0, slice) : grown.slice(slice)
}

function whole(operand: Document, name: string): number | undefined {
  const value = field(operand, name)
  if (value === undefined) return undefined
  const number = isNumeric(value) ? toNumber(value) : NaN
  if (!Number.isInteger(number))
    throw bad(`The value for ${name} must be an integer value but was given type: ${typeName(value)}`)
  return number
}

/** 1 or -1 sorts the elements as wholes, a document sorts elements that are documents by their fields. */
function orderOf(sort: Value): ((a: Value, b: Value) => number) | undefined {
  if (sort === undefined) return undefined
  if (isNumeric(sort)) {
    const direction = directionOf(sort)
    return (a, b) => compare(a, b) * direction
  }
  if (!isDocument(sort) || Object.keys(sort).length === 0)
    throw bad('The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields')
  const pattern: KeyPattern = Object.entries(sort).map(([dotted, direction]) => keyPart(dotted, directionOf(direction)))
  const keys = new Map<Value, Buffer>()
  const keyFor = (item: Value) => {
    let key = keys.get(item)
    if (!key) keys.set(item, (key = sortKey(isDocument(item) ? item : {}, pattern)))
    return key
  }
  return (a, b) => keyFor(a).compare(keyFor(b))
}

function directionOf(value: Value): 1 | -1 {
  const number = isNumeric(value) ? toNumber(value) : 0
  if (number !== 1 && number !== -1) throw bad('The $sort element value must be either 1 or -1')
  return number
}

function bad(message: string): CommandError {
  return new CommandError('BadValue', message)
}
