// The operators of aggregation expressions that this store knows.
import { Double, Int32, Long } from 'bson'
import { compare, equal } from '../bson/order'
import {
  type Document,
  isDocument,
  isNumeric,
  kindOf,
  type Numeric,
  numeric,
  toNumber,
  truthy,
  type Value,
} from '../bson/value'
import { CommandError } from '../errors'
import { typeName } from '../query/type-names'
import { combine } from '../update/arithmetic'
import { type Expression, type Operand, withVariables } from './expression'

/** What an operator makes of its operand, which it gets unparsed so that it may bind variables. */
export type OperatorParser = (operand: Operand) => Expression

const MANY = Number.MAX_SAFE_INTEGER

export const operators: Record<string, OperatorParser> = {
  $literal: operand => () => operand.value,
  $add: operand => folded(operand.list(0, MANY), operand.name, 'add', new Int32(0)),
  $multiply: operand => folded(operand.list(0, MANY), operand.name, 'multiply', new Int32(1)),
  $subtract: binary((a, b, name) => {
    if (a instanceof Date && b instanceof Date) return Long.fromNumber(a.getTime() - b.getTime())
    if (a instanceof Date) return new Date(a.getTime() - toNumber(number(b, name)))
    const negative = combine(number(b, name), new Int32(-1), 'multiply')
    return overflowing(negative && combine(number(a, name), negative, 'add'), name)
  }),
  $divide: binary((a, b, name) => {
    const divisor = toNumber(number(b, name))
    if (divisor === 0) throw new CommandError('BadValue', "can't $divide by zero")
    return new Double(toNumber(number(a, name)) / divisor)
  }),
  $mod: binary((a, b, name) => {
    const divisor = toNumber(number(b, name))
    if (divisor === 0) throw new CommandError('BadValue', "can't $mod by zero")
    const rest = toNumber(number(a, name)) % divisor
    return a instanceof Double || b instanceof Double ? new Double(rest) : numeric(rest)
  }),
  $eq: comparison(order => order === 0),
  $ne: comparison(order => order !== 0),
  $gt: comparison(order => order > 0),
  $gte: comparison(order => order >= 0),
  $lt: comparison(order => order < 0),
  $lte: comparison(order => order <= 0),
  $cmp: operand => {
    const [a, b] = operand.list(2) as [Expression, Expression]
    return scope => new Int32(Math.sign(compare(a(scope), b(scope))))
  },
  $and: operand => {
    const parts = operand.list(0, MANY)
    return scope => parts.every(part => truthy(part(scope)))
  },
  $or: operand => {
    const parts = operand.list(0, MANY)
    return scope => parts.some(part => truthy(part(scope)))
  },
  $not: operand => {
    const [part] = operand.list(1) as [Expression]
    return scope => !truthy(part(scope))
  },
  $cond: operand => {
    const parts = isDocument(operand.value)
      ? ['if', 'then', 'else'].map(key => operand.named(['if', 'then', 'else'])[key])
      : operand.value
    const [condition, yes, no] = operand.listOf(parts, 3) as [Expression, Expression, Expression]
    return scope => (truthy(condition(scope)) ? yes(scope) : no(scope))
  },
  $ifNull: operand => {
    const parts = operand.list(2, MANY)
    return scope => {
      let value: Value
      for (const part of parts) {
        value = part(scope)
        if (value !== null && value !== undefined) return value
      }
      return value
    }
  },
  $concat: operand => {
    const parts = operand.list(0, MANY)
    return scope => {
      const values = parts.map(part => part(scope))
      if (values.some(isNothing)) return null
      return values.map(value => string(value, operand.name)).join('')
    }
  },
  $toLower: operand => caseOf(operand, text => text.toLowerCase()),
  $toUpper: operand => caseOf(operand, text => text.toUpperCase()),
  $type: operand => {
    const [part] = operand.list(1) as [Expression]
    return scope => typeName(part(scope))
  },
  $size: operand => {
    const [part] = operand.list(1) as [Expression]
    return scope => new Int32(array(part(scope), operand.name).length)
  },
  $isArray: operand => {
    const [part] = operand.list(1) as [Expression]
    return scope => Array.isArray(part(scope))
  },
  $in: operand => {
    const [item, list] = operand.list(2) as [Expression, Expression]
    return scope => {
      const wanted = item(scope)
      return array(list(scope), operand.name).some(value => equal(value, wanted))
    }
  },
  $arrayElemAt: operand => {
    const [list, index] = operand.list(2) as [Expression, Expression]
    return scope => {
      const [values, at] = [list(scope), index(scope)]
      return isNothing(values) || isNothing(at)
        ? null
        : array(values, operand.name).at(toNumber(number(at, operand.name)))
    }
  },
  $first: operand => endOf(operand, 0),
  $last: operand => endOf(operand, -1),
  $slice: operand => {
    const [list, ...bounds] = operand.list(2, 3) as [Expression, ...Expression[]]
    return scope => {
      const values = list(scope)
      const [a, b] = bounds.map(bound => toNumber(number(bound(scope), operand.name)))
      if (isNothing(values)) return null
      const items = array(values, operand.name)
      if (b === undefined) return a! >= 0 ? items.slice(0, a) : items.slice(a)
      const start = a! < 0 ? Math.max(0, items.length + a!) : a!
      return items.slice(start, start + b)
    }
  },
  $concatArrays: operand => {
    const parts = operand.list(0, MANY)
    return scope => {
      const values = parts.map(part => part(scope))
      return values.some(isNothing) ? null : values.flatMap(value => array(value, operand.name))
    }
  },
  $filter: operand => {
    const { input, as, cond } = operand.named(['input', 'cond'], ['as'])
    const [list, condition] = [operand.parse(input), operand.parse(cond)]
    const variable = typeof as === 'string' ? as : 'this'
    return scope => {
      const values = list(scope)
      if (isNothing(values)) return null
      return array(values, operand.name).filter(item => truthy(condition(withVariables(scope, { [variable]: item }))))
    }
  },
  $map: operand => {
    const { input, as, in: each } = operand.named(['input', 'in'], ['as'])
    const [list, made] = [operand.parse(input), operand.parse(each)]
    const variable = typeof as === 'string' ? as : 'this'
    return scope => {
      const values = list(scope)
      if (isNothing(values)) return null
      return array(values, operand.name).map(item => made(withVariables(scope, { [variable]: item })) ?? null)
    }
  },
  $mergeObjects: operand => {
    const parts = operand.list(0, MANY)
    return scope => {
      const merged: Document = {}
      for (const part of parts) {
        const value = part(scope)
        if (isNothing(value)) continue
        if (!isDocument(value))
          throw new CommandError(
            'TypeMismatch',
            `${operand.name} requires object inputs, but input is of type ${typeName(value)}`,
          )
        Object.assign(merged, value)
      }
      return merged
    }
  },
  $sum: operand => overList(operand, sum),
  $avg: operand => overList(operand, average),
  $min: operand => overList(operand, values => extreme(values, -1)),
  $max: operand => overList(operand, values => extreme(values, 1)),
}

/** Non-numeric values count nothing. */
export function sum(values: Value[]): Numeric {
  let total: Numeric = new Int32(0)
  for (const value of values)
    if (isNumeric(value)) total = combine(total, value, 'add') ?? new Double(toNumber(total) + toNumber(value))
  return total
}

export function average(values: Value[]): Value {
  const numbers = values.filter(isNumeric)
  return numbers.length === 0
    ? null
    : new Double(numbers.reduce((total, value) => total + toNumber(value), 0) / numbers.length)
}

/** The least (-1) or greatest (1) value; null and missing count nothing. */
export function extreme(values: Value[], direction: 1 | -1): Value {
  let best: Value = null
  for (const value of values)
    if (!isNothing(value) && (best === null || compare(value, best) * direction > 0)) best = value
  return best
}

export function isNothing(value: Value): value is null | undefined {
  return value === null || value === undefined
}

function binary(combined: (a: Value, b: Value, name: string) => Value): OperatorParser {
  return operand => {
    const [left, right] = operand.list(2) as [Expression, Expression]
    return scope => {
      const [a, b] = [left(scope), right(scope)]
      return isNothing(a) || isNothing(b) ? null : combined(a, b, operand.name)
    }
  }
}

function comparison(holds: (order: number) => boolean): OperatorParser {
  return operand => {
    const [a, b] = operand.list(2) as [Expression, Expression]
    return scope => holds(compare(a(scope), b(scope)))
  }
}

function folded(parts: Expression[], name: string, operation: 'add' | 'multiply', start: Numeric): Expression {
  return scope => {
    let total: Numeric = start
    let date: Date | undefined
    for (const part of parts) {
      const value = part(scope)
      if (isNothing(value)) return null
      if (value instanceof Date && operation === 'add' && !date) date = value
      else total = overflowing(combine(total, number(value, name), operation), name)
    }
    return date ? new Date(date.getTime() + toNumber(total)) : total
  }
}

function overflowing(value: Numeric | undefined, name: string): Numeric {
  if (!value) throw new CommandError('Overflow', `${name} overflowed 64 bits`)
  return value
}

function overList(operand: Operand, made: (values: Value[]) => Value): Expression {
  const parts = operand.list(0, MANY)
  return scope => {
    const values = parts.map(part => part(scope))
    return made(values.length === 1 && Array.isArray(values[0]) ? values[0] : values)
  }
}

function endOf(operand: Operand, index: 0 | -1): Expression {
  const [list] = operand.list(1) as [Expression]
  return scope => {
    const values = list(scope)
    return isNothing(values) ? null : array(values, operand.name).at(index)
  }
}

function caseOf(operand: Operand, changed: (text: string) => string): Expression {
  const [part] = operand.list(1) as [Expression]
  return scope => {
    const value = part(scope)
    return isNothing(value) ? '' : changed(string(value, operand.name))
  }
}

function number(value: Value, name: string): Numeric {
  if (isNumeric(value)) return value
  throw new CommandError('TypeMismatch', `${name} only supports numeric types, not ${typeName(value)}`)
}

function string(value: Value, name: string): string {
  if (typeof value === 'string') return value
  throw new CommandError('TypeMismatch', `${name} only supports strings, not ${kindOf(value)}`)
}

function array(value: Value, name: string): Value[] {
  if (Array.isArray(value)) return value
  throw new CommandError(
    'TypeMismatch',
    `The argument to ${name} must be an array, but was of type: ${typeName(value)}`,
  )
}
