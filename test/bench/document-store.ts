// The embedded document store through the official driver, each figure beside a server that only answers canned replies
// (canned-document-store.ts) to the same calls. Both servers are processes of their own; rounds alternate between them.
import { type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClientSession, type Collection, MongoClient } from 'mongodb'
import { type Item, item, PAGE_SIZE } from './document-store-items'
import { atMost, below, type Measure, quantile, ratio, stated } from './measures'
import { inParallel } from './seed-log'
import { startServer } from './support'

const ROUNDS = 5
const COUNT = 10_000
const BULK = 500

export const documentStore = async (): Promise<Measure[]> => {
  const folder = await mkdtemp(join(tmpdir(), 'stet-bench-'))
  const ours = await startStore(folder)
  const canned = await startServer('canned-document-store.js', join(folder, 'canned.sock'))
  const client = connect(join(folder, 'documents.sock'))
  const bare = connect(join(folder, 'canned.sock'))
  try {
    await fill(itemsOf(client), COUNT)
    const beside = (what: string, atLeast: number, unit: string, round: Round) =>
      besides(what, atLeast, unit, itemsOf(client), itemsOf(bare), round)
    return [
      await beside('findOne by _id, 16 at once', 0.6, '/s', byId),
      await beside(`indexed find of ${PAGE_SIZE}, sorted, 4 at once`, 0.4, '/s', pages),
      await beside(`bulkWrite of ${BULK} upserts`, 0.4, 'items/s', upserts),
      ...(await transactions(client, bare, folder)),
    ]
  } finally {
    await client.close()
    await bare.close()
    ours.kill('SIGKILL')
    canned.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
}

const MANY = 1_000_000
const FEW = 1_000

/** A million documents: what the server takes for them, how it starts, and what a find costs beside one among a thousand. */
export const largeDocuments = async (): Promise<Measure[]> => {
  const folder = await mkdtemp(join(tmpdir(), 'stet-bench-'))
  let server = await startStore(folder)
  const client = connect(join(folder, 'documents.sock'))
  try {
    const many = itemsOf(client)
    const few = itemsOf(client, 'few')
    await fill(few, FEW)
    await fill(many, MANY)
    server.kill('SIGKILL')
    await once(server, 'exit')
    const started = performance.now()
    server = await startStore(folder)
    const start = performance.now() - started
    await client.db('bench').command({ ping: 1 })
    const among = (collection: Collection<Item>, count: number) => async () => {
      for (let i = 0; i < 1_000; i++) await page(collection, (i * 7_919) % (count / 100))
    }
    const [inMany, inFew]: [number[], number[]] = [[], []]
    for (let round = 0; round <= ROUNDS; round++)
      for (const [times, find] of [
        [inMany, among(many, MANY)],
        [inFew, among(few, FEW)],
      ] as const) {
        const from = performance.now()
        await find()
        if (round > 0) times.push((performance.now() - from) / 1_000)
      }
    for (let i = 0; i < 20; i++) await upserts(many)
    return [
      below('start on a million documents, after a kill', start, 'ms', 2_000),
      atMost('an indexed find in a million, beside one in a thousand', median(inMany), median(inFew), 'ms', 1.5),
      stated('memory of its own after that (RssAnon; the file is mapped beside)', anonymousMemory(server)),
    ]
  } finally {
    await client.close()
    server.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
}

type Round = (collection: Collection<Item>) => Promise<number>

const connect = (socketPath: string): MongoClient =>
  new MongoClient(`mongodb://${encodeURIComponent(socketPath)}/?directConnection=true`)

const itemsOf = (client: MongoClient, name = 'items'): Collection<Item> => client.db('bench').collection<Item>(name)

const startStore = (folder: string): Promise<ChildProcess> =>
  startServer('../support/store-process.js', 'documents', join(folder, 'documents.sock'), join(folder, 'documents'))

const fill = async (collection: Collection<Item>, count: number): Promise<void> => {
  await collection.createIndex({ group: 1, n: -1 })
  for (let n = 0; n < count; n += 1_000)
    await collection.insertMany(Array.from({ length: 1_000 }, (_, i) => item(n + i)))
}

const page = (collection: Collection<Item>, group: number): Promise<Item[]> =>
  collection
    .find({ group }, { limit: PAGE_SIZE, batchSize: PAGE_SIZE + 1 })
    .sort({ n: -1 })
    .toArray()

const byId: Round = async collection => {
  await inParallel(3_000, 16, i => collection.findOne({ _id: `item ${(i * 7_919) % COUNT}` }))
  return 3_000
}

const pages: Round = async collection => {
  await inParallel(1_000, 4, i => page(collection, (i * 31) % (COUNT / 100)))
  return 1_000
}

let upserted = 0
/** Half of them new. */
const upserts: Round = async collection => {
  for (let i = 0; i < 8; i++) {
    const from = 5 * COUNT + upserted * (BULK / 2)
    upserted++
    await collection.bulkWrite(
      Array.from({ length: BULK }, (_, j) => item(from + j)).map(replacement => ({
        replaceOne: { filter: { _id: replacement._id }, replacement, upsert: true },
      })),
    )
  }
  return 8 * BULK
}

/** The median rate of alternating rounds; the first of each only warms up. */
const besides = async (
  what: string,
  atLeast: number,
  unit: string,
  ours: Collection<Item>,
  theirs: Collection<Item>,
  round: Round,
): Promise<Measure> => {
  const rates: [number[], number[]] = [[], []]
  for (let n = 0; n <= ROUNDS; n++)
    for (const [index, collection] of [ours, theirs].entries()) {
      const started = performance.now()
      const count = await round(collection)
      if (n > 0) rates[index]!.push((count / (performance.now() - started)) * 1_000)
    }
  const [our, their] = rates.map(median) as [number, number]
  return ratio(what, our, their, unit, atLeast)
}

/**
 * Transactions over three collections, each beside an append of as many bytes to a plain file, synced, and beside the same
 * through the driver to answers made beforehand, at the same moment.
 */
const transactions = async (client: MongoClient, canned: MongoClient, folder: string): Promise<Measure[]> => {
  const names = ['x', 'y', 'z']
  for (const name of names) await client.db('bench').createCollection(name)
  const file = openSync(join(folder, 'plain'), 'a')
  const bytes = Buffer.alloc(3 * 1_024, 'x')
  const plain: number[] = []
  const whole: number[] = []
  const commits: number[] = []
  const withoutStore: number[] = []
  /** Milliseconds until three documents are written, and of the commit. */
  const transaction = async (to: MongoClient, session: ClientSession, n: number): Promise<[number, number]> => {
    const started = performance.now()
    session.startTransaction()
    for (const name of names) {
      const { _id, ...replacement } = item(n)
      await itemsOf(to, name).replaceOne({ _id }, replacement, { upsert: true, session })
    }
    const written = performance.now()
    await session.commitTransaction()
    return [written - started, performance.now() - written]
  }
  await client.withSession(session =>
    canned.withSession(async cannedSession => {
      for (let n = -200; n < 1_000; n++) {
        const started = performance.now()
        writeSync(file, bytes)
        fdatasyncSync(file)
        const synced = performance.now() - started
        const [writing, committing] = await transaction(client, session, n)
        const bare = await transaction(canned, cannedSession, n)
        if (n < 0) continue
        plain.push(synced)
        whole.push(writing + committing)
        commits.push(committing)
        withoutStore.push(bare[0] + bare[1])
      }
    }),
  )
  closeSync(file)
  for (const times of [plain, whole, commits, withoutStore]) times.sort((a, b) => a - b)
  const half = (times: number[]) => quantile(times, 0.5)
  return [
    atMost('a transaction over three collections, p50, beside a synced append', half(whole), half(plain), 'ms', 4),
    stated('its commit alone, p50', `${half(commits).toFixed(2)} ms`),
    stated('the same to answers made beforehand, p50', `${half(withoutStore).toFixed(2)} ms`),
  ]
}

const median = (values: number[]): number =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  )

const anonymousMemory = ({ pid }: ChildProcess): string =>
  /RssAnon:\s+(\d+ kB)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 'unknown'
