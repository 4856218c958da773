// Finding: filter, order, skip and limit over what a plan gives.
import { namesOf } from '../bson/raw'
import { type Document, isNumeric, toNumber } from '../bson/value'
import { CommandError } from '../errors'
import { keyPattern, type KeyPattern } from '../index/keys'
import { type Collection } from '../keyspace/catalog'
import { type StoredDocument } from '../keyspace/documents'
import { type View } from '../keyspace/view'
import { type Filter } from './filter'
import { matches } from './match'
import { plan } from './plan'
import { type Examined, run } from './scan'
import { sorted } from './sort'

export interface Query {
  filter: Filter
  sort: KeyPattern
  skip: number
  /** 0 means all. */
  limit: number
}

export const everything: Filter = { kind: 'and', of: [] }

export function isEverything(filter: Filter): boolean {
  return filter.kind === 'and' && filter.of.length === 0
}

/**
 * The documents a query finds, lazily; none where there is no collection. `view` is asked anew for each piece, so that a
 * cursor holds nothing in between.
 */
export function* find(
  view: () => View,
  collection: Collection | undefined,
  query: Query,
  examined: Examined,
): Generator<StoredDocument> {
  if (!collection) return
  const chosen = plan(collection, query)
  const candidates = run(view, collection, chosen, examined)
  const matching = proven(query.filter) ? candidates : filtered(candidates, query.filter)
  const wanted = query.limit === 0 ? undefined : query.skip + query.limit
  const ordered = chosen.sorted ? matching : sorted(matching, query.sort, examined, wanted)
  let skip = query.skip
  let left = query.limit === 0 ? Infinity : query.limit
  for (const document of ordered) {
    if (skip > 0) {
      skip--
      continue
    }
    yield document
    if (collection.isDropped)
      throw new CommandError('QueryPlanKilled', `collection dropped. UUID ${collection.uuid.toUUID().toString()}`)
    if (--left <= 0) return
  }
}

/** The order of a sort document. */
export function parseSort(sort: Document): KeyPattern {
  return keyPattern(sort, (dotted, direction) => {
    const number = isNumeric(direction) ? toNumber(direction) : 0
    if (number !== 1 && number !== -1)
      throw new CommandError('BadValue', `$sort key ordering must be 1 (for ascending) or -1 (for descending)`)
    if (dotted.split('.').some(step => step === '' || step.startsWith('$')))
      throw new CommandError('BadValue', `FieldPath '${dotted}' is not a valid sort key`)
    return number
  })
}

/** Whether what a plan finds need not be looked at: all is asked for, or _ids that are texts, whose keys are exact. */
function proven(filter: Filter): boolean {
  if (filter.kind !== 'field') return isEverything(filter)
  const { dotted, test } = filter
  return dotted === '_id' && test.op === 'in' && test.values.every(value => typeof value === 'string')
}

/** Of a document that is not decoded yet only the fields that the filter asks for are. */
function* filtered(documents: Iterable<StoredDocument>, filter: Filter): Generator<StoredDocument> {
  const names = namesOf(fieldsOf(filter))
  for (const document of documents) if (matches(filter, document.partOf(names))) yield document
}

function fieldsOf(filter: Filter, names = new Set<string>()): Set<string> {
  if (filter.kind === 'field') names.add(filter.path[0]!)
  else for (const part of filter.of) fieldsOf(part, names)
  return names
}
