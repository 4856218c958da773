// The update operators: what each makes of the value at its path.
import { Timestamp } from 'bson'
import { compare, equal } from '../bson/order'
import { show } from '../bson/show'
import { field, isDocument, isNumeric, kindOf, toNumber, type Value } from '../bson/value'
import { CommandError, notImplemented } from '../errors'
import { isOperators, parseFilter } from '../query/filter'
import { matches, valueMatches } from '../query/match'
import { typeName } from '../query/type-names'
import { combine } from './arithmetic'
import { pushed } from './push'

/** Stands for a field that is taken away. */
export const REMOVED = Symbol('removed')
/** Stands for a field that is left as it is, and not created. */
export const UNCHANGED = Symbol('unchanged')
export type Outcome = Value | typeof REMOVED | typeof UNCHANGED

export interface Target {
  /** The value at the path, undefined when there is none. */
  value: Value
  dotted: string
  /** The document's _id, for messages. */
  id: Value
  now: Date
}

export type Operator = (operand: Value, target: Target) => Outcome

export const operators: Record<string, Operator> = {
  $set: operand => operand,
  $setOnInsert: operand => operand,
  $unset: (_operand, { value }) => (value === undefined ? UNCHANGED : REMOVED),
  $inc: (operand, target) => arithmetic('$inc', 'add', operand, target),
  $mul: (operand, target) => arithmetic('$mul', 'multiply', operand, target),
  $min: (operand, { value }) => (value === undefined || compare(operand, value) < 0 ? operand : UNCHANGED),
  $max: (operand, { value }) => (value === undefined || compare(operand, value) > 0 ? operand : UNCHANGED),
  $currentDate: (operand, { now }) => currentDate(operand, now),
  $push: (operand, target) => pushed(arrayAt('$push', target) ?? [], operand),
  $addToSet: (operand, target) => addedToSet(arrayAt('$addToSet', target) ?? [], operand),
  $pop: (operand, target) => popped(arrayAt('$pop', target), operand),
  $pull: (operand, target) => pulled(arrayAt('$pull', target), pullTest(operand)),
  $pullAll: (operand, target) => pulledAll(arrayAt('$pullAll', target), operand),
}

function arithmetic(name: string, operation: 'add' | 'multiply', operand: Value, target: Target): Outcome {
  const verb = operation === 'add' ? 'increment' : 'multiply'
  if (!isNumeric(operand))
    throw new CommandError(
      'TypeMismatch',
      `Cannot ${verb} with non-numeric argument: {${target.dotted}: ${show(operand)}}`,
    )
  const { value } = target
  if (value === undefined) return operation === 'add' ? operand : combine(operand, zeroLike(operand), 'multiply')
  if (!isNumeric(value))
    throw new CommandError(
      'TypeMismatch',
      `Cannot apply ${name} to a value of non-numeric type. {_id: ${show(target.id)}} has the field '${lastStep(target.dotted)}' of non-numeric type ${typeName(value)}`,
    )
  const result = combine(value, operand, operation)
  if (result === undefined)
    throw new CommandError(
      'BadValue',
      `Failed to apply ${name} operations to current value (${show(value)}) for document {_id: ${show(target.id)}}`,
    )
  return result
}

function zeroLike<N extends Value>(operand: N): N {
  const Type = (operand as unknown as { constructor: new (value: number) => N }).constructor
  return new Type(0)
}

function currentDate(operand: Value, now: Date): Value {
  if (operand === true) return now
  const type = isDocument(operand) ? field(operand, '$type') : undefined
  if (type === 'date') return now
  if (type === 'timestamp') return new Timestamp({ t: Math.floor(now.getTime() / 1000), i: 1 })
  throw new CommandError('BadValue', "The '$type' string field is required to be 'date' or 'timestamp'")
}

function arrayAt(name: string, { value, dotted, id }: Target): Value[] | undefined {
  if (value === undefined) return undefined
  if (Array.isArray(value)) return value
  if (name === '$push' || name === '$addToSet')
    throw new CommandError(
      'BadValue',
      `The field '${dotted}' must be an array but is of type ${typeName(value)} in document {_id: ${show(id)}}`,
    )
  throw new CommandError(name === '$pop' ? 'TypeMismatch' : 'BadValue', `Cannot apply ${name} to a non-array value`)
}

function addedToSet(array: Value[], operand: Value): Outcome {
  const each = isDocument(operand) && Object.keys(operand)[0] === '$each' ? field(operand, '$each') : [operand]
  if (!Array.isArray(each))
    throw new CommandError(
      'TypeMismatch',
      'The argument to $each in $addToSet must be an array but it was of type ' + typeName(each),
    )
  const added = [...array]
  for (const item of each) if (!added.some(present => equal(present, item))) added.push(item)
  return added
}

function popped(array: Value[] | undefined, operand: Value): Outcome {
  const end = isNumeric(operand) ? toNumber(operand) : NaN
  if (end !== 1 && end !== -1) throw new CommandError('FailedToParse', '$pop expects 1 or -1, found: ' + show(operand))
  if (!array) return UNCHANGED
  return end === 1 ? array.slice(0, -1) : array.slice(1)
}

function pulled(array: Value[] | undefined, condition: (item: Value) => boolean): Outcome {
  return array ? array.filter(item => !condition(item)) : UNCHANGED
}

/** $pull takes a value, operators on each element, or a filter on elements that are documents. */
function pullTest(operand: Value): (item: Value) => boolean {
  if (isOperators(operand) || kindOf(operand) === 'regex') {
    const filter = parseFilter({ item: operand })
    const parts = filter.kind === 'and' ? filter.of : [filter]
    return item => parts.every(part => part.kind === 'field' && valueMatches(part.test, item))
  }
  if (!isDocument(operand)) return item => equal(item, operand)
  const filter = parseFilter(operand)
  return item => isDocument(item) && matches(filter, item)
}

function pulledAll(array: Value[] | undefined, operand: Value): Outcome {
  if (!Array.isArray(operand))
    throw new CommandError('BadValue', '$pullAll requires an array argument but was given a ' + typeName(operand))
  return pulled(array, item => operand.some(unwanted => equal(item, unwanted)))
}

export function refuseUnknownOperator(name: string): CommandError {
  return notImplemented(
    `update operator ${name}`,
    'FailedToParse',
    `Unknown modifier: ${name}. Expected a valid update modifier or pipeline-style update specified as an array`,
  )
}

function lastStep(dotted: string): string {
  return dotted.slice(dotted.lastIndexOf('.') + 1)
}
