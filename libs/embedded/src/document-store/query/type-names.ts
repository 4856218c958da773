// The names and numbers by which $type tells values apart.
import { Double, Int32, Long } from 'bson'
import { isNumeric, kindOf, toNumber, type Value } from '../bson/value'
import { show } from '../bson/show'
import { CommandError } from '../errors'

const byNumber: Record<number, string> = {
  1: 'double',
  2: 'string',
  3: 'object',
  4: 'array',
  5: 'binData',
  7: 'objectId',
  8: 'bool',
  9: 'date',
  10: 'null',
  11: 'regex',
  13: 'javascript',
  16: 'int',
  17: 'timestamp',
  18: 'long',
  [-1]: 'minKey',
  127: 'maxKey',
}
const known = new Set([...Object.values(byNumber), 'number'])

/** The operand of $type as names. */
export function typeNames(operand: Value): string[] {
  const items = Array.isArray(operand) ? operand : [operand]
  if (items.length === 0) throw new CommandError('FailedToParse', ' must match at least one type')
  return items.map(item => {
    const name = isNumeric(item) ? byNumber[toNumber(item)] : item
    if (typeof name !== 'string' || !known.has(name))
      throw new CommandError('BadValue', `Unknown type name alias: ${show(item)}`)
    return name
  })
}

/** The name of a value's type as $type the expression gives it. */
export function typeName(value: Value): string {
  if (value instanceof Int32) return 'int'
  if (value instanceof Double) return 'double'
  const kind = kindOf(value)
  if (kind === 'number' && value instanceof Long) return 'long'
  return kind === 'undefined' ? 'missing' : kind
}

export function isOfType(value: Value, names: readonly string[]): boolean {
  if (value === undefined) return false
  const name = typeName(value)
  return names.includes(name) || (names.includes('number') && isNumeric(value))
}
