// Regular expressions of queries: the part of PCRE that can be said in JavaScript and runs in linear time.
import { setFlagsFromString } from 'node:v8'
import { type BSONRegExp } from 'bson'
import { kindOf, type Value } from '../bson/value'
import { CommandError, notImplemented } from '../errors'
import { translated } from './pcre'

export interface Pattern {
  readonly source: string
  readonly options: string
  matches(text: string): boolean
  /** Every match begins with this; an index serves it when it is not empty. */
  readonly prefix: string
}

const MAX_SOURCE = 1_000

// A query must not be able to stop the server. V8's second engine runs in linear time; it is slower, so the first one
// runs until it has backtracked too often and hands over. That works for every expression the second one can read.
setFlagsFromString('--enable-experimental-regexp-engine')
setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks')
const LINEAR_FLAG = 'l'

export function patternOf(value: Value, options?: Value): Pattern {
  if (options !== undefined && typeof options !== 'string')
    throw new CommandError('BadValue', '$options has to be a string')
  if (typeof value === 'string') return compile(value, options ?? '')
  if (kindOf(value) !== 'regex') throw new CommandError('BadValue', '$regex has to be a string')
  const { pattern, options: own } = value as BSONRegExp
  if (options !== undefined && own) throw new CommandError('Location51074', 'options set in both $regex and $options')
  return compile(pattern, options ?? own)
}

function compile(source: string, options: string): Pattern {
  for (const flag of options)
    if (!'imsu'.includes(flag))
      throw flag === 'x'
        ? notImplemented('regular expression option x')
        : new CommandError('Location51108', `invalid flag in regex options: ${flag}`)
  if (source.length > MAX_SOURCE) throw notImplemented(`regular expression longer than ${MAX_SOURCE} characters`)
  const expression = linear(source, options)
  // In PCRE the end is also before a last line break.
  const endsBeforeBreak = source.includes('$') && !options.includes('m')
  return {
    source,
    options,
    matches: text =>
      expression.test(text) || (endsBeforeBreak && text.endsWith('\n') && expression.test(text.slice(0, -1))),
    prefix: literalPrefix(source, options),
  }
}

function linear(source: string, options: string): RegExp {
  const inJavaScript = translated(source, options)
  const flags = options.includes('m') ? 'm' : ''
  let expression: RegExp
  try {
    expression = new RegExp(inJavaScript, flags)
  } catch (error) {
    throw new CommandError('Location51091', `Regular expression is invalid: ${(error as Error).message}`)
  }
  try {
    new RegExp(inJavaScript, flags + LINEAR_FLAG)
  } catch {
    throw notImplemented('regular expression that does not run in linear time')
  }
  return expression
}

function literalPrefix(source: string, options: string): string {
  if (/[im]/.test(options) || !source.startsWith('^') || source.includes('|')) return ''
  const literal = /^\^((?:[^\\^$.*+?()[\]{}|]|\\[^a-zA-Z0-9])*)/.exec(source)?.[1] ?? ''
  const next = source.slice(1 + literal.length, 2 + literal.length)
  const certain = ['*', '?', '{'].includes(next) ? literal.replace(/(\\.|.)$/su, '') : literal
  return certain.replace(/\\(.)/gsu, '$1')
}
