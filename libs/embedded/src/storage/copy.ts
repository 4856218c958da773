// Copies what lives in an environment into a new one, entry by entry.
//
// A copy of the pages would carry along what was removed: LMDB keeps removed bytes in free pages and in the gaps of pages
// in use until they happen to be overwritten. A file into which only what lives was put has neither, and erasure rests on it.
import { crc32 } from 'node:zlib'
import type { Database, RootDatabase } from 'lmdb'
import { databasesOf, openDatabase } from './database'
import { StorageDamaged } from './errors'

export type Entry = { database: string; key: Buffer; value: Buffer }

const PUTS_PER_COMMIT = 2_000
const BYTES_PER_COMMIT = 4 * 1_048_576

/**
 * All entries of `directory` as of one moment, database by database, in the order of their keys. Writers go on meanwhile.
 * @throws StorageDamaged when they are not as many as LMDB has counted: a damaged page hides others without a word.
 */
export function* entriesOf(root: RootDatabase<Buffer, Buffer>, directory: string): Generator<Entry> {
  // Opened before the snapshot is taken: a transaction knows the databases that were open when it began.
  const databases = databasesOf(root).map(name => ({ name, database: openDatabase(root, name) }))
  const snapshot = root.useReadTransaction()
  const compare = (found: number, counted: number): void => {
    if (found !== counted) throw new StorageDamaged(`${directory} (${found} of ${counted} entries)`)
  }
  try {
    // All before the first pause: LMDB counts in the transaction that was taken last.
    const counted = databases.map(({ database }) => entryCount(database))
    compare([...root.getKeys({ transaction: snapshot })].length, entryCount(root))
    for (const [index, { name, database }] of databases.entries()) {
      let found = 0
      for (const { key, value } of database.getRange({ transaction: snapshot })) {
        found++
        yield { database: name, key, value }
      }
      compare(found, counted[index]!)
    }
  } finally {
    snapshot.done()
  }
}

/** Puts entries into `to`; yields the bytes that were put after each commit. */
export function* putAll(entries: Iterable<Entry>, to: RootDatabase<Buffer, Buffer>): Generator<number> {
  const databases = new Map<string, Database<Buffer, Buffer>>()
  const databaseNamed = (name: string): Database<Buffer, Buffer> => {
    const database = databases.get(name) ?? openDatabase(to, name)
    databases.set(name, database)
    return database
  }
  let batch: Entry[] = []
  let bytes = 0
  const commit = (): number => {
    const done = bytes
    // Opened outside of the transaction: LMDB opens a database in one of its own.
    for (const { database } of batch) databaseNamed(database)
    to.transactionSync(() => {
      for (const { database, key, value } of batch) databaseNamed(database).putSync(key, value)
    })
    batch = []
    bytes = 0
    return done
  }
  for (const entry of entries) {
    batch.push(entry)
    bytes += entry.key.length + entry.value.length
    if (batch.length >= PUTS_PER_COMMIT || bytes >= BYTES_PER_COMMIT) yield commit()
  }
  if (batch.length > 0) yield commit()
}

/** Tells two sequences of entries apart, however long they are. */
export class Digest {
  entries = 0
  bytes = 0
  #sum = 0

  equals(other: Digest): boolean {
    return this.entries === other.entries && this.bytes === other.bytes && this.#sum === other.#sum
  }

  /** The same entries, added to the digest on their way. */
  *over(entries: Iterable<Entry>): Generator<Entry> {
    for (const entry of entries) {
      const { database, key, value } = entry
      this.#sum = crc32(value, crc32(key, crc32(`${database} ${key.length} ${value.length}`, this.#sum)))
      this.entries++
      this.bytes += key.length + value.length
      yield entry
    }
  }
}

const entryCount = (database: Database<Buffer, Buffer>): number =>
  (database.getStats() as { entryCount: number }).entryCount
