// Which records a read or a subscription asks the server for, and what is left to look at here.
import { type LogFilter } from '../event-log'

/** What the server filters by: names of streams or types of events, by prefixes or a regular expression. */
export type ServerFilter =
  { readonly on: 'stream'; readonly prefixes: readonly string[] } | { readonly on: 'type'; readonly regex: string }

/** The store's own events (`$metadata`, `$streamDeleted`, ...) are nobody's. */
const NO_SYSTEM_EVENT = '^[^$]'

/** The server filters by one thing only: by stream when that is asked for, else by type. */
export const serverFilter = (prefix: string, filter: LogFilter = {}): ServerFilter => {
  if (filter.categories) return { on: 'stream', prefixes: filter.categories.map(category => `${prefix}${category}-`) }
  if (prefix !== '') return { on: 'stream', prefixes: [prefix] }
  if (filter.types) return { on: 'type', regex: `^(${filter.types.map(escaped).join('|')})$` }
  return { on: 'type', regex: NO_SYSTEM_EVENT }
}

/** True for what nothing can match. */
export const matchesNothing = ({ categories, types }: LogFilter = {}): boolean =>
  categories?.length === 0 || types?.length === 0

/** What the server could not look at. */
export const matchesTypes = ({ types }: LogFilter = {}): ((type: string) => boolean) => {
  if (!types) return () => true
  const wanted = new Set(types)
  return type => wanted.has(type)
}

/** Others may begin with it: where it ends must be seen in a stream's name. */
export const isPrefix = (prefix: string): boolean => /^([^$-][^-]*\.|\.)?$/.test(prefix)

/**
 * Of this newsroom, and no event of the store's own. Prefixes end with a dot and categories have none: what still has one
 * before its category is a neighbour's, whose prefix begins with ours.
 */
export const isOurs = (prefix: string, streamId: string, type: string): boolean =>
  streamId.startsWith(prefix) &&
  !type.startsWith('$') &&
  !streamId.startsWith('$') &&
  !categoryOf(streamId.slice(prefix.length)).includes('.')

const categoryOf = (stream: string): string => {
  const dash = stream.indexOf('-')
  return dash < 0 ? stream : stream.slice(0, dash)
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
