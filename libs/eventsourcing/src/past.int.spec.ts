// What was: states as of a revision, commands that were written on one, and repeats after thousands of events.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { StaleRevision } from './errors'
import { connectEventLog } from './event-store'
import { decoded, type EventLog, type EventToAppend } from './event-log'
import { Aggregates } from './execute'
import { AddCoins, command, envelope, type Jar, jars, OpenJar, temporaryEventStore } from './testing/store.fixture.spec'

let store: Awaited<ReturnType<typeof temporaryEventStore>>
let log: EventLog
let here: Aggregates
/** Another process: it shares nothing but the store. */
let there: Aggregates
beforeAll(async () => {
  store = await temporaryEventStore()
  log = connectEventLog({ url: store.url })
})
afterAll(async () => {
  await log.close()
  await store.remove()
})
beforeEach(() => {
  here = new Aggregates(log)
  there = new Aggregates(log)
})

/** Coins may be added by whoever had seen fewer of them; not by whoever had seen more than ten. */
const merging = {
  ...jars,
  merge: {
    AddCoins: ({ coins }: AddCoins, seen: Jar, jar: Jar, context: { expected: number; revision: number }) => {
      if (seen.coins > 10) throw new StaleRevision(context.expected, context.revision, ['coins'])
      return coins === 0
        ? []
        : [{ type: 'CoinsAdded', data: { coins, note: `${seen.coins} of ${jar.coins}, from ${context.expected}` } }]
    },
  },
}

const open = (aggregates: Aggregates, key: string) =>
  aggregates.execute(jars, 'OpenJar', command(OpenJar, { label: 'tips' }), envelope(key))
const add = (aggregates: Aggregates, key: string, coins: number, rest = {}) =>
  aggregates.execute(merging, 'AddCoins', command(AddCoins, { coins }), envelope(key, rest))
const last = async (key: string) => {
  const event = await log.lastOf(`jar-${key}`)
  return event && decoded(event).data
}

/** A jar of as many events. */
const longJar = async (events: number): Promise<string> => {
  const key = randomUUID()
  await open(here, key)
  const coin = (): EventToAppend => {
    const id = randomUUID()
    const metadata = { $correlationId: id, $causationId: id, commandId: id, fingerprint: 'f', actor: 'a', at: 'now' }
    return { id, type: 'CoinsAdded', data: { coins: 1 }, metadata }
  }
  for (let at = 0; at < events - 1; at += 500)
    await log.append(`jar-${key}`, at, Array.from({ length: Math.min(500, events - 1 - at) }, coin))
  return key
}

describe('a state as of a revision', () => {
  test('is what the stream had come to then, whatever is kept of it now', async () => {
    const key = randomUUID()
    await open(here, key)
    for (const coins of [1, 2, 3]) await add(here, key, coins)
    const states = await here.asOf<Jar>(jars, key, [2, 0, 2, 3, 4, -1])
    expect(states.map(state => state?.state.coins)).toEqual([3, 0, 3, 6, undefined, undefined])
    expect(states.map(state => state?.revision)).toEqual([2, 0, 2, 3, undefined, undefined])
    expect((await here.load<Jar>(jars, key))?.state.coins).toBe(6)
    expect(await add(here, key, 4)).toMatchObject({ revision: 4 })
  })

  test('is the same in whatever order they are asked for', async () => {
    const key = await longJar(40)
    const asked = [7, 3, 7, 30, 29, 31, 39, 40, 0, 39]
    for (const revision of asked) {
      const [found] = await here.asOf<Jar>(jars, key, [revision])
      expect([revision, found?.revision, found?.state.coins]).toEqual(
        revision === 40 ? [40, undefined, undefined] : [revision, revision, revision],
      )
    }
    const pair = await here.asOf<Jar>(jars, key, [2, 39])
    expect(pair.map(found => found?.state.coins)).toEqual([2, 39])
    await add(here, key, 5)
    expect((await here.asOf<Jar>(jars, key, [40]))[0]?.state.coins).toBe(44)
  })

  test('is nothing where there is no stream', async () => {
    expect(await here.asOf(jars, randomUUID(), [0, 7])).toEqual([null, null])
    expect(await here.asOf(jars, randomUUID(), [])).toEqual([])
  })

  test('is read while commands go on, also by many at once', async () => {
    const key = await longJar(2_000)
    const asked = Promise.all(Array.from({ length: 20 }, (_, i) => here.asOf<Jar>(jars, key, [100 * i])))
    await Promise.all(Array.from({ length: 20 }, () => add(here, key, 1)))
    expect((await asked).map(([found]) => found?.state.coins)).toEqual(Array.from({ length: 20 }, (_, i) => 100 * i))
    expect((await here.load<Jar>(jars, key))?.state.coins).toBe(1_999 + 20)
  })
})

describe('a command on a revision that is no longer current', () => {
  test('is refused, unless its sender allows a merge and the decider knows how', async () => {
    const key = randomUUID()
    await open(here, key)
    await add(here, key, 5)
    await expect(add(here, key, 1, { expected: 0 })).rejects.toThrow(StaleRevision)
    await expect(
      here.execute(jars, 'AddCoins', command(AddCoins, { coins: 1 }), envelope(key, { expected: 0, merge: true })),
    ).rejects.toThrow(StaleRevision)
    expect(await add(here, key, 1, { expected: 0, merge: true })).toMatchObject({ revision: 2, merged: true })
    expect(await last(key)).toEqual({ coins: 1, note: '0 of 5, from 0' })
    // What was not stale was not merged.
    expect(await add(here, key, 1, { expected: 2, merge: true })).not.toHaveProperty('merged')
    // A revision that is not there yet was never seen.
    await expect(add(here, key, 1, { expected: 9, merge: true })).rejects.toThrow(StaleRevision)
  })

  test('is merged with what another process has written, also while it is decided', async () => {
    const key = randomUUID()
    await open(here, key)
    await add(here, key, 1)
    const others = Array.from({ length: 10 }, () => add(there, key, 1))
    const outcomes = Array.from({ length: 3 }, () => add(here, key, 1, { expected: 0, merge: true }))
    await Promise.all([...others, ...outcomes])
    expect((await there.load<Jar>(jars, key))?.state.coins).toBe(14)
  })

  test('that conflicts names what conflicts, and leaves nothing', async () => {
    const key = randomUUID()
    await open(here, key)
    await add(here, key, 10)
    await add(here, key, 10)
    await add(here, key, 10)
    await expect(add(here, key, 1, { expected: 2, merge: true })).rejects.toMatchObject({
      expected: 2,
      current: 3,
      conflicts: ['coins'],
    })
    expect((await here.load(jars, key))?.revision).toBe(3)
  })

  test('answers a repeat as the first time, whatever has happened since, in another process too', async () => {
    const key = randomUUID()
    await open(here, key)
    await add(here, key, 5)
    const sent = { commandId: randomUUID(), expected: 0, merge: true } as const
    const first = await add(here, key, 1, sent)
    await add(here, key, 30)
    for (const process of [here, there, new Aggregates(log)])
      expect(await add(process, key, 1, sent)).toEqual({ ...first, replayed: true })
    expect((await here.load<Jar>(jars, key))?.state.coins).toBe(36)
  })
})

test('a repeat is known for ever: after 5,000 events and a restart it has no effect', async () => {
  const key = randomUUID()
  const sent = { commandId: randomUUID() }
  await open(here, key)
  const first = await add(here, key, 7, sent)
  for (let at = first.revision; at < 5_000; at += 250) await add(there, key, 2_500)
  const restarted = new Aggregates(log)
  expect(await add(restarted, key, 7, sent)).toEqual({ ...first, replayed: true })
  await expect(add(restarted, key, 8, sent)).rejects.toMatchObject({ code: 'idempotency-key-reused' })
  expect((await log.lastOf(`jar-${key}`))?.revision).toBeGreaterThanOrEqual(5_000)
})
