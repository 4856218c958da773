// The command side on a real event store: repeats, races, stale revisions, reservations, outages.
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { v4 } from 'uuid'
import { type CommandOutcome } from './decider'
import {
  CommandIdReused,
  Contended,
  Forbidden,
  NotFound,
  RuleBroken,
  StaleRevision,
  Unavailable,
  UndecodableEvent,
} from './errors'
import { connectEventLog } from './event-store'
import { decoded, type EventLog, type LogEvent } from './event-log'
import { Aggregates } from './execute'
import {
  AddCoins,
  command,
  envelope,
  type Jar,
  jars,
  NameJar,
  OpenJar,
  PourFrom,
  temporaryEventStore,
} from './testing/store.fixture.spec'

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
afterEach(() => {
  here = new Aggregates(log)
  there = new Aggregates(log)
})
beforeAll(() => {
  here = new Aggregates(log)
  there = new Aggregates(log)
})

let jarsMade = 0
const newJar = () => `${++jarsMade}-${Math.trunc(performance.now())}`
const open = (aggregates: Aggregates, key: string, rest = {}) =>
  aggregates.execute(jars, 'OpenJar', command(OpenJar, { label: 'tips' }), envelope(key, rest))
const add = (aggregates: Aggregates, key: string, coins: number, rest = {}) =>
  aggregates.execute(jars, 'AddCoins', command(AddCoins, { coins }), envelope(key, rest))
const name = (aggregates: Aggregates, key: string, wanted: string, fields = {}, rest = {}) =>
  aggregates.execute(jars, 'NameJar', command(NameJar, { name: wanted, ...fields }), envelope(key, rest))
const eventsOf = async (stream: string) => {
  const events: LogEvent[] = []
  for await (const event of log.readStream(stream)) events.push(decoded(event))
  return events
}

describe('one command', () => {
  test('records its events with deterministic ids and full metadata, and answers where they stand', async () => {
    const key = newJar()
    await open(here, key)
    const sent = envelope(key, { causationId: 'cause-1', client: 'desk-tool', expected: 0 })
    const outcome = await here.execute(jars, 'AddCoins', command(AddCoins, { coins: 25 }), sent)
    const events = await eventsOf(`jar-${key}`)
    expect(events.map(({ data }) => data)).toEqual([{ label: 'tips' }, { coins: 10 }, { coins: 10 }, { coins: 5 }])
    expect(outcome).toEqual({ id: key, revision: 3, position: events[3]?.position, replayed: false, changed: true })
    expect(events[3]?.metadata).toMatchObject({
      $correlationId: 'correlation-1',
      $causationId: 'cause-1',
      commandId: sent.commandId,
      actor: 'editor-1',
      at: sent.at,
      client: 'desk-tool',
      expected: 0,
      schemaVersion: 1,
    })
    // What was not said is not recorded.
    for (const absent of ['client', 'expected']) expect(events[0]?.metadata).not.toHaveProperty(absent)
    expect(new Set(events.map(({ id }) => id)).size).toBe(4)
  })

  test('that changes nothing answers the last position and is not recorded', async () => {
    const key = newJar()
    const opened = await open(here, key)
    const again = await open(here, key)
    expect(again).toEqual({ ...opened, changed: false })
    expect(await eventsOf(`jar-${key}`)).toHaveLength(1)
  })

  test('is refused by the domain, and by what must exist', async () => {
    await expect(add(here, newJar(), 1)).rejects.toThrow(NotFound)
    const key = newJar()
    await open(here, key)
    await expect(add(here, key, 2_000_000)).rejects.toThrow(RuleBroken)
    const pour = (jar: string) => here.execute(jars, 'PourFrom', command(PourFrom, { jar }), envelope(key))
    await expect(pour('nowhere')).rejects.toThrow(new NotFound('there is no jar-nowhere'))
    expect(await pour(key)).toMatchObject({ revision: 1 })
  })

  test('that expects another revision is stale, also against another process', async () => {
    const key = newJar()
    await open(here, key)
    await add(there, key, 5, { expected: 0 })
    await expect(add(here, key, 5, { expected: 0 })).rejects.toThrow(new StaleRevision(0, 1))
    expect(await add(here, key, 5, { expected: 1 })).toMatchObject({ revision: 2 })
    await expect(add(here, key, 5, { expected: 9 })).rejects.toThrow(new StaleRevision(9, 2))
  })
})

describe('repeats', () => {
  test('answer as the first time did: at once, from another process, after a restart, with a revision that is stale by now', async () => {
    const key = newJar()
    await open(here, key)
    const commandId = '3b1f8a52-8a3e-4a55-9e0c-0e3e6c1f2a10'
    const first = await add(here, key, 25, { commandId, expected: 0 })
    await add(here, key, 1)
    const replayed = { ...first, replayed: true }
    expect(await add(here, key, 25, { commandId, expected: 0 })).toEqual(replayed)
    expect(await add(there, key, 25, { commandId, expected: 0 })).toEqual(replayed)
    expect(await add(new Aggregates(log), key, 25, { commandId })).toEqual(replayed)
    expect(await eventsOf(`jar-${key}`)).toHaveLength(5)
  })

  test('of what began a stream are known as repeats after a restart', async () => {
    const key = newJar()
    const commandId = '5b8c0f7e-6a53-4d7c-9b0e-0a2f4d6c8e11'
    const first = await open(here, key, { commandId })
    expect(await open(new Aggregates(log), key, { commandId })).toEqual({ ...first, replayed: true })
  })

  test('with another content are refused by a process that has not seen the first one yet', async () => {
    const key = newJar()
    await open(here, key)
    await there.load(jars, key)
    const commandId = 'c4f0a7d2-93b4-4c5e-8f57-1d2e3f4a5b6c'
    await add(here, key, 1, { commandId })
    await expect(add(there, key, 2, { commandId })).rejects.toThrow(CommandIdReused)
    await expect(add(new Aggregates(log), key, 2, { commandId })).rejects.toThrow(CommandIdReused)
  })

  test('with another content are refused; another actor has sent another command', async () => {
    const key = newJar()
    await open(here, key)
    const commandId = '0d7b4a6c-0a58-4f6e-8a43-66a0a4b3a9b2'
    await add(here, key, 1, { commandId })
    await expect(add(here, key, 2, { commandId })).rejects.toThrow(CommandIdReused)
    await expect(open(here, key, { commandId })).rejects.toThrow(CommandIdReused)
    expect(await add(here, key, 1, { commandId, actor: 'editor-2' })).toMatchObject({ revision: 2, replayed: false })
  })

  test('fifty at once have one effect and fifty equal answers, over two processes', async () => {
    const key = newJar()
    await open(here, key)
    await there.load(jars, key)
    const commandId = '9e0b9c54-8a0f-4c43-b2de-0fd2a9c0f6d3'
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => add(n % 2 ? here : there, key, 15, { commandId })),
    )
    const same = ({ replayed: _, ...outcome }: CommandOutcome) => outcome
    for (const answer of answers) expect(same(answer)).toEqual(same(answers[0] as CommandOutcome))
    expect(await eventsOf(`jar-${key}`)).toHaveLength(3)
  })

  test('the same new stream, created fifty times at once, is created once', async () => {
    const key = newJar()
    const commandId = '5c2a0b43-4d3a-4e43-8d8d-6a4a3f7d1c55'
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => open(n % 2 ? here : there, key, { commandId })),
    )
    expect(answers.filter(({ revision }) => revision === 0)).toHaveLength(50)
    expect(await eventsOf(`jar-${key}`)).toHaveLength(1)
  })
})

describe('races', () => {
  test('two processes that write to one stream without pause lose nothing and apply nothing twice', async () => {
    const key = newJar()
    await open(here, key)
    const rounds = Array.from({ length: 20 })
    const work = async (aggregates: Aggregates) => {
      for (const _ of rounds) {
        const sent = envelope(key)
        const once = () => aggregates.execute(jars, 'AddCoins', command(AddCoins, { coins: 1 }), sent)
        while (!(await once().catch((error: unknown) => void expect(error).toBeInstanceOf(Contended))));
      }
    }
    await Promise.all([work(here), work(there)])
    expect(await here.load<Jar>(jars, key)).toMatchObject({ state: { coins: 40 }, revision: 40 })
  })

  test('two editors who expect the same revision: one wins, one is told', async () => {
    const key = newJar()
    await open(here, key)
    await there.load(jars, key)
    const both = await Promise.allSettled([add(here, key, 1, { expected: 0 }), add(there, key, 2, { expected: 0 })])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({ reason: new StaleRevision(0, 1) })
    expect(await eventsOf(`jar-${key}`)).toHaveLength(2)
  })

  test('a refusal and "nothing to do" are never decided on outdated state', async () => {
    const key = newJar()
    await open(here, key)
    await expect(add(there, `${key}x`, 1)).rejects.toThrow(NotFound)
    await open(here, `${key}x`)
    expect(await add(there, `${key}x`, 1)).toMatchObject({ revision: 1 })
    await add(there, key, 1)
    expect(await open(here, key)).toMatchObject({ changed: false, revision: 1 })
  })

  test('too many at once for one stream are turned away, the others are served', async () => {
    const key = newJar()
    const small = new Aggregates(log, { waitingPerStream: 10 })
    await open(small, key)
    const results = await Promise.allSettled(Array.from({ length: 30 }, () => add(small, key, 1)))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(10)
    for (const result of results) if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(Contended)
  })

  test('load sees what another process has just done', async () => {
    const key = newJar()
    expect(await here.load(jars, key)).toBeNull()
    await open(there, key)
    expect(await here.load(jars, key)).toMatchObject({ revision: 0, state: { label: 'tips' } })
    const done = await add(there, key, 3)
    expect(await here.load(jars, key)).toMatchObject({ revision: 1, position: done.position, state: { coins: 3 } })
  })

  test('what does not fit into memory is read again', async () => {
    const tiny = new Aggregates(log, { cache: 1 })
    const keys = [newJar(), newJar()]
    for (const key of keys) await open(tiny, key)
    for (const key of [...keys, ...keys]) await add(tiny, key, 1)
    for (const key of keys) expect(await tiny.load(jars, key)).toMatchObject({ revision: 2, state: { coins: 2 } })
  })
})

describe('a permit', () => {
  /** Nobody may touch a jar of more than `most` coins. */
  const upTo = (most: number) => ({
    permit: (state: unknown) => {
      if ((state as Jar).coins > most) throw new Forbidden(`more than ${most} coins`)
    },
  })

  test('is asked of the state before and of the state that a command leads to', async () => {
    const key = newJar()
    await open(here, key, upTo(20))
    await add(here, key, 20, upTo(20))
    await expect(add(here, key, 1, upTo(20))).rejects.toThrow(Forbidden)
    await add(here, key, 1)
    // The state that it would lead to is as it is, and that is too much already.
    await expect(add(here, key, 0, upTo(20))).rejects.toThrow(Forbidden)
    expect(await eventsOf(`jar-${key}`)).toHaveLength(4)
  })

  test('comes before the domain, the expected revision and any reservation', async () => {
    const key = newJar()
    await open(here, key)
    await add(here, key, 5)
    await expect(add(here, key, 2_000_000, upTo(1))).rejects.toThrow(Forbidden)
    await expect(add(here, key, 1, { ...upTo(1), expected: 0 })).rejects.toThrow(Forbidden)
    await expect(name(here, key, `forbidden-${key}`, {}, upTo(1))).rejects.toThrow(Forbidden)
    expect(await eventsOf(`name-forbidden-${key}`)).toEqual([])
  })

  test('is asked again of what another process has written in between', async () => {
    const key = newJar()
    await open(here, key)
    await add(here, key, 5)
    // What is cached here would be permitted; the log is further.
    await add(there, key, 20)
    await expect(add(here, key, 1, upTo(10))).rejects.toThrow(Forbidden)
    expect(await eventsOf(`jar-${key}`)).toHaveLength(4)
    // And the other way round: what is cached is too much, the log is not.
    const other = newJar()
    const notNamed = {
      permit: (state: unknown) => {
        if ((state as Jar).names.length === 0) throw new Forbidden('no name')
      },
    }
    await open(here, other)
    await expect(add(here, other, 1, notNamed)).rejects.toThrow(Forbidden)
    await name(there, other, `named-${other}`)
    expect(await add(here, other, 1, notNamed)).toMatchObject({ changed: true })
  })

  test('in a race with those who fill the jar lets nothing through', async () => {
    const key = newJar()
    await open(here, key)
    const fill = (): Promise<CommandOutcome> =>
      add(there, key, 10).catch((error: unknown) => {
        if (error instanceof Contended) return fill()
        throw error
      })
    const filling = Array.from({ length: 8 }, fill)
    const limited = Array.from({ length: 24 }, () => add(here, key, 1, upTo(30)).catch((error: unknown) => error))
    const [outcomes] = await Promise.all([Promise.all(limited), Promise.all(filling)])
    for (const outcome of outcomes)
      if (outcome instanceof Error) expect([Forbidden, Contended]).toContain(outcome.constructor)
    let coins = 0
    for (const { data } of (await eventsOf(`jar-${key}`)).slice(1)) {
      const { coins: added } = data as { coins: number }
      if (added === 1) expect(coins).toBeLessThan(30)
      coins += added
    }
    expect(coins).toBeGreaterThanOrEqual(80)
  })

  test('does not take back what was answered: a repeat answers as the first time did', async () => {
    const key = newJar()
    await open(here, key)
    const sent = { ...envelope(key), ...upTo(20) }
    const first = await here.execute(jars, 'AddCoins', command(AddCoins, { coins: 5 }), sent)
    await add(here, key, 50)
    expect(await here.execute(jars, 'AddCoins', command(AddCoins, { coins: 5 }), sent)).toEqual({
      ...first,
      replayed: true,
    })
  })
})

describe('reservations', () => {
  test('give a name to one stream only; others get the next candidate or are refused', async () => {
    const [a, b, c] = [newJar(), newJar(), newJar()]
    const wanted = `name-${a}`
    for (const key of [a, b, c]) await open(here, key)
    await name(here, a, wanted)
    await name(here, b, wanted)
    expect(await here.load(jars, a)).toMatchObject({ state: { names: [wanted] } })
    expect(await here.load(jars, b)).toMatchObject({ state: { names: [`${wanted}-2`] } })
    await expect(name(here, c, wanted, { exact: true })).rejects.toThrow(
      new RuleBroken('name-taken', `${wanted} is taken`),
    )
    expect(await name(here, a, wanted, { exact: true })).toMatchObject({ changed: false })
  })

  test('a race for one name has one winner, and nobody without a name', async () => {
    const keys = Array.from({ length: 8 }, newJar)
    const wanted = `race-${keys[0]}`
    for (const key of keys) await open(here, key)
    const results = await Promise.allSettled(
      keys.map((key, n) => name(n % 2 ? here : there, key, wanted, { exact: true })),
    )
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await eventsOf(`name-${wanted}`)).toHaveLength(1)
  })

  test('a crash between reserving and recording: the same command finishes it, and nobody else gets the name', async () => {
    const [a, b] = [newJar(), newJar()]
    const wanted = `crash-${a}`
    for (const key of [a, b]) await open(here, key)
    // The store takes the reservation and then nothing more: what a process that dies in between leaves behind.
    const append: EventLog['append'] = (stream, ...rest) =>
      stream.startsWith('name-') ? log.append(stream, ...rest) : Promise.reject(new Unavailable('event store', 'gone'))
    const dies: EventLog = {
      append,
      truncateBefore: (stream, revision) => log.truncateBefore(stream, revision),
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
    const commandId = 'b7a5d3a4-2f0d-4d35-8c0b-7d1c2a3b4c5d'
    await expect(name(new Aggregates(dies, { patience: 10 }), a, wanted, {}, { commandId })).rejects.toThrow(
      Unavailable,
    )
    expect(await eventsOf(`name-${wanted}`)).toHaveLength(1)
    await expect(name(there, b, wanted, { exact: true })).rejects.toThrow(RuleBroken)
    expect(await name(there, a, wanted, {}, { commandId })).toMatchObject({ revision: 1, replayed: false })
    expect(await there.load(jars, a)).toMatchObject({ state: { names: [wanted] } })
    expect(await eventsOf(`name-${wanted}`)).toHaveLength(1)
  })

  test('a released name can be reserved again', async () => {
    const [a, b] = [newJar(), newJar()]
    const wanted = `free-${a}`
    for (const key of [a, b]) await open(here, key)
    await name(here, a, wanted, { exact: true })
    const last = (await log.lastOf(`name-${wanted}`)) as LogEvent
    const id = '2f1e0d3c-4b5a-4697-8877-665544332211'
    await log.append(`name-${wanted}`, 0, [{ ...last, id, type: 'NameReleased' }])
    expect(await name(here, b, wanted, { exact: true })).toMatchObject({ revision: 1 })
    await expect(name(here, a, wanted, { exact: true })).rejects.toThrow(RuleBroken)
  })
})

describe('a history that cannot be decoded', () => {
  const up = (): never => {
    throw new Error('not understood')
  }
  const failing = (type: string) => connectEventLog({ url: store.url, upcasters: [{ type, from: 1, up }] })

  test('takes no command, from memory neither, until it can be', async () => {
    const key = v4()
    await open(here, key)
    await add(here, key, 3)
    const log = failing('CoinsAdded')
    const elsewhere = new Aggregates(log)
    await expect(add(elsewhere, key, 4)).rejects.toThrow(UndecodableEvent)
    await expect(elsewhere.load(jars, key)).rejects.toThrow(`event 1 of stream jar-${key}`)
    // What is in memory is older than what was recorded.
    const other = v4()
    await open(elsewhere, other)
    await add(here, other, 5)
    await expect(add(elsewhere, other, 6)).rejects.toThrow(UndecodableEvent)
    await expect(open(elsewhere, other, { fresh: true })).rejects.toThrow(UndecodableEvent)
    expect(await add(here, other, 6)).toMatchObject({ revision: 2 })
    await log.close()
  })

  test('is there for those who only ask whether it exists, and gives its name to nobody', async () => {
    const [key, other] = [v4(), v4()]
    await open(here, key)
    await open(here, other)
    await name(here, key, `n${key}`)
    const log = failing('NameReserved')
    const elsewhere = new Aggregates(log)
    await expect(name(elsewhere, other, `n${key}`)).rejects.toThrow(`event 0 of stream name-n${key}`)
    await log.close()
    const opened = failing('JarOpened')
    const pour = command(PourFrom, { jar: other })
    const pouring = new Aggregates(opened).execute(jars, 'PourFrom', pour, envelope(v4()))
    expect(await pouring).toMatchObject({ revision: 0 })
    await opened.close()
  })
})

describe('outages', () => {
  test('a store that is stopped and started under load: what was acknowledged is there, once', async () => {
    const keys = Array.from({ length: 8 }, newJar)
    for (const key of keys) await open(here, key)
    const acknowledged = new Map(keys.map(key => [key, 0]))
    let stop = false
    let answered = 0
    const writers = keys.map(async key => {
      while (!stop) {
        const sent = envelope(key)
        const once = () => here.execute(jars, 'AddCoins', command(AddCoins, { coins: 1 }), sent)
        // As a client does: again with the same id until there is an answer.
        for (;;) {
          try {
            await once()
            break
          } catch (error) {
            expect(error).toBeInstanceOf(Unavailable)
          }
        }
        acknowledged.set(key, (acknowledged.get(key) ?? 0) + 1)
        answered++
      }
    })
    for (let round = 0; round < 3; round++) {
      const enough = answered + 100
      while (answered < enough) await new Promise(resolve => setImmediate(resolve))
      await store.stop()
      await store.start()
    }
    const enough = answered + 100
    while (answered < enough) await new Promise(resolve => setImmediate(resolve))
    stop = true
    await Promise.all(writers)
    for (const key of keys) {
      const coins = acknowledged.get(key)
      expect(await new Aggregates(log).load(jars, key)).toMatchObject({ state: { coins }, revision: coins })
    }
  })

  test('a store that stays away is Unavailable after a while, and the next command starts from the log', async () => {
    const key = newJar()
    const impatient = new Aggregates(log, { patience: 200 })
    await open(impatient, key)
    await store.stop()
    await expect(add(impatient, key, 1)).rejects.toThrow(Unavailable)
    await store.start()
    const patient = new Aggregates(log)
    await add(patient, key, 1)
    expect(await add(impatient, key, 1)).toMatchObject({ revision: 2 })
  })
})
