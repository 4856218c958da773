// The life of an article: each rule as given events, when a command, then events or an error.
import { describe, expect, it } from '@jest/globals'
import { violationsOf } from '../validation'
import { AT, type Event, given } from '../testing/scenario.fixture.spec'
import { article } from './article'
import { DraftArticle, RelateArticles, ReviseArticle, SourceArticle } from './drafting'
import { PublishArticle, UnpublishArticle } from './publishing'
import { type WorkingCopy } from './submitted'

const ID = '3f0c1f5e-8a5d-4d5e-9a53-0d8f6f1f2a01'
const OTHER = '3f0c1f5e-8a5d-4d5e-9a53-0d8f6f1f2a02'
const body = '<p>The harbour stays shut until the ice is gone.</p>'
const news = { slug: 'news', name: 'News' }
const copy: WorkingCopy = {
  headline: 'Harbour shut by ice',
  section: news,
  bodyHtml: body,
  summary: null,
  keyPoints: [],
  tags: [],
  authors: [],
  image: null,
  language: 'en',
  seo: null,
  canonicalUrl: null,
  wantedSlug: null,
}
const { wantedSlug: _, ...content } = copy
const source = { outlet: 'Harbour Gazette', contributors: [{ name: 'agencies' }] }
const drafted: Event = { type: 'ArticleDrafted', data: copy }
const sourced: Event = { type: 'ArticleSourced', data: source }
const live = {
  ...content,
  section: news,
  source,
  relatedIds: [],
  blockedIds: [],
  slug: 'harbour-shut-by-ice',
  revision: 1,
  firstPublishedAt: AT,
  publishedAt: AT,
  updatedAt: AT,
}
const published: Event = { type: 'ArticlePublished', data: live }
const unpublished: Event = { type: 'ArticleUnpublished', data: { reason: 'wrong' } }
const command = <C extends object>(type: new () => C, fields: Partial<C>): C => Object.assign(new type(), fields)
const draft = (fields: Partial<DraftArticle> = {}) =>
  command(DraftArticle, { headline: copy.headline, section: 'News', bodyHtml: body, ...fields })
const article_ = (...events: Event[]) => given(article, ID, events)

describe('drafting', () => {
  it('begins the working copy, plain names become terms', () => {
    article_()
      .when(
        draft({
          headline: '  Harbour \n shut by ice ',
          tags: ['Ice & Snow', { name: 'Häfen', scheme: 'topic', code: '7' }, 'ice snow'],
          authors: [{ name: 'Staff', role: 'writer' }],
          image: { url: 'https://example.org/a.jpg', width: 800, alt: null },
          language: 'EN-gb',
          slug: 'harbour',
        }),
      )
      .then({
        type: 'ArticleDrafted',
        data: {
          ...copy,
          tags: [
            { slug: 'ice-snow', name: 'Ice & Snow' },
            { slug: 'hafen', name: 'Häfen', scheme: 'topic', code: '7' },
          ],
          authors: [{ slug: 'staff', name: 'Staff', role: 'writer' }],
          image: { url: 'https://example.org/a.jpg', width: 800 },
          language: 'en-GB',
          wantedSlug: 'harbour',
        },
      })
  })

  it('takes the id that the body names only when it is the one addressed', () => {
    article_()
      .when(draft({ id: ID.toUpperCase() }))
      .then(drafted)
    article_()
      .when(draft({ id: OTHER }))
      .thenThrows('invalid', /#\/id/)
  })

  it('does nothing for the same content and refuses another one', () => {
    article_(drafted).when(draft()).thenNothing()
    article_(drafted)
      .when(draft({ headline: 'Another' }))
      .thenThrows('article-exists')
  })

  it('refuses content of more than 512 KiB', () => {
    article_()
      .when(draft({ bodyHtml: 'ü'.repeat(300_000) }))
      .thenThrows('invalid', /#\/bodyHtml/)
  })

  it('records HTML as submitted', () => {
    const bodyHtml = '<p onclick="x()">Hello<script>alert(1)</script></p>'
    article_()
      .when(draft({ bodyHtml }))
      .then({ type: 'ArticleDrafted', data: { ...copy, bodyHtml } })
  })
})

describe('revising, sourcing, relating', () => {
  it('records what changed: absent is unchanged, null is cleared', () => {
    article_({ type: 'ArticleDrafted', data: { ...copy, summary: 'Old', tags: [news] } })
      .when(command(ReviseArticle, { headline: 'Harbour opens', summary: null, section: 'News' }))
      .then({ type: 'ArticleRevised', data: { changes: { headline: 'Harbour opens', summary: null } } })
    article_(drafted).when(command(ReviseArticle, {})).thenNothing()
    article_(drafted)
      .when(command(ReviseArticle, { section: null, headline: null, language: null }))
      .then({ type: 'ArticleRevised', data: { changes: { headline: '', section: null } } })
  })

  it('records the source', () => {
    article_(drafted)
      .when(
        command(SourceArticle, {
          outlet: 'Harbour Gazette',
          contributors: ['agencies', { name: 'A. B.', kind: 'person' }],
        }),
      )
      .then({
        type: 'ArticleSourced',
        data: { outlet: 'Harbour Gazette', contributors: [{ name: 'agencies' }, { name: 'A. B.', kind: 'person' }] },
      })
    article_(drafted, sourced)
      .when(command(SourceArticle, { outlet: 'Harbour  Gazette', contributors: ['agencies'] }))
      .thenNothing()
  })

  it('records related articles in order, known or not, never the article itself', () => {
    const third = OTHER.replace(/2$/, '3')
    article_(drafted)
      .when(command(RelateArticles, { articleIds: [third, OTHER.toUpperCase(), third] }))
      .then({ type: 'ArticleRelated', data: { articleIds: [third, OTHER], blockedIds: [] } })
    article_(drafted)
      .when(command(RelateArticles, { articleIds: [] }))
      .thenNothing()
    article_(drafted)
      .when(command(RelateArticles, { articleIds: [ID] }))
      .thenThrows('invalid')
  })

  it('knows no article that was never drafted', () => {
    for (const unknown of [
      command(ReviseArticle, { headline: 'x' }),
      command(SourceArticle, { outlet: 'x' }),
      command(RelateArticles, { articleIds: [] }),
      new PublishArticle(),
      new UnpublishArticle(),
    ])
      article_().when(unknown).thenThrows('not-found')
  })
})

describe('publishing', () => {
  it('carries all that readers see, under a slug from the headline', () => {
    article_(drafted, sourced).when(new PublishArticle()).then(published)
  })

  it.each<[string, Event[]]>([
    ['headline-missing', [{ type: 'ArticleDrafted', data: { ...copy, headline: '' } }, sourced]],
    ['body-missing', [{ type: 'ArticleDrafted', data: { ...copy, bodyHtml: '<p> </p><script>x</script>' } }, sourced]],
    ['section-missing', [{ type: 'ArticleDrafted', data: { ...copy, section: null } }, sourced]],
    ['source-missing', [drafted]],
  ])('refuses with %s and reserves nothing', (rule, events) => {
    article_(...events)
      .when(new PublishArticle())
      .thenThrows(rule)
    expect(() =>
      article_(...events)
        .when(new PublishArticle())
        .reservation(),
    ).toThrow()
  })

  it('changes nothing when live equals the working copy', () => {
    article_(drafted, sourced, published).when(new PublishArticle()).thenNothing()
    article_(drafted, sourced, published)
      .when(command(PublishArticle, { slug: live.slug }))
      .thenNothing()
  })

  it('keeps slug and dates when a revised article is published again', () => {
    const later = '2026-03-02T08:00:00.000Z'
    const revised: Event = { type: 'ArticleRevised', data: { changes: { headline: 'Harbour opens' } } }
    const again = article_(drafted, sourced, published, revised).when(new PublishArticle(), { at: later })
    again.then({
      type: 'ArticlePublished',
      data: { ...live, headline: 'Harbour opens', revision: 3, updatedAt: later },
    })
    expect(again.reservation()).toBeNull()
  })

  it('publishes again what was taken back, and dates it anew', () => {
    const later = '2026-03-02T08:00:00.000Z'
    article_(drafted, sourced, published, unpublished)
      .when(new PublishArticle(), { at: later })
      .then({ type: 'ArticlePublished', data: { ...live, revision: 3, publishedAt: later, updatedAt: later } })
  })

  it('numbers a derived slug that is taken, up to 20, and refuses a wanted one', () => {
    const ready = () => article_(drafted, sourced)
    const numbered = (n: number) => Array.from({ length: n }, (_, i) => (i ? `${live.slug}-${i + 1}` : live.slug))
    expect(
      ready()
        .when(new PublishArticle(), { taken: numbered(2) })
        .events(),
    ).toMatchObject([{ data: { slug: 'harbour-shut-by-ice-3' } }])
    expect(
      ready()
        .when(new PublishArticle(), { taken: numbered(19) })
        .events(),
    ).toMatchObject([{ data: { slug: 'harbour-shut-by-ice-20' } }])
    ready()
      .when(new PublishArticle(), { taken: numbered(20) })
      .thenThrows('slug-taken')
    ready()
      .when(command(PublishArticle, { slug: 'ice' }), { taken: ['ice'] })
      .thenThrows('slug-taken')
    expect(
      ready()
        .when(command(PublishArticle, { slug: 'ice' }))
        .reservation(),
    ).toMatchObject({
      category: 'slug',
      candidates: ['ice'],
      event: { type: 'SlugReserved', data: { articleId: ID } },
    })
  })

  it('gives an article without a word in its headline a slug from its id', () => {
    article_({ type: 'ArticleDrafted', data: { ...copy, headline: '☃' } }, sourced)
      .when(new PublishArticle())
      .then({ type: 'ArticlePublished', data: { ...live, headline: '☃', slug: 'article-3f0c1f5e' } })
  })

  it('moves to a slug that is wanted later', () => {
    article_(drafted, sourced, published)
      .when(command(PublishArticle, { slug: 'ice' }))
      .then({ type: 'ArticlePublished', data: { ...live, slug: 'ice', revision: 2 } })
  })
})

describe('taking back', () => {
  it('is recorded with its reason', () => {
    article_(drafted, sourced, published)
      .when(command(UnpublishArticle, { reason: 'wrong' }))
      .then(unpublished)
    article_(drafted, sourced, published, unpublished).when(new UnpublishArticle()).thenNothing()
    article_(drafted).when(new UnpublishArticle()).thenThrows('never-published')
  })
})

describe('validation', () => {
  const pointers = (instance: object) => violationsOf(instance).map(({ pointer }) => pointer)

  it('accepts what is good', () => {
    expect(
      pointers(draft({ summary: null, tags: ['a', { name: 'b', slug: 'b' }], canonicalUrl: 'https://a.example/x' })),
    ).toEqual([])
    expect(pointers(draft({ section: null, bodyHtml: '' }))).toEqual([])
    expect(pointers(new PublishArticle())).toEqual([])
  })

  it.each<[string, object, string]>([
    ['no headline', { headline: undefined }, '#/headline'],
    ['a blank headline', { headline: ' ' }, '#/headline'],
    ['a long headline', { headline: 'x'.repeat(501) }, '#/headline'],
    ['no section', { section: undefined }, '#/section'],
    ['a number for text', { bodyHtml: 7 }, '#/bodyHtml'],
    ['10,000 tags', { tags: Array.from({ length: 10_000 }, () => 'x') }, '#/tags'],
    ['a tag that is a number', { tags: ['a', 3] }, '#/tags/1'],
    ['a tag with an unknown field', { tags: ['a', 'b', 'c', { name: 'x', more: 1 }] }, '#/tags/3'],
    ['a nested tag', { tags: [[['a']]] }, '#/tags/0'],
    ['NUL', { headline: 'a\0' }, '#/headline'],
    ['an unpaired surrogate within', { authors: [{ name: 'a\ud800' }] }, '#/authors/0/name'],
    ['a bad language', { language: 'en_GB' }, '#/language'],
    ['a language that is none', { language: 'en-a-a-a' }, '#/language'],
    ['a script as url', { canonicalUrl: 'javascript:alert(1)' }, '#/canonicalUrl'],
    ['a picture without url', { image: { alt: 'x' } }, '#/image/url'],
    ['a picture of no width', { image: { url: 'https://a.example/x', width: -1 } }, '#/image/width'],
    ['a slug like a UUID', { slug: ID }, '#/slug'],
    ['a slug with blanks', { slug: 'a b' }, '#/slug'],
    ['an id that is none', { id: 'x' }, '#/id'],
    ['an unknown field', { hedline: 'x' }, '#/hedline'],
    ['a list for an object', { seo: [] }, '#/seo'],
  ])('refuses %s', (_, fields, pointer) => {
    expect(pointers(draft(fields))).toEqual([pointer])
  })

  it('refuses ids and kinds that are none', () => {
    expect(pointers(command(RelateArticles, { articleIds: [ID, 'x'] }))).toEqual(['#/articleIds/1'])
    expect(pointers(command(RelateArticles, { articleIds: Array.from({ length: 101 }, () => ID) }))).toEqual([
      '#/articleIds',
    ])
    expect(
      pointers(Object.assign(new SourceArticle(), { outlet: 'x', contributors: [{ name: 'x', kind: 'y' }] })),
    ).toEqual(['#/contributors/0'])
    expect(pointers(new SourceArticle())).toEqual(['#/outlet'])
  })
})
