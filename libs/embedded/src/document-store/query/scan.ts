// Running a plan: the documents it finds, in its order, read in pieces so that nothing is held between them.
import { type Index } from '../index/definition'
import { CommandError } from '../errors'
import { type Collection } from '../keyspace/catalog'
import { documentWith, StoredDocument } from '../keyspace/documents'
import { idKeyIn, PREFIX_BYTES } from '../keyspace/layout'
import { type Entry, name, past, type View } from '../keyspace/view'
import { type Interval } from './bounds'
import { type Plan } from './plan'

/** What a query has looked at. */
export interface Examined {
  keys: number
  documents: number
  /** Bytes of what was read ahead or sorted and is not given away yet. */
  held: number
  /** How often a cursor was asked for more: what was read ahead before that may have changed since. */
  batch: number
  /** When it has to have ended, by performance.now(). */
  until: number
}

/** Nothing yet; `until` as above. */
export function examining(until = Infinity): Examined {
  return { keys: 0, documents: 0, held: 0, batch: 0, until }
}

const FIRST_PIECE = 16
const LARGEST_PIECE = 256

/** Documents that may match; who reads them tests the whole filter. Each comes once. */
export function* run(
  view: () => View,
  collection: Collection,
  plan: Plan,
  examined: Examined,
): Generator<StoredDocument> {
  const { index, reverse, exact } = plan
  const seen = index.traits.arrays.size > 0 ? new Set<string>() : undefined
  for (const range of reverse ? [...plan.intervals].reverse() : plan.intervals) {
    for (const entry of exact ? entryAt(view(), range.start) : entries(view, range, reverse, examined)) {
      if (performance.now() > examined.until)
        throw new CommandError('MaxTimeMSExpired', 'operation exceeded time limit')
      examined.keys++
      const idKey = idKeyOfEntry(index, entry)
      if (seen?.has(name(idKey))) continue
      seen?.add(name(idKey))
      examined.documents++
      // Between two pieces of a cursor the document may have been deleted.
      const document = index.id === 0 ? new StoredDocument(idKey, entry.value) : documentWith(view(), collection, idKey)
      if (document) yield document
    }
  }
}

function idKeyOfEntry({ id, unique }: Index, { key, value }: Entry): Buffer {
  return id === 0 ? key.subarray(PREFIX_BYTES) : idKeyIn(key, value, unique)
}

function entryAt(view: View, key: Buffer): Entry[] {
  const value = view.get(key)
  return value ? [{ key, value }] : []
}

function* entries(view: () => View, { start, end }: Interval, reverse: boolean, examined: Examined): Generator<Entry> {
  let from = start
  let to = end
  for (let size = FIRST_PIECE; ; size = Math.min(size * 2, LARGEST_PIECE)) {
    const { entries, rest } = view().range(from, to, reverse, size)
    const bytes = entries.reduce((sum, { value }) => sum + value.length, 0)
    const { batch } = examined
    let next = rest
    examined.held += bytes
    for (const entry of entries) {
      yield entry
      if (examined.batch === batch) continue
      next = past(entry.key, reverse)
      break
    }
    examined.held -= bytes
    if (!next) return
    if (reverse) to = next
    else from = next
  }
}
