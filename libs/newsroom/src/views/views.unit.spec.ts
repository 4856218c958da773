// Which views count: bots, prefetches, repeats, visitors, rates; and what the log gets of those that do.
import { describe, expect, it } from '@jest/globals'
import { validateSync } from 'class-validator'
import fc from 'fast-check'
import { classifyDevice, classifyReferrer, isPrefetch, networkOf } from './classify'
import { RecentHashes } from './recent'
import { type ViewContext, ViewDto } from './view'
import { MOST_ENTRIES, seenHashOf, ViewCounter, type ViewCounterOptions, VISITOR_WINDOW } from './view-counter'

const CHROME =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36'
const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1'
const ANDROID_TABLET =
  'Mozilla/5.0 (Linux; Android 15; SM-X910) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36'
const GOOGLEBOT = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'

const NOON = Date.UTC(2026, 4, 1, 12)
const idOf = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
const ARTICLE = idOf(1)

let salts = 0
const counterOf = (options: Partial<ViewCounterOptions> = {}) =>
  new ViewCounter({ siteUrl: 'https://news.example', newSalt: () => Buffer.from(`salt ${salts++}`), ...options })
const reader = (number: number, context: Partial<ViewContext> = {}): ViewContext => ({
  ip: `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`,
  userAgent: CHROME,
  ...context,
})
const outcome = (counter: ViewCounter, view: Partial<ViewDto>, context: ViewContext, now = NOON) =>
  counter.accept({ articleId: ARTICLE, ...view }, context, now).outcome
const settle = (counter: ViewCounter, as: 'durable' | 'lost') => {
  const batch = counter.take()
  if (batch) counter.settle(batch, as)
}

describe('kinds', () => {
  it.each([
    [undefined, 'direct'],
    [' ', 'direct'],
    ['https://news.example/a', 'internal'],
    ['https://www.news.example:8080/', 'internal'],
    ['https://news.example.evil.test/', 'other'],
    ['https://www.google.co.uk/search?q=a', 'search'],
    ['https://google.com', 'search'],
    ['https://r.search.yahoo.com/', 'search'],
    ['android-app://com.google.android.googlequicksearchbox/', 'search'],
    ['https://notgoogle.example/', 'other'],
    ['https://l.facebook.com/l.php', 'social'],
    ['https://t.co/x', 'social'],
    ['https://notfacebook.com/', 'other'],
    ['https://user@x.com/', 'social'],
    ['not a url', 'other'],
    ['https://[::1', 'other'],
  ])('of referrer: %s is %s', (referrer, kind) => {
    expect(classifyReferrer(referrer, 'https://news.example')).toBe(kind)
  })

  it('of device', () => {
    expect([CHROME, IPHONE, ANDROID_TABLET, 'Roku/DVP', undefined].map(classifyDevice)).toEqual([
      'desktop',
      'mobile',
      'tablet',
      'other',
      'other',
    ])
  })

  it('of network', () => {
    expect(
      ['192.0.2.7', '::ffff:192.0.2.9', '2001:db8::1', '2001:0DB8:0:ff::2', '127.0.0.1', '::1'].map(networkOf),
    ).toEqual(['192.0.2', '192.0.2', '2001:db8:0', '2001:db8:0', null, null])
  })

  it('of purpose', () => {
    expect(['prefetch;prerender', 'prefetch', 'Preview', '', undefined].map(isPrefetch)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ])
  })
})

describe('a view', () => {
  it('is checked as it is submitted', () => {
    const flaws = (view: object) => validateSync(Object.assign(new ViewDto(), view)).map(({ property }) => property)
    expect(flaws({ articleId: ARTICLE, viewId: ARTICLE, referrer: 'https://a.example' })).toEqual([])
    expect(flaws({ articleId: 'x', viewId: 7, referrer: 'x'.repeat(2_049) })).toEqual([
      'articleId',
      'viewId',
      'referrer',
    ])
  })

  it('of a bot, a missing user agent, a data centre or a prefetch does not count', () => {
    const counter = counterOf({ isDatacentre: ip => ip.startsWith('10.9.') })
    expect(outcome(counter, {}, reader(1, { userAgent: GOOGLEBOT }))).toBe('bot')
    expect(outcome(counter, {}, reader(1, { userAgent: undefined }))).toBe('bot')
    expect(outcome(counter, {}, reader(1, { ip: '10.9.0.1' }))).toBe('datacentre')
    expect(outcome(counter, {}, reader(1, { purpose: 'prefetch' }))).toBe('prefetch')
    expect(counter.take()).toBeNull()
    expect(counter.notCounted).toEqual({ bot: 2, datacentre: 1, prefetch: 1, repeat: 0, visitor: 0, rate: 0 })
  })

  it('counts once per view id, also after a restart that learnt what the log has seen', () => {
    const counter = counterOf()
    expect(outcome(counter, { viewId: idOf(7) }, reader(1))).toBe('counted')
    expect(outcome(counter, { viewId: idOf(7).toUpperCase() }, reader(2))).toBe('repeat')
    const batch = counter.take()!
    expect(outcome(counter, { viewId: idOf(7) }, reader(2))).toBe('repeat')
    counter.settle(batch, 'durable')
    expect(outcome(counter, { viewId: idOf(7) }, reader(2), NOON + 60_000)).toBe('repeat')
    const restarted = counterOf()
    for (const { seen } of batch.events()) restarted.learn(seen ?? '', NOON)
    expect(outcome(restarted, { viewId: idOf(7) }, reader(2), NOON + 60_000)).toBe('repeat')
    expect(outcome(restarted, { viewId: idOf(8) }, reader(2), NOON + 60_000)).toBe('counted')
  })

  it('may come again when its batch was lost', () => {
    const counter = counterOf()
    expect(outcome(counter, { viewId: idOf(7) }, reader(1))).toBe('counted')
    settle(counter, 'lost')
    expect(outcome(counter, { viewId: idOf(7) }, reader(1))).toBe('counted')
  })

  it('that repeats one on its way is answered with it', () => {
    const counter = counterOf()
    const first = counter.accept({ articleId: ARTICLE, viewId: idOf(7) }, reader(1), NOON)
    const batch = counter.take()
    expect(counter.accept({ articleId: ARTICLE, viewId: idOf(7) }, reader(2), NOON).batch).toBe(batch)
    expect(counter.accept({ articleId: ARTICLE }, reader(1), NOON)).toEqual({ outcome: 'visitor', batch })
    expect(first.batch).toBe(batch)
    counter.settle(batch!, 'durable')
    expect(counter.accept({ articleId: ARTICLE }, reader(1), NOON).batch).toBeNull()
  })
})

describe('a visitor', () => {
  it('counts once per article in half an hour, over midnight too', () => {
    for (const start of [NOON, Date.UTC(2026, 4, 1, 23, 50)]) {
      const counter = counterOf()
      expect(outcome(counter, {}, reader(1), start)).toBe('counted')
      settle(counter, 'durable')
      expect(outcome(counter, {}, reader(1), start + VISITOR_WINDOW - 1_000)).toBe('visitor')
      expect(outcome(counter, {}, reader(1, { userAgent: IPHONE }), start)).toBe('counted')
      expect(outcome(counter, { articleId: idOf(2) }, reader(1), start)).toBe('counted')
      expect(outcome(counter, {}, reader(1), start + VISITOR_WINDOW)).toBe('counted')
    }
  })

  it('who asks not to be tracked is counted without a hash', () => {
    const counter = counterOf()
    for (let i = 0; i < 3; i++) expect(outcome(counter, {}, reader(1, { unhashed: true }))).toBe('counted')
    expect(outcome(counter, {}, reader(1))).toBe('counted')
  })

  it('has a new hash each day', () => {
    let asked = 0
    const counter = counterOf({ newSalt: () => Buffer.from(`day ${asked++}`) })
    for (let hour = 0; hour < 72; hour++) outcome(counter, {}, reader(1), NOON + hour * 3_600_000)
    expect(asked).toBe(4)
  })

  it('shares a rate with its network', () => {
    const counter = counterOf({ ratePerNetwork: 3 })
    const outcomes = Array.from({ length: 5 }, (_, i) => outcome(counter, {}, reader(i)))
    expect(outcomes).toEqual(['counted', 'counted', 'counted', 'rate', 'rate'])
    expect(outcome(counter, {}, reader(256))).toBe('counted')
    expect(outcome(counter, {}, reader(5), NOON + 60_000)).toBe('counted')
    expect(outcome(counter, {}, reader(6, { ip: '127.0.0.1' }))).toBe('counted')
  })
})

describe('a batch', () => {
  it('holds coarse counts by minute, no more than a thousand entries an event, and nobody', () => {
    const counter = counterOf({ ratePerNetwork: 10_000 })
    for (let i = 0; i < 1_500; i++) {
      outcome(counter, { articleId: idOf(i), viewId: idOf(i) }, reader(i, { country: i % 2 ? 'AM' : 'nowhere' }))
    }
    outcome(counter, { articleId: idOf(3) }, reader(9_000, { country: 'AM' }))
    outcome(
      counter,
      { articleId: idOf(3), referrer: 'https://t.co/' },
      reader(9_001, { userAgent: IPHONE }),
      NOON + 60_000,
    )
    const events = counter.take()!.events()
    expect(events.map(({ minute, views, seen }) => [minute, views.length, seen?.length])).toEqual([
      ['2026-05-01T12:00:00.000Z', MOST_ENTRIES, 1_500 * 11],
      ['2026-05-01T12:00:00.000Z', 500, undefined],
      ['2026-05-01T12:01:00.000Z', 1, undefined],
    ])
    expect(events[0]?.views[3]).toEqual([idOf(3), 2, 'direct', 'desktop', 'AM'])
    expect(events[2]?.views[0]).toEqual([idOf(3), 1, 'social', 'mobile', ''])
    expect(events[0]?.seen?.startsWith(seenHashOf(idOf(0)))).toBe(true)
    expect(JSON.stringify(events)).not.toMatch(/10\.0\.|Mozilla|t\.co/)
  })

  it('loses no view and counts none twice, whatever is settled how', () => {
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.record({ view: fc.nat(12), reader: fc.nat(3) }) },
      { weight: 1, arbitrary: fc.constantFrom('durable' as const, 'lost' as const) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), steps => {
        const counter = counterOf()
        const durable = new Set<number>()
        let waiting = new Set<number>()
        let recorded = 0
        for (const one of steps) {
          if (typeof one === 'string') {
            const batch = counter.take()
            if (!batch) continue
            const counted = batch.events().flatMap(({ views }) => views.map(([, count]) => count))
            counter.settle(batch, one)
            if (one === 'durable') {
              recorded += counted.reduce((sum, count) => sum + count, 0)
              for (const view of waiting) durable.add(view)
            }
            waiting = new Set()
          } else {
            const known = durable.has(one.view) || waiting.has(one.view)
            const got = outcome(counter, { viewId: idOf(one.view) }, reader(one.reader, { unhashed: true }))
            expect(got).toBe(known ? 'repeat' : 'counted')
            if (!known) waiting.add(one.view)
          }
        }
        expect(recorded).toBe(durable.size)
      }),
    )
  })
})

describe('memory of what happened lately', () => {
  it('keeps hashes for its time and forgets them after four times that', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ hash: fc.integer({ min: 1, max: 2 ** 48 }), wait: fc.nat(400) }), { maxLength: 60 }),
        steps => {
          const recent = new RecentHashes(10_000, 1_000_000)
          const last = new Map<number, number>()
          let now = NOON
          for (const { hash, wait } of steps) {
            now += wait * 1_000
            for (const [known, at] of last) {
              if (now - at < 1_000_000) expect(recent.at(known)).toBe(at)
            }
            recent.remember(hash, now)
            last.set(hash, now)
            for (const [known, at] of last) if (now - at >= 4_000_000) expect(recent.at(known)).toBeUndefined()
          }
        },
      ),
    )
  })

  it('is bounded, and what it forgets first is the oldest', () => {
    const recent = new RecentHashes(5_000, 1_000_000)
    for (let hash = 1; hash <= 50_000; hash++) recent.remember(hash, NOON)
    expect(recent.at(1)).toBeUndefined()
    for (let hash = 48_000; hash <= 50_000; hash++) expect(recent.at(hash)).toBe(NOON)
  })
})
