// The decorators' promise: the OpenAPI schema that is derived from them never refuses what they accept.
import { describe, expect, it } from '@jest/globals'
import Ajv2020 from 'ajv/dist/2020'
import { targetConstructorToSchema } from 'class-validator-jsonschema'
import fc from 'fast-check'
import { article } from './article/article'
import { DraftArticle, ReviseArticle } from './article/drafting'
import { GetLatest } from './latest/latest'
import { curatedList } from './lists/lists'
import { canonicalLanguage, IsShaped, schemaConverters, shape, nonBlank, text, violationsOf } from './validation'

const schemaOf = (type: new () => object) =>
  targetConstructorToSchema(type, {
    additionalConverters: schemaConverters,
  })
const accepts = (type: new () => object) =>
  new Ajv2020({ strict: false, validateFormats: false }).compile(schemaOf(type))

describe('the schema of a command', () => {
  it.each([...Object.values(article.commands), ...Object.values(curatedList.commands), GetLatest])(
    'is derived in full of %p',
    type => {
      const { properties = {} } = schemaOf(type)
      expect(Object.keys(properties)).not.toHaveLength(0)
      for (const property of Object.values(properties)) expect(Object.keys(property)).not.toHaveLength(0)
      expect(accepts(type)).toBeInstanceOf(Function)
    },
  )

  it('says what is needed and what may be null', () => {
    expect(schemaOf(DraftArticle).required?.toSorted()).toEqual(['bodyHtml', 'headline', 'section'])
    expect(schemaOf(ReviseArticle).required).toBeUndefined()
    const revise = accepts(ReviseArticle)
    for (const body of [
      {},
      { headline: null, section: null, tags: null, language: 'de' },
      { tags: ['a', { name: 'b' }] },
    ])
      expect(revise(body)).toBe(true)
    for (const body of [{ headline: '' }, { tags: [1] }, { tags: [{ slug: 'x' }] }, { image: {} }, { slug: 'A' }])
      expect(revise(body)).toBe(false)
  })

  it('accepts what the decorators accept', () => {
    const word = fc.constantFrom(
      'ice',
      ' ',
      '',
      'A b',
      'https://a.example/x',
      'javascript:x',
      'en',
      'de-AT',
      '\0',
      '\ud800',
    )
    const value = fc.oneof(word, fc.constant(null), fc.integer(), fc.array(word, { maxLength: 2 }))
    const term = fc.oneof(value, fc.record({ name: word, slug: word, code: word }, { requiredKeys: [] }))
    const fields: Record<string, fc.Arbitrary<unknown>> = {
      headline: value,
      section: term,
      bodyHtml: value,
      summary: value,
      tags: fc.oneof(value, fc.array(term, { maxLength: 3 })),
      image: fc.oneof(value, fc.record({ url: word, width: value, alt: value }, { requiredKeys: [] })),
      language: value,
      slug: value,
      seo: fc.oneof(value, fc.record({ title: value })),
      canonicalUrl: value,
    }
    const body = fc.oneof(...Object.entries(fields).map(([name, field]) => field.map(given => ({ [name]: given }))))
    const revise = accepts(ReviseArticle)
    let accepted = 0
    fc.assert(
      fc.property(body, given => {
        if (violationsOf(Object.assign(new ReviseArticle(), given)).length > 0) return
        accepted += 1
        expect(revise(given)).toBe(true)
      }),
      { numRuns: 500 },
    )
    expect(accepted).toBeGreaterThan(100)
  })
})

describe('IsShaped', () => {
  class Sample {
    @IsShaped(shape({ name: nonBlank(3), more: text(3) })) value: unknown
  }
  const flaws = (value: unknown) => violationsOf(Object.assign(new Sample(), { value }))

  it('points at the first flaw', () => {
    expect(flaws({ name: 'a', more: 'b' })).toEqual([])
    expect(flaws({ name: ' ', more: 'b' })).toEqual([
      { pointer: '#/value/name', detail: 'must be text of 1 to 3 characters' },
    ])
    expect(flaws({ name: 'a', more: 'b\0' })).toMatchObject([{ pointer: '#/value/more' }])
    expect(flaws({ name: 'a', more: 'b', 'a/b': 1 })).toMatchObject([{ pointer: '#/value/a~1b' }])
    expect(flaws(undefined)).toMatchObject([{ pointer: '#/value' }])
    for (const hostile of [[], null, 7, { name: { toString: 1 } }, Object.create(null)])
      expect(flaws(hostile)).toHaveLength(1)
  })
})

it('knows canonical language tags', () => {
  expect(['EN-gb', 'zh-hant-tw', 'x', 'en_GB', ''].map(canonicalLanguage)).toEqual([
    'en-GB',
    'zh-Hant-TW',
    null,
    null,
    null,
  ])
})
