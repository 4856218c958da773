// Curated lists as readers and editors are answered: as of a time, by section, with the reason why something is not shown.
import { describe, expect, it } from '@jest/globals'
import { Value } from '@sinclair/typebox/value'
import { FormatRegistry } from '@sinclair/typebox'
import { ListAnswer, ListsAnswer } from '../answers'
import { type LiveContent } from '../article/content'
import { cardsOf } from '../cards/cards'
import { GetSchedule, ScheduleAnswer, scheduleQuery, GetDueChanges, dueQuery } from '../schedule/schedule-queries'
import { FoldedReadModels } from '../testing/read-models.fixture.spec'
import { AT, type Event, type Recorded, recorded } from '../testing/scenario.fixture.spec'
import {
  EditorsListAnswer,
  editorsListQuery,
  EditorsListsAnswer,
  editorsListsQuery,
  GetEditorsList,
  GetEditorsLists,
} from './editors-lists'
import { type CuratedList, evolveList, noList } from './entries'
import { type ListEvents } from './events'
import { GetList, GetLists, listQuery, listsQuery } from './list-queries'

FormatRegistry.Set('uuid', text => /^[0-9a-f-]{36}$/.test(text))
FormatRegistry.Set('date-time', text => !Number.isNaN(Date.parse(text)))

const site = { url: 'https://news.example' }
const id = (n: number) => `3f0c1f5e-8a5d-4d5e-9a53-${String(n).padStart(12, '0')}`
const hours = (n: number) => new Date(Date.parse(AT) + n * 3_600_000).toISOString()
const publish = (n: number): Recorded[] => {
  const content = { headline: `Headline ${n}`, section: { slug: 'news', name: 'News' }, tags: [], authors: [] }
  const more = { summary: null, image: null, slug: `headline-${n}`, publishedAt: AT, language: 'en', bodyHtml: '' }
  const data = { ...content, ...more, source: { outlet: 'Gazette', contributors: [] } } as unknown as LiveContent
  return recorded(`article-${id(n)}`, [{ type: 'ArticlePublished', data }])
}
const list = (name: string, ...events: Event[]) => recorded(`list-${name}`, events)
const created = (label: string, section: string | null = null): Event => ({
  type: 'ListCreated',
  data: { label, section, capacity: 5 },
})
const feature = (n: number, more: Partial<ListEvents['ArticleFeatured']> = {}): Event => ({
  type: 'ArticleFeatured',
  data: { articleId: id(n), place: 99, from: null, until: null, zone: null, reason: null, ...more },
})
const unfeature = (n: number): Event => ({
  type: 'ArticleUnfeatured',
  data: { articleId: id(n), cause: 'editor', reason: null },
})
const pin = (n: number, place: number): Event => ({ type: 'ArticlePinned', data: { articleId: id(n), place } })
const retract = (n: number) =>
  recorded(`article-${id(n)}`, [{ type: 'ArticleRetracted', data: { notice: 'Wrong', reason: null } }])

const shownAt = async (events: readonly Recorded[], at: string, name = 'editors-choice') => {
  const read = new FoldedReadModels(events)
  const query = Object.assign(new GetList(), { list: name })
  const answer = await listQuery(site).answer(query, read, new Date(at))
  expect([...Value.Errors(ListAnswer, answer)]).toEqual([])
  return { answer, shown: answer.items.map(item => Number(item.id.slice(-12))), until: read.turns.sort().at(0) }
}
const folded = (name: string, events: readonly Recorded[]) => {
  const own = events.filter(({ stream }) => stream === `list-${name}`)
  const state = own.reduce<CuratedList>((s, e) => evolveList(s, e as Parameters<typeof evolveList>[1]), noList)
  return own.length === 0 ? null : { state, revision: own.length - 1 }
}

describe('a list as of a time', () => {
  const events = [
    ...[1, 2, 3].flatMap(publish),
    ...list('editors-choice', feature(1), feature(2, { from: hours(1) }), feature(3, { until: hours(2) })),
  ]

  it('begins to show what has begun and ceases to show what has ended, at that very time', async () => {
    const before = (at: string) => new Date(Date.parse(at) - 1).toISOString()
    expect(await shownAt(events, AT)).toMatchObject({ shown: [1, 3], until: hours(1) })
    expect(await shownAt(events, before(hours(1)))).toMatchObject({ shown: [1, 3], until: hours(1) })
    expect(await shownAt(events, hours(1))).toMatchObject({ shown: [1, 2, 3], until: hours(2) })
    expect(await shownAt(events, before(hours(2)))).toMatchObject({ shown: [1, 2, 3], until: hours(2) })
    expect(await shownAt(events, hours(2))).toMatchObject({ shown: [1, 2], until: undefined })
  })

  it('gives cards its label only while it shows them', async () => {
    const labelsAt = async (at: string) => {
      const read = new FoldedReadModels([...events, ...list('front', created('Front', 'news'), feature(2), feature(3))])
      const cards = await cardsOf(read, site, [1, 2, 3].map(id), new Date(at))
      return [[...cards.values()].map(({ label }) => label), read.turns.sort().at(0)]
    }
    const choice = "Editor's choice"
    expect(await labelsAt(AT)).toEqual([[choice, 'Front', choice], hours(1)])
    expect(await labelsAt(hours(1))).toEqual([[choice, choice, choice], hours(2)])
    expect(await labelsAt(hours(2))).toEqual([[choice, choice, 'Front'], undefined])
  })

  it('follows what is timed anew and taken off', async () => {
    const timed: Event = {
      type: 'ArticleFeatureTimed',
      data: { articleId: id(2), from: null, until: hours(3), zone: null },
    }
    const later = [...events, ...list('editors-choice', timed, unfeature(3))]
    expect(await shownAt(later, AT)).toMatchObject({ shown: [1, 2], until: hours(3) })
    expect((await shownAt(later, hours(3))).shown).toEqual([1])
  })

  it('keeps the place of what is retracted, and the places of the pins for what is shown', async () => {
    const pinned = [
      ...[1, 2, 3, 4].flatMap(publish),
      ...list('editors-choice', feature(1), feature(2), feature(3), feature(4), pin(3, 1)),
    ]
    expect((await shownAt(pinned, AT)).shown).toEqual([1, 3, 2, 4])
    expect((await shownAt([...pinned, ...retract(1)], AT)).shown).toEqual([2, 3, 4])
    expect((await shownAt([...pinned, ...retract(1), ...publish(1)], AT)).shown).toEqual([1, 3, 2, 4])
  })
})

describe('lists', () => {
  const events = [
    ...publish(1),
    ...list('sport-front', created('Top of sport', 'sport'), feature(1)),
    ...list('news-front', created('Top of news', 'news')),
    ...list('sport-extra', created('More sport', 'sport')),
  ]

  it('are found by the section whose front they stand on', async () => {
    const read = new FoldedReadModels(events)
    const ask = async (query: Partial<GetLists>) => {
      const answer = await listsQuery.answer(Object.assign(new GetLists(), query), read, new Date(AT))
      expect([...Value.Errors(ListsAnswer, answer)]).toEqual([])
      return { names: answer.items.map(item => item.list), next: answer.next }
    }
    expect(await ask({})).toEqual({ names: ['editors-choice', 'news-front', 'sport-extra', 'sport-front'], next: null })
    const first = await ask({ section: 'sport', limit: 1 })
    expect(first.names).toEqual(['sport-extra'])
    expect(await ask({ section: 'sport', cursor: first.next ?? '' })).toEqual({ names: ['sport-front'], next: null })
    expect(await ask({ section: 'none' })).toEqual({ names: [], next: null })
    await expect(ask({ cursor: 'x' })).rejects.toMatchObject({ code: 'invalid' })
    expect((await shownAt(events, AT, 'sport-front')).answer).toMatchObject({ label: 'Top of sport', section: 'sport' })
  })

  it('are shown to editors with their size', async () => {
    const answer = await editorsListsQuery.answer(new GetEditorsLists(), new FoldedReadModels(events), new Date(AT))
    expect([...Value.Errors(EditorsListsAnswer, answer)]).toEqual([])
    expect(answer.items.map(({ list: name, capacity, size }) => [name, capacity, size])).toEqual([
      ['editors-choice', null, 0],
      ['news-front', 5, 0],
      ['sport-extra', 5, 0],
      ['sport-front', 5, 1],
    ])
  })

  it('change their label for every card at once', async () => {
    const changed = [...events, ...list('sport-front', { type: 'ListChanged', data: { label: 'Best of sport' } })]
    const { answer } = await shownAt(changed, AT, 'sport-front')
    expect(answer).toMatchObject({ label: 'Best of sport', section: 'sport', items: [{ label: 'Best of sport' }] })
  })
})

describe("the editors' view of a list", () => {
  it('has every entry, and why readers do not see it', async () => {
    const events = [
      ...[1, 2, 3].flatMap(publish),
      ...list(
        'front',
        created('Front', 'news'),
        feature(1, { reason: 'Big' }),
        feature(2, { from: hours(1), zone: 'Asia/Tokyo' }),
        feature(3, { until: hours(-1) }),
        feature(4),
        pin(4, 0),
      ),
    ]
    const query = new GetEditorsList('front', folded('front', events))
    const answer = await editorsListQuery.answer(query, new FoldedReadModels(events), new Date(AT))
    expect([...Value.Errors(EditorsListAnswer, answer)]).toEqual([])
    expect(answer).toMatchObject({ list: 'front', label: 'Front', section: 'news', capacity: 5, revision: 5 })
    expect(answer.entries).toMatchObject([
      { articleId: id(4), headline: null, place: 0, pinned: 0, shown: false, why: 'not-live' },
      { articleId: id(1), headline: 'Headline 1', place: 1, pinned: null, reason: 'Big', shown: true, why: null },
      { articleId: id(2), from: hours(1), zone: 'Asia/Tokyo', shown: false, why: 'not-yet' },
      { articleId: id(3), until: hours(-1), shown: false, why: 'expired' },
    ])
    // Shown is what readers get.
    expect((await shownAt(events, AT, 'front')).shown).toEqual([1])
  })

  it('is there for a built-in list from the start, and for no other', async () => {
    const ask = (name: string) =>
      editorsListQuery.answer(new GetEditorsList(name, null), new FoldedReadModels([]), new Date(AT))
    expect(await ask('editors-choice')).toMatchObject({ revision: -1, entries: [] })
    await expect(ask('front')).rejects.toMatchObject({ code: 'not-found' })
  })
})

describe('the schedule', () => {
  const scheduled = recorded(`article-${id(9)}`, [
    {
      type: 'ArticleChangeScheduled',
      data: { scheduleId: id(77), at: hours(2), zone: null, change: { kind: 'unpublish', reason: null } },
    },
  ])
  const events = [
    ...publish(1),
    ...scheduled,
    ...list(
      'front',
      created('Front'),
      feature(1, { from: hours(1), until: hours(3), zone: 'Asia/Tokyo' }),
      feature(2, { until: hours(2) }),
    ),
  ]
  const ask = async (known: readonly Recorded[], at: string, query: Partial<GetSchedule> = {}) => {
    const read = new FoldedReadModels(known)
    const answer = await scheduleQuery.answer(Object.assign(new GetSchedule(), query), read, new Date(at))
    expect([...Value.Errors(ScheduleAnswer, answer)]).toEqual([])
    return answer
  }
  const told = ({ items }: ScheduleAnswer) => items.map(({ change, at, articleId }) => [change, at, articleId])

  it('shows what lists are to show and to cease to show, among the changes of articles', async () => {
    const answer = await ask(events, AT)
    expect(told(answer)).toEqual([
      ['feature', hours(1), id(1)],
      ['unpublish', hours(2), id(9)],
      ['unfeature', hours(2), id(2)],
      ['unfeature', hours(3), id(1)],
    ])
    expect(answer.items[0]).toMatchObject({
      ...{ scheduleId: null, list: 'front', zone: 'Asia/Tokyo', state: 'pending', by: 'editor-1' },
      ...{ headline: 'Headline 1', failure: null },
    })
    expect(answer.items[1]).toMatchObject({ scheduleId: id(77), list: null, headline: null })
  })

  it('is paged, and by article', async () => {
    const first = await ask(events, AT, { limit: 2 })
    expect(told(first)).toHaveLength(2)
    const second = await ask(events, AT, { limit: 1, cursor: first.next ?? '' })
    const third = await ask(events, AT, { cursor: second.next ?? '' })
    expect([first, second, third].flatMap(told)).toEqual(told(await ask(events, AT)))
    expect(third.next).toBeNull()
    expect(told(await ask(events, AT, { articleId: id(1).toUpperCase() }))).toHaveLength(2)
    expect(told(await ask(events, AT, { state: 'failed' }))).toEqual([])
  })

  it('forgets what has passed by itself or was taken off, and never gives it to the timetable', async () => {
    expect(told(await ask(events, hours(2)))).toEqual([
      ['unpublish', hours(2), id(9)],
      ['unfeature', hours(3), id(1)],
    ])
    expect(told(await ask([...events, ...list('front', unfeature(1), unfeature(2))], AT))).toHaveLength(1)
    const due = await dueQuery.answer(new GetDueChanges(), new FoldedReadModels(events), new Date(hours(9)))
    expect(due.map(({ _id }) => _id)).toEqual([id(77)])
  })
})
