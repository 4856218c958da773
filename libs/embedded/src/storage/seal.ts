// The checksum that every entry of the stores begins with: over its key and what follows, so that an altered key is
// found like an altered value.
import { crc32 } from 'node:zlib'

/** What an entry leaves free at its beginning. */
export const SEAL_BYTES = 4

/** Fills in the checksum. */
export function seal(key: Buffer, entry: Buffer): Buffer {
  entry.writeUInt32BE(checksum(key, entry), 0)
  return entry
}

/** Whether an entry is what was written under its key. */
export function isSound(key: Buffer, entry: Buffer): boolean {
  return entry.length >= SEAL_BYTES && entry.readUInt32BE(0) === checksum(key, entry)
}

const checksum = (key: Buffer, entry: Buffer): number => crc32(entry.subarray(SEAL_BYTES), crc32(key))
