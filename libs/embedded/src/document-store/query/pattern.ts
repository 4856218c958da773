// Regular expressions of queries: the part of PCRE that JavaScript runs alike and in bounded time.
import { type BSONRegExp } from 'bson'
import { kindOf, type Value } from '../bson/value'
import { CommandError, notImplemented } from '../errors'

export interface Pattern {
  readonly source: string
  readonly options: string
  readonly expression: RegExp
  /** Every match begins with this; an index serves it when it is not empty. */
  readonly prefix: string
}

const MAX_SOURCE = 1_000
/** A pattern with n open repetitions takes up to length^n steps. */
const MAX_OPEN_REPETITIONS = 2

export function patternOf(value: Value, options?: Value): Pattern {
  if (options !== undefined && typeof options !== 'string')
    throw new CommandError('BadValue', '$options has to be a string')
  if (typeof value === 'string') return compile(value, options ?? '')
  if (kindOf(value) !== 'regex') throw new CommandError('BadValue', '$regex has to be a string')
  const { pattern, options: own } = value as BSONRegExp
  if (options !== undefined && own) throw new CommandError('Location51024', 'options set in both $regex and $options')
  return compile(pattern, options ?? own)
}

function compile(source: string, options: string): Pattern {
  for (const flag of options)
    if (!'imsu'.includes(flag))
      throw flag === 'x'
        ? notImplemented('regular expression option x')
        : new CommandError('BadValue', `invalid flag in regex options: ${flag}`)
  refuseUnbounded(source)
  const flags = [...new Set(options.replace('u', ''))].join('') + 'u'
  try {
    const expression = new RegExp(source, flags)
    return { source, options, expression, prefix: literalPrefix(source, options) }
  } catch (error) {
    throw new CommandError('Location51024', `Regular expression is invalid: ${(error as Error).message}`)
  }
}

/** A repeated group, a back reference or many open repetitions could run for ever: this store refuses to try. */
function refuseUnbounded(source: string): void {
  if (source.length > MAX_SOURCE) throw notImplemented(`regular expression longer than ${MAX_SOURCE} characters`)
  const plain = source.replace(/\\[^1-9k]/g, '_').replace(/\[[^\]]*\]/g, '_')
  if (/\)[*+{]/.test(plain)) throw notImplemented('repetition of a group in a regular expression')
  if (/\\[1-9k]/.test(plain)) throw notImplemented('back reference in a regular expression')
  if (/\(\?<?[=!]|\(\?[>#(|a-zA-Z-]/.test(plain))
    throw notImplemented('look-around or option group in a regular expression')
  const open = plain.match(/[*+]|\{\d*,\d*\}/g) ?? []
  if (open.length > MAX_OPEN_REPETITIONS)
    throw notImplemented(`regular expression with more than ${MAX_OPEN_REPETITIONS} open repetitions`)
}

function literalPrefix(source: string, options: string): string {
  if (/[im]/.test(options) || !source.startsWith('^') || source.includes('|')) return ''
  const literal = /^\^((?:[^\\^$.*+?()[\]{}|]|\\[^a-zA-Z0-9])*)/.exec(source)?.[1] ?? ''
  const next = source.slice(1 + literal.length, 2 + literal.length)
  const certain = ['*', '?', '{'].includes(next) ? literal.replace(/(\\.|.)$/su, '') : literal
  return certain.replace(/\\(.)/gsu, '$1')
}
