// Projections: which fields of a document an answer has.
import { type Document, isDocument, isNumeric, setField, truthy, type Value } from '../bson/value'
import { CommandError, notImplemented } from '../errors'

export type Projection = (document: Document) => Document

/** What happens to the fields of a document, by name. */
type Node = Map<string, 'keep' | 'drop' | Node>

/** Undefined when all is kept. */
export function parseProjection(specification: Document): Projection | undefined {
  const leaves = flattened(specification)
  if (leaves.length === 0) return undefined
  const id = leaves.find(([dotted]) => dotted === '_id')?.[1]
  const others = leaves.filter(([dotted]) => dotted !== '_id').map(([, leaf]) => leaf)
  const including = others.includes('keep')
  if (including && others.includes('drop'))
    throw new CommandError('Location31254', 'Cannot do exclusion on a field in inclusion projection')
  const root: Node = new Map()
  if (including || (others.length === 0 && id !== 'drop')) {
    if (!id) plant(root, '_id', 'keep')
    for (const [dotted, leaf] of leaves) if (leaf === 'keep') plant(root, dotted, leaf)
    return document => included(document, root)
  }
  for (const [dotted, leaf] of leaves) if (leaf === 'drop') plant(root, dotted, leaf)
  return document => excluded(document, root)
}

/** Embedded documents as dotted paths. */
function flattened(specification: Document, prefix = ''): [string, 'keep' | 'drop'][] {
  return Object.entries(specification).flatMap(([name, value]): [string, 'keep' | 'drop'][] => {
    const dotted = prefix + name
    if (dotted.split('.').includes(''))
      throw new CommandError('Location40415', 'FieldPath field names may not be empty strings.')
    if (/(^|\.)\$/.test(dotted)) throw notImplemented(`positional projection '${dotted}'`)
    if (isNumeric(value) || typeof value === 'boolean') return [[dotted, truthy(value) ? 'keep' : 'drop']]
    const [operator] = isDocument(value) ? Object.keys(value) : []
    if (operator === undefined || operator.startsWith('$'))
      throw notImplemented(
        `projection that computes a field ('${dotted}')`,
        'InvalidPipelineOperator',
        ...(operator ? [`Unrecognized expression '${operator}'`] : []),
      )
    return flattened(value as Document, `${dotted}.`)
  })
}

function plant(root: Node, dotted: string, leaf: 'keep' | 'drop'): void {
  const steps = dotted.split('.')
  const name = steps.pop()!
  let at = root
  for (const step of steps) {
    const next = at.get(step) ?? (new Map() as Node)
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

function included(value: Document, node: Node): Document {
  const result: Document = {}
  for (const [name, item] of Object.entries(value)) {
    const action = node.get(name)
    if (!action) continue
    const kept =
      action instanceof Map
        ? inDocuments(
            item,
            inner => included(inner, action),
            () => undefined,
          )
        : item
    if (kept !== undefined) setField(result, name, kept)
  }
  return result
}

function excluded(value: Document, node: Node): Document {
  const result: Document = {}
  for (const [name, item] of Object.entries(value)) {
    const action = node.get(name)
    if (!action) setField(result, name, item)
    else if (action instanceof Map)
      setField(
        result,
        name,
        inDocuments(
          item,
          inner => excluded(inner, action),
          scalar => scalar,
        ),
      )
  }
  return result
}

/** A value with its documents changed, also those in arrays, and its scalars. */
function inDocuments(value: Value, changed: (document: Document) => Document, scalar: (value: Value) => Value): Value {
  if (isDocument(value)) return changed(value)
  if (!Array.isArray(value)) return scalar(value)
  return value.map(item => inDocuments(item, changed, scalar)).filter(item => item !== undefined)
}
