// What was acknowledged survives kill -9 at any instant, whole and once; what was answered to a retry survives a restart.
import { spawn, type ChildProcess } from 'node:child_process'
import { randomInt, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { Long, MongoClient, type MongoClientOptions, UUID, type ClientSession } from 'mongodb'
import { compiledRoom } from '../supervisor/entry'
import { startDocumentStore } from '.'

const WRITERS = 16
const KILLS = 50
/** A start of the server is most of a round; a machine with other work takes its time for it. */
const KILLS_TIMEOUT = 300_000

interface Counter {
  _id: string
  n: number
}
interface Entry {
  _id: string
  writer: string
  n: number
}

let folder: string
let server: ChildProcess | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stet-test-'))
})
afterEach(async () => {
  await kill()
  rmSync(folder, { recursive: true })
})

const options = () => ({ socketPath: join(folder, 'documents.sock'), directory: join(folder, 'documents') })
const connect = (more: MongoClientOptions = {}) =>
  new MongoClient(`mongodb://${encodeURIComponent(options().socketPath)}/?directConnection=true`, {
    serverSelectionTimeoutMS: 1_000,
    ...more,
  })

async function start(): Promise<void> {
  const program = `require(${JSON.stringify(join(compiledRoom(), 'document-store'))}).startDocumentStore(${JSON.stringify(options())}).then(() => process.send('ready'))`
  server = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  await once(server, 'message')
}

async function kill(): Promise<void> {
  if (!server || server.exitCode !== null || server.signalCode !== null) return
  const exit = once(server, 'exit')
  server.kill('SIGKILL')
  await exit
}

function collections(client: MongoClient) {
  const db = client.db('test')
  return { counters: db.collection<Counter>('counters'), entries: db.collection<Entry>('entries') }
}

/** Counts up in one collection and notes it in another, in one transaction or in one plain write each, until the server is gone. */
async function write(
  client: MongoClient,
  writer: string,
  acknowledged: Map<string, number>,
  plain: boolean,
): Promise<void> {
  const { counters, entries } = collections(client)
  for (;;) {
    const n = (acknowledged.get(writer) ?? 0) + 1
    const step = async (session?: ClientSession) => {
      await counters.updateOne({ _id: writer }, { $set: { n } }, { upsert: true, session })
      await entries.replaceOne({ _id: `${writer}-${n}` }, { writer, n }, { upsert: true, session })
    }
    try {
      if (plain) await step()
      else await client.withSession(session => session.withTransaction(() => step(session), { timeoutMS: 2_000 }))
    } catch {
      return
    }
    acknowledged.set(writer, n)
  }
}

test(
  `${KILLS} kills under ${WRITERS} writers, half of them in transactions, lose nothing and leave nothing half`,
  async () => {
    const writers = Array.from({ length: WRITERS }, (_, k) => `w${k}`)
    const acknowledged = new Map<string, number>()
    const total = () => [...acknowledged.values()].reduce((a, b) => a + b, 0)
    await start()
    const setup = connect()
    await setup.db('test').createCollection('counters')
    await collections(setup).entries.createIndexes([
      { key: { writer: 1, n: -1 } },
      { key: { n: 1, writer: 1 }, unique: true },
    ])
    await setup.close()
    for (let round = 0; round < KILLS; round++) {
      if (round > 0) await start()
      const client = connect()
      const wanted = total() + randomInt(20, 80)
      const writing = Promise.all(writers.map((writer, k) => write(client, writer, acknowledged, k % 2 === 0)))
      while (total() < wanted) await new Promise(resolve => setImmediate(resolve))
      await kill()
      await writing
      await client.close()
    }
    await start()
    const client = connect()
    const { counters, entries } = collections(client)
    const everything = await entries.find({}).toArray()
    for (const [k, writer] of writers.entries()) {
      const known = acknowledged.get(writer) ?? 0
      const counter = (await counters.findOne({ _id: writer }))?.n ?? 0
      expect([known, known + 1]).toContain(counter)
      const listed = await entries.find({ writer }).sort({ n: -1 }).toArray()
      const scanned = everything.filter(entry => entry.writer === writer)
      expect(listed.map(({ n }) => n)).toEqual(Array.from({ length: listed.length }, (_, i) => listed.length - i))
      expect(scanned).toHaveLength(listed.length)
      expect(listed.length).toBeGreaterThanOrEqual(known)
      // In a transaction the counter and the list move together.
      if (k % 2 === 1) expect(listed).toHaveLength(counter)
    }
    const all = await entries.estimatedDocumentCount()
    expect(all).toBe(await entries.countDocuments({ n: { $gt: 0 } }))
    // Through each of the indexes.
    expect(await entries.find({ writer: { $gte: '' } }).toArray()).toHaveLength(all)
    expect(await entries.find({ n: { $gt: 0 } }).toArray()).toHaveLength(all)
    expect(everything).toHaveLength(all)
    await client.close()
  },
  KILLS_TIMEOUT,
)

test('a retryable write sent again after a restart is not done again', async () => {
  const lsid = { id: new UUID(randomUUID()) }
  const increment = async () => {
    const store = await startDocumentStore(options())
    const client = connect()
    const session = client.startSession()
    Object.assign(session.serverSession.id, lsid)
    const update = {
      update: 'counters',
      updates: [{ q: { _id: 'x' }, u: { $inc: { n: 1 } }, upsert: true }],
      txnNumber: Long.fromNumber(7),
    }
    const answer = await client.db('test').command(update, { session })
    const counter = await collections(client).counters.findOne({ _id: 'x' })
    await client.close()
    await store.close()
    return { answer: answer.upserted as unknown, n: counter?.n }
  }
  const first = await increment()
  expect(first).toEqual({ answer: [{ index: 0, _id: 'x' }], n: 1 })
  expect(await increment()).toEqual(first)
})

test('what is known of the entries of an index is known after a restart: arrays, and values that were shortened', async () => {
  const found = async (fill: boolean) => {
    const store = await startDocumentStore(options())
    const client = connect()
    const tags = client.db('test').collection<{ _id: number; tags: string[] }>('tags')
    const texts = client.db('test').collection<{ _id: number; text: string }>('texts')
    if (fill) {
      await tags.createIndex({ tags: 1 })
      await tags.insertOne({ _id: 1, tags: ['a', 'b'] })
      await texts.createIndex({ text: 1 })
      await texts.insertMany([1, 2, 3, 4, 5].map(n => ({ _id: n, text: 'x'.repeat(1_500) + String(n) })))
    }
    const tagged = await tags.find({ tags: { $gt: 'a', $lt: 'b' } }).toArray()
    const inOrder = await texts
      .find({ text: { $gt: '' } })
      .sort({ text: 1 })
      .toArray()
    await client.close()
    await store.close()
    return [tagged, inOrder].map(documents => documents.map(({ _id }) => _id))
  }
  const whole = [[1], [1, 2, 3, 4, 5]]
  expect([await found(true), await found(false)]).toEqual([whole, whole])
})

test('a transaction left alone is aborted, and what waited for it goes on', async () => {
  const store = await startDocumentStore({ ...options(), transactionLifetimeMs: 100 })
  const client = connect()
  const { counters } = collections(client)
  await counters.insertOne({ _id: 'x', n: 1 })
  const session = client.startSession()
  session.startTransaction()
  await counters.updateOne({ _id: 'x' }, { $set: { n: 100 } }, { session })
  await counters.updateOne({ _id: 'x' }, { $inc: { n: 1 } }) // waits until the transaction is given up
  expect(await counters.findOne({ _id: 'x' })).toEqual({ _id: 'x', n: 2 })
  await expect(session.commitTransaction()).rejects.toMatchObject({ code: 251 })
  await client.close()
  await store.close()
})

test('a stop does not wait for transactions that are open, and what waited for one is not stored', async () => {
  let updates = 0
  const onCommand = ({ body }: { body: object }) => void ('update' in body && updates++)
  const store = await startDocumentStore({ ...options(), onCommand })
  const client = connect({ socketTimeoutMS: 1_000 })
  const { counters, entries } = collections(client)
  await counters.insertOne({ _id: 'x', n: 1 })
  const session = client.startSession()
  session.startTransaction()
  await counters.updateOne({ _id: 'x' }, { $set: { n: 100 } }, { session })
  const unrepeated = connect({ retryWrites: false, socketTimeoutMS: 1_000 })
  const waiting = collections(unrepeated)
    .counters.updateOne({ _id: 'x' }, { $inc: { n: 1 } })
    .catch(() => 'refused')
  // A write that is done after it has arrived comes after it.
  for (let n = 0; updates < 2 || n < 2; n++) await entries.insertOne({ _id: `${n}`, writer: 'w', n })
  const began = performance.now()
  await store.close()
  expect(performance.now() - began).toBeLessThan(5_000)
  expect(await waiting).toBe('refused')
  const again = await startDocumentStore(options())
  const reader = connect()
  expect(await collections(reader).counters.findOne({ _id: 'x' })).toEqual({ _id: 'x', n: 1 })
  await Promise.all([client.close(), unrepeated.close(), reader.close()])
  await again.close()
})
