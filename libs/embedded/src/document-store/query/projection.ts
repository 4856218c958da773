// Projections: which fields of a document an answer has, and what is computed into it.
import { evaluate, type Expression } from '../aggregate/expression'
import { parseExpression } from '../aggregate/parse'
import { type Document, field, isDocument, isNumeric, setField, toNumber, truthy, type Value } from '../bson/value'
import { CommandError, notImplemented } from '../errors'
import { type Filter, parseFilter } from './filter'
import { matches } from './match'

export type Projection = (document: Document) => Document

type Leaf =
  | { kind: 'keep' | 'drop' }
  | { kind: 'made'; expression: Expression }
  | { kind: 'slice'; bounds: [number, number?] }
  | { kind: 'element'; filter: Filter; ofValues: boolean }
/** What happens to the fields of a document, by name. */
type Node = Map<string, Leaf | Node>

/** For find, which also knows $slice and $elemMatch, or for the aggregation stage. Undefined when all is kept. */
export function parseProjection(specification: Document, stage: 'find' | '$project' = 'find'): Projection | undefined {
  const leaves = flattened(specification).map(([dotted, value]) => [dotted, leafOf(value, stage)] as const)
  if (leaves.length === 0) {
    if (stage === 'find') return undefined
    throw new CommandError(
      'Location51024',
      'Invalid $project :: caused by :: projection specification must have at least one field',
    )
  }
  const id = leaves.find(([dotted]) => dotted === '_id')?.[1]
  const others = leaves.filter(([dotted]) => dotted !== '_id').map(([, leaf]) => leaf.kind)
  const dropping = others.includes('drop')
  const including = others.some(kind => kind === 'keep' || kind === 'made' || kind === 'element')
  if (including && dropping)
    throw new CommandError('Location31254', 'Cannot do exclusion on a field in inclusion projection')
  const root: Node = new Map()
  if (including || (others.length === 0 && id?.kind !== 'drop')) {
    if (!id) plant(root, '_id', { kind: 'keep' })
    for (const [dotted, leaf] of leaves) if (leaf.kind !== 'drop') plant(root, dotted, leaf)
    return document => included(document, root, document)
  }
  for (const [dotted, leaf] of leaves) if (leaf.kind !== 'keep') plant(root, dotted, leaf)
  return document => excluded(document, root)
}

/** Adds computed fields to a document, as $addFields and $set do. */
export function parseAddedFields(specification: Document): Projection {
  const root: Node = new Map()
  for (const [dotted, value] of flattened(specification))
    plant(root, dotted, { kind: 'made', expression: parseExpression(value) })
  return document => withAdded(document, root, document)
}

/** Embedded documents as dotted paths. */
function flattened(specification: Document, prefix = ''): [string, Value][] {
  return Object.entries(specification).flatMap(([name, value]): [string, Value][] => {
    const dotted = prefix + name
    if (dotted.split('.').includes(''))
      throw new CommandError('Location40415', 'FieldPath field names may not be empty strings.')
    if (/(^|\.)\$/.test(dotted)) throw notImplemented(`positional projection '${dotted}'`)
    const inner = isDocument(value) && Object.keys(value).length > 0 && !Object.keys(value)[0]!.startsWith('$')
    return inner ? flattened(value, `${dotted}.`) : [[dotted, value]]
  })
}

function leafOf(value: Value, stage: string): Leaf {
  if (isNumeric(value) || typeof value === 'boolean') return { kind: truthy(value) ? 'keep' : 'drop' }
  if (stage === 'find' && isDocument(value)) {
    const slice = field(value, '$slice')
    if (slice !== undefined) return { kind: 'slice', bounds: sliceBounds(slice) }
    const element = field(value, '$elemMatch')
    if (element !== undefined) return elementLeaf(element)
  }
  return { kind: 'made', expression: parseExpression(value) }
}

function elementLeaf(element: Value): Leaf {
  if (!isDocument(element)) throw new CommandError('BadValue', 'elemMatch: Invalid argument, object required')
  const ofValues = Object.keys(element)[0]?.startsWith('$') === true
  return { kind: 'element', filter: parseFilter(ofValues ? { item: element } : element), ofValues }
}

function sliceBounds(value: Value): [number, number?] {
  const items = Array.isArray(value) ? value : [value]
  const numbers = items.map(item => (isNumeric(item) ? Math.trunc(toNumber(item)) : NaN))
  if (
    numbers.some(Number.isNaN) ||
    numbers.length < 1 ||
    numbers.length > 2 ||
    (numbers.length === 2 && numbers[1]! <= 0)
  )
    throw new CommandError(
      'Location28724',
      '$slice takes a number, or a number to skip and a positive number of elements',
    )
  return numbers as [number, number?]
}

function plant(root: Node, dotted: string, leaf: Leaf): void {
  const steps = dotted.split('.')
  const name = steps.pop()!
  let at = root
  for (const step of steps) {
    const next = at.get(step) ?? new Map<string, Leaf | Node>()
    if (!(next instanceof Map)) throw collision(dotted)
    at.set(step, next)
    at = next
  }
  if (at.has(name)) throw collision(dotted)
  at.set(name, leaf)
}

function collision(dotted: string): CommandError {
  return new CommandError('Location31249', `Path collision at ${dotted}`)
}

function included(value: Document, node: Node, root: Document): Document {
  const result: Document = {}
  for (const [name, item] of Object.entries(value)) {
    const action = node.get(name)
    if (!action) continue
    const kept =
      action instanceof Map ? throughArrays(item, inner => included(inner, action, root)) : keptBy(action, item)
    if (kept !== undefined) setField(result, name, kept)
  }
  return withAdded(result, node, root)
}

function excluded(value: Document, node: Node): Document {
  const result: Document = {}
  for (const [name, item] of Object.entries(value)) {
    const action = node.get(name)
    if (!action) setField(result, name, item)
    else if (action instanceof Map)
      setField(result, name, throughArrays(item, inner => excluded(inner, action)) ?? item)
    else if (action.kind === 'slice') setField(result, name, keptBy(action, item))
  }
  return result
}

/** The documents in a value, changed; a scalar gives nothing. */
function throughArrays(value: Value, changed: (document: Document) => Document): Value {
  if (isDocument(value)) return changed(value)
  if (!Array.isArray(value)) return undefined
  return value.map(item => throughArrays(item, changed)).filter(item => item !== undefined)
}

function keptBy(leaf: Leaf, value: Value): Value {
  switch (leaf.kind) {
    case 'keep':
      return value
    case 'drop':
    case 'made':
      return undefined
    case 'slice':
      return Array.isArray(value) ? sliced(value, leaf.bounds) : value
    case 'element': {
      if (!Array.isArray(value)) return undefined
      const found = value.find(
        item =>
          (leaf.ofValues || isDocument(item)) && matches(leaf.filter, leaf.ofValues ? { item } : (item as Document)),
      )
      return found === undefined ? undefined : [found]
    }
  }
}

function sliced(array: Value[], [first, count]: [number, number?]): Value[] {
  if (count === undefined) return first >= 0 ? array.slice(0, first) : array.slice(first)
  const start = first >= 0 ? first : Math.max(0, array.length + first)
  return array.slice(start, start + count)
}

function withAdded(value: Document, node: Node, root: Document): Document {
  let result = value
  for (const [name, action] of node) {
    if (action instanceof Map) {
      if (!computes(action)) continue
      const present = field(result, name)
      const inner = Array.isArray(present)
        ? present.map(item => withAdded(isDocument(item) ? item : {}, action, root))
        : withAdded(isDocument(present) ? present : {}, action, root)
      result = withField(result, name, inner)
    } else if (action.kind === 'made') result = withField(result, name, evaluate(action.expression, root))
  }
  return result
}

function withField(document: Document, name: string, value: Value): Document {
  const copy = { ...document }
  if (value === undefined) delete copy[name]
  else setField(copy, name, value)
  return copy
}

function computes(node: Node): boolean {
  return [...node.values()].some(action => (action instanceof Map ? computes(action) : action.kind === 'made'))
}
