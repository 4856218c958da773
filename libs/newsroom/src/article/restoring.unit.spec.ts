// What was comes back as a new revision; and what two editors wrote at once is kept where it does not overlap.
import { describe, expect, it } from '@jest/globals'
import { StaleRevision } from '@stet/eventsourcing'
import { type Event, given } from '../testing/scenario.fixture.spec'
import { article } from './article'
import { ReviseArticle } from './drafting'
import { merging } from './merging'
import { BringBackRevision, rememberedOf } from './restoring'
import { type Article } from './state'
import { MAX_CONTENT, type WorkingCopy } from './submitted'

const ID = '3f0c1f5e-8a5d-4d5e-9a53-0d8f6f1f2a01'
const OTHER = '3f0c1f5e-8a5d-4d5e-9a53-0d8f6f1f2a02'
const copy: WorkingCopy = {
  headline: 'Harbour shut by ice',
  section: { slug: 'news', name: 'News' },
  bodyHtml: '<p>The harbour stays shut.</p>',
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
const drafted: Event = { type: 'ArticleDrafted', data: copy }
const revised = (changes: Partial<WorkingCopy>): Event => ({ type: 'ArticleRevised', data: { changes } })
const sourced = (outlet: string): Event => ({ type: 'ArticleSourced', data: { outlet, contributors: [] } })
const related = (...articleIds: string[]): Event => ({ type: 'ArticleRelated', data: { articleIds, blockedIds: [] } })
const spiked: Event = { type: 'ArticleSpiked', data: { reason: null } }
const state = (...events: Event[]) => given(article, ID, events).state() as Article

const bringBack = (revision: number, ...events: Event[]) =>
  Object.assign(new BringBackRevision(), {
    revision,
    remembered: rememberedOf(state(...events.slice(0, revision + 1))),
  })

describe('bringing a revision back', () => {
  const history = [
    drafted,
    sourced('Post'),
    revised({ headline: 'Ice', summary: 's' }),
    sourced('Gazette'),
    related(OTHER),
  ]

  it('records the working copy, and the source and the related articles by their own events', () =>
    given(article, ID, history)
      .when(bringBack(1, ...history))
      .then(
        {
          type: 'ArticleRevised',
          data: { changes: { headline: copy.headline, summary: null }, restoredFrom: 1 },
        },
        sourced('Post'),
        related(),
      ))

  it('says from which revision, also when only the related articles come back', () =>
    given(article, ID, history)
      .when(bringBack(3, ...history))
      .then({ type: 'ArticleRevised', data: { changes: {}, restoredFrom: 3 } }, related()))

  it('keeps the source where the revision had none', () =>
    given(article, ID, [drafted, sourced('Post')])
      .when(bringBack(0, drafted))
      .thenNothing())

  it('changes nothing when the article stands as it did', () =>
    given(article, ID, [...history, revised({ summary: 't' }), revised({ summary: 's' })])
      .when(bringBack(4, ...history))
      .thenNothing())

  it('leaves a spiked article alone', () =>
    given(article, ID, [...history, spiked])
      .when(bringBack(1, ...history))
      .thenThrows('spiked'))
})

describe('a revision that was written on an older one', () => {
  const seen = [drafted, sourced('Post')]
  const merge = (fields: Partial<ReviseArticle>, ...since: Event[]) =>
    merging.ReviseArticle(Object.assign(new ReviseArticle(), fields), state(...seen), state(...seen, ...since), {
      ...{ commandId: 'c', actor: 'a', at: 'now', correlationId: 'c', key: ID },
      expected: 1,
      revision: 1 + since.length,
    })
  const conflicts = (run: () => unknown): unknown => {
    try {
      run()
    } catch (error) {
      if (error instanceof StaleRevision) return error.conflicts ?? 'stale'
      throw error
    }
    return 'none'
  }

  it('is kept beside what others changed elsewhere', () =>
    expect(merge({ headline: 'Ice' }, revised({ summary: 's' }), sourced('Gazette'))).toEqual([
      { type: 'ArticleRevised', data: { changes: { headline: 'Ice' }, mergedFrom: 1 } },
    ]))

  it('counts only what its author changed: a tool may send the whole form', () =>
    expect(merge({ headline: 'Ice', summary: null, tags: [] }, revised({ summary: 's' }))).toEqual([
      { type: 'ArticleRevised', data: { changes: { headline: 'Ice' }, mergedFrom: 1 } },
    ]))

  it('conflicts where both changed the same field, unless to the same', () => {
    const theirs = revised({ headline: 'Theirs', summary: 's', tags: [{ slug: 'a', name: 'A' }] })
    expect(conflicts(() => merge({ headline: 'Mine', summary: 't', keyPoints: ['k'] }, theirs))).toEqual([
      'headline',
      'summary',
    ])
    expect(merge({ headline: 'Theirs', keyPoints: ['k'] }, theirs)).toEqual([
      { type: 'ArticleRevised', data: { changes: { keyPoints: ['k'] }, mergedFrom: 1 } },
    ])
    expect(merge({ headline: 'Theirs' }, theirs)).toEqual([])
  })

  it('that others took back again does not conflict', () =>
    expect(merge({ summary: 'mine' }, revised({ summary: 's' }), revised({ summary: null }))).toHaveLength(1))

  it('is held to what holds now: spiked, erased, too large', () => {
    expect(() => merge({ headline: 'Ice' }, spiked)).toThrow(/spiked/)
    const live = { ...copy, headline: 'Redacted' }
    const remains = {
      source: null,
      relatedIds: [],
      blockedIds: [],
      live: null,
      slugs: [],
      firstPublishedAt: null,
      yielded: {},
    }
    const nobody = { embargo: null, drafter: null, writers: [], wire: null }
    const redacted: Event = {
      type: 'ArticleRedacted',
      data: { authority: 'court', reason: 'r', scheduleIds: [], stage: 'draft', working: live, ...remains, ...nobody },
    }
    expect(conflicts(() => merge({ summary: 'mine' }, redacted))).toBe('stale')
    const half = 'x'.repeat(MAX_CONTENT / 2)
    expect(() => merge({ summary: half }, revised({ bodyHtml: half }))).toThrow(/bytes/)
  })
})
