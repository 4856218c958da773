// $group: documents gathered by a key, and what is accumulated of each group.
import { Int32 } from 'bson'
import { equal, keyOf } from '../bson/order'
import { type Document, isDocument, type Value } from '../bson/value'
import { CommandError, notImplemented } from '../errors'
import { evaluate, type Expression } from './expression'
import { average, extreme, sum } from './operators'
import { parseExpression } from './parse'

const ONE = new Int32(1)

interface Accumulator {
  add(value: Value): void
  result(): Value
}

const accumulators: Record<string, () => Accumulator> = {
  $sum: () => reduced(sum),
  $avg: () => collected(average),
  $min: () => reduced(values => extreme(values, -1)),
  $max: () => reduced(values => extreme(values, 1)),
  $first: () => {
    let first: { value: Value } | undefined
    return { add: value => void (first ??= { value }), result: () => first?.value ?? null }
  },
  $last: () => {
    let last: Value
    return { add: value => void (last = value), result: () => last ?? null }
  },
  $push: () => {
    const values: Value[] = []
    return { add: value => void (value !== undefined && values.push(value)), result: () => values }
  },
  $addToSet: () => {
    const values: Value[] = []
    return {
      add: value => void (value !== undefined && !values.some(other => equal(other, value)) && values.push(value)),
      result: () => values,
    }
  },
}

interface Column {
  name: string
  made: () => Accumulator
  expression: Expression
}

export function parseGroup(specification: Document): (documents: Iterable<Document>) => Iterable<Document> {
  if (!Object.hasOwn(specification, '_id'))
    throw new CommandError('BadValue', 'a group specification must include an _id')
  const key = parseExpression(specification['_id'])
  const columns = Object.entries(specification).flatMap(([name, value]) =>
    name === '_id' ? [] : [columnOf(name, value)],
  )
  return function* (documents) {
    const groups = new Map<string, { id: Value; cells: Accumulator[] }>()
    for (const document of documents) {
      const id = evaluate(key, document) ?? null
      const group = keyOf(id).toString('latin1')
      let row = groups.get(group)
      if (!row) groups.set(group, (row = { id, cells: columns.map(column => column.made()) }))
      columns.forEach((column, i) => row.cells[i]!.add(evaluate(column.expression, document)))
    }
    for (const { id, cells } of groups.values())
      yield { _id: id, ...Object.fromEntries(columns.map((column, i) => [column.name, cells[i]!.result()])) }
  }
}

function columnOf(name: string, value: Value): Column {
  if (name.includes('.')) throw new CommandError('BadValue', `The field name '${name}' cannot contain '.'`)
  const [operator, ...more] = isDocument(value) ? Object.keys(value) : []
  if (operator === undefined || more.length > 0)
    throw new CommandError('BadValue', `The field '${name}' must specify one accumulator`)
  if (operator === '$count')
    return { name, made: accumulators['$sum']!, expression: parseExpression({ $literal: ONE }) }
  const made = Object.hasOwn(accumulators, operator) ? accumulators[operator] : undefined
  if (!made) throw notImplemented(`group operator ${operator}`)
  return { name, made, expression: parseExpression((value as Document)[operator]) }
}

/** Keeps one value for all that were added. */
function reduced(combined: (values: Value[]) => Value): Accumulator {
  let total: Value = combined([])
  return { add: value => void (total = combined([total, value])), result: () => total }
}

function collected(made: (values: Value[]) => Value): Accumulator {
  const values: Value[] = []
  return { add: value => void values.push(value), result: () => made(values) }
}
