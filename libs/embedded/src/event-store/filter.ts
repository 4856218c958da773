// Which events of $all a read or a subscription asked for.
import type { ReadReq } from '@eventstore/db-client/generated/streams_pb'
import { badRequest } from './errors'
import type { StoredRecord } from './record'

export type EventFilter = {
  matches: (record: StoredRecord) => boolean
  /** A subscription is told a checkpoint after so many records of the log, matching or not. */
  checkpointInterval: number
}

/** The window of a filter that names none. */
const DEFAULT_WINDOW = 32

export function parseFilter(options: ReadReq.Options.FilterOptions): EventFilter {
  const byStream = options.getStreamIdentifier()
  const expression = byStream ?? options.getEventType()
  if (!expression) throw badRequest('A filter is by stream name or by event type.')
  if (options.hasMax() && options.getMax() === 0)
    throw badRequest('A filter looks through a window of at least 1 record.')
  const test = parseExpression(expression)
  return {
    matches: byStream ? ({ stream }) => test(stream) : ({ type }) => test(type),
    checkpointInterval:
      (options.hasMax() ? options.getMax() : DEFAULT_WINDOW) * Math.max(options.getCheckpointintervalmultiplier(), 1),
  }
}

function parseExpression(expression: ReadReq.Options.FilterOptions.Expression): (text: string) => boolean {
  const prefixes = expression.getPrefixList()
  if (prefixes.length > 0) return text => prefixes.some(prefix => text.startsWith(prefix))
  const source = expression.getRegex()
  if (source === '') throw badRequest('A filter has prefixes or a regular expression.')
  try {
    // As in .NET: not anchored, case-sensitive, over UTF-16 units.
    const regex = new RegExp(source)
    return text => regex.test(text)
  } catch {
    throw badRequest(`The embedded event store cannot read the regular expression ${source}.`)
  }
}
