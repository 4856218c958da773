// An article as publishing it now would show it is what readers get once it is published.
import { describe, expect, it } from '@jest/globals'
import { article } from '../article/article'
import { type Article } from '../article/state'
import { wouldBePublished } from '../article/would-be'
import { PublishArticle } from '../article/publishing'
import { GetPopular, popularQuery } from '../popularity'
import { computedRelated, related } from '../related'
import { drafted, ID, live, LATER, published, revised, sourced } from '../testing/article.fixture.spec'
import { FoldedReadModels } from '../testing/read-models.fixture.spec'
import { AT, type Event, given, recorded, send } from '../testing/scenario.fixture.spec'
import { GetArticlePage, GetPreview, pageQuery, previewQuery } from './page-queries'

const site = { url: 'https://news.example' }
const neighbours = { related, computedRelated, popular: popularQuery(site) }
const noPopular = { definition: '', window: '24h', asOf: AT, items: [], next: null }
const readModels = (history: Parameters<typeof given>[2]) =>
  new FoldedReadModels(history as never, new Map([[GetPopular, noPopular]]))

const preview = (events: readonly Event[], at = LATER) => {
  const history = recorded(`article-${ID}`, events)
  const state = given(article, ID, history).state() as Article
  const query = new GetPreview(ID, wouldBePublished(state, ID, at))
  return previewQuery(site, neighbours).answer(query, readModels(history), new Date(at))
}
/** What readers get after it was published at LATER. */
const page = (events: readonly Event[]) => {
  const history = recorded(`article-${ID}`, events)
  const published = send(article, ID, history, new PublishArticle(), { at: LATER }).decide()
  const all = [...history, ...recorded(`article-${ID}`, published, { from: history.length, at: LATER })]
  const query = Object.assign(new GetArticlePage(), { idOrSlug: ID })
  return pageQuery(site, neighbours).answer(query, readModels(all), new Date(LATER))
}

describe('a preview', () => {
  it.each<[string, Event[]]>([
    ['a draft', [drafted, sourced]],
    ['a draft with an address', [drafted, sourced, revised({ wantedSlug: 'ice' })]],
    ['a live article', [drafted, sourced, published]],
    ['a live article that was revised', [drafted, sourced, published, revised({ headline: 'The ice has gone' })]],
    ['an unpublished article', [drafted, sourced, published, { type: 'ArticleUnpublished', data: { reason: null } }]],
  ])('of %s is the page that publishing it shows', async (_, events) => {
    expect(await preview(events)).toEqual(await page(events))
  })

  it('is there under embargo and before approval, and moves nothing', async () => {
    const held: Event = { type: 'ArticleEmbargoed', data: { until: '2036-01-01T00:00:00.000Z', reason: null } }
    const answer = await preview([drafted, sourced, held])
    expect(answer.article).toMatchObject({ headline: live.headline, slug: live.slug, version: 1 })
  })

  it('says what is missing', () => {
    const state = given(article, ID, [drafted]).state() as Article
    expect(() => wouldBePublished(state, ID, AT)).toThrow(expect.objectContaining({ code: 'source-missing' }))
  })
})
