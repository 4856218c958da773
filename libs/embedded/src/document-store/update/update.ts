// Updates: parsed once per statement, applied to one document after the other.
import { ObjectId } from 'bson'
import { equal } from '../bson/order'
import { isArrayIndex, isUnder, type Path, pathOf } from '../bson/path'
import { checkStorable, type Document, field, isDocument, setField, type Value } from '../bson/value'
import { CommandError, notImplemented } from '../errors'
import { type Filter } from '../query/filter'
import { type Modifier, operators, REMOVED } from './operators'
import { show, typeName } from '../bson/show'

interface Change {
  dotted: string
  path: Path
  modify: Modifier
  /** Made only in a document that an upsert inserts. */
  onInsert: boolean
}

export type Update = { kind: 'replace'; document: Document } | { kind: 'modify'; changes: Change[] }

/** Deepest position an update may create in an array, as in MongoDB. */
const MAX_PADDING = 1_500_000

export function parseUpdate(update: Value): Update {
  if (Array.isArray(update)) throw notImplemented('aggregation pipeline as an update')
  if (!isDocument(update))
    throw new CommandError('FailedToParse', 'Update argument must be either an object or an array')
  if (!Object.keys(update)[0]?.startsWith('$')) {
    checkStorable(update)
    return { kind: 'replace', document: update }
  }
  const changes = Object.entries(update).flatMap(([name, operands]) => changesOf(name, operands))
  refuseConflicts(changes)
  // As MongoDB does: fields that an update creates come in the order of their names, whatever the operator.
  changes.sort((a, b) => comparePaths(a.path, b.path))
  return { kind: 'modify', changes }
}

/** The document after the update; `document` itself is changed. */
export function applyUpdate(update: Update, document: Document, inserting = false): Document {
  // The changes are made in place, in an _id that is a document too.
  const id = copyOf(field(document, '_id'))
  if (update.kind === 'replace') {
    const given = field(update.document, '_id')
    if (id !== undefined && given !== undefined && !equal(id, given)) throw immutableId()
    const { _id, ...rest } = update.document
    const kept = id === undefined ? _id : id
    return kept === undefined ? rest : { _id: kept, ...rest }
  }
  for (const change of update.changes) {
    if (change.onInsert && !inserting) continue
    applyChange(change, document, id)
    // After each: many together could make an array of it that takes very long to compare.
    if (id !== undefined && change.path[0] === '_id' && !equal(id, field(document, '_id'))) throw immutableId()
  }
  return document
}

/** What an upsert inserts when nothing matched: the equalities of the filter, then the update, then an _id. */
export function upserted(update: Update, filter: Filter): Document {
  const { _id, ...rest } = applyUpdate(update, seedOf(filter, update.kind === 'replace'), true)
  return { _id: _id === undefined ? new ObjectId() : _id, ...rest }
}

/** The equalities of a filter as a document; for a replacement, that of the _id alone counts. */
function seedOf(filter: Filter, replacing: boolean): Document {
  const fixed = equalities(filter).filter(([dotted]) => !replacing || isUnder(dotted, '_id'))
  const part = replacing && fixed.find(([dotted]) => dotted !== '_id')
  if (part)
    throw new CommandError(
      'NotExactValueField',
      `field at '_id' must be exactly specified, field at sub-path '${part[0]}'found`,
    )
  const conflict = conflictOf(fixed.map(([dotted]) => dotted))
  if (conflict) {
    const { dotted, above } = conflict
    const matched =
      dotted === above ? `path '${dotted}' is matched twice` : `both paths '${dotted}' and '${above}' are matched`
    throw new CommandError('NotSingleValueField', `cannot infer query fields to set, ${matched}`)
  }
  const seed: Document = {}
  // The filter is used again when the write has to wait for a transaction.
  for (const [dotted, value] of fixed) assign(seed, pathOfUpdate(dotted), copyOf(value))
  checkStorable(seed)
  return seed
}

function copyOf(value: Value): Value {
  if (Array.isArray(value)) return value.map(copyOf)
  if (!isDocument(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, copyOf(item)]))
}

function changesOf(name: string, operands: Value): Change[] {
  const operator = Object.hasOwn(operators, name) ? operators[name] : undefined
  if (!operator)
    throw notImplemented(
      `update operator ${name}`,
      'FailedToParse',
      `Unknown modifier: ${name}. Expected a valid update modifier or pipeline-style update specified as an array`,
    )
  if (!isDocument(operands))
    throw new CommandError(
      'FailedToParse',
      `Modifiers operate on fields but we found type ${typeName(operands)} instead. For example: {$mod: {<field>: ...}} not {${name}: ${show(operands)}}`,
    )
  return Object.entries(operands).map(([dotted, operand]) => {
    const path = pathOfUpdate(dotted)
    if (path.some(step => /^\$(\[.*\])?$/.test(step)))
      throw notImplemented(`positional operator in the path '${dotted}'`)
    const dollar = path.find(step => step.startsWith('$'))
    if (dollar)
      throw new CommandError(
        'DollarPrefixedFieldName',
        `The dollar ($) prefixed field '${dollar}' in '${dotted}' is not allowed in the context of an update's replacement document.`,
      )
    return { dotted, path, modify: operator(operand, path), onInsert: name === '$setOnInsert' }
  })
}

function pathOfUpdate(dotted: string): Path {
  const path = pathOf(dotted)
  if (path.includes(''))
    throw new CommandError(
      'FailedToParse',
      `The update path '${dotted}' contains an empty field name, which is not allowed.`,
    )
  return path
}

function refuseConflicts(changes: Change[]): void {
  const conflict = conflictOf(changes.map(({ dotted }) => dotted))
  if (conflict)
    throw new CommandError(
      'ConflictingUpdateOperators',
      `Updating the path '${conflict.dotted}' would create a conflict at '${conflict.above}'`,
    )
}

/** A path that stands twice among some, or lies below another one of them. */
function conflictOf(paths: string[]): { dotted: string; above: string } | undefined {
  // With a zero after each step, which no name has, a path stands right before those below it.
  const keyed = paths.map(dotted => ({ dotted, key: `${dotted.replaceAll('.', '\0')}\0` }))
  keyed.sort((a, b) => (a.key < b.key ? -1 : 1))
  for (const [i, { dotted, key }] of keyed.entries()) {
    const before = keyed[i - 1]
    if (before && key.startsWith(before.key)) return { dotted, above: before.dotted }
  }
  return undefined
}

function comparePaths(a: Path, b: Path): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const [x, y] = [a[i]!, b[i]!]
    if (x === y) continue
    if (isArrayIndex(x) && isArrayIndex(y)) return Number(x) - Number(y)
    return x < y ? -1 : 1
  }
  return a.length - b.length
}

function applyChange({ path, modify }: Change, document: Document, id: Value): void {
  const { value, parent, blocked } = walk(document, path)
  const next = modify(value, id)
  if (next === REMOVED) remove(parent, path.at(-1)!)
  else if (next !== undefined) assign(document, path, next)
  else if (blocked) throw notViable(path, blocked)
}

interface Reached {
  value: Value
  /** What holds the value. */
  parent?: Document | Value[]
  /** The step that cannot be taken, and the value that cannot have it. */
  blocked?: { step: number; element: Value }
}

/** The value at a path without creating anything; arrays only by position. */
function walk(document: Document, path: Path): Reached {
  let value: Value = document
  let parent: Document | Value[] | undefined
  for (const [step, name] of path.entries()) {
    if (value === undefined) break
    if (!mayHold(value, name)) return { value: undefined, blocked: { step, element: value } }
    parent = value
    value = Array.isArray(value) ? value[Number(name)] : field(value, name)
  }
  return value === undefined ? { value } : { value, parent }
}

function mayHold(value: Value, name: string): value is Document | Value[] {
  return isDocument(value) || (Array.isArray(value) && isArrayIndex(name))
}

function notViable(path: Path, { step, element }: { step: number; element: Value }): CommandError {
  return new CommandError(
    'PathNotViable',
    `Cannot use the part (${path[step]}) of (${path.join('.')}) to traverse the element ({${path[step - 1]}: ${show(element)}})`,
  )
}

/** An element of an array leaves a null behind, so that those after it keep their positions. */
function remove(parent: Document | Value[] | undefined, step: string): void {
  if (Array.isArray(parent)) parent[Number(step)] = null
  else if (parent) delete parent[step]
}

/** Sets the value at a path; creates documents on the way. */
function assign(document: Document, path: Path, value: Value): void {
  let at: Document | Value[] = document
  path.forEach((step, i) => {
    const last = i === path.length - 1
    const present: Value = Array.isArray(at) ? at[indexIn(at, step, path[i - 1])] : field(at, step)
    if (!last && present !== undefined && !isDocument(present) && !Array.isArray(present)) {
      throw new CommandError(
        'PathNotViable',
        `Cannot create field '${path[i + 1]}' in element {${step}: ${show(present)}}`,
      )
    }
    const next = last ? value : (present ?? {})
    if (Array.isArray(at)) {
      // What is skipped is stored as null, and holds no memory before.
      at[Number(step)] = next
    } else setField(at, step, next)
    if (!last) at = next as Document | Value[]
  })
}

function indexIn(array: Value[], step: string, name: string | undefined): number {
  if (!isArrayIndex(step))
    throw new CommandError('PathNotViable', `Cannot create field '${step}' in element {${name}: ${show(array)}}`)
  const index = Number(step)
  if (index > array.length + MAX_PADDING)
    throw new CommandError('CannotBackfillArray', `can't backfill more than ${MAX_PADDING} elements`)
  return index
}

function equalities(filter: Filter): [string, Value][] {
  switch (filter.kind) {
    case 'and':
      return filter.of.flatMap(equalities)
    case 'or':
      return filter.of.length === 1 ? equalities(filter.of[0]!) : []
    case 'field': {
      const values = filter.test.op === 'in' ? filter.test.values : []
      return values.length === 1 ? [[filter.dotted, values[0]]] : []
    }
  }
}

function immutableId(): CommandError {
  return new CommandError(
    'ImmutableField',
    "Performing an update on the path '_id' would modify the immutable field '_id'",
  )
}
