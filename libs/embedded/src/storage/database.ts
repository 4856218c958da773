// A database of an environment, with bytes for keys and values.
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
