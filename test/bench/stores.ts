// The embedded document store alone, through the official driver: what everything above it stands on.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedStores } from '@stet/embedded'
import { MongoClient } from 'mongodb'
import { type Measure, rounded, stated } from './measures'
import { inParallel } from './seed-log'

export const stores = async (): Promise<Measure[]> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'stet-bench-'))
  const running = await startEmbeddedStores({ dataDir })
  try {
    return await documents(running.mongodbUrl)
  } finally {
    await running.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
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
