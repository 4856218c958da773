// A scavenge removes what cannot be read, from the answers and, after a restart, from the files.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  BACKWARDS,
  END,
  EventStoreDBClient,
  jsonEvent,
  streamNameFilter,
  type ResolvedEvent,
} from '@eventstore/db-client'
import { OperationsClient } from '@eventstore/db-client/generated/operations_grpc_pb'
import { ScavengeResp, StartScavengeReq } from '@eventstore/db-client/generated/operations_pb'
import { credentials } from '@grpc/grpc-js'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { startEventStore, type RunningStore } from './index'

let folder: string
let store: RunningStore
let client: EventStoreDBClient
let scavenged: Promise<void>

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stet-test-'))
  await start()
})
afterEach(async () => {
  await stop()
  rmSync(folder, { recursive: true })
})

async function start(): Promise<void> {
  const socketPath = join(folder, 'events.sock')
  let onScavenged = () => {}
  scavenged = new Promise(resolve => (onScavenged = resolve))
  store = await startEventStore({ socketPath, directory: join(folder, 'events'), onScavenged })
  client = new EventStoreDBClient({ endpoint: `unix:${socketPath}` }, { insecure: true })
}
async function stop(): Promise<void> {
  await client.dispose()
  await store.close()
}

async function startScavenge(): Promise<void> {
  const operations = new OperationsClient(`unix:${join(folder, 'events.sock')}`, credentials.createInsecure())
  const answer = await new Promise<ScavengeResp>((resolve, reject) =>
    operations.startScavenge(new StartScavengeReq(), (error, response) => (error ? reject(error) : resolve(response))),
  )
  expect(answer.getScavengeResult()).toBe(ScavengeResp.ScavengeResult.STARTED)
  operations.close()
}
async function scavenge(): Promise<void> {
  await startScavenge()
  await scavenged
}

const secret = (n: number) => `secret-${n}-of-a-person`
const event = (n: number) =>
  jsonEvent({ type: 'Told', data: { text: secret(n) }, metadata: { $correlationId: `meta-${secret(n)}` } })
const filesHold = (text: string) =>
  readdirSync(join(folder, 'events'), { recursive: true, encoding: 'utf8' }).some(file => {
    try {
      return readFileSync(join(folder, 'events', file)).includes(text)
    } catch {
      return false
    }
  })
async function collect(reading: AsyncIterable<ResolvedEvent>): Promise<ResolvedEvent[]> {
  const read: ResolvedEvent[] = []
  for await (const resolved of reading) read.push(resolved)
  return read
}

test('no byte of what was truncated, deleted or tombstoned is left; what can be read stays', async () => {
  for (let n = 0; n < 300; n++) await client.appendToStream(`s-${n % 3}`, event(n))
  await client.setStreamMetadata('s-0', { truncateBefore: 50 })
  await client.deleteStream('s-1')
  await client.setStreamMetadata('s-2', { custom: 'secret-of-metadata' })
  await client.tombstoneStream('s-2')
  const readable = await collect(client.readStream('s-0'))
  expect(readable).toHaveLength(50)
  expect(filesHold(secret(0))).toBe(true)

  await scavenge()
  expect(await collect(client.readStream('s-0'))).toEqual(readable)
  await stop()
  await start()

  expect(await collect(client.readStream('s-0'))).toEqual(readable)
  const left = (await collect(client.readAll())).map(({ event }) => event!)
  expect(left.filter(({ type }) => type === 'Told').map(({ streamId }) => streamId)).toEqual(
    Array<string>(50).fill('s-0'),
  )
  expect(left.filter(({ type }) => type === '$streamDeleted')).toHaveLength(1)
  expect(filesHold('secret-of-metadata')).toBe(false)
  for (let n = 0; n < 300; n++) expect([n, filesHold(secret(n))]).toEqual([n, n % 3 === 0 && n >= 150])
})

test('a subscription hears nothing of what was taken out, though it was appended a moment ago', async () => {
  await client.appendToStream('s', [event(0), event(1)])
  await client.appendToStream('others', event(2))
  await client.tombstoneStream('s')
  await scavenge()
  const heard: string[] = []
  for await (const { event } of client.subscribeToAll()) {
    heard.push(event!.type)
    if (event!.type === '$streamDeleted') break
  }
  expect(heard).toEqual(['Told', '$streamDeleted'])
})

test('a stream that is appended to meanwhile keeps no hole, whatever its metadata is afterwards', async () => {
  await client.setStreamMetadata('s', { maxCount: 100 })
  for (let n = 0; n < 100; n++) {
    await client.appendToStream('s', event(n))
    await client.appendToStream(
      'others',
      Array.from({ length: 200 }, () => event(n)),
    )
  }
  await startScavenge()
  // The first ones are passed by while all are visible; then these hide most of the others.
  await client.appendToStream(
    's',
    Array.from({ length: 80 }, (_, n) => event(100 + n)),
  )
  await scavenged
  await client.setStreamMetadata('s', {})
  const left = (await collect(client.readStream('s'))).map(({ event }) => Number(event!.revision))
  expect(left.length).toBeGreaterThanOrEqual(100)
  expect(left).toEqual(Array.from({ length: left.length }, (_, index) => 180 - left.length + index))
  const backwards = await collect(client.readStream('s', { direction: BACKWARDS, fromRevision: END }))
  expect(backwards).toHaveLength(left.length)
})

test('positions and numbering go on, and a scavenged position is still a place to go on from', async () => {
  const { position } = await client.appendToStream('s', event(0))
  await client.appendToStream('s', event(1))
  await client.setStreamMetadata('s', { maxCount: 1 })
  await scavenge()
  await stop()
  await start()
  const resumed = client.subscribeToAll({ fromPosition: position!, filter: streamNameFilter({ prefixes: ['s'] }) })
  for await (const { event } of resumed) {
    expect(event!.revision).toBe(1n)
    break
  }
  expect(await client.appendToStream('s', event(2), { expectedRevision: 1n })).toMatchObject({
    nextExpectedRevision: 2n,
  })
  const positions = (await collect(client.readAll())).map(({ event }) => event!.position!.commit)
  expect(positions.every((at, index) => at > (positions[index - 1] ?? position!.commit))).toBe(true)
})
