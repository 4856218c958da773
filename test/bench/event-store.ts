// The embedded event store through the official client, each figure beside a server that only answers canned replies
// (canned-event-store.ts) to the same calls. Both servers are processes of their own; rounds alternate between them.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventStoreDBClient, FORWARDS, START, jsonEvent } from '@eventstore/db-client'
import { type Measure, atMost, quantile, ratio, stated } from './measures'
import { inParallel } from './seed-log'
import { startServer } from './support'

/** Events that a read of everything has. */
const READ_COUNT = 30_000
const ROUNDS = 5

/** About 1 KB of JSON. */
export const event = () =>
  jsonEvent({ id: randomUUID(), type: 'Measured', data: { text: 'x'.repeat(950) }, metadata: { actor: 'bench' } })

export const eventStore = async (): Promise<Measure[]> => {
  const folder = await mkdtemp(join(tmpdir(), 'stet-bench-'))
  const ours = await startServer(
    '../support/store-process.js',
    'events',
    join(folder, 'e.sock'),
    join(folder, 'events'),
  )
  const canned = await startServer('canned-event-store.js', join(folder, 'c.sock'), String(READ_COUNT))
  const client = connect(join(folder, 'e.sock'))
  const bare = connect(join(folder, 'c.sock'))
  try {
    return [
      await besides('appends of one event, 64 writers', 0.7, client, bare, to => appends(to, 4_000, 64, 1)),
      await besides('appends of 500 events, one after the other', 0.7, client, bare, to => appends(to, 20, 1, 500)),
      await besides('reading $all', 0.7, client, bare, readAll),
      await besides('catching up', 0.7, client, bare, catchUp),
      ...(await oneWriter(client, bare, folder)),
      await listenedTo(client, join(folder, 'e.sock')),
    ]
  } finally {
    await client.dispose()
    await bare.dispose()
    ours.kill('SIGKILL')
    canned.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
}

export const connect = (socketPath: string): EventStoreDBClient =>
  new EventStoreDBClient({ endpoint: `unix:${socketPath}` as never }, { insecure: true })

/** The median rate of alternating rounds; the first of each only warms up. */
const besides = async (
  what: string,
  atLeast: number,
  ours: EventStoreDBClient,
  theirs: EventStoreDBClient,
  round: (client: EventStoreDBClient) => Promise<number>,
): Promise<Measure> => {
  const rates: [number[], number[]] = [[], []]
  for (let n = 0; n <= ROUNDS; n++)
    for (const [index, client] of [ours, theirs].entries()) {
      const started = performance.now()
      const count = await round(client)
      if (n > 0) rates[index]!.push((count / (performance.now() - started)) * 1_000)
    }
  const [our, their] = rates.map(median) as [number, number]
  return ratio(what, our, their, 'events/s', atLeast)
}

const appends = async (client: EventStoreDBClient, count: number, width: number, size: number): Promise<number> => {
  await inParallel(count, width, () =>
    client.appendToStream(`bench-${randomUUID()}`, Array.from({ length: size }, event)),
  )
  return count * size
}

const readAll = async (client: EventStoreDBClient): Promise<number> => {
  let seen = 0
  for await (const _ of client.readAll({ direction: FORWARDS, fromPosition: START, maxCount: READ_COUNT })) seen++
  return seen
}

const catchUp = async (client: EventStoreDBClient): Promise<number> => {
  const subscription = client.subscribeToAll({ fromPosition: START })
  let seen = 0
  for await (const _ of subscription) if (++seen === READ_COUNT) break
  await subscription.unsubscribe()
  return seen
}

const WRITES = 3_000

/**
 * One append after the other, each beside an append of as many bytes to a plain file, synced, and beside the same through
 * the client to answers made beforehand, at the same moment.
 */
const oneWriter = async (client: EventStoreDBClient, bare: EventStoreDBClient, folder: string): Promise<Measure[]> => {
  const file = openSync(join(folder, 'plain'), 'a')
  const bytes = Buffer.alloc(1_200, 'x')
  const plain: number[] = []
  const appended: number[] = []
  const withoutStore: number[] = []
  const append = (to: EventStoreDBClient) => to.appendToStream(`bench-${randomUUID()}`, event())
  for (let n = -500; n < WRITES; n++) {
    const times = [performance.now()]
    writeSync(file, bytes)
    fdatasyncSync(file)
    times.push(performance.now())
    await append(client)
    times.push(performance.now())
    await append(bare)
    times.push(performance.now())
    if (n >= 0) [plain, appended, withoutStore].forEach((list, i) => list.push(times[i + 1]! - times[i]!))
  }
  closeSync(file)
  for (const times of [plain, appended, withoutStore]) times.sort((a, b) => a - b)
  const at = (times: number[], q: number) => quantile(times, q)
  const inMs = (q: number) => [appended, plain, withoutStore].map(times => at(times, q).toFixed(2))
  const [half, plainHalf, withoutHalf] = inMs(0.5)
  const [, , without] = inMs(0.99)
  return [
    atMost(
      'an append by one writer, p99, beside a synced append to a file',
      at(appended, 0.99),
      at(plain, 0.99),
      'ms',
      4,
    ),
    stated('the same to answers made beforehand, p99', `${without} ms`),
    stated('p50 of the three', `${half} ms, ${plainHalf} ms, ${withoutHalf} ms`),
  ]
}

const SUBSCRIPTIONS = 100

/** What an append costs while a hundred live subscriptions, each filtered by a prefix of its own, hear a hundredth each. */
const listenedTo = async (client: EventStoreDBClient, socketPath: string): Promise<Measure> => {
  const round = async (): Promise<number> => {
    const started = performance.now()
    await inParallel(4_000, 64, n => client.appendToStream(`heard-${n % SUBSCRIPTIONS}-${randomUUID()}`, event()))
    return (performance.now() - started) / 4_000
  }
  const alone: number[] = []
  const heard: number[] = []
  for (let n = 0; n < ROUNDS; n++) {
    alone.push(await round())
    const listeners = await startServer('event-store-listeners.js', socketPath, String(SUBSCRIPTIONS))
    heard.push(await round())
    listeners.kill('SIGKILL')
    await once(listeners, 'exit')
  }
  return atMost(
    `an append, 64 writers, under ${SUBSCRIPTIONS} live filtered subscriptions, beside none`,
    median(heard) * 1_000,
    median(alone) * 1_000,
    'µs',
    2,
  )
}

const median = (values: number[]): number =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  )
