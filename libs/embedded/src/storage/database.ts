// A database of an environment, with bytes for keys and values.
//
// LMDB divides a full page of 32 entries or more in the middle of their number, not of their size, and fails when one half is
// nearly all of the page and the new entry, of up to a sixteenth of a page, falls into it. With pages of 16 KiB that cannot
// happen while leaves hold no entry below 64 bytes, of which 10 are its own, and keys are not too long: each store says how
// long its own may be, and cuts longer ones (`cutKey`).
import { createHash } from 'node:crypto'
import { type Database, type RootDatabase } from 'lmdb'

/**
 * lmdb-js reads each value into one buffer that the next read writes over. Its own copy of that is an ArrayBuffer for each
 * value, which takes longer to make, and to collect, than the read itself; these copies lie in Node's pool.
 */
const encoder = {
  encode: (value: Buffer): Buffer => value,
  decode(shared: Buffer): Buffer {
    // The length is that of the value; that of the buffer beneath is that of the longest so far.
    const value = Buffer.allocUnsafe(shared.length)
    value.set(new Uint8Array(shared.buffer, shared.byteOffset, shared.length))
    return value
  },
}

/** Opens a database by its name, or makes it. Not within a transaction: it takes one of its own. */
export function openDatabase(root: RootDatabase<Buffer, Buffer>, name: string): Database<Buffer, Buffer> {
  const options = { name, encoding: 'binary', keyEncoding: 'binary', encoder } as const
  return root.openDB<Buffer, Buffer>(options)
}

/** LMDB lists the databases of an environment as the keys of its main one. */
export function databasesOf(root: RootDatabase<Buffer, Buffer>): string[] {
  return [...root.getKeys()].map(databaseName)
}

export const databaseName = (key: Buffer): string => key.toString('utf8').replace(/\0$/, '')

/** At the end of a key that was cut, in bytes. */
export const DIGEST_BYTES = 32

/** A key of `length` bytes for a longer one: its beginning, and a digest by which those that begin alike differ. */
export function cutKey(key: Buffer, length: number): Buffer {
  const digest = createHash('sha256').update(key).digest()
  return Buffer.concat([key.subarray(0, length - DIGEST_BYTES), digest])
}
