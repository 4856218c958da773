// Curated lists: what editors put forward, in order.
import { describe, expect, it } from '@jest/globals'
import { violationsOf } from '../validation'
import { type Event, given } from '../testing/scenario.fixture.spec'
import { CreateList, curatedList, FeatureArticle, MAX_LIST, UnfeatureArticle } from './lists'

const ID = '3f0c1f5e-8a5d-4d5e-9a53-0d8f6f1f2a01'
const feature = (articleId = ID) => Object.assign(new FeatureArticle(), { articleId })
const unfeature = (articleId = ID) => Object.assign(new UnfeatureArticle(), { articleId })
const create = (label: string) => Object.assign(new CreateList(), { label })
const featured = (articleId = ID): Event => ({ type: 'ArticleFeatured', data: { articleId } })
const created: Event = { type: 'ListCreated', data: { label: 'Long reads' } }

describe('a curated list', () => {
  it('features and takes off, each once', () => {
    given(curatedList, 'editors-choice', []).when(feature(ID.toUpperCase())).then(featured())
    given(curatedList, 'editors-choice', [featured()]).when(feature()).thenNothing()
    given(curatedList, 'editors-choice', [featured()])
      .when(unfeature())
      .then({ type: 'ArticleUnfeatured', data: { articleId: ID } })
    given(curatedList, 'editors-choice', []).when(unfeature()).thenNothing()
  })

  it('is unknown until it is created, but for the built-in ones', () => {
    given(curatedList, 'long-reads', []).when(feature()).thenThrows('not-found')
    given(curatedList, 'long-reads', []).when(unfeature()).thenThrows('not-found')
    given(curatedList, 'long-reads', []).when(create(' Long  reads ')).then(created)
    given(curatedList, 'long-reads', [created]).when(feature()).then(featured())
  })

  it('is created once', () => {
    given(curatedList, 'long-reads', [created]).when(create('Other')).thenThrows('list-exists')
    given(curatedList, 'editors-choice', []).when(create('Other')).thenThrows('list-exists')
    given(curatedList, 'editors-choice', []).when(create("Editor's choice")).thenNothing()
    given(curatedList, 'Long Reads', []).when(create('Long reads')).thenThrows('not-found')
  })

  it('needs the article to exist, and is bounded', () => {
    expect(curatedList.exists?.FeatureArticle?.(feature(ID.toUpperCase()), 'editors-choice')).toBe(`article-${ID}`)
    const full = Array.from({ length: MAX_LIST }, (_, i) => featured(`${ID.slice(0, -4)}${String(i).padStart(4, '0')}`))
    given(curatedList, 'editors-choice', full)
      .when(feature(ID.replace('3f', '4f')))
      .thenThrows('list-full')
    expect(violationsOf(feature('x')).map(({ pointer }) => pointer)).toEqual(['#/articleId'])
  })
})
