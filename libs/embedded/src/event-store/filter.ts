// Which events of $all a read or a subscription asked for.
import { setFlagsFromString } from 'node:v8'
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

// Each record of the log is compared with each filter.
const MAX_PREFIXES = 1_000
const MAX_REGEX_LENGTH = 4_096

function parseExpression(expression: ReadReq.Options.FilterOptions.Expression): (text: string) => boolean {
  const prefixes = expression.getPrefixList()
  const regexLength = expression.getRegex().length
  if (prefixes.length > MAX_PREFIXES || regexLength > MAX_REGEX_LENGTH)
    throw badRequest(
      `The embedded event store takes filters of at most ${MAX_PREFIXES} prefixes, or of ${MAX_REGEX_LENGTH} characters.`,
    )
  if (prefixes.length > 0) return text => prefixes.some(prefix => text.startsWith(prefix))
  const regex = parseRegex(expression.getRegex())
  return text => regex.test(text)
}

// An expression must not be able to stop the server. V8's second engine runs in linear time; it is slower, so the first
// one runs until it has backtracked too often and hands over. That works for every expression the second one can read.
setFlagsFromString('--enable-experimental-regexp-engine')
setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks')
const LINEAR_FLAG = 'l'

/** As in .NET: not anchored, case-sensitive, over UTF-16 units. */
function parseRegex(source: string): RegExp {
  if (source === '') throw badRequest('A filter has prefixes or a regular expression.')
  try {
    new RegExp(source, LINEAR_FLAG)
    return new RegExp(source)
  } catch {
    throw badRequest(
      `The embedded event store cannot run the regular expression ${source}: it takes those that run in linear time, without look-around and back-references. Point EVENTSTORE_URL at an EventStoreDB server for others.`,
    )
  }
}
