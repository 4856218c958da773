// What happens by itself: frozen, moved, called off, done once, failed with its reason.
import { describe, expect, it } from '@jest/globals'
import { command, drafted, ID, LATER, live, published, revised, SOON, sourced } from '../testing/article.fixture.spec'
import { AT, type Event, given } from '../testing/scenario.fixture.spec'
import { violationsOf } from '../validation'
import { article } from './article'
import { CancelScheduledChange, PerformScheduledChange, RescheduleChange, ScheduleChange } from './scheduling'
import { type Article } from './state'

const S = '9d2f1c3a-0b4e-5f6a-8c7d-1e2f3a4b5c6d'
const { firstPublishedAt: _f, publishedAt: _p, updatedAt: _u, ...frozen } = live
const scheduled: Event = {
  type: 'ArticleChangeScheduled',
  data: { scheduleId: S, at: LATER, zone: null, change: { kind: 'publish', content: frozen } },
}
const ready = [drafted, sourced]
const perform = command(PerformScheduledChange, { scheduleId: S })

describe('scheduling', () => {
  it('freezes what would be published now, and reserves its address', () => {
    const wanted = given(article, ID, ready).when(command(ScheduleChange, { change: 'publish', at: LATER }), {
      commandId: S,
    })
    expect(wanted.reservation()).toMatchObject({ candidates: expect.arrayContaining(['harbour-shut-by-ice']) })
    wanted.then(scheduled)
  })

  it('takes a time by the clock of a place', () => {
    const [event] = given(article, ID, ready)
      .when(command(ScheduleChange, { change: 'publish', at: '2026-07-01T08:00', zone: 'Europe/Berlin' }))
      .events()
    expect(event).toMatchObject({ data: { at: '2026-07-01T06:00:00.000Z', zone: 'Europe/Berlin' } })
  })

  it.each([
    ['a time that has passed', { at: AT }],
    ['a time too far ahead', { at: '2037-01-01T00:00:00Z' }],
    ['a local time without a zone', { at: '2026-07-01T08:00' }],
    ['a zone that does not exist', { at: '2026-07-01T08:00', zone: 'Europe/Atlantis' }],
    ['a time that the zone skips', { at: '2026-03-29T02:30', zone: 'Europe/Berlin' }],
    ['a time that the zone has twice', { at: '2026-10-25T02:30', zone: 'Europe/Berlin' }],
    ['a day that does not exist', { at: '2026-06-31T10:00', zone: 'Europe/Berlin' }],
    ['a note of what is no correction', { at: LATER, note: 'Why' }],
  ])('refuses %s', (_, fields) => {
    given(article, ID, ready)
      .when(command(ScheduleChange, { change: 'publish', ...fields }))
      .thenThrows('invalid')
  })

  it('refuses what could not be done now', () => {
    given(article, ID, [drafted])
      .when(command(ScheduleChange, { change: 'publish', at: LATER }))
      .thenThrows('source-missing')
    given(article, ID, ready)
      .when(command(ScheduleChange, { change: 'correct', at: LATER }))
      .thenThrows('invalid', /#\/note/)
    expect(violationsOf(command(ScheduleChange, { at: 'soon' })).map(({ pointer }) => pointer)).toEqual([
      '#/change',
      '#/at',
    ])
  })

  it('moves, and keeps or renews what was frozen', () => {
    const changed = [...ready, scheduled, revised({ headline: 'Harbour open' })]
    given(article, ID, changed)
      .when(command(RescheduleChange, { scheduleId: S, at: '2026-03-02T00:00:00Z' }))
      .then({
        type: 'ArticleChangeRescheduled',
        data: {
          scheduleId: S,
          at: '2026-03-02T00:00:00.000Z',
          zone: null,
          change: { kind: 'publish', content: frozen },
        },
      })
    const [renewed] = given(article, ID, changed)
      .when(command(RescheduleChange, { scheduleId: S, at: LATER, content: 'current' }))
      .events()
    expect(renewed).toMatchObject({ data: { change: { content: { headline: 'Harbour open', slug: frozen.slug } } } })
    given(article, ID, ready)
      .when(command(RescheduleChange, { scheduleId: S, at: LATER }))
      .thenThrows('not-found')
  })

  it('is called off', () => {
    const off = command(CancelScheduledChange, { scheduleId: S, reason: 'no news' })
    given(article, ID, [...ready, scheduled])
      .when(off)
      .then({ type: 'ArticleChangeCancelled', data: { scheduleId: S, reason: 'no news' } })
    given(article, ID, ready).when(off).thenNothing()
  })
})

describe('what is due', () => {
  it('is done as it was frozen, whatever was written since, and says how late', () => {
    given(article, ID, [...ready, scheduled, revised({ headline: 'Harbour open' })])
      .when(perform, { at: '2026-03-01T13:00:07.900Z' })
      .then(
        { type: 'ArticleChangePerformed', data: { scheduleId: S, due: LATER, lateSeconds: 7 } },
        {
          type: 'ArticlePublished',
          data: {
            ...live,
            firstPublishedAt: '2026-03-01T13:00:07.900Z',
            publishedAt: '2026-03-01T13:00:07.900Z',
            updatedAt: '2026-03-01T13:00:07.900Z',
          },
        },
      )
  })

  it('is not done before its time', () => {
    given(article, ID, [...ready, scheduled])
      .when(perform, { at: SOON })
      .thenThrows('not-due')
  })

  it('leaves the newer working copy in review', () => {
    const state = given(article, ID, [
      ...ready,
      scheduled,
      revised({ headline: 'Harbour open' }),
      { type: 'ArticleSubmitted', data: { note: null } },
      published,
    ]).state() as Article
    expect(state.review?.status).toBe('submitted')
  })

  it.each<[string, string, Event[]]>([
    ['held', 'embargo', [{ type: 'ArticleEmbargoed', data: { until: '2026-04-01T00:00:00.000Z', reason: null } }]],
    ['spiked', 'spike', [{ type: 'ArticleSpiked', data: { reason: null } }]],
    ['retracted', 'retraction', [published, { type: 'ArticleRetracted', data: { notice: 'Untrue.', reason: null } }]],
  ])('that has become impossible fails with its reason: %s', (rule, _, since) => {
    given(article, ID, [...ready, scheduled, ...since])
      .when(perform, { at: LATER })
      .then({
        type: 'ArticleChangeFailed',
        data: { scheduleId: S, due: LATER, rule, reason: expect.any(String) as unknown as string },
      })
  })

  it('stays to be seen when it failed, and can be tried again', () => {
    const failed: Event = {
      type: 'ArticleChangeFailed',
      data: { scheduleId: S, due: LATER, rule: 'held', reason: 'x' },
    }
    const past = [...ready, scheduled, failed]
    expect((given(article, ID, past).state() as Article).schedules[S]?.state).toBe('failed')
    given(article, ID, past).when(perform, { at: LATER }).thenNothing()
    given(article, ID, past)
      .when(command(RescheduleChange, { scheduleId: S, at: '2026-03-02T00:00:00Z' }))
      .events()
    given(article, ID, past)
      .when(command(CancelScheduledChange, { scheduleId: S }))
      .events()
  })

  it('takes a live article back, and fails where there is none', () => {
    const off: Event = {
      type: 'ArticleChangeScheduled',
      data: { scheduleId: S, at: LATER, zone: null, change: { kind: 'unpublish', reason: 'expired' } },
    }
    given(article, ID, [...ready, published, off])
      .when(perform, { at: LATER })
      .then(
        { type: 'ArticleChangePerformed', data: { scheduleId: S, due: LATER, lateSeconds: 0 } },
        { type: 'ArticleUnpublished', data: { reason: 'expired' } },
      )
    expect(
      given(article, ID, [...ready, off])
        .when(perform, { at: LATER })
        .events(),
    ).toMatchObject([{ type: 'ArticleChangeFailed', data: { rule: 'not-live' } }])
  })
})
