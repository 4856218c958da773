// Regular expressions as PCRE reads them, in linear time or not at all.
import { describe, expect, it } from '@jest/globals'
import { type CommandError } from '../errors'
import { patternOf } from './pattern'

const matches = (source: string, text: string, options = '') => patternOf(source, options).matches(text)
const refusal = (source: string, options?: string): CommandError => {
  try {
    patternOf(source, options)
  } catch (error) {
    return error as CommandError
  }
  throw new Error(`${source} was taken`)
}

describe('a regular expression', () => {
  it.each([
    ['^ye', 'yes', '', true],
    ['^YE', 'yes', 'i', true],
    ['^[a-c]+$', 'aBC', 'i', true],
    ['^[^a-c]$', 'B', 'i', false],
    ['É', 'café', 'i', true],
    ['^.$', '😀', '', true],
    ['^[^a]$', '😀', '', true],
    ['^😀+$', '😀😀', '', true],
    ['^.$', '\r', '', true],
    ['^.$', '\n', '', false],
    ['^.$', '\n', 's', true],
    ['b$', 'ab\n', '', true],
    ['^b', 'a\nb', '', false],
    ['^b', 'a\nb', 'm', true],
    ['^\\s$', '\u00a0', '', false],
    ['^\\S$', '\u00a0', '', true],
    ['a{,2}', 'a{,2}', '', true],
    ['^(?:ab|c){2}$', 'abc', '', true],
    ['^a\\.b\\/c$', 'a.b/c', '', true],
    ['^[\\d.-]+$', '1.2-3', '', true],
    ['^[]a]+$', ']a', '', true],
  ])('%s on %j with "%s" is %s', (source, text, options, expected) => {
    expect(matches(source, text, options)).toBe(expected)
  })

  it.each([
    ['a repeated repetition', '(a+)+$', `${'a'.repeat(5_000)}b`],
    ['many optional characters', 'x?'.repeat(300) + 'y', 'x'.repeat(5_000)],
    ['several open repetitions', 'x*x*x*y', 'x'.repeat(100_000)],
    ['many alternatives', '(a|a)'.repeat(100) + 'b', 'a'.repeat(2_000)],
  ])('%s ends however long the text', (_what, source, text) => {
    expect(matches(source, text)).toBe(false)
    expect(matches(source, text, 'i')).toBe(false)
  })

  it.each([
    ['look-ahead', '(?=a)b'],
    ['a back reference', '(a)\\1'],
    ['a possessive repetition', 'a++'],
    ['a Unicode property', '\\p{L}'],
    ['an anchor of PCRE', '\\Ab'],
    ['a POSIX class', '[[:alpha:]]'],
    ['an option group', '(?i)a'],
    ['counts too high for linear time', '(a{500}){500}'],
    ['more than a thousand characters', 'a'.repeat(1_001)],
  ])('%s is refused with what to do', (_what, source) => {
    expect(refusal(source).message).toContain('MONGODB_URL')
  })

  it.each(['(', '[a', 'a\\', 'b)', '*a'])('%s is invalid', source => {
    expect(refusal(source).code).toBe(51091)
  })

  it('has flags of its own', () => {
    expect(refusal('a', 'g').code).toBe(51108)
  })
})
