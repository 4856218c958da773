// Whatever is commanded in whatever order at whatever time: the order, the pins and the capacity of a list hold, no article
// stands twice, and readers see what a plain model of it shows.
import { describe, expect, it } from '@jest/globals'
import { StetError } from '@stet/eventsourcing'
import fc from 'fast-check'
import { type LiveContent } from '../article/content'
import { FoldedReadModels } from '../testing/read-models.fixture.spec'
import { AT, recorded, type Recorded, send } from '../testing/scenario.fixture.spec'
import {
  BringBackList,
  ChangeList,
  FeatureArticle,
  MoveArticle,
  PinArticle,
  ReorderList,
  TimeFeature,
  UnfeatureArticle,
  UnpinArticle,
} from './commands'
import { curatedLists, type ListDocument } from './curated-lists'
import { type CuratedList, evolveList, noList } from './entries'
import { GetList, listQuery } from './list-queries'
import { curatedList, rememberedListOf } from './lists'

const NAME = 'editors-choice'
const ARTICLES = 7
/** The last article is not live. */
const LIVE = ARTICLES - 1
const idOf = (n: number) => `3f0c1f5e-8a5d-4d5e-9a53-${String(n).padStart(12, '0')}`
const numberOf = (articleId: string) => Number(articleId.slice(-12))
const timeAt = (minute: number) => new Date(Date.parse(AT) + minute * 60_000).toISOString()

const as = <C extends object>(type: new () => C, fields: fc.Arbitrary<Partial<C>>) =>
  fields.map(given => Object.assign(new type(), given))
const articleId = fc.nat(ARTICLES - 1).map(idOf)
const place = fc.nat(4)
const bounds = {
  from: fc.option(fc.integer({ min: 1, max: 20 }).map(timeAt), { nil: null }),
  until: fc.option(fc.integer({ min: 15, max: 45 }).map(timeAt), { nil: null }),
}

const command: fc.Arbitrary<object> = fc.oneof(
  {
    weight: 4,
    arbitrary: as(FeatureArticle, fc.record({ articleId, place, ...bounds }, { requiredKeys: ['articleId'] })),
  },
  as(MoveArticle, fc.record({ articleId, place })),
  { weight: 2, arbitrary: as(PinArticle, fc.record({ articleId, place }, { requiredKeys: ['articleId'] })) },
  as(UnpinArticle, fc.record({ articleId })),
  as(TimeFeature, fc.record({ articleId, ...bounds }, { requiredKeys: ['articleId'] })),
  as(UnfeatureArticle, fc.record({ articleId })),
  as(ChangeList, fc.record({ capacity: fc.option(fc.integer({ min: 1, max: 5 }), { nil: null }) })),
)
/** An order is of what stands there, in the order of these numbers: it is made when its turn comes. */
const reordering = fc.array(fc.nat(99), { minLength: ARTICLES, maxLength: ARTICLES })
/** Which of the revisions before is brought back. */
const restoring = fc.record({ back: fc.nat(12) })
/** Clocks also jump back. */
const step = fc.record({
  next: fc.oneof({ weight: 6, arbitrary: command }, reordering, restoring),
  at: fc.nat(30).map(timeAt),
})

/** A list as somebody would keep it on paper: places with names on them, and the rest in a row. */
class PlainList {
  row: number[] = []
  pins = new Map<number, number>()
  times = new Map<number, { from: string | null; until: string | null }>()
  capacity: number | null = null

  /** Laid out: a pinned one at its place, or at the end where the list is too short; the others fill the gaps. */
  order(among: (n: number) => boolean = () => true): number[] {
    const row = this.row.filter(among)
    const pins = [...this.pins].filter(([n]) => among(n)).sort((a, b) => a[1] - b[1])
    const size = row.length + pins.length
    const slots = Array<number | undefined>(size).fill(undefined)
    for (const [n, at] of pins) if (at < size) slots[at] = n
    const waiting = pins.filter(([, at]) => at >= size).map(([n]) => n)
    for (const n of [...row, ...waiting]) slots[slots.indexOf(undefined)] = n
    return slots.map(n => n ?? -1)
  }

  isOver(n: number, at: string): boolean {
    const until = this.times.get(n)?.until ?? null
    return until !== null && until <= at
  }

  shown(at: string): number[] {
    return this.order(n => {
      const from = this.times.get(n)?.from ?? null
      return n < LIVE && !this.isOver(n, at) && (from === null || from <= at)
    })
  }

  remove(n: number): void {
    this.row = this.row.filter(other => other !== n)
    this.pins.delete(n)
    this.times.delete(n)
  }

  copy(): PlainList {
    return Object.assign(new PlainList(), {
      ...this,
      row: [...this.row],
      pins: new Map(this.pins),
      times: new Map(this.times),
    })
  }

  /** Before the first one of the row that stands at the place or behind it. */
  insert(n: number, at: number | null | undefined): void {
    const order = this.order()
    const behind = order.slice(at ?? order.length).find(other => this.row.includes(other))
    this.row.splice(behind === undefined ? this.row.length : this.row.indexOf(behind), 0, n)
  }

  makeRoom(room: number, at: string): void {
    const victims = this.order().reverse()
    const leaving = [
      ...victims.filter(n => this.isOver(n, at)),
      ...victims.filter(n => !this.isOver(n, at) && this.row.includes(n) && this.capacity !== null),
    ]
    for (const n of leaving.slice(0, Math.max(0, victims.length - room))) this.remove(n)
  }

  /** What a command that was accepted does. */
  apply(order: object, at: string): void {
    if (order instanceof ChangeList) {
      this.capacity = order.capacity ?? null
      if (this.capacity !== null) this.makeRoom(this.capacity, at)
      return
    }
    if (order instanceof ReorderList) {
      const order_ = order.articleIds.map(numberOf)
      if (order_.every((n, i) => n === this.order()[i])) return
      this.row = order_.filter(n => !this.pins.has(n))
      order_.forEach((n, i) => this.pins.has(n) && this.pins.set(n, i))
      return
    }
    const n = numberOf((order as { articleId: string }).articleId)
    const known = this.times.has(n)
    if (order instanceof FeatureArticle) {
      if (known && !this.isOver(n, at)) return
      this.remove(n)
      this.makeRoom((this.capacity ?? 500) - 1, at)
      this.insert(n, order.place)
      this.times.set(n, { from: order.from ?? null, until: order.until ?? null })
    } else if (order instanceof UnfeatureArticle) this.remove(n)
    else if (order instanceof MoveArticle && this.pins.has(n)) this.pins.set(n, order.place)
    else if (order instanceof MoveArticle) {
      const times = this.times.get(n)
      this.remove(n)
      this.insert(n, order.place)
      if (times) this.times.set(n, times)
    } else if (order instanceof PinArticle) {
      const at = order.place ?? this.pins.get(n) ?? this.order().indexOf(n)
      this.row = this.row.filter(other => other !== n)
      this.pins.set(n, at)
    } else if (order instanceof UnpinArticle && this.pins.has(n)) {
      const at = this.order().indexOf(n)
      const order_ = this.order()
      this.pins.delete(n)
      this.row = order_.filter((other, i) => i === at || !this.pins.has(other))
    } else if (order instanceof TimeFeature) {
      const times = this.times.get(n) ?? { from: null, until: null }
      this.times.set(n, {
        from: order.from === undefined ? times.from : order.from,
        until: order.until === undefined ? times.until : order.until,
      })
    }
  }
}

const fold = (events: readonly Recorded[]): CuratedList =>
  events.reduce<CuratedList>((list, event) => evolveList(list, event as Parameters<typeof evolveList>[1]), noList)

const live = (n: number): Recorded[] => {
  const section = { slug: 'news', name: 'News' }
  const data = { headline: `H${n}`, section, summary: null, image: null, tags: [], authors: [], slug: `h-${n}` }
  const rest = { publishedAt: AT, language: 'en', source: { outlet: 'G', contributors: [] }, bodyHtml: '' }
  return recorded(`article-${idOf(n)}`, [
    { type: 'ArticlePublished', data: { ...data, ...rest } as unknown as LiveContent },
  ])
}
const articles = Array.from({ length: LIVE }, (_, n) => live(n)).flat()
const query = Object.assign(new GetList(), { list: NAME, limit: 100 })
const definition = listQuery({ url: 'https://news.example' })

describe('a curated list under any commands', () => {
  it('is what a plain model of it is: order, pins, capacity, no article twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), fc.nat(46).map(timeAt), async (steps, asOf) => {
        let history: Recorded[] = []
        let plain = new PlainList()
        const past: { revision: number; plain: PlainList }[] = []
        for (const [index, { next, at }] of steps.entries()) {
          const before = fold(history)
          const then = 'back' in next ? past.at(-1 - (next.back % Math.max(1, past.length))) : undefined
          if ('back' in next && !then) continue
          const sent = then ? bringBack(history, then.revision) : Array.isArray(next) ? reorder(before, next) : next
          const run = (commandId: string) => send(curatedList, NAME, history, sent, { commandId, at }).decide()
          let events
          try {
            events = run(`c${index}`)
          } catch (refusal) {
            if (!(refusal instanceof StetError)) throw refusal
            continue
          }
          history = [...history, ...recorded(`list-${NAME}`, events, { from: history.length, at })]
          if (then) plain = then.plain.copy()
          else plain.apply(sent, at)
          past.push({ revision: history.length - 1, plain: plain.copy() })
          const state = fold(history)
          const ids = state.entries.map(({ articleId }) => articleId)
          expect(ids.map(numberOf)).toEqual(plain.order())
          expect(new Set(ids).size).toBe(ids.length)
          expect(ids.length).toBeLessThanOrEqual(state.capacity ?? ARTICLES)
          for (const [place, { pin }] of state.entries.entries())
            if (pin !== null && pin < ids.length) expect(place).toBe(pin)
          // The same again changes nothing, and what was told is where it stands.
          expect(run('again')).toEqual([])
          for (const { type, data } of events)
            if (type === 'ArticleFeatured' || (type === 'ArticleMoved' && data.place < ids.length))
              expect(ids[data.place]).toBe(data.articleId)
        }
        const read = new FoldedReadModels([...articles, ...history])
        const document = await read.of<ListDocument>(curatedLists).get(NAME)
        expect(document?.entries ?? []).toEqual(fold(history).entries)
        const { items } = await definition.answer(query, read, new Date(asOf))
        expect(items.map(({ id }) => numberOf(id))).toEqual(plain.shown(asOf))
        // Until the time that the answer names nothing of it changes; without one it never does by itself.
        const turn = read.turns.sort().at(0)
        if (turn !== undefined) {
          const last = await definition.answer(query, read, new Date(Date.parse(turn) - 1))
          expect(last.items).toEqual(items)
        } else expect((await definition.answer(query, read, new Date('2999-01-01'))).items).toEqual(items)
      }),
      { numRuns: 200 },
    )
  })
})

const bringBack = (history: readonly Recorded[], revision: number): BringBackList =>
  Object.assign(new BringBackList(), {
    revision,
    remembered: rememberedListOf(NAME, fold(history.slice(0, revision + 1))),
  })

const reorder = ({ entries }: CuratedList, keys: readonly number[]): ReorderList => {
  const ids = entries.map(({ articleId }, i) => ({ articleId, key: keys[i] ?? 0 }))
  return Object.assign(new ReorderList(), {
    articleIds: ids.sort((a, b) => a.key - b.key).map(({ articleId }) => articleId),
  })
}
