// Where things lie in the one ordered keyspace of the store. Part of the format on disk.
import { cutKey, DIGEST_BYTES, type EnvironmentFormat, isSound, seal, SEAL_BYTES, StorageDamaged } from '../../storage'

export const DATABASE = 'data'

/** Bump the version when the program before could not read what is written. */
export const FORMAT: EnvironmentFormat = {
  kind: 'document-store',
  databases: [DATABASE],
  isSealed: true,
  formatVersion: 2,
  // 1 had no checksums.
  oldest: { formatVersion: 2, whatToDo: 'Remove it: the read models are built again from the event log.' },
}

/** An entry of a leaf without what is LMDB's own; branches may have keys of 520 bytes (storage/database.ts). */
const MIN_ENTRY = 54
/** Longest key of an _id, and of the values of an index entry, whose key is a prefix of 7, its values and the _id. */
export const MAX_ID_KEY = 260
export const MAX_VALUES = 200

/** Room for what is about to be stored; all but the largest documents find it enough. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024)

/**
 * What is stored under a key: a checksum over all of it and the key, the value, and what makes the entry long enough. Good
 * until the next call, which writes over it: to be stored at once.
 */
export function sealed(key: Buffer, value: Buffer): Buffer {
  const end = SEAL_BYTES + value.length
  const length = Math.max(end, MIN_ENTRY - key.length)
  const bytes = length > scratch.length ? Buffer.allocUnsafe(length) : scratch.subarray(0, length)
  bytes.set(value, SEAL_BYTES)
  if (end < length) bytes.fill(0, end)
  return seal(key, bytes)
}

/** The value in what is stored; readers know from the value itself where it ends. @throws StorageDamaged */
export function opened(key: Buffer, bytes: Buffer): Buffer {
  if (!isSound(key, bytes)) throw new StorageDamaged('An entry of the document store')
  return bytes.subarray(SEAL_BYTES)
}

/** The BSON in a stored value, without what may have been added to it. */
export function documentIn(value: Buffer): Buffer {
  const length = value.readInt32LE(0)
  return length === value.length ? value : value.subarray(0, length)
}

/** The value of an index entry: the length of the document's _id, which ends the entry's key or, if unique, follows here. */
export function entryValue(idKey: Buffer, unique: boolean): Buffer {
  const value = Buffer.allocUnsafe(unique ? 2 + idKey.length : 2)
  value.writeUInt16BE(idKey.length)
  if (unique) idKey.copy(value, 2)
  return value
}

export function idKeyIn(key: Buffer, value: Buffer, unique: boolean): Buffer {
  const length = value.readUInt16BE(0)
  return unique ? value.subarray(2, 2 + length) : key.subarray(key.length - length)
}

export const clockKey = Buffer.from([0, 1])
export const catalogStart = Buffer.from([0, 2])
export const catalogEnd = Buffer.from([0, 3])
export const sessionsStart = Buffer.from([0, 5])
export const sessionsEnd = Buffer.from([0, 6])

export function catalogKey(collection: number): Buffer {
  return numbered(catalogStart, collection)
}

export function idOfCatalogKey(key: Buffer): number {
  return key.readUInt32BE(catalogStart.length)
}

export function countKey(collection: number): Buffer {
  return numbered(Buffer.from([0, 4]), collection)
}

export function sessionKey(session: Uint8Array): Buffer {
  return Buffer.concat([sessionsStart, session])
}

/** All that belongs to a collection, documents (index 0) and indexes. */
export function collectionPrefix(collection: number): Buffer {
  return numbered(collectionsStart, collection)
}

export const collectionsStart = Buffer.from([1])
export const collectionsEnd = Buffer.from([2])

/** The collection that the key of a document or of an index entry belongs to. */
export function collectionIdIn(key: Buffer): number {
  return key.readUInt32BE(1)
}

/** What is left of a collection that was dropped does not live; the catalog comes before all documents. */
export function living(): (entry: { key: Buffer }) => boolean {
  const collections = new Set<number>()
  return ({ key }) => {
    if (key[0] === collectionsStart[0]) return collections.has(collectionIdIn(key))
    if (key.subarray(0, catalogStart.length).equals(catalogStart)) collections.add(idOfCatalogKey(key))
    return true
  }
}

/** What the entries of an index begin with (index 0: the documents), and what follows it in one of them. */
export function indexPrefix(collection: number, index: number, rest: Uint8Array = NOTHING): Buffer {
  const key = Buffer.allocUnsafe(PREFIX_BYTES + rest.length)
  key[0] = 1
  key.writeUInt32BE(collection, 1)
  key.writeUInt16BE(index, 5)
  key.set(rest, PREFIX_BYTES)
  return key
}
export const PREFIX_BYTES = 7
const NOTHING = new Uint8Array()

/**
 * The values of an index entry, shortened when they are too long for a key: to a prefix, which keeps the order, and a
 * digest, which keeps equal and unequal apart. Who reads the index compares the document again.
 */
export function shortened(values: Buffer): Buffer {
  return values.length <= MAX_VALUES ? values : cutKey(values, MAX_VALUES)
}

/** A bound for a range of entries: at most what all shortened values that begin with it have in common. */
export function boundOf(values: Buffer): Buffer {
  return values.length <= MAX_VALUES - DIGEST_BYTES ? values : values.subarray(0, MAX_VALUES - DIGEST_BYTES)
}

/** The first key after all that begin with the prefix. */
export function after(prefix: Buffer): Buffer {
  const next = Buffer.from(prefix)
  for (let i = next.length - 1; i >= 0; i--) {
    if (next[i]! < 0xff) {
      next[i]!++
      return next.subarray(0, i + 1)
    }
  }
  return Buffer.alloc(1_000, 0xff)
}

function numbered(prefix: Buffer, number: number): Buffer {
  const key = Buffer.allocUnsafe(prefix.length + 4)
  prefix.copy(key)
  key.writeUInt32BE(number, prefix.length)
  return key
}
