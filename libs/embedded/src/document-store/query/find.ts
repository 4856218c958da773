// Finding: filter, order, skip, limit and projection over what a plan gives.
import { namesOf } from '../bson/raw'
import { type Document, isNumeric, toNumber, type Value } from '../bson/value'
import { CommandError } from '../errors'
import { keyPart, type KeyPattern } from '../index/keys'
import { type Collection } from '../keyspace/catalog'
import { type StoredDocument } from '../keyspace/documents'
import { type View } from '../keyspace/view'
import { type Filter } from './filter'
import { matches } from './match'
import { type Plan, plan } from './plan'
import { type Examined, run } from './scan'
import { sorted } from './sort'

export interface Query {
  filter: Filter
  sort: KeyPattern
  skip: number
  /** 0 means all. */
  limit: number
  hint?: Value
}

export const everything: Filter = { kind: 'and', of: [] }

export function planFor(collection: Collection, query: Query): Plan {
  return plan(collection, query.filter, query.sort, query.limit > 0, query.hint)
}

/** The documents a query finds, lazily. `view` is asked anew for each piece, so that a cursor holds nothing in between. */
export function* find(
  view: () => View,
  collection: Collection,
  query: Query,
  examined: Examined,
  chosen = planFor(collection, query),
): Generator<StoredDocument> {
  const candidates = run(view, collection, chosen, examined)
  const matching = proves(chosen, query.filter) ? candidates : filtered(candidates, query.filter)
  const wanted = query.limit === 0 ? undefined : query.skip + query.limit
  const ordered =
    chosen.sorted || query.sort.length === 0 ? matching : sorted(matching, sizeOf, query.sort, examined, wanted)
  let skip = query.skip
  let left = query.limit === 0 ? Infinity : query.limit
  for (const document of ordered) {
    if (skip > 0) {
      skip--
      continue
    }
    yield document
    if (--left <= 0) return
  }
}

/** The order of a sort document. */
export function parseSort(sort: Document): KeyPattern {
  return Object.entries(sort).map(([dotted, direction]) => {
    const number = isNumeric(direction) ? toNumber(direction) : 0
    if (number !== 1 && number !== -1)
      throw new CommandError('BadValue', `$sort key ordering must be 1 (for ascending) or -1 (for descending)`)
    if (dotted.split('.').some(step => step === '' || step.startsWith('$')))
      throw new CommandError('BadValue', `FieldPath '${dotted}' is not a valid sort key`)
    return keyPart(dotted, number)
  })
}

/** Whether what a plan finds need not be looked at: it asks for documents by _ids that are texts, whose keys are exact. */
function proves(chosen: Plan, filter: Filter): boolean {
  if (filter.kind !== 'field' || filter.dotted !== '_id') return false
  if (chosen.kind !== 'point' && !(chosen.kind === 'scan' && chosen.exact && chosen.index.id === 0)) return false
  const { test } = filter
  if (test.op === 'eq') return typeof test.value === 'string'
  return test.op === 'in' && test.patterns.length === 0 && test.values.every(value => typeof value === 'string')
}

/** Of a document that is not decoded yet only the fields that the filter asks for are. */
function* filtered(documents: Iterable<StoredDocument>, filter: Filter): Generator<StoredDocument> {
  const all = filter.kind === 'and' && filter.of.length === 0
  const names = namesOf(fieldsOf(filter))
  for (const document of documents) if (all || matches(filter, document.partOf(names))) yield document
}

function fieldsOf(filter: Filter, names = new Set<string>()): Set<string> {
  if (filter.kind === 'field') names.add(filter.path[0]!)
  else for (const part of filter.of) fieldsOf(part, names)
  return names
}

/** What a sort looks at is decoded; what it holds of it are the bytes. */
function sizeOf(document: StoredDocument): [Document, number] {
  const { value, bytes } = document
  document.forgetValue()
  return [value, bytes.length]
}
