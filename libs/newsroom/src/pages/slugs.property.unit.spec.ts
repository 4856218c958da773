// Every slug that a command accepts is where its page is found.
import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type LiveContent } from '../article/content'
import { PublishArticle } from '../article/publishing'
import { recorded } from '../testing/scenario.fixture.spec'
import { FoldedReadModels } from '../testing/read-models.fixture.spec'
import { looksLikeUuid, slugOf } from '../text/slug'
import { violationsOf } from '../validation'
import { pageAt } from './article-pages'

const ID = '3f0c1f5e-8a5d-4d5e-9a53-0d8f6f1f2a01'

const published = (slug: string): FoldedReadModels => {
  const data: LiveContent = {
    headline: 'Ice',
    section: { slug: 'news', name: 'News' },
    bodyHtml: '<p>Ice.</p>',
    summary: null,
    keyPoints: [],
    tags: [],
    authors: [],
    image: null,
    language: 'en',
    seo: null,
    canonicalUrl: null,
    source: { outlet: 'Gazette', contributors: [] },
    relatedIds: [],
    blockedIds: [],
    slug,
    revision: 1,
    firstPublishedAt: '2026-01-01T00:00:00.000Z',
    publishedAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
  }
  return new FoldedReadModels(recorded(`article-${ID}`, [{ type: 'ArticlePublished', data }]))
}
const accepts = (slug: string) => violationsOf(Object.assign(new PublishArticle(), { slug })).length === 0

/** UUIDs with some of their hyphens, and words. */
const wanted = fc.oneof(
  fc
    .tuple(fc.uuid(), fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }))
    .map(([uuid, hyphens]) => uuid.split('-').reduce((text, part, i) => `${text}${hyphens[i - 1] ? '-' : ''}${part}`)),
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef-'), maxLength: 81 }),
  fc.string({ maxLength: 40 }).map(text => slugOf(text)),
)

it('a slug that is accepted is found, and none is accepted that is like an id', async () => {
  await fc.assert(
    fc.asyncProperty(wanted, async slug => {
      if (looksLikeUuid(slug)) expect(accepts(slug)).toBe(false)
      if (accepts(slug)) expect((await pageAt(published(slug), slug))?._id).toBe(ID)
    }),
    { numRuns: 1_000, examples: [['0123456789abcdef0123456789abcdef'], [ID]] },
  )
})

it('a slug of an older log that lacks the hyphens of an id is found', async () => {
  const slug = '0123456789abcdef0123456789abcdef'
  expect((await pageAt(published(slug), slug))?._id).toBe(ID)
  expect((await pageAt(published('ice'), ID.toUpperCase()))?._id).toBe(ID)
})
