// A query's filter: parsed once into a tree that the matcher runs and the planner reads.
import { Double } from 'bson'
import { type Path, pathOf } from '../bson/path'
import { type Document, isDocument, isNumeric, kindOf, toNumber, truthy, type Value } from '../bson/value'
import { CommandError, notImplemented } from '../errors'
import { type Pattern, patternOf } from './pattern'
import { typeNames } from './type-names'

export type Filter =
  { kind: 'and' | 'or' | 'nor'; of: Filter[] } | { kind: 'field'; dotted: string; path: Path; test: Test }

export type Range = 'gt' | 'gte' | 'lt' | 'lte'
export type Test =
  | { op: 'eq' | Range; value: Value }
  | { op: 'in'; values: Value[]; patterns: Pattern[] }
  | { op: 'exists'; wanted: boolean }
  | { op: 'size'; size: number }
  | { op: 'type'; names: string[] }
  | { op: 'mod'; divisor: number; remainder: number }
  | { op: 'regex'; pattern: Pattern }
  | { op: 'not'; of: Test[] }
  | { op: 'elemMatchValue'; of: Test[] }
  | { op: 'elemMatchObject'; filter: Filter }
  | { op: 'never' }

export function parseFilter(filter: Document): Filter {
  const of: Filter[] = []
  for (const [name, value] of Object.entries(filter)) {
    if (!name.startsWith('$')) of.push(...fieldTests(name, value))
    else if (name === '$and' || name === '$or' || name === '$nor')
      of.push({ kind: name.slice(1) as 'and' | 'or' | 'nor', of: filters(name, value) })
    else if (name === '$comment') continue
    else throw notImplemented(`query operator ${name}`, 'BadValue', `unknown top level operator: ${name}`)
  }
  return of.length === 1 ? of[0]! : { kind: 'and', of }
}

function filters(name: string, value: Value): Filter[] {
  if (!Array.isArray(value)) throw bad(`${name} must be an array`)
  if (value.length === 0) throw bad('$and/$or/$nor must be a nonempty array')
  return value.map(item => {
    if (!isDocument(item)) throw bad('$or/$and/$nor entries need to be full objects')
    return parseFilter(item)
  })
}

function fieldTests(dotted: string, value: Value): Filter[] {
  const path = pathOf(dotted)
  return testsOf(value).map(test => ({ kind: 'field', dotted, path, test }))
}

/** What stands at a field: a value to be equal to, a pattern, or a document of operators. */
function testsOf(value: Value): Test[] {
  if (kindOf(value) === 'regex') return [{ op: 'regex', pattern: patternOf(value) }]
  if (!isOperators(value)) return [{ op: 'eq', value }]
  return operatorTests(value)
}

export function isOperators(value: Value): value is Document {
  return isDocument(value) && Object.keys(value)[0]?.startsWith('$') === true
}

function operatorTests(operators: Document): Test[] {
  return Object.entries(operators).flatMap(([name, operand]) => operator(name, operand, operators))
}

function operator(name: string, operand: Value, all: Document): Test[] {
  switch (name) {
    case '$eq':
      return [{ op: 'eq', value: operand }]
    case '$ne':
      if (kindOf(operand) === 'regex') throw bad("Can't have regex as arg to $ne.")
      return [{ op: 'not', of: [{ op: 'eq', value: operand }] }]
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      if (kindOf(operand) === 'regex') throw bad(`Can't have RegEx as arg to predicate over field`)
      return [{ op: name.slice(1) as Range, value: operand }]
    case '$in':
      return [membership(name, operand)]
    case '$nin':
      return [{ op: 'not', of: [membership(name, operand)] }]
    case '$exists':
      return [{ op: 'exists', wanted: truthy(operand) }]
    case '$size':
      return [{ op: 'size', size: wholeNumber(operand, 'Failed to parse $size. Expected a non-negative integer') }]
    case '$type':
      return [{ op: 'type', names: typeNames(operand) }]
    case '$mod':
      return [modulo(operand)]
    case '$regex': {
      const options = all['$options']
      return [{ op: 'regex', pattern: patternOf(operand, options) }]
    }
    case '$options':
      if (!Object.hasOwn(all, '$regex')) throw bad('$options needs a $regex')
      return []
    case '$not':
      return [{ op: 'not', of: negated(operand) }]
    case '$all':
      return everyOf(operand)
    case '$elemMatch':
      return [elementMatch(operand)]
    case '$comment':
      return []
    default:
      throw notImplemented(`query operator ${name}`, 'BadValue', `unknown operator: ${name}`)
  }
}

function membership(name: string, operand: Value): Test {
  if (!Array.isArray(operand)) throw bad(`${name} needs an array`)
  const patterns: Pattern[] = []
  const values: Value[] = []
  for (const item of operand) {
    if (kindOf(item) === 'regex') patterns.push(patternOf(item))
    else if (isOperators(item)) throw bad(`cannot nest $ under ${name}`)
    else values.push(item)
  }
  return { op: 'in', values, patterns }
}

function negated(operand: Value): Test[] {
  if (kindOf(operand) === 'regex') return [{ op: 'regex', pattern: patternOf(operand) }]
  if (!isDocument(operand)) throw bad('$not needs a regex or a document')
  if (Object.keys(operand).length === 0) throw bad('$not cannot be empty')
  return operatorTests(operand)
}

function everyOf(operand: Value): Test[] {
  if (!Array.isArray(operand)) throw bad('$all needs an array')
  if (operand.length === 0) return [{ op: 'never' }]
  const matchers = operand.filter(item => isDocument(item) && Object.hasOwn(item, '$elemMatch'))
  if (matchers.length > 0 && matchers.length < operand.length) throw bad('no $ expressions in $all')
  return operand.flatMap(testsOf)
}

function elementMatch(operand: Value): Test {
  if (!isDocument(operand)) throw bad('$elemMatch needs an Object')
  const first = Object.keys(operand)[0]
  const onValues = first?.startsWith('$') && !['$and', '$or', '$nor', '$expr'].includes(first)
  if (onValues) return { op: 'elemMatchValue', of: operatorTests(operand) }
  return { op: 'elemMatchObject', filter: parseFilter(operand) }
}

function modulo(operand: Value): Test {
  if (!Array.isArray(operand)) throw bad('malformed mod, needs to be an array')
  if (operand.length !== 2) throw bad(`malformed mod, ${operand.length < 2 ? 'not enough' : 'too many'} elements`)
  const [divisor, remainder] = operand.map(item => (isNumeric(item) ? Math.trunc(toNumber(item)) : NaN)) as [
    number,
    number,
  ]
  if (Number.isNaN(divisor)) throw bad('malformed mod, divisor not a number')
  if (Number.isNaN(remainder)) throw bad('malformed mod, remainder not a number')
  if (divisor === 0) throw bad('divisor cannot be 0')
  return { op: 'mod', divisor, remainder }
}

function wholeNumber(value: Value, message: string): number {
  if (isNumeric(value)) {
    const number = toNumber(value)
    if (Number.isInteger(number) && number >= 0) return number
  }
  throw bad(`${message}, but got: ${value instanceof Double ? value.value : kindOf(value)}`)
}

function bad(message: string): CommandError {
  return new CommandError('BadValue', message)
}
