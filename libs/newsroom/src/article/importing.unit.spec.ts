// Imports: one command, one append; older versions change nothing, what is held or canceled is not shown.
import { describe, expect, it } from '@jest/globals'
import { AT, type Event, given, type Recorded, recorded } from '../testing/scenario.fixture.spec'
import { article } from './article'
import { ReviseArticle, SourceArticle } from './drafting'
import { ImportArticle } from './importing'
import { PublishArticle, UnpublishArticle } from './publishing'

const ID = '3f0c1f5e-8a5d-4d5e-9a53-0d8f6f1f2a01'
const OTHER = '3f0c1f5e-8a5d-4d5e-9a53-0d8f6f1f2a02'
const origin = {
  uri: 'urn:test:ferry',
  profile: 'ninjs-3',
  version: null,
  versionCreated: '2025-06-18T09:00:00Z',
} as const
const content = {
  headline: 'Ferry runs again',
  section: 'News',
  bodyHtml: '<p>The ferry left on time.</p>',
  summary: null,
  keyPoints: [],
  tags: ['Ferries'],
  authors: [],
  image: null,
  language: 'en',
  seo: null,
  canonicalUrl: null,
}
const item = (fields: Partial<ImportArticle> = {}): ImportArticle =>
  Object.assign(new ImportArticle(), {
    origin,
    content,
    source: { outlet: 'Harbour Gazette', contributors: ['agencies'] },
    relatedIds: [OTHER],
    held: null,
    canceled: false,
    publish: false,
    notUnderstood: ['/urgency is not kept'],
    firstPublishedAt: '2025-06-18T09:00:00Z',
    publishedAt: '2025-06-19T10:00:00+01:00',
    ...fields,
  })
const version = (n: number) => ({ ...origin, version: String(n) })
const types = (events: readonly Event[]) => events.map(({ type }) => type)

/** The log after these commands, one after the other. */
const after = (...commands: object[]): Recorded[] =>
  commands.reduce<Recorded[]>(
    (past, command, index) => append(past, given(article, ID, past).when(command).events(), index),
    [],
  )
const append = (past: Recorded[], events: readonly Event[], index: number): Recorded[] => [
  ...past,
  ...recorded(`article-${ID}`, events, { from: past.length, commandId: `c${index}` }),
]
const when = (past: readonly Recorded[], command: object, at = AT) => given(article, ID, past).when(command, { at })

describe('a first import', () => {
  it('is a draft with its origin, source and related articles', () => {
    expect(when([], item()).events()).toMatchObject([
      { type: 'WireItemReceived', data: { ...origin, held: null, notUnderstood: ['/urgency is not kept'] } },
      {
        type: 'ArticleDrafted',
        data: { headline: 'Ferry runs again', section: { slug: 'news', name: 'News' }, wantedSlug: null },
      },
      { type: 'ArticleSourced', data: { outlet: 'Harbour Gazette', contributors: [{ name: 'agencies' }] } },
      { type: 'ArticleRelated', data: { articleIds: [OTHER], blockedIds: [] } },
    ])
  })

  it('is published at once on demand, with the original dates', () => {
    const events = when([], item({ publish: true })).events()
    expect(events.at(-1)).toMatchObject({
      type: 'ArticlePublished',
      data: {
        slug: 'ferry-runs-again',
        revision: 3,
        relatedIds: [OTHER],
        firstPublishedAt: '2025-06-18T09:00:00.000Z',
        publishedAt: '2025-06-19T09:00:00.000Z',
        updatedAt: '2025-06-19T09:00:00.000Z',
      },
    })
    expect(when([], item({ publish: true })).reservation()).toMatchObject({ event: { data: { articleId: ID } } })
    expect(when([], item()).reservation()).toBeNull()
  })

  it('is refused whole when it cannot be published', () => {
    when([], item({ publish: true, source: null })).thenThrows('source-missing')
    expect(() => when([], item({ publish: true, source: null })).reservation()).toThrow()
    expect(types(when([], item({ source: null })).events())).not.toContain('ArticleSourced')
  })

  it('is refused before it reserves a slug when one append could not hold it, and says what to do instead', () => {
    const large = { content: { ...content, bodyHtml: `<p>${'x'.repeat(510_000)}</p>` } }
    const publishing = when([], item({ ...large, publish: true }))
    publishing.thenThrows('invalid', /at most 1000000 are possible: import it without publishing, then publish it/)
    expect(() => publishing.reservation()).toThrow('at most 1000000')
    const past = after(item(large))
    expect(types(when(past, new PublishArticle()).events())).toEqual(['ArticlePublished'])
    expect(types(when(past, item({ ...large, publish: true })).events())).toEqual(['ArticlePublished'])
    const half = { content: { ...content, bodyHtml: `<p>${'x'.repeat(498_000)}</p>` } }
    expect(types(when([], item({ ...half, publish: true })).events())).toContain('ArticlePublished')
    const notUnderstood = Array.from({ length: 1_000 }, () => 'x'.repeat(1_000))
    when([], item({ notUnderstood })).thenThrows('invalid', /are possible$/)
  })

  it('refuses dates in the future and shapes that are none', () => {
    when([], item({ publish: true, publishedAt: '2027-01-01T00:00:00Z' })).thenThrows('invalid', /future/)
    when([], item({ publishedAt: '2025-02-31T99:00:00Z' })).thenThrows('invalid', /#\/publishedAt/)
    when([], item({ content: { ...content, headline: 'a\0b' } })).thenThrows('invalid', /#\/content\/headline/)
    when([], item({ relatedIds: ['x'] })).thenThrows('invalid', /#\/relatedIds\/0/)
  })
})

describe('what is held', () => {
  it('stays a draft with the reason, whoever would publish it', () => {
    const events = when([], item({ publish: true, held: 'withheld by the provider' })).events()
    expect(types(events)).not.toContain('ArticlePublished')
    expect(events[0]).toMatchObject({ data: { held: 'withheld by the provider' } })
    when(append([], events, 0), new PublishArticle()).thenThrows('held', /withheld by the provider/)
  })

  it('may be published once its embargo has passed', () => {
    const held = item({ publish: true, held: 'embargoed until noon', heldUntil: '2026-03-02T12:00:00Z' })
    const past = after(held)
    when(past, new PublishArticle(), '2026-03-02T11:59:59.000Z').thenThrows('held')
    expect(types(when(past, new PublishArticle(), '2026-03-02T12:00:00.000Z').events())).toEqual(['ArticlePublished'])
    expect(types(when([], held, '2026-03-03T00:00:00.000Z').events())).toContain('ArticlePublished')
  })

  it('is withdrawn when it was live, unless only a new version is embargoed', () => {
    const live = after(item({ publish: true, origin: version(1) }))
    const withheld = item({ publish: true, origin: version(2), held: 'withheld' })
    expect(when(live, withheld).events().at(-1)).toEqual({ type: 'ArticleUnpublished', data: { reason: 'withheld' } })
    const embargoed = item({ origin: version(2), held: 'embargoed', heldUntil: '2026-04-01T00:00:00Z', publish: true })
    expect(types(when(live, embargoed).events())).toEqual(['WireItemReceived'])
  })

  it('is unpublished when canceled, and comes back with a later version', () => {
    const canceled = after(item({ publish: true, origin: version(1) }), item({ canceled: true, origin: version(2) }))
    expect(canceled.at(-1)).toMatchObject({ type: 'ArticleUnpublished', data: { reason: 'canceled by the wire' } })
    when(canceled, new PublishArticle()).thenThrows('held')
    const back = when(canceled, item({ publish: true, origin: version(3) })).events()
    expect(types(back)).toEqual(['WireItemReceived', 'ArticlePublished'])
  })

  it('keeps what is known of it when the cancellation brings no content', () => {
    const live = after(item({ publish: true, origin: version(1) }))
    const nothing = { ...content, headline: '', section: null, bodyHtml: '' }
    const bare = item({ canceled: true, origin: version(2), content: nothing, source: null, relatedIds: [] })
    expect(types(when(live, bare).events())).toEqual(['WireItemReceived', 'ArticleUnpublished'])
  })
})

describe('a later import', () => {
  it('updates, keeps the slug and carries the new time', () => {
    const live = after(item({ publish: true, origin: version(1) }))
    const next = item({
      publish: true,
      origin: version(2),
      content: { ...content, headline: 'Ferry stops' },
      publishedAt: '2025-07-01T00:00:00Z',
    })
    expect(when(live, next).events()).toMatchObject([
      { type: 'WireItemReceived' },
      { type: 'ArticleRevised', data: { changes: { headline: 'Ferry stops' } } },
      {
        type: 'ArticlePublished',
        data: {
          slug: 'ferry-runs-again',
          firstPublishedAt: '2025-06-18T09:00:00.000Z',
          publishedAt: '2025-07-01T00:00:00.000Z',
        },
      },
    ])
  })

  it.each([
    ['an older number', version(9), version(10)],
    [
      'an older time',
      { ...origin, versionCreated: '2025-06-18T08:59:59Z' },
      { ...origin, versionCreated: '2025-06-18T11:00:00+02:00' },
    ],
  ])('changes nothing with %s', (_, older, newer) => {
    const known = after(item({ origin: newer }))
    when(known, item({ origin: older, publish: true, content: { ...content, headline: 'Old' } })).thenNothing()
  })

  it('of the same version leaves what editors did since', () => {
    const known = after(item(), Object.assign(new ReviseArticle(), { headline: 'Ours' }))
    when(known, item()).thenNothing()
    expect(types(when(known, item({ publish: true })).events())).toEqual(['ArticlePublished'])
  })

  it('never publishes again what editors took back', () => {
    const taken = after(item({ publish: true, origin: version(1) }), new UnpublishArticle())
    when(taken, item({ publish: true, origin: version(1) })).thenNothing()
    const next = when(taken, item({ publish: true, origin: version(2), content: { ...content, headline: 'New' } }))
    expect(types(next.events())).toEqual(['WireItemReceived', 'ArticleRevised'])
  })

  it('clears related articles only when they were its own', () => {
    const bare = item({ origin: version(2), relatedIds: [] })
    expect(types(when(after(item({ origin: version(1) })), bare).events())).toEqual([
      'WireItemReceived',
      'ArticleRelated',
    ])
    const known = after(item({ origin: version(1), relatedIds: [] }))
    const editors = append(known, [{ type: 'ArticleRelated', data: { articleIds: [OTHER], blockedIds: [] } }], 1)
    expect(types(when(editors, bare).events())).toEqual(['WireItemReceived'])
  })

  it('keeps a source that the item does not name', () => {
    const known = after(item({ origin: version(1) }), Object.assign(new SourceArticle(), { outlet: 'Ours' }))
    expect(types(when(known, item({ origin: version(2), source: null })).events())).toEqual(['WireItemReceived'])
  })
})
