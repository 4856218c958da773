// Truncation as the store's own client sees it: in the metadata of the stream, beside whatever else stands there.
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { EventStoreDBClient } from '@eventstore/db-client'
import { v4 } from 'uuid'
import { type EventLog } from '../event-log'
import { temporaryEventStore } from '../testing/store.fixture.spec'
import { connectEventLog } from './event-store-log'

let store: Awaited<ReturnType<typeof temporaryEventStore>>
let client: EventStoreDBClient
let log: EventLog
let stream: string
beforeAll(async () => {
  store = await temporaryEventStore()
  log = connectEventLog({ url: store.url })
  client = new EventStoreDBClient({ endpoint: store.url }, { insecure: true })
})
afterAll(async () => {
  await client.dispose()
  await log.close()
  await store.remove()
})
beforeEach(() => {
  stream = `jar-${v4()}`
})

const metadata = async () => (await client.getStreamMetadata(stream)).metadata

test('what else the metadata says is kept, and a later truncation', async () => {
  await client.setStreamMetadata(stream, { maxCount: 50, cacheControl: 7, kept: { by: 'somebody' } })
  await log.truncateBefore(stream, 1)
  await log.truncateBefore(stream, 0)
  expect(await metadata()).toEqual({ truncateBefore: 1, maxCount: 50, cacheControl: 7, kept: { by: 'somebody' } })
})

test('several at once: the latest stays', async () => {
  await Promise.all([1, 4, 2, 3].map(revision => log.truncateBefore(stream, revision)))
  expect(await metadata()).toEqual({ truncateBefore: 4 })
})
