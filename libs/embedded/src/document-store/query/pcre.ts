// A PCRE expression as a JavaScript one that matches the same texts, over UTF-16 and without flags for case or dot.
import { CommandError, notImplemented } from '../errors'

const PAIR = '[\\ud800-\\udbff][\\udc00-\\udfff]'
const SURROGATES = '\\ud800-\\udfff'
const SPACE = ' \\t-\\r'
/** One character that is none of these. */
const noneOf = (content: string): string => `(?:[^${content}${SURROGATES}]|${PAIR})`
const CLASSES: Readonly<Record<string, string>> = {
  d: '[0-9]',
  w: '[A-Za-z0-9_]',
  s: `[${SPACE}]`,
  D: noneOf('0-9'),
  W: noneOf('A-Za-z0-9_'),
  S: noneOf(SPACE),
}
const WITHIN: Readonly<Record<string, string>> = { d: '0-9', w: 'A-Za-z0-9_', s: SPACE }

/** @throws NotImplemented for what JavaScript cannot say. */
export function translated(source: string, options: string): string {
  const anyCase = options.includes('i')
  let result = ''
  for (let at = 0; at < source.length;) {
    const character = String.fromCodePoint(source.codePointAt(at)!)
    const rest = source.slice(at)
    at += character.length
    if (character === '\\') {
      const next = source.slice(at, ++at)
      if (next === '') throw new CommandError('Location51091', 'Regular expression is invalid: \\ at end of pattern')
      result += CLASSES[next] ?? ('bBnrtf'.includes(next) ? `\\${next}` : escaped(next, anyCase))
    } else if (character === '[') {
      const [length, translatedClass] = characterClass(rest, anyCase)
      at += length - 1
      result += translatedClass
    } else if (character === '.') result += options.includes('s') ? `(?:[^${SURROGATES}]|${PAIR})` : noneOf('\\n')
    else if (character === '(') {
      if (/^\(\?(?!:)|^\(\*/.test(rest)) throw notImplemented('look-around or option group in a regular expression')
      result += character
    } else if (character === '{') result += /^\{\d+(,\d*)?\}/.test(rest) ? character : '\\{'
    else if ('^$|)*+?}'.includes(character)) {
      if (character === '+' && /[*+?}]$/.test(source.slice(0, at - 1)) && !/\\.$/s.test(source.slice(0, at - 1)))
        throw notImplemented('possessive repetition in a regular expression')
      result += character
    } else result += literal(character, anyCase)
  }
  return result
}

function escaped(character: string, anyCase: boolean): string {
  if (/[a-zA-Z0-9]/.test(character)) throw notImplemented(`\\${character} in a regular expression`)
  return literal(character, anyCase)
}

function literal(character: string, anyCase: boolean): string {
  const [lower, upper] = [character.toLowerCase(), character.toUpperCase()]
  if (anyCase && lower !== upper && lower.length === upper.length) return `(?:${lower}|${upper})`
  if (character.length > 1) return `(?:${character})`
  return /[\\^$.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character
}

/** The length of a class and what it is in JavaScript. */
function characterClass(source: string, anyCase: boolean): [number, string] {
  const parsed = /^\[(\^?)(\]?(?:\\.|[^\]\\])*)\]/s.exec(source)
  if (!parsed)
    throw new CommandError('Location51091', 'Regular expression is invalid: missing terminating ] for character class')
  const [whole, negation, content] = parsed as unknown as [string, string, string]
  if (/\[[:.=]|[^\0-\uffff]|[\ud800-\udfff]/.test(content)) throw notImplemented('character class of this kind')
  let inside = ''
  for (const [item, shorthand, escapedOne] of content.matchAll(/\\([dws])|\\(.)|[^\\]-(?:\\.|[^\\])|[^\\]/gs)) {
    if (shorthand) inside += WITHIN[shorthand]!
    else if (escapedOne && /[a-zA-Z0-9]/.test(escapedOne)) {
      if (!'nrtf'.includes(escapedOne)) throw notImplemented(`\\${escapedOne} in a character class`)
      inside += item
    } else inside += bothCases(item.replace(/[[\]^]/g, '\\$&'), anyCase)
  }
  return [whole.length, negation ? noneOf(inside) : `[${inside}]`]
}

/** A character or a range of them, also in the other case. */
function bothCases(item: string, anyCase: boolean): string {
  if (!anyCase) return item
  if (item.includes('-') && item.length >= 3 && !/^(?:[a-z]-[a-z]|[A-Z]-[A-Z]|[^a-zA-Z]+)$/.test(item))
    throw notImplemented('range of letters of both cases with option i')
  const [lower, upper] = [item.toLowerCase(), item.toUpperCase()]
  return lower === upper || lower.length !== upper.length ? item : lower + upper
}
