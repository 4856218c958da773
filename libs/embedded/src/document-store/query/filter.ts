// A query's filter: parsed once into a tree that the matcher runs and the planner reads.
import { type Path, pathOf } from '../bson/path'
import { type Document, isDocument, truthy, type Value } from '../bson/value'
import { CommandError, notImplemented } from '../errors'

export type Filter = { kind: 'and' | 'or'; of: Filter[] } | { kind: 'field'; dotted: string; path: Path; test: Test }

export type Test = { op: 'in'; values: Value[] } | Range | { op: 'exists'; wanted: boolean } | { op: 'not'; of: Test[] }

/** Above a bound (direction 1) or below it (-1). */
export interface Range {
  op: 'range'
  direction: 1 | -1
  inclusive: boolean
  bound: Value
}

export function parseFilter(filter: Document): Filter {
  const of: Filter[] = []
  for (const [name, value] of Object.entries(filter)) {
    if (!name.startsWith('$')) {
      const path = pathOf(name)
      for (const test of testsOf(value)) of.push({ kind: 'field', dotted: name, path, test })
    } else if (name === '$and' || name === '$or')
      of.push({ kind: name === '$and' ? 'and' : 'or', of: filters(name, value) })
    else if (name !== '$comment')
      throw notImplemented(`query operator ${name}`, 'BadValue', `unknown top level operator: ${name}`)
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

/** What stands at a field: a document of operators, or a value to be equal to. */
function testsOf(value: Value): Test[] {
  return isOperators(value) ? operatorTests(value) : [operatorTest('$eq', value)]
}

export function isOperators(value: Value): value is Document {
  return isDocument(value) && Object.keys(value)[0]?.startsWith('$') === true
}

function operatorTests(operators: Document): Test[] {
  return Object.entries(operators).map(([name, operand]) => operatorTest(name, operand))
}

function operatorTest(name: string, operand: Value): Test {
  if (operand === undefined) throw bad('cannot compare to undefined')
  switch (name) {
    case '$eq':
      return { op: 'in', values: [operand] }
    case '$ne':
      return { op: 'not', of: [{ op: 'in', values: [operand] }] }
    case '$in':
      return membership(name, operand)
    case '$nin':
      return { op: 'not', of: [membership(name, operand)] }
    case '$gt':
    case '$gte':
      return { op: 'range', direction: 1, inclusive: name === '$gte', bound: operand }
    case '$lt':
    case '$lte':
      return { op: 'range', direction: -1, inclusive: name === '$lte', bound: operand }
    case '$exists':
      return { op: 'exists', wanted: truthy(operand) }
    case '$not':
      if (!isDocument(operand)) throw bad('$not needs a regex or a document')
      if (Object.keys(operand).length === 0) throw bad('$not cannot be empty')
      return { op: 'not', of: operatorTests(operand) }
    default:
      throw notImplemented(`query operator ${name}`, 'BadValue', `unknown operator: ${name}`)
  }
}

function membership(name: string, operand: Value): Test {
  if (!Array.isArray(operand)) throw bad(`${name} needs an array`)
  if (operand.some(isOperators)) throw bad(`cannot nest $ under ${name}`)
  return { op: 'in', values: operand }
}

function bad(message: string): CommandError {
  return new CommandError('BadValue', message)
}
