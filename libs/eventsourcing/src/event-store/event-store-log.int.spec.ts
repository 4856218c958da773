// The adapter against a real event store: appends, reads, filters, subscriptions, and what happens when it is gone.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { binaryEvent } from '@eventstore/db-client'
import { v4 } from 'uuid'
import { Invalid, NotFound, Unavailable } from '../errors'
import { comparePositions } from '../event'
import { decoded, type EventLog, type EventToAppend, type LoggedEvent, type SubscriptionMessage } from '../event-log'
import { eventually, temporaryEventStore } from '../testing/store.fixture.spec'
import { openClient } from './client'
import { connectEventLog, type ObservedAppend } from './event-store-log'

let store: Awaited<ReturnType<typeof temporaryEventStore>>
let log: EventLog
const warnings: string[] = []
beforeAll(async () => {
  store = await temporaryEventStore()
  log = connectEventLog({ url: store.url, log: line => warnings.push(line) })
})
afterAll(async () => {
  await log.close()
  await store.remove()
})

const event = (type = 'Happened', data: object = { n: 1 }): EventToAppend => ({
  id: v4(),
  type,
  data,
  metadata: {
    $correlationId: 'c',
    $causationId: 'd',
    commandId: v4(),
    fingerprint: 'f',
    actor: 'a',
    at: '2026-01-02T03:04:05.000Z',
  },
})
const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}
const revisions = (events: LoggedEvent[]) => events.map(({ revision }) => revision)

describe('append and read', () => {
  test('answers revision and position of the last event, and reads back what was written', async () => {
    const first = event('Happened', { text: 'żółć 😀', lone: '\ud800', nested: [{ a: null }], left: undefined })
    const result = await log.append('room-1', -1, [first, event()])
    const events = await all(log.readStream('room-1'))
    expect(result).toEqual({ ok: true, revision: 1, position: events[1]?.position })
    expect(events[0]).toMatchObject({
      id: first.id,
      type: 'Happened',
      data: { text: 'żółć 😀', lone: '\ud800', nested: [{ a: null }] },
      stream: 'room-1',
      category: 'room',
      key: '1',
      revision: 0,
      at: '2026-01-02T03:04:05.000Z',
      metadata: { ...first.metadata, schemaVersion: 1 },
    })
    expect(await log.lastOf('room-1')).toEqual(events[1])
  })

  test('of one event thousands of times costs no call its connection', async () => {
    await log.append('room-often', -1, [event(), event('Happened', { text: 'x'.repeat(3_000) })])
    const failed = new Set<string>()
    const asking = async () => {
      for (let n = 0; n < 300; n++)
        try {
          expect((await log.lastOf('room-often'))?.revision).toBe(1)
          expect(await log.ping()).toBe(true)
        } catch (error) {
          failed.add(String(error))
        }
    }
    // Few at once: a call that waits for many others is given up after two seconds, and its connection is a sound one.
    await Promise.all(Array.from({ length: 8 }, asking))
    expect([...failed]).toEqual([])
  })

  test('tells the current revision when another writer was first', async () => {
    await log.append('room-2', -1, [event(), event(), event()])
    expect(await log.append('room-2', -1, [event()])).toEqual({ ok: false, current: 2 })
    expect(await log.append('room-2', 7, [event()])).toEqual({ ok: false, current: 2 })
    expect(await log.append('room-none', 7, [event()])).toEqual({ ok: false, current: -1 })
  })

  test('recognises a retry with the same ids at the same revision', async () => {
    const events = [event(), event()]
    const once = await log.append('room-3', -1, events)
    await log.append('room-3', 1, [event()])
    expect(await log.append('room-3', -1, events)).toEqual(once)
    expect(await all(log.readStream('room-3'))).toHaveLength(3)
  })

  test('reads nothing of a stream that does not exist, and parts of one that does', async () => {
    expect(await all(log.readStream('room-missing'))).toEqual([])
    expect(await log.lastOf('room-missing')).toBeNull()
    await log.append(
      'room-4',
      -1,
      Array.from({ length: 9 }, () => event()),
    )
    expect(revisions(await all(log.readStream('room-4', { from: 3, limit: 2 })))).toEqual([3, 4])
    expect(await all(log.readStream('room-4', { from: 9 }))).toEqual([])
  })

  test('refuses an event that cannot be recorded before anything is sent', async () => {
    await expect(log.append('room-5', -1, [event('Bad', { big: 1n })])).rejects.toThrow(TypeError)
    expect(await log.lastOf('room-5')).toBeNull()
  })
})

describe('what the log has beyond a position', () => {
  test('is found however often it is asked, from wherever, and whatever was appended in between', async () => {
    const categories = ['shore', 'flood', 'nowhere']
    const positions: (string | null)[] = [null]
    const ask = async () => {
      positions.push(await log.end())
      for (const category of categories) {
        const filter = { categories: [category] }
        const last = (await all(log.readAll({ filter }))).at(-1)?.position ?? null
        // Forwards and backwards, so that what is remembered fits and does not.
        for (const after of [...positions, last, ...[...positions].reverse()]) {
          const nothing = comparePositions(after, last) >= 0
          expect(await log.nothingAfter(after, filter)).toEqual(nothing ? { until: positions.at(-1) } : null)
        }
      }
    }
    await ask()
    for (const [shore, flood] of [
      [1, 0],
      [0, 3],
      [1, 600],
      [0, 600],
      [2, 1],
      [0, 0],
    ] as const) {
      // prettier-ignore
      for (const [category, count] of Object.entries({ shore, flood }))
        if (count > 0) await log.append(`${category}-${v4()}`, -1, Array.from({ length: count }, () => event()))
      await ask()
    }
  })

  test('is looked for by type', async () => {
    await log.append('kind-1', -1, [event('Second'), event('Third')])
    const [second, third] = await all(log.readStream('kind-1'))
    const looking = (type: string) =>
      log.nothingAfter(second?.position ?? null, { categories: ['kind'], types: [type] })
    expect(await looking('Third')).toBeNull()
    expect(await looking('Second')).toEqual({ until: third?.position })
  })
})

describe('limits and measures', () => {
  test('more than the store takes at once is Invalid, and nothing is written', async () => {
    const large = event('Large', { text: 'x'.repeat(1_100_000) })
    await expect(log.append('large-1', -1, [large])).rejects.toThrow(Invalid)
    expect(await log.lastOf('large-1')).toBeNull()
  })

  test('every append is observed with its outcome', async () => {
    const seen: ObservedAppend[] = []
    const observed = connectEventLog({ url: store.url, prefix: 'seen.', observe: append => seen.push(append) })
    await observed.append('a-1', -1, [event()])
    await observed.append('a-1', -1, [event()])
    await observed.append('a-1', 0, [event('Large', { text: 'x'.repeat(1_100_000) })]).catch(() => undefined)
    expect(seen.map(({ outcome }) => outcome)).toEqual(['ok', 'conflict', 'failed'])
    for (const { milliseconds } of seen) expect(milliseconds).toBeGreaterThan(0)
    await observed.close()
  })
})

describe('the whole log', () => {
  test('is read from a position on, backwards, by category, type and stream', async () => {
    const other = connectEventLog({ url: store.url, prefix: 'all.' })
    const written = ['a-1', 'b-1', 'a-2', 'b-2', 'a-1', 'c-1']
    for (const stream of written) {
      const at = (await other.lastOf(stream))?.revision ?? -1
      await other.append(stream, at, [event(stream.startsWith('a') ? 'Apple' : 'Berry')])
    }
    const events = await all(other.readAll({}))
    expect(events.map(({ stream }) => stream)).toEqual(written)
    const second = events[1]?.position ?? null
    const streams = async (options: Parameters<EventLog['readAll']>[0]) =>
      (await all(other.readAll(options))).map(({ stream }) => stream)
    expect(await streams({ after: second })).toEqual(['a-2', 'b-2', 'a-1', 'c-1'])
    expect(await streams({ after: second, limit: 2 })).toEqual(['a-2', 'b-2'])
    expect(await streams({ after: second, backwards: true })).toEqual(['a-1'])
    expect(await streams({ backwards: true, limit: 2 })).toEqual(['c-1', 'a-1'])
    expect(await streams({ filter: { categories: ['a'] } })).toEqual(['a-1', 'a-2', 'a-1'])
    expect(await streams({ filter: { types: ['Berry'] }, limit: 2 })).toEqual(['b-1', 'b-2'])
    expect(await streams({ filter: { categories: ['b', 'c'], types: ['Berry'] }, backwards: true, limit: 2 })).toEqual([
      'c-1',
      'b-2',
    ])
    expect(await streams({ stream: 'a-1' })).toEqual(['a-1', 'a-1'])
    expect(await streams({ stream: 'a-1', after: second })).toEqual(['a-1'])
    expect(await streams({ filter: { categories: [] } })).toEqual([])
    const end = events.at(-1)?.position
    expect(await other.end()).toBe(end)
    expect(await other.nothingAfter(second, { categories: ['a'] })).toBeNull()
    expect(await other.nothingAfter(events[4]?.position ?? null, { categories: ['a'] })).toEqual({ until: end })
    expect(await other.nothingAfter(null, { categories: ['z'] })).toEqual({ until: end })
    await expect(all(other.readAll({ after: '1' }))).rejects.toThrow(NotFound)
    await other.close()
  })

  test('a type filter without a prefix leaves the store its own events', async () => {
    await log.append('typed-1', -1, [event('Typed.One'), event('TypedXOne')])
    const types = (await all(log.readAll({ filter: { types: ['Typed.One'] } }))).map(({ type }) => type)
    expect(types).toEqual(['Typed.One'])
    expect((await all(log.readAll({}))).every(({ type }) => !type.startsWith('$'))).toBe(true)
  })
})

describe('subscriptions', () => {
  test('tell history, caught-up once and in its place, then what happens', async () => {
    const history = Array.from({ length: 1200 }, () => event())
    for (let at = 0; at < history.length; at += 300) await log.append('sub-1', at - 1, history.slice(at, at + 300))
    const abort = new AbortController()
    const seen: SubscriptionMessage[] = []
    const ended = (async () => {
      const filter = { categories: ['sub'] }
      for await (const message of log.subscribe({ after: null, filter, signal: abort.signal })) {
        seen.push(message)
        // A slow consumer: the caught-up message must not overtake what is buffered.
        if (seen.length % 50 === 0) await new Promise(resolve => setImmediate(resolve))
      }
    })()
    await eventually(() => seen.length === 1201)
    expect(seen.map(({ kind }) => kind).indexOf('caught-up')).toBe(1200)
    await log.append('sub-2', -1, [event()])
    await log.append('elsewhere-2', -1, [event()])
    await log.append('sub-3', -1, [event()])
    await eventually(() => seen.length === 1203)
    expect(seen.slice(-2).map(m => m.kind === 'event' && m.event.stream)).toEqual(['sub-2', 'sub-3'])
    abort.abort()
    await ended
  })

  test('begin after a position, and end by an error for one that is none', async () => {
    const events = await all(log.readAll({ filter: { categories: ['sub'] } }))
    const abort = new AbortController()
    const after = events.at(-2)?.position ?? null
    for await (const message of log.subscribe({ after, filter: { categories: ['sub'] }, signal: abort.signal })) {
      expect(message).toEqual({ kind: 'event', event: events.at(-1) })
      break
    }
    const wrong = all(log.subscribe({ after: '3', signal: abort.signal }))
    await expect(wrong).rejects.toThrow(NotFound)
  })
})

describe('neighbours on one store', () => {
  test('are never seen, whichever prefix begins with the other', async () => {
    const prefixes = ['', 'near.', 'near.by.']
    const logs = prefixes.map(prefix => connectEventLog({ url: store.url, prefix }))
    const before = await log.end()
    for (const [n, each] of logs.entries()) await each.append(`shared-${n}`, -1, [event()])
    for (const [n, each] of logs.entries()) {
      const seen = await all(each.readAll({ after: n === 0 ? before : null }))
      expect(seen.map(({ stream }) => stream)).toEqual([`shared-${n}`])
      expect(await all(each.readAll({ limit: 1, backwards: true }))).toEqual(seen)
      // The end is that of the store.
      expect(await each.end()).toBe(await log.end())
      for await (const message of each.subscribe({ after: before, signal: new AbortController().signal })) {
        if (message.kind === 'caught-up') break
        expect(message.event).toEqual(seen[0])
      }
      expect(await each.append(`shared-${n}.v2`, -1, [event()])).toMatchObject({ ok: true })
      expect((await all(each.readAll({ filter: { types: ['Happened'] } }))).at(-1)?.stream).toBe(`shared-${n}.v2`)
    }
    await Promise.all(logs.map(each => each.close()))
    for (const prefix of ['near', 'ne-ar.'])
      expect(() => connectEventLog({ url: store.url, prefix })).toThrow(RangeError)
  })
})

describe('upcasting', () => {
  test('an old shape is read as the newest one, a newer or unknown one as it is', async () => {
    await log.append('up-1', -1, [event('Priced', { euros: 3 })])
    const newer = connectEventLog({
      url: store.url,
      upcasters: [
        { type: 'Priced', from: 2, up: (data: { cents: number }) => ({ amount: data.cents, currency: 'EUR' }) },
        { type: 'Priced', from: 1, up: (data: { euros: number }) => ({ cents: data.euros * 100 }) },
      ],
    })
    await newer.append('up-1', 0, [event('Priced', { amount: 5, currency: 'GEL' })])
    const read = await all(newer.readStream('up-1'))
    expect(read.map(event => decoded(event).data)).toEqual([
      { amount: 300, currency: 'EUR' },
      { amount: 5, currency: 'GEL' },
    ])
    expect(read.map(({ metadata }) => metadata.schemaVersion)).toEqual([3, 3])
    // Code that does not know the newer version leaves it alone.
    expect((await log.lastOf('up-1'))?.metadata.schemaVersion).toBe(3)
    await newer.close()
  })

  test('what is no event comes with its place and its reason, and hides nothing that follows', async () => {
    await log.append('broken-1', -1, [event()])
    const raw = openClient(store.url)
    const data = new TextEncoder().encode('{"half":')
    await raw.appendToStream('broken-1', binaryEvent({ type: 'Half', data }))
    await raw.dispose()
    expect(await log.lastOf('broken-1')).toMatchObject({ type: 'Half', revision: 1 })
    expect(await log.append('broken-1', 0, [event()])).toEqual({ ok: false, current: 1 })
    await log.append('broken-1', 1, [event()])
    const filter = { categories: ['broken'] }
    const undecodable = expect.objectContaining({ message: expect.stringContaining('event 1 of stream broken-1') })
    const expected = [{ revision: 0 }, { revision: 1, key: '1', recorded: data, undecodable }, { revision: 2 }]
    expect(await all(log.readStream('broken-1'))).toMatchObject(expected)
    expect(await all(log.readAll({ filter }))).toMatchObject(expected)
    const followed: unknown[] = []
    for await (const message of log.subscribe({ after: null, filter, signal: new AbortController().signal })) {
      if (message.kind === 'caught-up') break
      followed.push(message.event)
    }
    expect(followed).toMatchObject(expected)
    const [first, , last] = await all(log.readStream('broken-1'))
    expect(await log.nothingAfter(first?.position ?? null, filter)).toBeNull()
    expect(await log.nothingAfter(last?.position ?? null, filter)).toEqual({ until: last?.position })
  })
})

describe('a store that goes away', () => {
  test('every call ends with Unavailable, and works again without a hand once it is back', async () => {
    await log.append('gone-1', -1, [event()])
    const abort = new AbortController()
    const followed = all(log.subscribe({ after: null, filter: { categories: ['gone'] }, signal: abort.signal }))
    const ended = followed.catch((thrown: unknown) => thrown)
    // Many writers at the moment of the end: each one settles, none ends the process.
    const writers = Array.from({ length: 300 }, (_, n) => log.append(`gone-w${n}`, -1, [event()]))
    const settled = Promise.allSettled(writers)
    await store.stop()
    for (const outcome of await settled) {
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(Unavailable)
    }
    expect(await ended).toBeInstanceOf(Unavailable)
    expect(await log.ping()).toBe(false)
    await expect(log.append('gone-1', 0, [event()])).rejects.toThrow(Unavailable)
    await expect(all(log.readStream('gone-1'))).rejects.toThrow(Unavailable)
    await expect(log.end()).rejects.toThrow(Unavailable)
    await store.start()
    await eventually(() => log.ping())
    await eventually(() =>
      log.append('gone-1', 0, [event()]).then(
        () => true,
        () => false,
      ),
    )
    expect(await all(log.readStream('gone-1'))).toHaveLength(2)
    // What was acknowledged is there.
    for (const [n, writer] of writers.entries()) {
      if (
        await writer.then(
          () => true,
          () => false,
        )
      )
        expect(await log.lastOf(`gone-w${n}`)).not.toBeNull()
    }
  })

  test('after closing, calls are refused and subscriptions end', async () => {
    const closing = connectEventLog({ url: store.url })
    const followed = all(closing.subscribe({ after: null, signal: new AbortController().signal })).catch(
      (e: unknown) => e,
    )
    expect(await closing.ping()).toBe(true)
    await closing.close()
    expect(await followed).toBeInstanceOf(Unavailable)
    await expect(closing.lastOf('gone-1')).rejects.toThrow(Unavailable)
    // The process's one appending client goes on for the others.
    expect(await log.append('gone-2', -1, [event()])).toMatchObject({ ok: true })
  })
})
