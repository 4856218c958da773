// Projections: which fields of a document an answer has.
import { isUnder, pathOf } from '../bson/path'
import { type Document, isDocument, isNumeric, setField, truthy, type Value } from '../bson/value'
import { CommandError, notImplemented } from '../errors'

export type Projection = (document: Document) => Document

/** Fields by name, whole or with fields below them. */
type Named = Map<string, 'whole' | Named>
type Mode = 'include' | 'exclude'

/** Undefined when all is kept. */
export function parseProjection(specification: Document): Projection | undefined {
  const fields = Object.entries(specification).map(([dotted, value]) => [dotted, modeOf(dotted, value)] as const)
  if (fields.length === 0) return undefined
  const id = fields.find(([dotted]) => dotted === '_id')?.[1]
  const others = fields.filter(([dotted]) => dotted !== '_id')
  const mode = others[0]?.[1] ?? id!
  const odd = others.find(([, other]) => other !== mode)
  if (odd) throw mixed(odd[0], mode)
  const named: Named = new Map()
  // An _id that is not spoken of is there.
  if (mode === 'include' && !fields.some(([dotted]) => isUnder(dotted, '_id'))) plant(named, '_id')
  for (const [dotted, wanted] of fields) if (wanted === mode) plant(named, dotted)
  return document => projected(document, named, mode)
}

function modeOf(dotted: string, value: Value): Mode {
  if (pathOf(dotted).includes(''))
    throw new CommandError('Location40415', 'FieldPath field names may not be empty strings.')
  if (/(^|\.)\$/.test(dotted)) throw notImplemented(`positional projection '${dotted}'`)
  if (isNumeric(value) || typeof value === 'boolean') return truthy(value) ? 'include' : 'exclude'
  const [operator] = isDocument(value) ? Object.keys(value) : []
  throw notImplemented(
    `projection that is neither 1 nor 0 ('${dotted}')`,
    'InvalidPipelineOperator',
    operator?.startsWith('$') ? `Unrecognized expression '${operator}'` : undefined,
  )
}

function mixed(dotted: string, mode: Mode): CommandError {
  return mode === 'include'
    ? new CommandError('Location31254', `Cannot do exclusion on field ${dotted} in inclusion projection`)
    : new CommandError('Location31253', `Cannot do inclusion on field ${dotted} in exclusion projection`)
}

function plant(root: Named, dotted: string): void {
  const steps = dotted.split('.')
  const name = steps.pop()!
  let at = root
  for (const step of steps) {
    const next = at.get(step) ?? (new Map() as Named)
    if (next === 'whole') throw new CommandError('Location31249', `Path collision at ${dotted}`)
    at.set(step, next)
    at = next
  }
  if (at.has(name)) throw new CommandError('Location31250', `Path collision at ${dotted}`)
  at.set(name, 'whole')
}

function projected(document: Document, named: Named, mode: Mode): Document {
  const result: Document = {}
  for (const [name, value] of Object.entries(document)) {
    const below = named.get(name)
    if (below instanceof Map) {
      const kept = within(value, below, mode)
      if (kept !== undefined) setField(result, name, kept)
    } else if ((below === 'whole') === (mode === 'include')) setField(result, name, value)
  }
  return result
}

/** A value with its documents projected, also those in arrays; a scalar has no field that could be included. */
function within(value: Value, named: Named, mode: Mode): Value {
  if (isDocument(value)) return projected(value, named, mode)
  if (Array.isArray(value)) return value.map(item => within(item, named, mode)).filter(item => item !== undefined)
  return mode === 'include' ? undefined : value
}
