// Corrections with a note to readers, and silent ones.
import { describe, expect, it } from '@jest/globals'
import { command, drafted, ID, LATER, live, published, revised, sourced } from '../testing/article.fixture.spec'
import { given } from '../testing/scenario.fixture.spec'
import { article } from './article'
import { AmendArticle, CorrectArticle } from './correcting'

const shown = [drafted, sourced, published]
const note = 'The ice was on the lake.'

describe('a correction', () => {
  it('changes what readers see and the working copy alike, and says so', () => {
    given(article, ID, shown)
      .when(command(CorrectArticle, { note, headline: 'Lake shut by ice' }), { at: LATER })
      .then(
        { type: 'ArticleRevised', data: { changes: { headline: 'Lake shut by ice' } } },
        {
          type: 'ArticleCorrected',
          data: { ...live, headline: 'Lake shut by ice', revision: 3, updatedAt: LATER, note },
        },
      )
  })

  it('leaves unpublished what else was written', () => {
    const [revision, correction] = given(article, ID, [...shown, revised({ summary: 'Not approved yet' })])
      .when(command(CorrectArticle, { note, headline: 'Lake shut by ice' }))
      .events()
    expect(revision).toEqual({ type: 'ArticleRevised', data: { changes: { headline: 'Lake shut by ice' } } })
    expect(correction).toMatchObject({
      type: 'ArticleCorrected',
      data: { headline: 'Lake shut by ice', summary: null },
    })
  })

  it('without fields shows the working copy as a whole', () => {
    const [correction, ...rest] = given(article, ID, [...shown, revised({ summary: 'On the lake.' })])
      .when(command(CorrectArticle, { note }))
      .events()
    expect(rest).toEqual([])
    expect(correction).toMatchObject({ type: 'ArticleCorrected', data: { summary: 'On the lake.', note } })
  })

  it('may say what was wrong without another text', () => {
    given(article, ID, shown)
      .when(command(CorrectArticle, { note }))
      .then({ type: 'ArticleCorrected', data: { ...live, revision: 2, note } })
  })

  it('is of what is live only', () => {
    given(article, ID, [drafted, sourced]).when(command(CorrectArticle, { note })).thenThrows('not-live')
    given(article, ID, [drafted, sourced])
      .when(command(CorrectArticle, { note, headline: 'Other' }))
      .thenThrows('not-live')
  })

  it('reserves the address that it moves to', () => {
    const moved = given(article, ID, shown).when(command(CorrectArticle, { note, slug: 'lake-shut' }))
    expect(moved.reservation()).toMatchObject({ category: 'slug', candidates: ['lake-shut'] })
    expect(moved.events().at(-1)).toMatchObject({ data: { slug: 'lake-shut' } })
    expect(given(article, ID, shown).when(command(CorrectArticle, { note })).reservation()).toBeNull()
  })
})

describe('an amendment', () => {
  it('mends a slip without telling readers, nor a new time', () => {
    given(article, ID, shown)
      .when(command(AmendArticle, { headline: 'Harbor shut by ice' }), { at: LATER })
      .then(
        { type: 'ArticleRevised', data: { changes: { headline: 'Harbor shut by ice' } } },
        { type: 'ArticleAmended', data: { ...live, headline: 'Harbor shut by ice', revision: 3 } },
      )
  })

  it('changes nothing where there is nothing to change', () => {
    given(article, ID, shown)
      .when(command(AmendArticle, { headline: live.headline }))
      .thenNothing()
    given(article, ID, [drafted])
      .when(command(AmendArticle, { headline: 'X' }))
      .thenThrows('not-live')
  })
})
