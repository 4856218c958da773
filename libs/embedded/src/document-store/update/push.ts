// $push with its modifiers: $each, then $position, $sort, $slice, in that order.
import { compare } from '../bson/order'
import { isArrayIndex, type Path, pathOf } from '../bson/path'
import { checkStorable, type Document, field, isDocument, isNumeric, toNumber, type Value } from '../bson/value'
import { CommandError } from '../errors'
import { keyPattern } from '../index/keys'
import { typeName } from '../bson/show'

const modifiers = new Set(['$each', '$position', '$sort', '$slice'])

export function parsePush(operand: Value, path: Path): (array: Value[]) => Value[] {
  const modified = isDocument(operand) && Object.hasOwn(operand, '$each') ? operand : { $each: [operand] }
  for (const name of Object.keys(modified)) if (!modifiers.has(name)) throw bad(`Unrecognized clause in $push: ${name}`)
  const each = field(modified, '$each')
  if (!Array.isArray(each))
    throw bad(`The argument to $each in $push must be an array but it was of type: ${typeName(each)}`)
  checkStorable(each, path.length + 1)
  const position = whole(modified, '$position')
  const slice = whole(modified, '$slice')
  const order = orderOf(field(modified, '$sort'))
  return array => {
    const at = position ?? array.length
    const grown = [...array.slice(0, at), ...each, ...array.slice(at)]
    if (order) grown.sort(order)
    if (slice === undefined) return grown
    return slice === 0 ? [] : slice > 0 ? grown.slice(0, slice) : grown.slice(slice)
  }
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
  const pattern = keyPattern(sort, (dotted, direction) => {
    if (dotted === '') throw bad('The sort field cannot be empty')
    if (pathOf(dotted).includes('')) throw bad(`The sort field is a dotted field but has an empty part: ${dotted}`)
    return directionOf(direction)
  })
  return (a, b) => {
    for (const { path, direction } of pattern) {
      const order = compare(within(a, path), within(b, path)) * direction
      if (order !== 0) return order
    }
    return 0
  }
}

/** What an element has at a path, in arrays by position; null where there is nothing. */
function within(item: Value, path: Path): Value {
  if (!isDocument(item)) return null
  let value: Value = item
  for (const step of path) {
    if (Array.isArray(value)) value = isArrayIndex(step) ? value[Number(step)] : undefined
    else value = isDocument(value) ? field(value, step) : undefined
  }
  return value === undefined ? null : value
}

function directionOf(value: Value): 1 | -1 {
  const number = isNumeric(value) ? toNumber(value) : 0
  if (number !== 1 && number !== -1) throw bad('The $sort element value must be either 1 or -1')
  return number
}

function bad(message: string): CommandError {
  return new CommandError('BadValue', message)
}
