// Streams that begin anew: what was before leaves the stream, commands are remembered or forgotten, and no cache of any
// process goes on from the old state.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { v4 } from 'uuid'
import { connectEventLog } from './event-store'
import { decoded, type EventLog, type LogEvent } from './event-log'
import { Unavailable } from './errors'
import { Aggregates } from './execute'
import {
  AddCoins,
  BreakJar,
  command,
  envelope,
  jars,
  OpenJar,
  PurgeJar,
  temporaryEventStore,
} from './testing/store.fixture.spec'

let store: Awaited<ReturnType<typeof temporaryEventStore>>
let log: EventLog
let here: Aggregates
/** Another process: it shares nothing but the store. */
let there: Aggregates
let key: string
beforeAll(async () => {
  store = await temporaryEventStore()
  log = connectEventLog({ url: store.url })
})
afterAll(async () => {
  await log.close()
  await store.remove()
})
beforeEach(async () => {
  here = new Aggregates(log)
  there = new Aggregates(log)
  key = v4()
  await here.execute(jars, 'OpenJar', command(OpenJar, { label: 'tips' }), envelope(key))
})

const add = (aggregates: Aggregates, coins: number, rest = {}) =>
  aggregates.execute(jars, 'AddCoins', command(AddCoins, { coins }), envelope(key, rest))
const purge = (aggregates: Aggregates, rest = {}) =>
  aggregates.execute(jars, 'PurgeJar', new PurgeJar(), envelope(key, rest))
const held = async () => {
  const events: LogEvent[] = []
  for await (const event of log.readStream(`jar-${key}`)) events.push(decoded(event))
  return events
}
/** Its revision: what is before is hidden. */
const firstHeld = async () => (await held())[0]?.revision

describe('a stream that begins anew', () => {
  test('holds nothing of before, goes on with its revisions, and is the same for every process', async () => {
    await add(here, 30)
    await there.load(jars, key)
    expect(await here.load(jars, key)).toMatchObject({ revision: 3, events: 4 })
    expect(await purge(here)).toMatchObject({ revision: 4 })
    expect((await held()).map(({ revision, type }) => [revision, type])).toEqual([[4, 'JarPurged']])
    // What `there` has in memory is older than all that the stream holds.
    for (const process of [here, there, new Aggregates(log)])
      expect(await process.load(jars, key)).toMatchObject({
        state: { label: 'purged', coins: 30 },
        revision: 4,
        events: 1,
      })
    expect(await add(there, 1)).toMatchObject({ revision: 5 })
    expect(await here.load(jars, key)).toMatchObject({ state: { coins: 31 }, revision: 5, events: 2 })
  })

  test('a command of another process that was decided on the old state is decided again', async () => {
    await there.load(jars, key)
    await purge(here)
    expect(await add(there, 2)).toMatchObject({ revision: 2, changed: true })
    expect(await new Aggregates(log).load(jars, key)).toMatchObject({ state: { label: 'purged', coins: 2 } })
  })

  test('remembers its commands: a repeat of one answers as it did the first time, in every process', async () => {
    const rest = { commandId: v4(), actor: 'an\nactor' }
    const first = await add(here, 20, rest)
    await purge(here)
    await purge(here)
    for (const process of [here, there, new Aggregates(log)])
      expect(await add(process, 20, rest)).toEqual({ ...first, replayed: true })
    expect(await held()).toHaveLength(1)
  })

  test('or forgets them', async () => {
    const rest = { commandId: v4() }
    await add(here, 20, rest)
    await here.execute(jars, 'BreakJar', new BreakJar(), envelope(key))
    const [event] = await held()
    expect(JSON.stringify(event)).not.toContain(rest.commandId)
    for (const process of [here, there]) await expect(add(process, 20, rest)).rejects.toThrow('no such jar')
  })

  test('cut short after its event, the same command ends it, and does not undo a later one', async () => {
    const rest = { commandId: v4() }
    const dies: EventLog = {
      append: (...args) => log.append(...args),
      truncateBefore: () => Promise.reject(new Unavailable('event store', 'gone')),
      readStream: (...args) => log.readStream(...args),
      lastOf: stream => log.lastOf(stream),
      readAll: options => log.readAll(options),
      subscribe: options => log.subscribe(options),
      end: () => log.end(),
      nothingAfter: (after, filter) => log.nothingAfter(after, filter),
      versionOf: type => log.versionOf(type),
      ping: () => log.ping(),
      close: () => log.close(),
    }
    await expect(purge(new Aggregates(dies, { patience: 10 }), rest)).rejects.toThrow(Unavailable)
    expect(await held()).toHaveLength(2)
    expect(await purge(there, rest)).toMatchObject({ revision: 1, replayed: true })
    expect(await held()).toHaveLength(1)
    await purge(there)
    expect(await firstHeld()).toBe(2)
    expect(await purge(there, rest)).toMatchObject({ revision: 1, replayed: true })
    expect(await firstHeld()).toBe(2)
  })
})
