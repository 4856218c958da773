// The embedded stores alone, through the official clients: what everything above them stands on.
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import { startEmbeddedStores } from '@stet/embedded'
import { MongoClient } from 'mongodb'
import { type Measure, rounded, stated } from './measures'
import { inParallel } from './seed-log'

/** About 1 KB of JSON. */
const event = () =>
  jsonEvent({ id: randomUUID(), type: 'Measured', data: { text: 'x'.repeat(950) }, metadata: { actor: 'bench' } })

export const stores = async (): Promise<Measure[]> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'stet-bench-'))
  const running = await startEmbeddedStores({ dataDir })
  try {
    return [...(await events(running.eventStoreUrl)), ...(await documents(running.mongodbUrl))]
  } finally {
    await running.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}

const events = async (endpoint: string): Promise<Measure[]> => {
  const client = new EventStoreDBClient({ endpoint }, { insecure: true })
  const appends = (count: number, width: number, size: number) =>
    rate(count * size, () =>
      inParallel(count, width, () =>
        client.appendToStream(`bench-${randomUUID()}`, Array.from({ length: size }, event)),
      ),
    )
  await appends(2_000, 64, 1)
  const one = await appends(2_000, 1, 1)
  const many = await appends(20_000, 64, 1)
  const batches = await appends(60, 1, 500)
  const count = 2_000 + 2_000 + 20_000 + 30_000
  const read = await rate(count, async () => {
    for await (const _ of client.readAll()) continue
  })
  const caughtUp = await rate(count, async () => {
    const subscription = client.subscribeToAll({ fromPosition: 'start' })
    let seen = 0
    for await (const _ of subscription) if (++seen === count) break
    await subscription.unsubscribe()
  })
  await client.dispose()
  return [
    stated('appends of one event, 1 writer', `${rounded(one)} /s`),
    stated('appends of one event, 64 writers', `${rounded(many)} /s`),
    stated('appends of 500 events, 1 writer', `${rounded(batches)} events/s`),
    stated('reading $all', `${rounded(read)} events/s`),
    stated('catching up', `${rounded(caughtUp)} events/s`),
  ]
}

const documents = async (url: string): Promise<Measure[]> => {
  const client = await new MongoClient(url).connect()
  const collection = client.db('bench').collection<{ _id: string }>('documents')
  const document = (n: number) => ({ _id: `document ${n}`, n, text: 'x'.repeat(900), tags: ['a', 'b'] })
  const upserts = (from: number, operations: number) =>
    rate(operations * 500, async () => {
      for (let i = 0; i < operations; i++)
        await collection.bulkWrite(
          Array.from({ length: 500 }, (_, j) => document(from + i * 500 + j)).map(replacement => ({
            replaceOne: { filter: { _id: replacement._id }, replacement, upsert: true },
          })),
        )
    })
  const inserted = await upserts(0, 60)
  const replaced = await upserts(0, 60)
  const found = await rate(10_000, () => inParallel(10_000, 16, i => collection.findOne({ _id: `document ${i}` })))
  const alone = await rate(5_000, () => inParallel(5_000, 1, i => collection.findOne({ _id: `document ${i}` })))
  await client.close()
  return [
    stated('bulk upserts of 500 new documents', `${rounded(inserted)} /s`),
    stated('bulk upserts of 500 known documents', `${rounded(replaced)} /s`),
    stated('findOne by _id, 16 at once', `${rounded(found)} /s`),
    stated('findOne by _id, one after the other', `${rounded(alone)} /s`),
  ]
}

/** Things a second. */
const rate = async (count: number, work: () => Promise<unknown>): Promise<number> => {
  const started = performance.now()
  await work()
  return count / ((performance.now() - started) / 1_000)
}
