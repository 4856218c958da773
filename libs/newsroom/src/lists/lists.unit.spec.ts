// Curated lists: what editors put forward, in order.
import { describe, expect, it } from '@jest/globals'
import { violationsOf } from '../validation'
import { AT, type Event, given } from '../testing/scenario.fixture.spec'
import {
  BringBackList,
  ChangeList,
  CreateList,
  FeatureArticle,
  MAX_LIST,
  MoveArticle,
  PinArticle,
  ReorderList,
  TimeFeature,
  UnfeatureArticle,
  UnpinArticle,
} from './commands'
import { type CuratedList } from './entries'
import { type ListEvents } from './events'
import { curatedList, rememberedListOf } from './lists'

const id = (n: number) => `3f0c1f5e-8a5d-4d5e-9a53-${String(n).padStart(12, '0')}`
const command =
  <C extends object>(type: new () => C) =>
  (fields: Partial<C> = {}) =>
    Object.assign(new type(), fields)
const create = command(CreateList)
const change = command(ChangeList)
const feature = command(FeatureArticle)
const move = command(MoveArticle)
const pin = command(PinArticle)
const unpin = command(UnpinArticle)
const time = command(TimeFeature)
const reorder = command(ReorderList)
const unfeature = command(UnfeatureArticle)

const featured = (n: number, more: Partial<ListEvents['ArticleFeatured']> = {}): Event => ({
  type: 'ArticleFeatured',
  data: { articleId: id(n), place: n - 1, from: null, until: null, zone: null, reason: null, ...more },
})
const unfeatured = (n: number, cause: 'editor' | 'capacity' = 'editor', reason: string | null = null): Event => ({
  type: 'ArticleUnfeatured',
  data: { articleId: id(n), cause, reason },
})
const pinned = (n: number, place: number | null): Event => ({
  type: 'ArticlePinned',
  data: { articleId: id(n), place },
})
const moved = (n: number, place: number): Event => ({ type: 'ArticleMoved', data: { articleId: id(n), place } })
const created = (capacity: number | null = null): Event => ({
  type: 'ListCreated',
  data: { label: 'Long reads', section: 'news', capacity },
})
const three = [featured(1), featured(2), featured(3)]
const choice = (...events: Event[]) => given(curatedList, 'editors-choice', events)
const reads = (...events: Event[]) => given(curatedList, 'long-reads', events)
const order = (...events: Event[]) =>
  (choice(...events).state() as CuratedList).entries.map(({ articleId }) => Number(articleId.slice(-12)))
const DAY = 86_400_000
const days = (n: number) => new Date(Date.parse(AT) + n * DAY).toISOString()

describe('a curated list', () => {
  it('is unknown until it is created, but for the built-in ones', () => {
    const wanted = { label: ' Long  reads ', section: 'News', capacity: 3 }
    reads().when(create(wanted)).then(created(3))
    given(curatedList, 'Long Reads', []).when(create(wanted)).thenThrows('not-found')
    for (const each of [
      feature({ articleId: id(1) }),
      unfeature({ articleId: id(1) }),
      move({ articleId: id(1), place: 0 }),
      reorder({ articleIds: [] }),
      change({ label: 'x' }),
    ])
      reads().when(each).thenThrows('not-found')
    reads(created())
      .when(feature({ articleId: id(1) }))
      .then(featured(1))
  })

  it('is created once', () => {
    reads(created())
      .when(create({ label: 'Long reads', section: 'news' }))
      .thenNothing()
    reads(created())
      .when(create({ label: 'Other' }))
      .thenThrows('list-exists', /Long reads/)
    choice()
      .when(create({ label: 'Other' }))
      .thenThrows('list-exists')
    choice()
      .when(create({ label: "Editor's choice" }))
      .thenNothing()
  })

  it('changes its label, section and capacity', () => {
    reads(created())
      .when(change({ label: 'Longer  reads' }))
      .then({ type: 'ListChanged', data: { label: 'Longer reads' } })
    reads(created())
      .when(change({ section: null, capacity: 5 }))
      .then({ type: 'ListChanged', data: { section: null, capacity: 5 } })
    reads(created())
      .when(change({ section: 'News' }))
      .thenNothing()
    reads(created())
      .when(change({ label: null }))
      .thenThrows('invalid', /label/)
    choice()
      .when(change({ label: 'Our choice' }))
      .then({ type: 'ListChanged', data: { label: 'Our choice' } })
  })

  it('refuses what it cannot mean', () => {
    const flaws = [
      feature({ articleId: 'x' }),
      feature({ articleId: id(1), place: -1 }),
      feature({ articleId: id(1), place: MAX_LIST }),
      feature({ articleId: id(1), from: 'tomorrow' }),
      change({ capacity: 0 }),
      move({ articleId: id(1) }),
      reorder({ articleIds: ['x'] }),
    ]
    expect(flaws.map(each => violationsOf(each).map(({ pointer }) => pointer))).toEqual([
      ['#/articleId'],
      ['#/place'],
      ['#/place'],
      ['#/from'],
      ['#/capacity'],
      ['#/place'],
      ['#/articleIds/0'],
    ])
  })
})

describe('an article in a list', () => {
  it('is featured at the end or at a place, with a reason, once', () => {
    choice()
      .when(feature({ articleId: id(1).toUpperCase() }))
      .then(featured(1))
    choice(...three)
      .when(feature({ articleId: id(4) }))
      .then(featured(4))
    choice(...three)
      .when(feature({ articleId: id(4), place: 1, reason: ' Election day ' }))
      .then(featured(4, { place: 1, reason: 'Election day' }))
    choice(...three)
      .when(feature({ articleId: id(4), place: 99 }))
      .then(featured(4))
    expect(order(...three, featured(4, { place: 1 }))).toEqual([1, 4, 2, 3])
    expect(curatedList.exists?.FeatureArticle?.(feature({ articleId: id(1).toUpperCase() }), 'editors-choice')).toBe(
      `article-${id(1)}`,
    )
  })

  it('that stands there is not featured in another way', () => {
    choice(...three)
      .when(feature({ articleId: id(2) }))
      .thenNothing()
    choice(...three)
      .when(feature({ articleId: id(2), place: 1 }))
      .thenNothing()
    choice(...three)
      .when(feature({ articleId: id(2), place: 0 }))
      .thenThrows('already-featured', /place 1/)
    choice(...three)
      .when(feature({ articleId: id(2), until: days(1) }))
      .thenThrows('already-featured')
    choice(...three)
      .when(feature({ articleId: id(2), reason: 'x' }))
      .thenThrows('already-featured')
  })

  it('is taken off, with a reason', () => {
    choice(...three)
      .when(unfeature({ articleId: id(2), reason: ' Old ' }))
      .then(unfeatured(2, 'editor', 'Old'))
    choice()
      .when(unfeature({ articleId: id(2) }))
      .thenNothing()
  })

  it('is moved', () => {
    choice(...three)
      .when(move({ articleId: id(3), place: 0 }))
      .then(moved(3, 0))
    choice(...three)
      .when(move({ articleId: id(1), place: 9 }))
      .then(moved(1, 2))
    choice(...three)
      .when(move({ articleId: id(3), place: 2 }))
      .thenNothing()
    choice(...three)
      .when(move({ articleId: id(4), place: 2 }))
      .thenThrows('not-found')
    expect(order(...three, moved(1, 1))).toEqual([2, 1, 3])
  })

  it('stands in an order that names every entry once', () => {
    const ids = [3, 1, 2].map(id)
    choice(...three)
      .when(reorder({ articleIds: ids }))
      .then({ type: 'ListReordered', data: { articleIds: ids } })
    choice(...three)
      .when(reorder({ articleIds: [1, 2, 3].map(id) }))
      .thenNothing()
    for (const wrong of [[1, 2], [1, 2, 2, 3], [1, 2, 3, 4], []])
      choice(...three)
        .when(reorder({ articleIds: wrong.map(id) }))
        .thenThrows('invalid', /articleIds/)
  })
})

describe('a pinned article', () => {
  const held = [...three, pinned(2, 1)]

  it('stays at its place whatever is put before it', () => {
    choice(...three)
      .when(pin({ articleId: id(2) }))
      .then(pinned(2, 1))
    choice(...three)
      .when(pin({ articleId: id(2), place: 0 }))
      .then(pinned(2, 0))
    expect(order(...held, featured(4, { place: 0 }))).toEqual([4, 2, 1, 3])
    expect(order(...held, unfeatured(1))).toEqual([3, 2])
    expect(order(...held, unfeatured(1), unfeatured(3), featured(4, { place: 0 }))).toEqual([4, 2])
    choice(...held)
      .when(feature({ articleId: id(4), place: 1 }))
      .then(featured(4, { place: 2 }))
  })

  it('waits behind the others for a place that the list does not reach yet', () => {
    choice(...three)
      .when(pin({ articleId: id(1), place: 4 }))
      .then(pinned(1, 4))
    expect(order(...three, pinned(1, 4))).toEqual([2, 3, 1])
    expect(order(...three, pinned(1, 4), featured(4), featured(5, { place: 0 }))).toEqual([5, 2, 3, 4, 1])
  })

  it('is moved with its pin, and let go where it stands', () => {
    choice(...held)
      .when(move({ articleId: id(2), place: 2 }))
      .then(moved(2, 2))
    expect(order(...held, moved(2, 2), featured(4, { place: 0 }))).toEqual([4, 1, 2, 3])
    choice(...held)
      .when(unpin({ articleId: id(2) }))
      .then(pinned(2, null))
    choice(...three)
      .when(unpin({ articleId: id(2) }))
      .thenNothing()
    expect(order(...held, pinned(2, null), featured(4, { place: 0 }))).toEqual([4, 1, 2, 3])
  })

  it('has its place to itself', () => {
    choice(...held)
      .when(pin({ articleId: id(1), place: 1 }))
      .thenThrows('place-pinned', /unpin or move/)
    choice(...held, pinned(1, 0))
      .when(move({ articleId: id(1), place: 1 }))
      .thenThrows('place-pinned')
    reads(created(3), ...three)
      .when(pin({ articleId: id(1), place: 3 }))
      .thenThrows('invalid', /last place is 2/)
  })

  it('is pinned where a new order puts it', () => {
    const reordered: Event = { type: 'ListReordered', data: { articleIds: [2, 3, 1].map(id) } }
    expect(order(...held, reordered, featured(4, { place: 0 }))).toEqual([2, 4, 3, 1])
  })
})

describe('a full list', () => {
  it('drops the last one that is not pinned, on record', () => {
    reads(created(3), ...three)
      .when(feature({ articleId: id(4), place: 0 }))
      .then(unfeatured(3, 'capacity'), featured(4, { place: 0 }))
    reads(created(3), ...three)
      .when(feature({ articleId: id(4) }))
      .then(unfeatured(3, 'capacity'), featured(4, { place: 2 }))
    reads(created(3), ...three, pinned(3, 2))
      .when(feature({ articleId: id(4), place: 0 }))
      .then(unfeatured(2, 'capacity'), featured(4, { place: 0 }))
    reads(created(2), featured(1), featured(2), pinned(1, 0), pinned(2, 1))
      .when(feature({ articleId: id(4) }))
      .thenThrows('list-full', /pinned/)
  })

  it('drops what is over before anything else', () => {
    const over = featured(1, { until: days(-1) })
    reads(created(3), over, featured(2), featured(3), pinned(1, 0))
      .when(feature({ articleId: id(4), place: 1 }))
      .then(unfeatured(1, 'capacity'), featured(4, { place: 1 }))
  })

  it('drops the last ones when its capacity is lowered', () => {
    reads(created(), ...three)
      .when(change({ capacity: 1 }))
      .then({ type: 'ListChanged', data: { capacity: 1 } }, unfeatured(3, 'capacity'), unfeatured(2, 'capacity'))
  })

  it('without a capacity refuses: nobody said that anything may fall off', () => {
    const full = Array.from({ length: MAX_LIST }, (_, i) => featured(i + 1))
    choice(...full)
      .when(feature({ articleId: id(999) }))
      .thenThrows('list-full')
    choice(...full.slice(1), featured(1, { place: 0, until: days(-1) }))
      .when(feature({ articleId: id(999) }))
      .then(unfeatured(1, 'capacity'), featured(999, { place: MAX_LIST - 1 }))
  })
})

describe('from and until', () => {
  it('are times with an offset or by the clock of a zone', () => {
    choice()
      .when(
        feature({ articleId: id(1), from: '2026-03-29T01:30:00', until: '2026-04-01T08:00', zone: 'Europe/Berlin' }),
      )
      .then(featured(1, { from: '2026-03-29T00:30:00.000Z', until: '2026-04-01T06:00:00.000Z', zone: 'Europe/Berlin' }))
    choice()
      .when(feature({ articleId: id(1), until: '2026-04-01T08:00:00+02:00' }))
      .then(featured(1, { until: '2026-04-01T06:00:00.000Z' }))
    choice()
      .when(feature({ articleId: id(1), from: '2026-03-29T01:30:00' }))
      .thenThrows('invalid', /#\/from .*zone/)
    choice()
      .when(feature({ articleId: id(1), zone: 'Europe/Berlin' }))
      .thenThrows('invalid', /#\/zone/)
    choice()
      .when(feature({ articleId: id(1), until: '2026-04-01T08:00', zone: 'Europe/Atlantis' }))
      .thenThrows('invalid', /#\/zone/)
  })

  it('are some time, within ten years', () => {
    choice()
      .when(feature({ articleId: id(1), until: AT }))
      .thenThrows('invalid', /has passed/)
    choice()
      .when(feature({ articleId: id(1), from: days(2), until: days(2) }))
      .thenThrows('invalid', /not after/)
    choice()
      .when(feature({ articleId: id(1), from: days(3661) }))
      .thenThrows('invalid', /#\/from .*3660 days/)
    choice()
      .when(feature({ articleId: id(1), from: days(-5) }))
      .then(featured(1, { from: days(-5) }))
  })

  it('are changed, one by one', () => {
    const timed = featured(1, { from: days(1), until: days(2), zone: 'Asia/Tokyo' })
    choice(timed)
      .when(time({ articleId: id(1), until: days(3) }))
      .then({ type: 'ArticleFeatureTimed', data: { articleId: id(1), from: days(1), until: days(3), zone: null } })
    choice(timed)
      .when(time({ articleId: id(1), from: null }))
      .then({
        type: 'ArticleFeatureTimed',
        data: { articleId: id(1), from: null, until: days(2), zone: 'Asia/Tokyo' },
      })
    choice(timed)
      .when(time({ articleId: id(1), from: null }), { at: days(5) })
      .thenThrows('invalid', /has passed/)
    choice(timed)
      .when(time({ articleId: id(1) }))
      .thenNothing()
    choice(timed)
      .when(time({ articleId: id(2), until: days(3) }))
      .thenThrows('not-found')
  })

  it('that have passed leave the article free to be featured anew', () => {
    const over = [featured(1, { until: days(-1) }), featured(2), pinned(1, 0)]
    choice(...over)
      .when(feature({ articleId: id(1) }))
      .then(featured(1, { place: 1 }))
    expect(order(...over, featured(1, { place: 1 }))).toEqual([2, 1])
  })
})

describe('an earlier revision of a list', () => {
  const timed = featured(2, { from: days(1), until: days(2), zone: 'Asia/Tokyo', reason: 'The first of its kind' })
  const earlier = [created(3), featured(1), timed, pinned(2, 0)]
  const since: Event[] = [
    { type: 'ListChanged', data: { label: 'Reads', section: null, capacity: 1 } },
    unfeatured(1, 'capacity'),
    { type: 'ArticleFeatureTimed', data: { articleId: id(2), from: null, until: null, zone: null } },
    pinned(2, null),
  ]
  const then = reads(...earlier).state() as CuratedList
  const bringBack = (remembered: CuratedList, name = 'long-reads') =>
    Object.assign(new BringBackList(), { revision: 3, remembered: rememberedListOf(name, remembered) })
  const entry = (n: number, pin: number | null) => ({
    ...{ articleId: id(n), pin, from: null, until: null, zone: null, reason: null },
  })
  const restored: Event = {
    type: 'ListRestored',
    data: {
      restoredFrom: 3,
      ...{ label: 'Long reads', section: 'news', capacity: 3 },
      entries: [
        { ...entry(2, 0), from: days(1), until: days(2), zone: 'Asia/Tokyo', reason: 'The first of its kind' },
        entry(1, null),
      ],
    },
  }

  it('comes back whole: what it was, places, pins, times and reasons', () => {
    reads(...earlier, ...since)
      .when(bringBack(then))
      .then(restored)
    expect(reads(...earlier, ...since, restored).state()).toEqual(then)
  })

  it('changes nothing where the list is what it was', () => {
    reads(...earlier)
      .when(bringBack(then))
      .thenNothing()
    choice(unfeatured(1))
      .when(bringBack(choice().state() as CuratedList, 'editors-choice'))
      .thenNothing()
  })

  it('of a built-in list keeps its label', () => {
    choice(featured(1), unfeatured(1))
      .when(bringBack(choice(featured(1)).state() as CuratedList, 'editors-choice'))
      .then({
        type: 'ListRestored',
        data: { restoredFrom: 3, label: "Editor's choice", section: null, capacity: null, entries: [entry(1, null)] },
      })
  })
})
