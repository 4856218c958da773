// A directory too large to be looked at whole when it is opened: what is missing or altered is found when it is read.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { StorageDamaged, openDatabase, openEnvironment, type Environment } from '../storage'
import { emptyHead } from './head'
import { EventLog, FORMAT, type Direction } from './log'
import { LiveTail } from './live'
import type { Outlet } from './outlet'
import { readAll, readStream } from './reads'
import type { StoredRecord } from './record'
import { Scavenge, isScavengeBegun } from './scavenge'
import { subscribeToStream } from './subscriptions'
import { Writes } from './writes'

let directory: string
let environment: Environment
let log: EventLog
let writes: Writes

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'stet-test-'))
  environment = openEnvironment(directory, FORMAT)
  log = new EventLog(environment)
  writes = new Writes(environment, log, () => {})
  await writes.append(
    's',
    'no_stream',
    Array.from({ length: 10 }, () => event()),
  )
})
afterEach(async () => {
  await environment.close()
  rmSync(directory, { recursive: true })
})

const event = (data = Buffer.from('{}')) => ({
  id: randomUUID(),
  type: 'T',
  json: true,
  metadata: Buffer.of(),
  data,
})
const entries = (name: string) => openDatabase(environment.root, name)
const keyOf = (name: string, n: number) => [...entries(name).getKeys()][n]!
const read = (direction: Direction, from: number) => () =>
  log.readStream(log.head('s')!, from, direction, 100).records.map(({ revision }) => revision)

test.each([
  ['its place is missing', () => entries('index').removeSync(keyOf('index', 5))],
  ['the event is missing', () => entries('records').removeSync(keyOf('records', 5))],
  [
    'its place leads to another event',
    () => entries('index').putSync(keyOf('index', 5), entries('index').get(keyOf('index', 4))!),
  ],
])('a revision is never passed over: %s', async (_, harm) => {
  expect(read('forwards', 0)()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  expect(read('backwards', 9)()).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
  await environment.commit(harm)
  expect(read('forwards', 0)).toThrow(StorageDamaged)
  expect(read('forwards', 5)).toThrow(StorageDamaged)
  expect(read('backwards', 9)).toThrow(StorageDamaged)
  expect(read('backwards', 5)).toThrow(StorageDamaged)
})

test('nor is the last one', async () => {
  await environment.commit(() => entries('index').removeSync(keyOf('index', 9)))
  expect(read('forwards', 0)).toThrow(StorageDamaged)
  expect(read('forwards', 9)).toThrow(StorageDamaged)
  expect(read('backwards', 9)).toThrow(StorageDamaged)
})

test.each(['records', 'index', 'heads'])('an altered entry of the %s is not served', async name => {
  const key = keyOf(name, 0)
  const altered = Buffer.from(entries(name).get(key)!)
  altered[altered.length - 1]! ^= 1
  await environment.commit(() => entries(name).putSync(key, altered))
  expect(read('forwards', 0)).toThrow(StorageDamaged)
  if (name === 'records') expect(() => log.readAll(0, 'forwards', 100)).toThrow(StorageDamaged)
})

test('a scavenge that comes to one ends, and is not begun again by itself', async () => {
  const key = keyOf('records', 3)
  const value = Buffer.from(entries('records').get(key)!)
  value[value.length - 1]! ^= 1
  entries('records').putSync(key, value)
  let isDone = false
  const scavenge = new Scavenge(
    environment,
    log,
    () => {},
    () => (isDone = true),
  )
  scavenge.start()
  expect(isScavengeBegun(directory)).toBe(true)
  await scavenge.stop()
  expect([isDone, isScavengeBegun(directory)]).toEqual([false, false])
})

test('times do not go back with the clock, also when the last events are gone', async () => {
  const head = log.head('s')!
  const last = log.recordOf(head, 9)!
  await environment.commit(() => log.remove(last))
  const reopened = new EventLog(environment)
  const clock = jest.spyOn(Date, 'now').mockReturnValue(1_000)
  const next = await environment.commit(() => reopened.append('t', emptyHead(), event()))
  clock.mockRestore()
  expect(next.created).toBe(log.recordOf(head, 8)!.created)
  expect(next.position).toBeGreaterThan(last.position)
})

test('what was passed by before it was hidden is left for the next scavenge: no commit takes out more than a page', async () => {
  for (let n = 0; n < 20; n++)
    await writes.append(
      's',
      'any',
      Array.from({ length: 500 }, () => event()),
    )
  let removed = 0
  const remove = log.remove.bind(log)
  log.remove = record => {
    removed++
    remove(record)
  }
  let largest = 0
  const counting: Environment = {
    ...environment,
    commit: write =>
      environment.commit(() => {
        const before = removed
        const value = write()
        largest = Math.max(largest, removed - before)
        return value
      }),
  }
  const scavenged = async (meanwhile: () => Promise<unknown>) => {
    let done = () => {}
    const isDone = new Promise<void>(resolve => (done = resolve))
    const scavenge = new Scavenge(counting, log, () => {}, done)
    scavenge.start()
    await meanwhile()
    await isDone
    await scavenge.stop()
  }
  await scavenged(() => writes.tombstone('s', 'any'))
  expect(removed).toBe(0)
  await scavenged(() => Promise.resolve())
  expect(removed).toBe(10_010)
  expect(largest).toBeLessThanOrEqual(256)
})

test('a scavenge takes out nothing that can be reached again when its turn comes', async () => {
  const describe = (metadata: object) => writes.append('$$s', 'any', [event(Buffer.from(JSON.stringify(metadata)))])
  await describe({ $maxCount: 1 })
  const relaxed = describe({})
  const scavenge = new Scavenge(
    environment,
    log,
    () => {},
    () => {},
  )
  scavenge.start()
  await Promise.all([relaxed, scavenge.stop()])
  expect(read('forwards', 0)()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

const request = {
  from: 'start',
  direction: 'forwards',
  limit: 2_000,
  resolveLinks: false,
  structuredIds: false,
  tellsLastRevision: false,
} as const

test('a read of the whole log ends at what was there when it began', async () => {
  let sent = 0
  const sendEvent = () => writes.append('s', 'any', [event()]).then(() => sent++)
  await readAll(log, { isClosed: false, sendEvent } as unknown as Outlet, request)
  expect(sent).toBe(10)
})

test.each<[what: string, last: number]>([
  ['a read', 599],
  ['a subscription', 899],
])('of a stream that is scavenged and appended to meanwhile %s has each event once, up to %i', async (what, last) => {
  const live = new LiveTail(log.lastPosition())
  const writing = new Writes(environment, log, records => live.publish(records))
  const append = (stream: string, count: number) =>
    writing.append(
      stream,
      'any',
      Array.from({ length: count }, () => event()),
    )
  await append('long', 600)
  const head = log.head('long')!
  const sent: number[] = []
  const outlet = {
    get isClosed() {
      return sent.includes(899)
    },
    send: () => Promise.resolve(),
    async sendEvent({ revision }: StoredRecord) {
      sent.push(revision)
      if (revision === 899) await append('others', 1)
      if (revision !== 0) return
      await environment.commit(() => {
        for (let gone = 0; gone < 400; gone++) log.remove(log.recordOf(head, gone)!)
      })
      await append('long', 300)
    },
  } as unknown as Outlet
  if (what === 'a read') await readStream(log, outlet, { ...request, stream: 'long' })
  else await subscribeToStream(log, live, outlet, { ...request, stream: 'long' })
  const between = (first: number, end: number) => Array.from({ length: end - first }, (_, n) => first + n)
  expect(sent).toEqual([...between(0, 256), ...between(400, last + 1)])
})

test.each([909, 910])('17 streams of short names beside those of %i bytes find room', async length => {
  const names = [
    ...Array.from({ length: 17 }, (_, n) => `a${String.fromCharCode(97 + n)}`),
    ...Array.from({ length: 40 }, (_, n) => `b${String(99 - n)}${'x'.repeat(length)}`),
  ]
  for (const name of names) await environment.commit(() => log.putHead(name, emptyHead()))
  expect(names.filter(name => log.head(name) === undefined)).toEqual([])
})

test('streams whose long names begin alike are different ones', async () => {
  const names = [1, 2, 3].map(n => `${'x'.repeat(1_000)}${n}`)
  for (const [next, name] of names.entries())
    await environment.commit(() => log.putHead(name, { ...emptyHead(), next }))
  expect(names.map(name => log.head(name)!.next)).toEqual([0, 1, 2])
  expect(log.head('x'.repeat(1_000))).toBeUndefined()
})

test('a directory of the version before keeps its heads where they are', async () => {
  const older = mkdtempSync(join(tmpdir(), 'stet-test-'))
  const name = 'x'.repeat(1_000)
  const first = openEnvironment(older, { ...FORMAT, formatVersion: 2 })
  await first.commit(() => new EventLog(first).putHead(name, emptyHead()))
  expect(openDatabase(first.root, 'heads').doesExist(Buffer.from(name))).toBe(true)
  await first.close()
  const again = openEnvironment(older, FORMAT)
  expect(new EventLog(again).head(name)).toEqual(emptyHead())
  await again.close()
  rmSync(older, { recursive: true })
})

test('the time of an event is never before that of the one before it, also when the clock goes back', async () => {
  const clock = jest.spyOn(Date, 'now').mockReturnValue(0)
  await writes.append('s', 9, [event()])
  await new Writes(environment, new EventLog(environment), () => {}).append('s', 10, [event()])
  clock.mockRestore()
  const { records } = log.readStream(log.head('s')!, 9, 'forwards', 9)
  expect(records.map(({ created }) => created)).toEqual(Array(3).fill(records[0]!.created))
})

test('a page is bounded in bytes, of a stream and of the whole log', async () => {
  const large = () => event(Buffer.alloc(200_000))
  await writes.append('large', 'any', [large(), large(), large()])
  const head = log.head('large')!
  expect(log.readStream(head, 0, 'forwards', 9).records).toHaveLength(2)
  expect(log.readStream(head, 2, 'backwards', 9).records).toHaveLength(2)
  expect(log.readAll(head.id - 1, 'forwards', 9).records).toHaveLength(2)
})
