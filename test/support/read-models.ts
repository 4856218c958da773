// The read models as they lie in MongoDB: checkpoints, and every document's bytes.
import { createHash } from 'node:crypto'
import { type Db, MongoClient } from 'mongodb'

export interface Generation {
  readonly _id: string
  readonly name: string
  readonly version: number
  readonly generation: number
  readonly group: string
  readonly position: string | null
  readonly stage: 'building' | 'live' | 'retired'
}

export interface ReadModelFiles {
  readonly db: Db
  /** The live generations. */
  live(): Promise<Generation[]>
  /** Documents and a hash over all bytes of a generation's collection, in the order of ids. */
  digest(collection: string): Promise<{ documents: number; sha256: string }>
  close(): Promise<void>
}

export const openReadModels = async (env: Readonly<Record<string, string>>): Promise<ReadModelFiles> => {
  const client = await new MongoClient(env.MONGODB_URL!).connect()
  const db = client.db(env.MONGODB_DATABASE ?? 'stet')
  return {
    db,
    live: () => db.collection<Generation>('projections').find({ stage: 'live' }).sort({ _id: 1 }).toArray(),
    digest: async collection => {
      const hash = createHash('sha256')
      let documents = 0
      for await (const bytes of db.collection(collection).find({}, { raw: true }).sort({ _id: 1 })) {
        hash.update(bytes as unknown as Uint8Array)
        documents++
      }
      return { documents, sha256: hash.digest('hex') }
    },
    close: () => client.close(),
  }
}
