// Whatever JSON arrives: it is an item, or it is Invalid. Nothing else is ever thrown.
import { describe, expect, it } from '@jest/globals'
import { Invalid } from '@stet/eventsourcing'
import fc from 'fast-check'
import { readNinjs } from '.'

const NAMES = [
  ...[
    'uri',
    'guid',
    'type',
    'version',
    'headline',
    'headlines',
    'title',
    'bodies',
    'body_html',
    'body_text',
    'body_xhtml',
  ],
  ...[
    'descriptions',
    'description_text',
    'description_html',
    'subject',
    'subjects',
    'service',
    'keywords',
    'authors',
    'by',
  ],
  ...[
    'byline',
    'people',
    'infosource',
    'infoSources',
    'source',
    'associations',
    'renditions',
    'href',
    'width',
    'height',
  ],
  ...[
    'language',
    'pubstatus',
    'pubStatus',
    'embargoed',
    'embargoedUntil',
    'versioncreated',
    'firstcreated',
    'name',
    'rel',
  ],
  ...['role', 'value', 'contentType', 'scheme', 'code', 'literal', 'featuremedia', 'related--1', '__proto__', 'a/b~c'],
]
const TEXTS = [
  'text',
  'picture',
  'usable',
  'canceled',
  'main',
  'publisher',
  'section',
  'related',
  'text/html',
  '<p>x</p>',
]
const TIMES = ['2024-01-01T00:00:00Z', '2024-02-30T00:00:00Z', '9999-12-31T23:59:59+0000', '2024-01-01T24:00:00Z']

const json = fc.letrec<{ value: unknown; item: Record<string, unknown> }>(tie => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<unknown>(null, true, 0, -1, 1e308, '', 'urn:x', 'https://x.example/y', ...TEXTS, ...TIMES),
    fc.string({ unit: 'binary' }),
    fc.array(tie('value'), { maxLength: 4 }),
    tie('item'),
  ),
  item: fc
    .array(fc.tuple(fc.oneof(fc.constantFrom(...NAMES), fc.string()), tie('value')), { maxLength: 12 })
    .map(
      fields =>
        JSON.parse(
          `{${fields.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`,
        ) as Record<string, unknown>,
    ),
}))

const invalidOrRead = (item: unknown): void => {
  try {
    const read = readNinjs(item)
    expect(read.articleId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5/)
    expect(readNinjs(item)).toEqual(read)
  } catch (error) {
    if (!(error instanceof Invalid)) throw error
    expect(error.errors.length).toBeGreaterThan(0)
    for (const { pointer } of error.errors) expect(pointer).toMatch(/^#/)
  }
}

describe('readNinjs', () => {
  it('reads or refuses any JSON', () => {
    fc.assert(fc.property(fc.jsonValue(), invalidOrRead), { numRuns: 500 })
  })

  it('reads or refuses items whose known fields hold anything', () => {
    fc.assert(fc.property(json.item, invalidOrRead), { numRuns: 1_500 })
  })

  it('reads or refuses items that are right but for some fields', () => {
    const right = { uri: 'urn:example:right', headline: 'Right', body_html: '<p>Right</p>' }
    fc.assert(
      fc.property(json.item, fields => invalidOrRead({ ...fields, ...right })),
      { numRuns: 1_500 },
    )
  })
})
