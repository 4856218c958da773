// From writing to publication: review, four eyes, embargo, spike.
import { describe, expect, it } from '@jest/globals'
import {
  command,
  copy,
  drafted,
  ID,
  LATER,
  live,
  published,
  revised,
  SOON,
  sourced,
} from '../testing/article.fixture.spec'
import { type Event, given, recorded, type Recorded } from '../testing/scenario.fixture.spec'
import { article, articleOf } from './article'
import { CorrectArticle } from './correcting'
import { ReviseArticle } from './drafting'
import { PublishArticle, RetractArticle, UnpublishArticle } from './publishing'
import {
  ApproveArticle,
  EmbargoArticle,
  RestoreArticle,
  SendBackArticle,
  SpikeArticle,
  SubmitArticle,
} from './reviewing'
import { ScheduleChange } from './scheduling'
import { type Article } from './state'

const fourEyes = articleOf({ approval: 'four-eyes' })
const submitted: Event = { type: 'ArticleSubmitted', data: { note: null } }
const approved: Event = { type: 'ArticleApproved', data: { revision: 2, note: null } }
const stateAfter = (...events: (Event | Recorded)[]) => given(article, ID, events).state() as Article

describe('a review', () => {
  it('begins by submission, once', () => {
    given(article, ID, [drafted])
      .when(command(SubmitArticle, { note: ' please ' }))
      .then({ type: 'ArticleSubmitted', data: { note: 'please' } })
    given(article, ID, [drafted, submitted]).when(command(SubmitArticle)).thenNothing()
    given(article, ID, []).when(command(SubmitArticle)).thenThrows('not-found')
  })

  it('has nothing to do where readers see the working copy already', () => {
    given(article, ID, [drafted, sourced, published]).when(command(SubmitArticle)).thenThrows('nothing-to-review')
    given(article, ID, [drafted, sourced, published]).when(command(ApproveArticle)).thenThrows('nothing-to-review')
  })

  it('is sent back with a note', () => {
    given(article, ID, [drafted, submitted])
      .when(command(SendBackArticle, { note: 'Who says so?' }))
      .then({ type: 'ArticleSentBack', data: { note: 'Who says so?' } })
    given(article, ID, [drafted])
      .when(command(SendBackArticle, { note: 'Why?' }))
      .thenThrows('not-submitted')
  })

  it('approves the revision that was there, until somebody writes', () => {
    given(article, ID, [drafted, submitted])
      .when(command(ApproveArticle))
      .then({ type: 'ArticleApproved', data: { revision: 1, note: null } })
    expect(stateAfter(drafted, submitted, approved).review?.status).toBe('approved')
    expect(stateAfter(drafted, submitted, approved, revised({ summary: 'More' })).review).toBeNull()
    expect(stateAfter(drafted, submitted, revised({ summary: 'More' })).review?.status).toBe('submitted')
  })

  it('ends with the publication of what was reviewed', () => {
    const state = stateAfter(drafted, sourced, submitted, approved, published)
    expect(state).toMatchObject({ review: null, writers: [], stage: 'live' })
  })
})

describe('under four eyes', () => {
  const by = (actor: string, event: Event, revision: number): Recorded => {
    const [one] = recorded(`article-${ID}`, [event], { from: revision })
    return { ...one!, metadata: { ...one!.metadata, actor } }
  }
  const written = [by('reporter', drafted, 0), by('desk', sourced, 1)]
  const seen = [...written, by('chief', approved, 2)]

  it('nobody approves what they wrote any of', () => {
    for (const actor of ['reporter', 'desk'])
      given(fourEyes, ID, written).when(command(ApproveArticle), { actor }).thenThrows('own-work')
    given(fourEyes, ID, written)
      .when(command(ApproveArticle), { actor: 'chief' })
      .then({ type: 'ArticleApproved', data: { revision: 1, note: null } })
  })

  it('nothing goes out, in any way, before it is approved as it stands', () => {
    const soon = { change: 'publish' as const, at: LATER }
    for (const wanted of [command(PublishArticle), command(ScheduleChange, soon)]) {
      given(fourEyes, ID, written).when(wanted).thenThrows('approval-missing')
      const changed = [...seen, by('chief', revised({ summary: 'Mine' }), 3)]
      given(fourEyes, ID, changed).when(wanted).thenThrows('approval-missing')
      expect(given(fourEyes, ID, seen).when(wanted).events()).toHaveLength(1)
    }
  })

  it('a correction is revised and approved first and goes out as a whole', () => {
    const shown = [...seen, by('chief', { type: 'ArticlePublished', data: { ...live, revision: 2 } }, 3)]
    given(fourEyes, ID, shown)
      .when(command(CorrectArticle, { note: 'It was the lake.', headline: 'Lake shut by ice' }))
      .thenThrows('approval-missing')
    const again = [...shown, by('reporter', revised({ headline: 'Lake shut by ice' }), 4)]
    given(fourEyes, ID, again).when(command(ApproveArticle), { actor: 'reporter' }).thenThrows('own-work')
    const corrected = given(fourEyes, ID, [...again, by('chief', { ...approved }, 5)])
      .when(command(CorrectArticle, { note: 'It was the lake.' }))
      .events()
    expect(corrected).toEqual([
      {
        type: 'ArticleCorrected',
        data: expect.objectContaining({ headline: 'Lake shut by ice', note: 'It was the lake.' }),
      },
    ])
  })
})

describe('an embargo', () => {
  const until = { type: 'ArticleEmbargoed', data: { until: LATER, reason: null } } as const

  it('is set, moved and ended', () => {
    given(article, ID, [drafted])
      .when(command(EmbargoArticle, { until: '2026-03-01T14:00:00+01:00' }))
      .then(until)
    given(article, ID, [drafted, until])
      .when(command(EmbargoArticle, { until: null, reason: 'agreed' }))
      .then({ type: 'ArticleEmbargoed', data: { until: null, reason: 'agreed' } })
    given(article, ID, [drafted])
      .when(command(EmbargoArticle, { until: '2026-03-01T11:00:00Z' }))
      .thenThrows('invalid', /#\/until/)
    given(article, ID, [drafted, sourced, published])
      .when(command(EmbargoArticle, { until: LATER }))
      .thenThrows('live')
  })

  it('lets nothing out before its time, and does not stand in the way from then on', () => {
    const held = [drafted, sourced, until]
    given(article, ID, held)
      .when(command(PublishArticle), { at: SOON })
      .thenThrows('held', /2026-03-01T13/)
    expect(given(article, ID, held).when(command(PublishArticle), { at: LATER }).events()).toHaveLength(1)
    given(article, ID, held)
      .when(command(ScheduleChange, { change: 'publish', at: SOON }))
      .thenThrows('held')
    expect(
      given(article, ID, held)
        .when(command(ScheduleChange, { change: 'publish', at: LATER }))
        .events(),
    ).toHaveLength(1)
  })

  it('reserves no slug while it lasts', () => {
    expect(() => given(article, ID, [drafted, sourced, until]).when(command(PublishArticle)).reservation()).toThrow(
      /under embargo/,
    )
  })
})

describe('a spiked article', () => {
  const spiked: Event = { type: 'ArticleSpiked', data: { reason: null } }

  it('is put away and brought back', () => {
    given(article, ID, [drafted]).when(command(SpikeArticle)).then(spiked)
    given(article, ID, [drafted, spiked])
      .when(command(RestoreArticle))
      .then({ type: 'ArticleRestored', data: { reason: null } })
    expect(stateAfter(drafted, spiked, { type: 'ArticleRestored', data: { reason: null } }).stage).toBe('draft')
    given(article, ID, [drafted]).when(command(RestoreArticle)).thenNothing()
  })

  it('is not worked on', () => {
    const away = [drafted, sourced, spiked]
    const tried = [
      command(ReviseArticle, { headline: 'New' }),
      command(SubmitArticle),
      command(ApproveArticle),
      command(PublishArticle),
      command(EmbargoArticle, { until: LATER }),
      command(ScheduleChange, { change: 'publish', at: LATER }),
    ]
    for (const one of tried) given(article, ID, away).when(one).thenThrows('spiked')
  })

  it('is never what readers see', () => {
    const shown = [drafted, sourced, published]
    given(article, ID, shown).when(command(SpikeArticle)).thenThrows('live')
    const back: Event = { type: 'ArticleUnpublished', data: { reason: null } }
    given(article, ID, [...shown, back])
      .when(command(SpikeArticle))
      .then(spiked)
    given(article, ID, [...shown, back, spiked])
      .when(command(UnpublishArticle))
      .thenNothing()
    const restored: Event = { type: 'ArticleRestored', data: { reason: null } }
    expect(stateAfter(...shown, back, spiked, restored).stage).toBe('unpublished')
  })
})

describe('a retraction', () => {
  const retracted: Event = { type: 'ArticleRetracted', data: { notice: 'It was untrue.', reason: 'no source' } }
  const retract = command(RetractArticle, { notice: ' It was untrue. ', reason: 'no source' })

  it('tells readers why, of what they can see', () => {
    given(article, ID, [drafted, sourced, published]).when(retract).then(retracted)
    given(article, ID, [drafted, sourced]).when(retract).thenThrows('not-live')
  })

  it('is not undone by publishing again', () => {
    const gone = [drafted, sourced, published, retracted]
    given(article, ID, gone).when(command(PublishArticle)).thenThrows('retracted')
    given(article, ID, gone)
      .when(command(CorrectArticle, { note: 'No.', headline: 'Again' }))
      .thenThrows('retracted')
    const taken = given(article, ID, gone).when(command(UnpublishArticle)).events()
    expect(
      given(article, ID, [...gone, ...taken])
        .when(command(PublishArticle))
        .events(),
    ).toHaveLength(1)
  })

  it('keeps the working copy', () => {
    expect(stateAfter(drafted, sourced, published, retracted)).toMatchObject({
      stage: 'retracted',
      live: null,
      notice: 'It was untrue.',
      working: copy,
    })
  })
})
