// Addresses that an article gives up, and that nobody else takes before.
import { describe, expect, it } from '@jest/globals'
import { slug, ReleaseSlug } from '../slugs/slug'
import { command, drafted, ID, LATER, live, OTHER, published, sourced } from '../testing/article.fixture.spec'
import { type Event, given } from '../testing/scenario.fixture.spec'
import { article } from './article'
import { PublishArticle } from './publishing'
import { YieldSlug } from './yielding'

const moved: Event = { type: 'ArticlePublished', data: { ...live, slug: 'ice', revision: 2 } }
const yielded: Event = { type: 'ArticleSlugYielded', data: { slug: live.slug } }
const past = [drafted, sourced, published, moved]
const old = command(YieldSlug, { slug: live.slug })

describe('an address', () => {
  it('is yielded once it is an old one', () => {
    given(article, ID, past).when(old).then(yielded)
    given(article, ID, past)
      .when(command(YieldSlug, { slug: 'ice' }))
      .thenThrows('current-slug')
    given(article, ID, past)
      .when(command(YieldSlug, { slug: 'other' }))
      .thenThrows('not-its-slug')
  })

  it('is not yielded while a scheduled change needs it', () => {
    const { firstPublishedAt: _f, publishedAt: _p, updatedAt: _u, ...content } = live
    const scheduled: Event = {
      type: 'ArticleChangeScheduled',
      data: { scheduleId: OTHER, at: LATER, zone: null, change: { kind: 'publish', content } },
    }
    given(article, ID, [...past, scheduled])
      .when(old)
      .thenThrows('scheduled-slug')
  })

  it('is reserved anew by the article that yielded it: what it had before does not count', () => {
    const again = given(article, ID, [...past, yielded]).when(command(PublishArticle, { slug: live.slug }))
    expect(again.reservation()).toMatchObject({ event: { data: { articleId: ID, since: 4 } } })
  })

  it('is released only from what was reserved before it was yielded', () => {
    const release = command(ReleaseSlug, { articleId: ID, yieldedAt: 4 })
    const released: Event = { type: 'SlugReleased', data: { articleId: ID } }
    const held: Event = { type: 'SlugReserved', data: { articleId: ID } }
    given(slug, live.slug, [held]).when(release).then(released)
    given(slug, live.slug, [held, released]).when(release).thenNothing()
    const anew: Event = { type: 'SlugReserved', data: { articleId: ID, since: 4 } }
    given(slug, live.slug, [held, anew]).when(release).thenNothing()
    given(slug, live.slug, [{ type: 'SlugReserved', data: { articleId: OTHER } }])
      .when(release)
      .thenNothing()
  })
})
