// What comes in: JSON that hurts nobody, bodies and questions that are exactly what their class says.
import { describe, expect, it } from '@jest/globals'
import { Invalid } from '@stet/eventsourcing'
import { Type } from 'class-transformer'
import { IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator'
import * as fc from 'fast-check'
import { Problem } from '../problems/problem'
import { MAX_DEPTH, parseJson } from './json'
import { validatedQuery } from './question'
import { validated } from './validated'

class Note {
  @IsString() @MaxLength(10) text!: string
  @IsOptional() @IsString() by?: string
}
class Page {
  @IsOptional() @Type(() => Number) @IsInt() @Min(1) @Max(100) limit?: number
}
class Nothing {}

const parse = (text: string) => parseJson(Buffer.from(text))
const violations = (act: () => unknown) => {
  try {
    act()
  } catch (error) {
    if (error instanceof Invalid) return error.errors
    throw error
  }
  return []
}

describe('parseJson', () => {
  it('reads any JSON as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), value => {
        const text = JSON.stringify(value)
        if (/__proto__|\\ud|\\u0000/.test(text)) return
        expect(parse(text)).toEqual(JSON.parse(text))
      }),
    )
  })

  it('throws nothing but its own errors, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
        try {
          parseJson(Buffer.from(bytes))
        } catch (error) {
          expect(error instanceof Problem || error instanceof Invalid).toBe(true)
        }
      }),
    )
  })

  it.each([['{"a":'], [''], ['{"a":1}x'], ['\u0000'], ['{"__proto__":{"admin":true}}'], ['{"a":[{"__proto__":1}]}']])(
    'refuses %j as malformed',
    text => expect(() => parse(text)).toThrow(expect.objectContaining({ problem: 'malformed' })),
  )

  it('refuses keys that reach a prototype, escaped ones too', () => {
    expect(() => parse('{"\\u005f_proto__":{}}')).toThrow(Problem)
    expect(() => parse('{"constructor":{"prototype":{"a":1}}}')).toThrow(Problem)
    expect(({} as { a?: number }).a).toBeUndefined()
  })

  it('refuses bytes that are no UTF-8', () => {
    expect(() => parseJson(Buffer.from([0x22, 0xff, 0x22]))).toThrow(Problem)
  })

  it('points at lone surrogates and NUL, and lets pairs pass', () => {
    expect(violations(() => parse('{"a":["ok","\\ud800"],"b/c":"\\u0000"}'))).toEqual([
      { pointer: '#/a/1', detail: expect.stringContaining('surrogate') },
      { pointer: '#/b~1c', detail: expect.stringContaining('NUL') },
    ])
    expect(parse('"\\ud83d\\ude00"')).toBe('😀')
  })

  it('bounds depth and number of values', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    expect(violations(() => parse(nested(MAX_DEPTH)))).toEqual([])
    expect(violations(() => parse(nested(MAX_DEPTH + 1)))).toHaveLength(1)
    expect(violations(() => parse(nested(100_000)))).toHaveLength(1)
    expect(violations(() => parse(`[${'1,'.repeat(60_000)}1]`))).toHaveLength(1)
  })
})

describe('validated', () => {
  it('makes an instance of what is acceptable', () => {
    const note = validated(Note, { text: 'ok' })
    expect(note).toBeInstanceOf(Note)
    expect(note).toEqual({ text: 'ok' })
  })

  it('points at what is wrong and at what is unknown', () => {
    expect(violations(() => validated(Note, { text: 7, admin: true, 'a/b': 1 }))).toEqual(
      expect.arrayContaining([
        { pointer: '#/text', detail: expect.any(String) },
        { pointer: '#/admin', detail: 'is not known here' },
        { pointer: '#/a~1b', detail: 'is not known here' },
      ]),
    )
  })

  it.each([[[]], ['text'], [7], [true]])('refuses %j as a body', body => {
    expect(violations(() => validated(Note, body))).toEqual([{ pointer: '#', detail: 'must be an object' }])
  })

  it.each(['constructor', 'toString', 'hasOwnProperty', 'valueOf'])('refuses the inherited name %s', name => {
    expect(violations(() => validated(Note, { text: 'ok', [name]: Object }))).toEqual([
      { pointer: `#/${name}`, detail: 'is not known here' },
    ])
  })

  it('takes nothing for an absent body', () => {
    expect(violations(() => validated(Note, undefined))).toHaveLength(1)
    expect(validated(Nothing, undefined)).toEqual({})
    expect(violations(() => validated(Nothing, { a: 1 }))).toHaveLength(1)
  })
})

describe('validatedQuery', () => {
  it('converts as the class says', () => {
    expect(validatedQuery(Page, { limit: '20' })).toEqual({ limit: 20 })
    expect(validatedQuery(Page, {})).toEqual({})
  })

  it.each([['0'], ['101'], ['ten'], [''], ['1.5'], ['NaN']])('refuses limit=%s', limit => {
    expect(violations(() => validatedQuery(Page, { limit }))).toEqual([
      { pointer: '?limit', detail: expect.any(String) },
    ])
  })

  it('refuses unknown, repeated and inherited parameters', () => {
    for (const parameters of [{ nonsense: '1' }, { limit: ['1', '2'] }, { constructor: 'x' }, { 'section[$ne]': 'x' }])
      expect(violations(() => validatedQuery(Page, parameters))).toHaveLength(1)
  })
})
