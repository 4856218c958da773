// Opaque cursors: where a list goes on, so that what is published meanwhile neither repeats nor hides anything.
import { Invalid } from '@stet/eventsourcing'

/** A cursor of text parts. */
export const cursorOf = (parts: readonly string[]): string => Buffer.from(JSON.stringify(parts)).toString('base64url')

/** The parts of a cursor; throws Invalid unless `cursorOf` made it of parts that match the patterns. */
export const readCursor = (cursor: string, patterns: readonly RegExp[]): string[] => {
  const parts = parsed(cursor)
  const fits =
    Array.isArray(parts) &&
    parts.length === patterns.length &&
    parts.every((part, index) => typeof part === 'string' && patterns[index]?.test(part)) &&
    cursorOf(parts as string[]) === cursor
  if (!fits) throw new Invalid([{ pointer: '?cursor', detail: 'is none of ours: start again without a cursor' }])
  return parts as string[]
}

const parsed = (cursor: string): unknown => {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    return null
  }
}
