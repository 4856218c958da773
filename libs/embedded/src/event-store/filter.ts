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
  return parseRegex(expression.getRegex())
}

// An expression must not be able to stop the server. V8's second engine runs in linear time; it is slower, so the first
// one runs until it has backtracked too often and hands over. That works for every expression the second one can read.
setFlagsFromString('--enable-experimental-regexp-engine')
setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks')
const LINEAR_FLAG = 'l'

/**
 * As in .NET: not anchored, case-sensitive, over UTF-16 units. What the two read differently is refused: in the expression
 * at once, in a text (classes like \w beyond ASCII, ends of lines beside . and $) when such a text comes.
 */
function parseRegex(source: string): (text: string) => boolean {
  if (source === '') throw badRequest('A filter has prefixes or a regular expression.')
  const regex = linear(source)
  const plain = /\\[wWdDsSbB]/.test(source) ? ASCII : ONE_LINE
  return text => {
    if (source.length * text.length > MAX_STEPS || !plain.test(text))
      throw badRequest(
        `The embedded event store cannot compare ${JSON.stringify(text.slice(0, 64))} with the regular expression ${source.slice(0, 64)}. Point EVENTSTORE_URL at an EventStoreDB server for that.`,
      )
    return regex.test(text)
  }
}

function linear(source: string): RegExp {
  try {
    new RegExp(source, LINEAR_FLAG)
    if (ALIKE.test(source)) return new RegExp(source)
  } catch {
    // Refused below.
  }
  throw badRequest(
    `The embedded event store cannot run the regular expression ${source}: it takes those that run in linear time and that JavaScript reads as .NET does, without look-around, back-references, \\A, \\z, \\p{..} and [a-z-[b]]. Point EVENTSTORE_URL at an EventStoreDB server for others.`,
  )
}

const ASCII = /^[ -~]*$/
const ONE_LINE = /^[^\p{Cc}\u2028\u2029]*$/u

/** Characters of the expression times those of the text, by which the time of one comparison grows: some 60 ms. */
const MAX_STEPS = 2 ** 20

const ESCAPE = String.raw`\\(?:[tnrfvdDwWsSbB]|x[\da-fA-F]{2}|u[\da-fA-F]{4}|[^\w\u0080-\uffff])`
/** Expressions of pieces that .NET and JavaScript read alike: escapes, classes without another one taken off, the rest. */
const ALIKE = new RegExp(String.raw`^(?:${ESCAPE}|\[\^?(?!\])(?:${ESCAPE}|(?!-\[)[^\]\\])*\]|[^\\[])*$`)
