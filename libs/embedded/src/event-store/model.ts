// The words of the event store: streams, expected revisions, proposed events, and the limits of one append.

/** Revisions and positions are held as numbers: both end far below 2^53. */
export type ExpectedRevision = number | 'any' | 'no_stream' | 'stream_exists'

/** In its canonical text form. */
export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

export type ProposedEvent = {
  /** A UUID. */
  id: string
  type: string
  json: boolean
  metadata: Uint8Array
  data: Uint8Array
}

/** "No revision yet", where a last revision is asked for. */
export const NO_STREAM = -1

/** The sum of an append's data bytes; metadata and type are not counted. */
export const MAX_APPEND_BYTES = 1_048_576

/** In UTF-8. LMDB's keys end there, and a name is a key. */
export const MAX_STREAM_NAME_BYTES = 1_978

/** In UTF-8. */
export const MAX_EVENT_TYPE_BYTES = 4_096

export const METADATA_EVENT = '$metadata'
export const TOMBSTONE_EVENT = '$streamDeleted'
export const LINK_EVENT = '$>'

/** The stream that holds another's metadata is named after it. */
const METASTREAM_PREFIX = '$$'
export const isMetastream = (stream: string): boolean => stream.startsWith(METASTREAM_PREFIX)
export const metastreamOf = (stream: string): string => METASTREAM_PREFIX + stream
export const ownerOf = (metastream: string): string => metastream.slice(METASTREAM_PREFIX.length)

/** What `$$stream` says about `stream`, as far as the store acts on it. */
export type StreamMetadata = {
  /** Only the last so many events are visible. */
  maxCount?: number
  /** Seconds that an event stays visible. */
  maxAge?: number
  /** The first visible revision; Infinity marks a soft-deleted stream. */
  truncateBefore?: number
}

/** The largest $tb that fits the server's int64: it marks a soft deletion. */
const DELETED_MARK = 9_223_372_036_854_775_807n
const DELETED_MARK_AS_NUMBER = Number(DELETED_MARK)
export const SOFT_DELETION = Buffer.from(`{"$tb":${DELETED_MARK}}`)

/** Reads a metadata event's data. What is no whole number in range is ignored, as is data that is no JSON object. */
export function parseMetadata(data: Uint8Array): StreamMetadata {
  const json = parseObject(data)
  const metadata: StreamMetadata = {}
  const { $maxCount, $maxAge, $tb } = json
  if (isWhole($maxCount) && $maxCount > 0) metadata.maxCount = $maxCount
  if (isWhole($maxAge) && $maxAge > 0) metadata.maxAge = $maxAge
  if (isWhole($tb) && $tb >= 0) metadata.truncateBefore = $tb >= DELETED_MARK_AS_NUMBER ? Infinity : $tb
  return metadata
}

/** The same metadata with another $tb: how a soft-deleted stream comes back. */
export function withTruncateBefore(data: Uint8Array, revision: number): Buffer {
  return Buffer.from(JSON.stringify({ ...parseObject(data), $tb: revision }))
}

function parseObject(data: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(data).toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {}
  } catch {
    return {}
  }
}

const isWhole = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value)
