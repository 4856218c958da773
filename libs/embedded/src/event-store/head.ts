// What the log knows of a stream without reading its events.
import { SEAL_BYTES } from '../storage'
import { NO_STREAM, type StreamMetadata } from './model'

export type StreamHead = {
  /** The position of the first event, by which the index knows the stream; 0 while it has none. */
  id: number
  /** The revision that the next event gets. */
  next: number
  isTombstoned: boolean
  /** Some event was written to the metastream. */
  hasMetadata: boolean
  metadata: StreamMetadata
}

export const emptyHead = (): StreamHead => ({ id: 0, next: 0, isTombstoned: false, hasMetadata: false, metadata: {} })

export const lastRevision = (head: StreamHead | undefined): number => (head ? head.next - 1 : NO_STREAM)

export const isSoftDeleted = (head: StreamHead): boolean => head.metadata.truncateBefore === Infinity

// checksum u32 | id u48 | next u48 | flags u8 | maxCount, maxAge, truncateBefore as doubles, NaN where absent | zeros, so that
// an entry is long enough (storage/database.ts).
const HEAD_BYTES = SEAL_BYTES + 49
const IS_TOMBSTONED = 1
const HAS_METADATA = 2

/** An entry of the store; the checksum is filled in where it is stored. */
export function encodeHead({ id, next, isTombstoned, hasMetadata, metadata }: StreamHead): Buffer {
  const value = Buffer.allocUnsafe(HEAD_BYTES).fill(0)
  value.writeUIntBE(id, 4, 6)
  value.writeUIntBE(next, 10, 6)
  value.writeUInt8((isTombstoned ? IS_TOMBSTONED : 0) | (hasMetadata ? HAS_METADATA : 0), 16)
  value.writeDoubleBE(metadata.maxCount ?? NaN, 17)
  value.writeDoubleBE(metadata.maxAge ?? NaN, 25)
  value.writeDoubleBE(metadata.truncateBefore ?? NaN, 33)
  return value
}

export function decodeHead(value: Buffer): StreamHead {
  const flags = value.readUInt8(16)
  const metadata: StreamMetadata = {}
  const [maxCount, maxAge, truncateBefore] = [17, 25, 33].map(offset => value.readDoubleBE(offset)) as [
    number,
    number,
    number,
  ]
  if (!Number.isNaN(maxCount)) metadata.maxCount = maxCount
  if (!Number.isNaN(maxAge)) metadata.maxAge = maxAge
  if (!Number.isNaN(truncateBefore)) metadata.truncateBefore = truncateBefore
  return {
    id: value.readUIntBE(4, 6),
    next: value.readUIntBE(10, 6),
    isTombstoned: (flags & IS_TOMBSTONED) !== 0,
    hasMetadata: (flags & HAS_METADATA) !== 0,
    metadata,
  }
}
