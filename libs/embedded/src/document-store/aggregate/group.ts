// $group: documents gathered by a key, and what is accumulated of each group.
import { Double, Int32 } from 'bson'
import { compare, keyOf } from '../bson/order'
import { type Document, isDocument, isNumeric, type Numeric, toNumber, type Value } from '../bson/value'
import { CommandError, notImplemented } from '../errors'
import { type Examined } from '../query/scan'
import { combine } from '../update/arithmetic'
import { type Expression, parseExpression } from './expression'

interface Accumulator {
  add(value: Value): void
  result(): Value
}

const accumulators: Record<string, () => Accumulator> = {
  $sum: () => {
    let total: Numeric = new Int32(0)
    const add = (value: Value) => {
      if (isNumeric(value)) total = combine(total, value, 'add') ?? new Double(toNumber(total) + toNumber(value))
    }
    return { add, result: () => total }
  },
  $avg: () => {
    let [total, count] = [0, 0]
    const add = (value: Value) => {
      if (!isNumeric(value)) return
      total += toNumber(value)
      count++
    }
    return { add, result: () => (count === 0 ? null : new Double(total / count)) }
  },
  $min: () => extreme(-1),
  $max: () => extreme(1),
  $first: () => {
    let first: { value: Value } | undefined
    return { add: value => void (first ??= { value }), result: () => first?.value ?? null }
  },
  $last: () => {
    let last: Value
    return { add: value => void (last = value), result: () => last ?? null }
  },
}

interface Column {
  name: string
  made: () => Accumulator
  expression: Expression
}

/** Most bytes that the keys of all groups may take, and what one takes beside its key, roughly. */
const MAX_GROUP_BYTES = 100 * 1024 * 1024
const BYTES_PER_GROUP = 300

export function parseGroup(
  specification: Document,
  examined: Examined,
): (documents: Iterable<Document>) => Iterable<Document> {
  if (!Object.hasOwn(specification, '_id'))
    throw new CommandError('BadValue', 'a group specification must include an _id')
  const key = parseExpression(specification['_id'])
  const columns = Object.entries(specification).flatMap(([name, value]) =>
    name === '_id' ? [] : [columnOf(name, value)],
  )
  return function* (documents) {
    const groups = new Map<string, { id: Value; cells: Accumulator[] }>()
    let bytes = 0
    for (const document of documents) {
      const id = key(document) ?? null
      const group = keyOf(id).toString('latin1')
      let row = groups.get(group)
      if (!row) {
        groups.set(group, (row = { id, cells: columns.map(column => column.made()) }))
        bytes += group.length * 2 + BYTES_PER_GROUP
        if (bytes > MAX_GROUP_BYTES)
          throw new CommandError(
            'QueryExceededMemoryLimitNoDiskUseAllowed',
            `Exceeded memory limit for $group of ${MAX_GROUP_BYTES} bytes, but did not allow external sort.`,
          )
      }
      columns.forEach((column, i) => row.cells[i]!.add(column.expression(document)))
    }
    examined.held += bytes
    for (const { id, cells } of groups.values())
      yield { _id: id, ...Object.fromEntries(columns.map((column, i) => [column.name, cells[i]!.result()])) }
    examined.held -= bytes
  }
}

function columnOf(name: string, value: Value): Column {
  if (name.includes('.')) throw new CommandError('BadValue', `The field name '${name}' cannot contain '.'`)
  const [operator, ...more] = isDocument(value) ? Object.keys(value) : []
  if (operator === undefined || more.length > 0)
    throw new CommandError('BadValue', `The field '${name}' must specify one accumulator`)
  const made = Object.hasOwn(accumulators, operator) ? accumulators[operator] : undefined
  if (!made) throw notImplemented(`group operator ${operator}`, 'Location15952', `unknown group operator '${operator}'`)
  return { name, made, expression: parseExpression((value as Document)[operator]) }
}

/** The least (-1) or greatest (1) value; null and missing count nothing. */
function extreme(direction: 1 | -1): Accumulator {
  let best: Value = null
  const add = (value: Value) => {
    if (value !== null && value !== undefined && (best === null || compare(value, best) * direction > 0)) best = value
  }
  return { add, result: () => best }
}
