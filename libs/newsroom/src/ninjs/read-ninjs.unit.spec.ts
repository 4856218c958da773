// Items of every profile as the newsroom understands them. All of them are written for this file.
import { describe, expect, it } from '@jest/globals'
import { Invalid } from '@stet/eventsourcing'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { importOf, readNinjs, wireArticleId } from '.'

const iptc1 = {
  uri: 'urn:example:harbour-1',
  type: 'text',
  version: '4',
  firstcreated: '2024-03-01T06:00:00Z',
  versioncreated: '2024-03-01T09:30:00+01:00',
  pubstatus: 'usable',
  urgency: 3,
  language: 'en_GB',
  headline: 'Harbour reopens after the storm',
  byline: 'By Staff Reporter and Night Desk',
  located: 'Port Ardent',
  description_text: 'Ferries run again.',
  body_xhtml: '<html><head><title>no</title></head><body><p>Ferries run again.</p></body></html>',
  subject: [
    { name: 'Transport', rel: 'section', code: 'transport', scheme: 'http://example.org/sections/' },
    { name: 'Ferries', rel: 'about', code: '20001264', scheme: 'http://cv.iptc.org/newscodes/mediatopic/' },
  ],
  infosource: [
    { name: 'Coast Radio', rel: 'contributor' },
    { name: 'The Ardent Post', rel: 'publisher' },
    { name: 'Wire One', rel: 'agency' },
  ],
  associations: {
    picture_1: {
      uri: 'urn:example:picture-1',
      type: 'picture',
      description_text: 'The first ferry leaves.',
      byline: 'Photo Desk',
      renditions: {
        thumb: { href: 'https://pictures.example.org/t.jpg', width: 200, height: 100, mimetype: 'image/jpeg' },
        large: { href: 'https://pictures.example.org/l.jpg', width: 1600, height: 800, mimetype: 'image/jpeg' },
        huge: { href: 'https://pictures.example.org/h.jpg', width: 12000, height: 6000, mimetype: 'image/jpeg' },
        film: { href: 'https://pictures.example.org/f.mp4', width: 1920, height: 1080, mimetype: 'video/mp4' },
      },
    },
    related_2: { uri: 'urn:example:harbour-3', type: 'text' },
    related_1: { uri: 'urn:example:harbour-2', type: 'text' },
  },
}

const superdesk = {
  guid: 'urn:newsml:desk.example:2024-05-05T10:00:00.1:abc',
  uri: 'https://desk.example/items/abc',
  type: 'text',
  version: 7,
  pubstatus: 'usable',
  priority: 5,
  firstcreated: '2024-05-05T09:00:00+0000',
  versioncreated: '2024-05-05T12:00:00+0200',
  language: 'de',
  headline: 'Die Brücke bleibt gesperrt',
  description_html: '<p>Der <b>Verkehr</b> wird umgeleitet.</p>',
  body_html: '<p>Der Verkehr wird umgeleitet.</p>',
  source: 'Fördebote',
  byline: 'not used when authors are named',
  authors: [{ name: 'Lokalredaktion', role: 'writer', code: '17', biography: 'seit 1990' }],
  service: [
    { name: 'Regional', code: 'r' },
    { name: 'Verkehr', code: 'v' },
  ],
  subject: [
    { name: 'Brücken', code: '04015001' },
    { name: 'Verkehr', code: '15000001' },
  ],
  keywords: ['Umleitung', 'Brücken'],
  infosource: [{ name: 'Landesfunk' }],
  associations: {
    featuremedia: {
      guid: 'urn:newsml:desk.example:picture',
      type: 'picture',
      body_text: 'Absperrung vor der Brücke',
      description_text: 'Seit Montag gesperrt',
      renditions: { original: { href: 'https://pictures.example.org/o.jpg', width: 3000, height: 2000 } },
    },
    'related--10': { guid: 'urn:ten', type: 'text', headline: 'zehn' },
    'related--2': { guid: 'urn:two', type: 'text', headline: 'zwei', body_html: '<p>zwei</p>' },
    'related--3': { guid: 'urn:video', type: 'video' },
    'sidebar--1': { guid: 'urn:side', type: 'text' },
    empty: null,
  },
}

const iptc3 = {
  standard: { name: 'ninjs', version: '3.1' },
  uri: 'urn:example:budget',
  type: 'text',
  pubStatus: 'usable',
  versionCreated: '2025-01-15T08:00:00Z',
  language: 'en',
  by: 'Capital Desk',
  headlines: [
    { role: 'short', value: 'Budget passes' },
    { role: 'main', value: 'Assembly passes the budget' },
  ],
  descriptions: [
    { role: 'caption', value: 'x' },
    { role: 'summary', value: 'After a night of talks.' },
  ],
  bodies: [
    { role: 'main', contentType: 'text/plain', value: 'One & one.\n\nTwo.' },
    { role: 'main', contentType: 'text/html', value: '<p>One &amp; one.</p><p>Two.</p>', charCount: 14 },
    { role: 'nitf', contentType: 'application/xml', value: '<nitf/>' },
  ],
  people: [{ name: 'Somebody', rel: 'about' }],
  subjects: [
    { name: 'Politics', uri: 'http://cv.iptc.org/newscodes/mediatopic/11000000' },
    { name: 'Budget', uri: 'http://cv.iptc.org/newscodes/mediatopic/20000574', rel: 'about', relevance: 90 },
  ],
  infoSources: [
    { name: 'The Daily Ledger', role: 'publisher' },
    { name: 'agencies', role: 'contributor' },
  ],
  associations: [
    { name: 'a', rel: 'related', type: 'text', uri: 'urn:example:later' },
    { name: 'b', rel: 'related', type: 'text', uri: 'urn:example:budget' },
    {
      name: 'c',
      rel: 'featured',
      type: 'picture',
      uri: 'urn:example:p',
      descriptions: [{ role: 'caption', value: 'The chamber' }],
      by: 'Photo Desk',
      renditions: [
        { name: 'web', href: 'https://pictures.example.org/w.jpg', contentType: 'image/jpeg', width: 800, height: 600 },
      ],
    },
  ],
}

const violationsOf = (item: unknown): readonly { pointer: string; detail: string }[] => {
  try {
    readNinjs(item)
  } catch (error) {
    if (error instanceof Invalid) return error.errors
    throw error
  }
  throw new Error('the item was accepted')
}

describe('IPTC 1.x', () => {
  const item = readNinjs(iptc1)

  it('keeps identity, version and the original times', () => {
    expect(item.profile).toBe('ninjs-1')
    expect(item.articleId).toBe(wireArticleId('urn:example:harbour-1'))
    expect(item.origin).toEqual({
      uri: 'urn:example:harbour-1',
      profile: 'ninjs-1',
      version: '4',
      versionCreated: '2024-03-01T08:30:00.000Z',
    })
    expect(item.firstPublishedAt).toBe('2024-03-01T06:00:00.000Z')
    expect(item.publishedAt).toBe('2024-03-01T08:30:00.000Z')
  })

  it('reads the content', () => {
    expect(item.content).toEqual({
      keyPoints: [],
      headline: 'Harbour reopens after the storm',
      section: { slug: 'transport', name: 'Transport', scheme: 'http://example.org/sections/', code: 'transport' },
      bodyHtml: '<p>Ferries run again.</p>',
      summary: 'Ferries run again.',
      tags: [
        { slug: 'ferries', name: 'Ferries', scheme: 'http://cv.iptc.org/newscodes/mediatopic/', code: '20001264' },
      ],
      authors: [
        { slug: 'staff-reporter', name: 'Staff Reporter' },
        { slug: 'night-desk', name: 'Night Desk' },
      ],
      image: {
        url: 'https://pictures.example.org/l.jpg',
        width: 1600,
        height: 800,
        caption: 'The first ferry leaves.',
        credit: 'Photo Desk',
      },
      language: 'en-GB',
      seo: null,
      canonicalUrl: null,
    })
  })

  it('takes the publisher as the outlet and the others as contributors, in order', () => {
    expect(item.source).toEqual({
      outlet: 'The Ardent Post',
      contributors: [{ name: 'Coast Radio' }, { name: 'Wire One', kind: 'agency' }],
    })
  })

  it('relates by identity, in the order of the numbers', () => {
    expect(item.relatedIds).toEqual([wireArticleId('urn:example:harbour-2'), wireArticleId('urn:example:harbour-3')])
  })

  it('reports what is not kept', () => {
    expect(item.notUnderstood).toEqual(['#/urgency is not kept', '#/located is not kept'])
  })
})

describe('Superdesk', () => {
  const item = readNinjs(superdesk)

  it('is known by its guid and keeps its times, offsets without a colon included', () => {
    expect(item.profile).toBe('superdesk')
    expect(item.origin).toEqual({
      uri: superdesk.guid,
      profile: 'superdesk',
      version: '7',
      versionCreated: '2024-05-05T10:00:00.000Z',
    })
  })

  it('reads service, authors, keywords, source and the feature picture', () => {
    expect(item.content.section).toEqual({ slug: 'regional', name: 'Regional', code: 'r' })
    expect(item.content.tags.map(({ slug, code }) => [slug, code])).toEqual([
      ['brucken', '04015001'],
      ['verkehr', '15000001'],
      ['umleitung', undefined],
    ])
    expect(item.content.summary).toBe('Der Verkehr wird umgeleitet.')
    expect(item.content.authors).toEqual([
      { slug: 'lokalredaktion', name: 'Lokalredaktion', code: '17', role: 'writer' },
    ])
    expect(item.source).toEqual({ outlet: 'Fördebote', contributors: [{ name: 'Landesfunk' }] })
    expect(item.content.image).toEqual({
      url: 'https://pictures.example.org/o.jpg',
      width: 3000,
      height: 2000,
      alt: 'Absperrung vor der Brücke',
      caption: 'Seit Montag gesperrt',
    })
  })

  it('relates texts by number and says what became of everything else', () => {
    expect(item.relatedIds).toEqual([wireArticleId('urn:two'), wireArticleId('urn:ten')])
    expect(item.notUnderstood).toEqual(
      expect.arrayContaining([
        expect.stringContaining('#/associations/related--3 is not kept: a related video'),
        expect.stringContaining('#/associations/sidebar--1 is not kept'),
        expect.stringContaining('#/associations/related--2 is linked by its identity only'),
        expect.stringContaining('#/service/1 is not kept'),
        '#/authors/0/biography is not kept',
        '#/priority is not kept',
        '#/uri is not kept',
      ]),
    )
  })
})

describe('IPTC 2 and 3', () => {
  const item = readNinjs(iptc3)

  it('prefers roles and forms: the main headline, the summary, the HTML body', () => {
    expect(item.profile).toBe('ninjs-3')
    expect(item.content.headline).toBe('Assembly passes the budget')
    expect(item.content.summary).toBe('After a night of talks.')
    expect(item.content.bodyHtml).toBe('<p>One &amp; one.</p><p>Two.</p>')
    expect(readNinjs({ ...iptc3, bodies: iptc3.bodies.slice(0, 1) }).content.bodyHtml).toBe(
      '<p>One &amp; one.</p><p>Two.</p>',
    )
  })

  it('takes a top-level media topic for the section when nothing says section', () => {
    expect(item.content.section).toMatchObject({ slug: 'politics', code: '11000000' })
    expect(item.content.tags).toEqual([
      { slug: 'budget', name: 'Budget', scheme: 'http://cv.iptc.org/newscodes/mediatopic/', code: '20000574' },
    ])
  })

  it('relates what is to come, never itself, and shows the featured picture', () => {
    expect(item.relatedIds).toEqual([wireArticleId('urn:example:later')])
    expect(item.content.image).toEqual({
      url: 'https://pictures.example.org/w.jpg',
      width: 800,
      height: 600,
      caption: 'The chamber',
      credit: 'Photo Desk',
    })
    expect(item.notUnderstood).toEqual(
      expect.arrayContaining([
        '#/headlines/0 is not kept: an article has one headline',
        '#/bodies/0 is not kept: another form of the body was taken',
        '#/bodies/2 is not kept: another form of the body was taken',
        '#/people/0 is not kept: not an author',
        '#/subjects/1/relevance is not kept',
        '#/associations names the item itself, which is not kept',
      ]),
    )
  })

  it('reads the spelling of 2.0, all in lower case', () => {
    const { pubStatus: _, versionCreated, ...rest } = iptc3
    const older = readNinjs({ ...rest, pubstatus: 'withheld', versioncreated: versionCreated })
    expect(older.held).toBe('withheld by its provider')
    expect(older.publishedAt).toBe('2025-01-15T08:00:00.000Z')
  })
})

describe('what may not be published', () => {
  it('is held with the reason', () => {
    expect(readNinjs({ ...iptc1, pubstatus: 'withheld' })).toMatchObject({ held: 'withheld by its provider' })
    const embargoed = readNinjs({ ...superdesk, embargoed: '2024-06-01T00:00:00+0000' })
    expect(embargoed.held).toBe('embargoed until 2024-06-01T00:00:00.000Z')
    expect(embargoed.heldUntil).toBe('2024-06-01T00:00:00.000Z')
    const both = readNinjs({ ...iptc3, pubStatus: 'withheld', embargoedUntil: '2030-01-01T00:00:00Z' })
    expect(both.held).toBe('withheld by its provider, embargoed until 2030-01-01T00:00:00.000Z')
    expect(both.heldUntil).toBeUndefined()
  })

  it('is canceled, with or without content', () => {
    expect(readNinjs({ uri: 'urn:example:gone', pubstatus: 'canceled' })).toMatchObject({
      articleId: wireArticleId('urn:example:gone'),
      canceled: true,
      content: { headline: '' },
    })
  })
})

describe('what is no item', () => {
  it.each([[null], [undefined], [7], ['text'], [[]], [{}], [{ headline: 'no identity' }], [new Map()]])(
    'refuses %p',
    item => {
      expect(violationsOf(item)).toEqual([{ pointer: '#', detail: expect.stringContaining('is no ninjs item') }])
    },
  )

  it('names each place that is wrong', () => {
    const wrong = {
      uri: 'urn:example:wrong',
      type: 'video',
      headline: ['not text'],
      versioncreated: '2024-02-30T00:00:00Z',
      firstcreated: '0001-01-01T00:00:00Z',
      embargoed: 'tomorrow',
      pubstatus: 'maybe',
      language: 'not a language',
      subject: { name: 'no array' },
      infosource: ['no object'],
      associations: [],
      body_html: 'x'.repeat(600_000),
    }
    expect(
      violationsOf({ ...wrong, associations: { related_1: 'no object' } })
        .map(({ pointer }) => pointer)
        .sort(),
    ).toEqual(
      [
        '#/associations/related_1',
        '#/body_html',
        '#/embargoed',
        '#/firstcreated',
        '#/headline',
        '#/headline',
        '#/infosource/0',
        '#/language',
        '#/pubstatus',
        '#/subject',
        '#/type',
        '#/versioncreated',
      ].sort(),
    )
  })

  it('refuses depth, size, NUL, lone surrogates and too many tags', () => {
    const nested: Record<string, unknown> = {}
    let inner = nested
    for (let depth = 0; depth < 5_000; depth++) inner = inner.x = {} as Record<string, unknown>
    expect(violationsOf({ ...iptc1, extra: nested })[0]?.detail).toContain('nested deeper')
    expect(violationsOf({ ...iptc1, extra: Array.from({ length: 60_000 }, () => 1) })[0]?.detail).toContain('values')
    expect(violationsOf({ ...iptc1, extra: 'x'.repeat(5_000_000) })[0]?.detail).toContain('characters')
    expect(violationsOf({ ...iptc1, headline: 'a\0b' })[0]?.pointer).toBe('#/headline')
    expect(violationsOf({ ...iptc1, subject: [{ name: '\ud800' }] })[0]?.pointer).toBe('#/subject/0/name')
    const tags = Array.from({ length: 10_000 }, (_, index) => ({ name: `t${index}` }))
    expect(violationsOf({ ...iptc1, subject: tags })[0]).toMatchObject({ pointer: '#/subject' })
  })

  it('is not fooled by keys of the prototype', () => {
    const hostile: unknown = JSON.parse(
      '{"uri":"urn:x","headline":"h","__proto__":{"pubstatus":"canceled"},"constructor":1}',
    )
    expect(readNinjs(hostile)).toMatchObject({
      canceled: false,
      notUnderstood: ['#/__proto__ is not kept', '#/constructor is not kept'],
    })
  })
})

describe('the command', () => {
  it('carries everything but the profile, and whether to publish', () => {
    const item = readNinjs(iptc3)
    const { articleId, command } = importOf(item, { publish: true })
    expect(articleId).toBe(item.articleId)
    expect(command).toMatchObject({
      origin: item.origin,
      content: item.content,
      relatedIds: item.relatedIds,
      publish: true,
    })
    expect(Object.keys(command)).not.toContain('profile')
  })
})

const seed = join(__dirname, '../../../../../shared/seed')
;(existsSync(seed) ? describe : describe.skip)('the seed page', () => {
  it('reads what the expected page needs', () => {
    const read = (name: string) => readNinjs(JSON.parse(readFileSync(join(seed, `${name}.ninjs.json`), 'utf8')))
    const expected = JSON.parse(readFileSync(join(seed, 'expected-page.json'), 'utf8')) as {
      article: { headline: string; bodyText: string[] }
      related: { headline: string; summary: string }[]
    }
    const [kursk, borrell, wps] = [read('kursk'), read('borrell'), read('wps')]
    expect(kursk.content.headline).toBe(expected.article.headline)
    for (const paragraph of expected.article.bodyText) expect(kursk.content.bodyHtml).toContain(paragraph)
    expect(kursk.source?.contributors).toHaveLength(3)
    expect(kursk.content.section).toEqual({ slug: 'news', name: 'News' })
    expect(kursk.relatedIds).toEqual([borrell.articleId, wps.articleId])
    expect([borrell, wps].map(({ content }) => ({ headline: content.headline, summary: content.summary }))).toEqual(
      expected.related.map(({ headline, summary }) => ({ headline, summary })),
    )
    for (const item of [kursk, borrell, wps]) expect(item).toMatchObject({ held: null, canceled: false })
  })
})
