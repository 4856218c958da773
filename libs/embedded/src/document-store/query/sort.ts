// Sorting what no index gives in order, in bounded memory.
import { type Document } from '../bson/value'
import { CommandError } from '../errors'
import { type KeyPattern, sortKey } from '../index/keys'
import { type StoredDocument } from '../keyspace/documents'
import { type Examined } from './scan'

/** Most bytes that a sort without an index may hold, as in MongoDB. */
const MAX_SORT_BYTES = 100 * 1024 * 1024

/**
 * The documents in the order of a pattern; with `wanted` only the first so many, and only they are held, as bytes.
 * @throws QueryExceededMemoryLimitNoDiskUseAllowed beyond 100 MiB.
 */
export function* sorted(
  documents: Iterable<StoredDocument>,
  pattern: KeyPattern,
  examined: Examined,
  wanted = Infinity,
): Generator<StoredDocument> {
  let rows: { key: Buffer; bytes: number; document: StoredDocument }[] = []
  let total = 0
  const settle = () => {
    rows.sort((a, b) => a.key.compare(b.key))
    if (rows.length > wanted) rows = rows.slice(0, wanted)
    total = rows.reduce((sum, { bytes }) => sum + bytes, 0)
  }
  for (const document of documents) {
    const key = keyFor(document.value, pattern)
    document.forgetValue()
    const bytes = document.bytes.length + key.length
    rows.push({ key, bytes, document })
    total += bytes
    if (rows.length > 2 * wanted + 1_000) settle()
    if (total <= MAX_SORT_BYTES) continue
    settle()
    if (total > MAX_SORT_BYTES)
      throw new CommandError(
        'QueryExceededMemoryLimitNoDiskUseAllowed',
        `Executor error during find command :: caused by :: Sort exceeded memory limit of ${MAX_SORT_BYTES} bytes, but did not opt in to external sorting.`,
      )
  }
  settle()
  examined.held += total
  for (const { document } of rows) yield document
  examined.held -= total
}

function keyFor(document: Document, pattern: KeyPattern): Buffer {
  try {
    return sortKey(document, pattern)
  } catch (error) {
    if (error instanceof CommandError && error.codeName === 'CannotIndexParallelArrays')
      throw new CommandError('BadValue', 'cannot sort with keys that are parallel arrays')
    throw error
  }
}
