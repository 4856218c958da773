// What editors find in the desk's lists, and how it is counted.
import { describe, expect, it } from '@jest/globals'
import { type WorkingCopy } from '../article/submitted'
import { copy, live } from '../testing/article.fixture.spec'
import { FoldedReadModels } from '../testing/read-models.fixture.spec'
import { AT, type Event, type Recorded, recorded } from '../testing/scenario.fixture.spec'
import { headOf, headsOf, wordsOf } from '../text/words'
import { deskArticlesQuery, deskCountsQuery, GetDeskArticles, GetDeskCounts, MOST_LOOKED_AT } from './desk-queries'

const id = (n: number) => `3f0c1f5e-8a5d-4d5e-9a53-${String(n).padStart(12, '0')}`
const minute = (n: number) => new Date(Date.parse(AT) + n * 60_000).toISOString()
/** Article n was begun at minute n. */
const begun = (n: number, fields: Partial<WorkingCopy> = {}, ...then: Event[]): Recorded[] =>
  recorded(`article-${id(n)}`, [{ type: 'ArticleDrafted', data: { ...copy, ...fields } }, ...then], { at: minute(n) })
const talk = (n: number, ...events: Event[]) => recorded(`desk-${id(n)}`, events, { at: minute(n) })
const assigned = (desk: string | null, assignee: string | null = null): Event => ({
  type: 'ArticleAssigned',
  data: { desk, assignee },
})
const due = (time: string | null): Event => ({ type: 'ArticleDueSet', data: { due: time, zone: null } })
const published: Event = { type: 'ArticlePublished', data: live }
const sport = { slug: 'sport', name: 'Sport' }

const ask = (read: FoldedReadModels, query: Partial<GetDeskArticles> = {}) =>
  deskArticlesQuery.answer(Object.assign(new GetDeskArticles(), query), read, new Date(AT))
const found = async (read: FoldedReadModels, query: Partial<GetDeskArticles> = {}) =>
  (await ask(read, query)).items.map(({ id }) => Number(id.slice(-12)))
/** All pages, one by one. */
const paged = async (read: FoldedReadModels, query: Partial<GetDeskArticles>) => {
  const pages: number[][] = []
  let cursor: string | null | undefined
  do {
    const { items, next } = await ask(read, { ...query, ...(cursor && { cursor }) })
    pages.push(items.map(({ id }) => Number(id.slice(-12))))
    cursor = next
  } while (cursor !== null)
  return pages
}

describe('the list of articles', () => {
  const read = new FoldedReadModels([
    ...begun(1, { authors: [{ slug: 'ann', name: 'Ann' }] }),
    ...begun(2, { section: sport, language: 'de' }, { type: 'ArticleSubmitted', data: { note: null } }),
    ...begun(3, {}, published),
    ...begun(4, { headline: 'Away with it' }, { type: 'ArticleSpiked', data: { reason: null } }),
    ...begun(
      5,
      {},
      {
        type: 'ArticleChangeScheduled',
        data: { scheduleId: id(50), at: minute(90), zone: null, change: { kind: 'unpublish', reason: null } },
      },
    ),
    ...talk(1, assigned('night', 'ann'), due(minute(30)), { type: 'ArticleClaimed', data: { until: minute(9) } }),
    ...talk(2, assigned('night'), due(minute(20))),
    ...talk(3, { type: 'DeskNoteAdded', data: { noteId: id(9), text: 'x' } }),
  ])

  it('is newest first, without what is spiked, and talk moves nothing', async () => {
    expect(await found(read)).toEqual([5, 3, 2, 1])
    expect(await found(read, { stage: 'spiked' })).toEqual([4])
  })

  it('is filtered by everything that articles and their desks have', async () => {
    expect(await found(read, { stage: 'draft' })).toEqual([5, 2, 1])
    expect(await found(read, { stage: 'live' })).toEqual([3])
    expect(await found(read, { review: 'submitted' })).toEqual([2])
    expect(await found(read, { review: 'none' })).toEqual([5, 3, 1])
    expect(await found(read, { desk: 'night' })).toEqual([2, 1])
    expect(await found(read, { desk: 'night', assignee: 'ann' })).toEqual([1])
    expect(await found(read, { desk: 'night', stage: 'live' })).toEqual([])
    expect(await found(read, { section: 'sport' })).toEqual([2])
    expect(await found(read, { author: 'ann' })).toEqual([1])
    expect(await found(read, { language: 'DE' })).toEqual([2])
    expect(await found(read, { scheduledFrom: minute(90), scheduledTo: minute(91) })).toEqual([5])
    expect(await found(read, { scheduledTo: minute(90) })).toEqual([])
    expect(await found(read, { dueTo: minute(30) })).toEqual([2])
    expect(await found(read, { dueFrom: minute(30) })).toEqual([1])
  })

  it('is by due time where that is asked for', async () => {
    expect(await found(read, { sort: 'due' })).toEqual([2, 1])
    expect(await found(read, { sort: 'due', dueFrom: minute(21) })).toEqual([1])
    expect(await paged(read, { sort: 'due', limit: 1 })).toEqual([[2], [1]])
  })

  it('says who is editing now, and what is not live yet', async () => {
    const { items } = await ask(read, { assignee: 'ann' })
    expect(items[0]).toMatchObject({ claims: [{ by: 'editor-1', until: minute(9) }], differs: true, openNotes: 0 })
    const [first] = (await ask(read, { stage: 'live' })).items
    expect(first).toMatchObject({ openNotes: 1, slug: live.slug })
  })

  it('goes on after a page, once for each article', async () => {
    expect(await paged(read, { limit: 1 })).toEqual([[5], [3], [2], [1]])
    expect(await paged(read, { limit: 2, desk: 'night' })).toEqual([[2, 1]])
    await expect(ask(read, { cursor: 'x' })).rejects.toThrow('none of ours')
  })
})

describe('a search', () => {
  const read = new FoldedReadModels([
    ...begun(1, { headline: 'Élan at the harbour', summary: 'Fishermen rejoice' }),
    ...begun(2, { headline: 'Harbour shut by ice', wantedSlug: 'ice-age' }),
  ])

  it('finds all words, the last one by its beginning, whatever case and accents', async () => {
    expect(await found(read, { q: 'harbour' })).toEqual([2, 1])
    expect(await found(read, { q: 'HARB' })).toEqual([2, 1])
    expect(await found(read, { q: 'harbour fish' })).toEqual([1])
    expect(await found(read, { q: 'harb fishermen' })).toEqual([])
    expect(await found(read, { q: 'elan' })).toEqual([1])
    expect(await found(read, { q: 'age' })).toEqual([2])
    expect(await found(read, { q: 'b' })).toEqual([2])
    expect(await found(read, { q: 'nothing' })).toEqual([])
    await expect(ask(read, { q: '!?' })).rejects.toThrow('words')
  })

  it('looks words up by how they begin, at two entries a word', () => {
    const words = wordsOf(['a bé Harbours 7', null, 'harbours'])
    expect(words).toEqual(['a', 'be', 'harbours', '7'])
    expect(headsOf(words)).toEqual(['a', 'be', 'har', 'harbo', '7'])
    expect([headOf('ha'), headOf('har'), headOf('harb'), headOf('harbour')]).toEqual([null, 'har', 'har', 'harbo'])
    expect(wordsOf([Array.from({ length: 500 }, (_, i) => `w${i}`).join(' ')])).toHaveLength(40)
  })
})

describe('what an answer costs', () => {
  it('is bounded, whatever is asked for: a page may be shorter, and the next one goes on', async () => {
    const many = MOST_LOOKED_AT + 200
    const read = new FoldedReadModels([
      ...begun(0, { language: 'de' }),
      ...Array.from({ length: many }, (_, n) => begun(n + 1)).flat(),
    ])
    const { items, next } = await ask(read, { review: 'none', language: 'de', section: 'news' })
    expect(items).toEqual([])
    expect(next).not.toBeNull()
    expect(await paged(read, { review: 'none', language: 'de', section: 'news' })).toEqual([[], [0]])
  })
})

describe('counts', () => {
  const history = [
    ...begun(1),
    ...begun(2, { section: sport }, { type: 'ArticleSubmitted', data: { note: null } }),
    ...begun(3, {}, published),
    ...talk(1, assigned('night')),
    ...talk(2, assigned('night')),
  ]
  const counted = (query: Partial<GetDeskCounts> = {}, events = history) =>
    deskCountsQuery.answer(Object.assign(new GetDeskCounts(), query), new FoldedReadModels(events), new Date(AT))

  it('are by stage and by review status, of a section, of a desk, of both', async () => {
    expect(await counted()).toEqual({
      total: 3,
      stages: { draft: 2, live: 1, unpublished: 0, retracted: 0, spiked: 0 },
      reviews: { none: 2, submitted: 1, 'sent-back': 0, approved: 0 },
    })
    expect(await counted({ desk: 'night' })).toMatchObject({ total: 2, stages: { draft: 2 } })
    expect(await counted({ section: 'sport' })).toMatchObject({ total: 1, reviews: { submitted: 1 } })
    expect(await counted({ section: 'news', desk: 'night' })).toMatchObject({ total: 1, reviews: { none: 1 } })
    expect(await counted({ desk: 'day' })).toMatchObject({ total: 0 })
  })

  it('forget an erased article, and its desk with it', async () => {
    const erasure = { authority: 'court', reason: 'x', scheduleIds: [], slugs: [] }
    const erased = recorded(`article-${id(1)}`, [{ type: 'ArticleErased', data: erasure }], { from: 1 })
    expect(await counted({}, [...history, ...erased, ...talk(1, assigned('day'))])).toMatchObject({ total: 2 })
  })
})
