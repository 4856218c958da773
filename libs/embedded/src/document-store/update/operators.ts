// The update operators: each is parsed once and then says what becomes of the value at its path.
import { Double, Int32, Long } from 'bson'
import { equal, identityOf } from '../bson/order'
import { type Path } from '../bson/path'
import { show, typeName } from '../bson/show'
import { checkStorable, field, isDocument, isNumeric, type Numeric, toNumber, type Value } from '../bson/value'
import { type CodeName, CommandError } from '../errors'
import { isOperators, parseFilter } from '../query/filter'
import { matches } from '../query/match'
import { parsePush } from './push'

/** Stands for a field that is taken away, where there is one. */
export const REMOVED = Symbol('removed')

/**
 * From the value at a path, undefined when there is none, to the next one; undefined when there is none and none is made.
 * `id` is the document's, for messages.
 */
export type Modifier = (value: Value, id: Value) => Value | typeof REMOVED

export const operators: Record<string, (operand: Value, path: Path) => Modifier> = {
  $set,
  $setOnInsert: $set,
  $unset: () => () => REMOVED,
  $inc,
  $push: (operand, path) => grown(path, parsePush(operand, path)),
  $addToSet,
  $pop,
  $pull,
}

function $set(operand: Value, path: Path): Modifier {
  checkStorable(operand, path.length + 1)
  return () => operand
}

function $inc(operand: Value, path: Path): Modifier {
  if (!isNumeric(operand))
    throw new CommandError(
      'TypeMismatch',
      `Cannot increment with non-numeric argument: {${path.join('.')}: ${show(operand)}}`,
    )
  return (value, id) => {
    if (value === undefined) return operand
    if (!isNumeric(value))
      throw new CommandError(
        'TypeMismatch',
        `Cannot apply $inc to a value of non-numeric type. {_id: ${show(id)}} has the field '${path.at(-1)}' of non-numeric type ${typeName(value)}`,
      )
    const sum = sumOf(value, operand)
    if (!sum)
      throw new CommandError(
        'BadValue',
        `Failed to apply $inc operations to current value (${show(value)}) for document {_id: ${show(id)}}`,
      )
    return sum
  }
}

/** Double when either is, else Int32 when both are and it fits, else Long; undefined on overflow of 64 bits. */
function sumOf(a: Numeric, b: Numeric): Numeric | undefined {
  if (a instanceof Double || b instanceof Double) return new Double(toNumber(a) + toNumber(b))
  const wide = (value: Int32 | Long) => (value instanceof Long ? value.toBigInt() : BigInt(value.value))
  const exact = wide(a) + wide(b)
  if (exact !== BigInt.asIntN(64, exact)) return undefined
  if (a instanceof Int32 && b instanceof Int32 && exact === BigInt.asIntN(32, exact)) return new Int32(Number(exact))
  return Long.fromBigInt(exact)
}

function $addToSet(operand: Value, path: Path): Modifier {
  const [first, ...more] = isDocument(operand) ? Object.keys(operand) : []
  const each = isDocument(operand) && first === '$each' ? field(operand, first) : [operand]
  if (!Array.isArray(each))
    throw new CommandError(
      'TypeMismatch',
      `The argument to $each in $addToSet must be an array but it was of type ${typeName(each)}`,
    )
  if (first === '$each' && more.length > 0)
    throw new CommandError('BadValue', `Found unexpected fields after $each in $addToSet: ${show(operand)}`)
  checkStorable(each, path.length + 1)
  return grown(path, array => {
    const present = new Set(array.map(identityOf))
    const added = [...array]
    for (const item of each) {
      const identity = identityOf(item)
      if (!present.has(identity)) added.push(item)
      present.add(identity)
    }
    return added
  })
}

function $pop(operand: Value): Modifier {
  const end = isNumeric(operand) ? toNumber(operand) : NaN
  if (end !== 1 && end !== -1) throw new CommandError('FailedToParse', '$pop expects 1 or -1, found: ' + show(operand))
  return shrunk('$pop', 'TypeMismatch', array => (end === 1 ? array.slice(0, -1) : array.slice(1)))
}

function $pull(operand: Value): Modifier {
  const unwanted = pullTest(operand)
  return shrunk('$pull', 'BadValue', array => array.filter(item => !unwanted(item)))
}

/** $pull takes a value, operators on each element, or a filter on elements that are documents. */
function pullTest(operand: Value): (item: Value) => boolean {
  if (isOperators(operand)) {
    const filter = parseFilter({ item: operand })
    return item => matches(filter, { item })
  }
  if (!isDocument(operand)) return item => equal(item, operand)
  const filter = parseFilter(operand)
  return item => isDocument(item) && matches(filter, item)
}

/** A change of an array that is made when there is none. */
function grown(path: Path, grow: (array: Value[]) => Value[]): Modifier {
  return (value = [], id) => {
    if (Array.isArray(value)) return grow(value)
    throw new CommandError(
      'BadValue',
      `The field '${path.join('.')}' must be an array but is of type ${typeName(value)} in document {_id: ${show(id)}}`,
    )
  }
}

/** A change of an array that is not made when there is none. */
function shrunk(name: string, codeName: CodeName, shrink: (array: Value[]) => Value[]): Modifier {
  return value => {
    if (value === undefined) return undefined
    if (Array.isArray(value)) return shrink(value)
    throw new CommandError(codeName, `Cannot apply ${name} to a non-array value`)
  }
}
