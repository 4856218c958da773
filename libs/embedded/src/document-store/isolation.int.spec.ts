// Concurrent transactions, as they come: what they read and wrote must fit snapshot isolation.
//
// Every transaction appends its id to the lists of the documents that it writes. So the last state tells the order of all
// writers of a document, and what was read tells which of them had been seen.
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { MongoClient, MongoServerError } from 'mongodb'
import { startDocumentStore, type DocumentStore } from '.'

const DOCUMENTS = 6
const WORKERS = 8
const TRANSACTIONS_EACH = 30

interface List {
  _id: number
  writers: number[]
  length: number
}
interface History {
  id: number
  /** The lists as the transaction first read them, before its own writes. */
  read: Map<number, number[]>
  wrote: number[]
  outcome: 'committed' | 'conflict' | 'aborted'
}

let folder: string
let store: DocumentStore
let client: MongoClient

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stet-test-'))
  const socketPath = join(folder, 'documents.sock')
  store = await startDocumentStore({ socketPath, directory: join(folder, 'documents') })
  client = new MongoClient(`mongodb://${encodeURIComponent(socketPath)}/?directConnection=true`)
})
afterEach(async () => {
  await client.close()
  await store.close()
  rmSync(folder, { recursive: true })
})

const collectionOf = (document: number) => client.db('test').collection<List>(document % 2 === 0 ? 'even' : 'odd')

async function transaction(id: number): Promise<History> {
  const history: History = { id, read: new Map(), wrote: [], outcome: 'aborted' }
  const session = client.startSession()
  session.startTransaction()
  try {
    for (let step = randomInt(2, 6); step > 0; step--) {
      const document = randomInt(DOCUMENTS)
      const collection = collectionOf(document)
      if (!history.read.has(document) && !history.wrote.includes(document)) {
        // By its _id or through an index.
        const filter = randomInt(2) === 0 ? { _id: document } : { length: { $gte: 0 }, _id: document }
        history.read.set(document, (await collection.findOne(filter, { session }))!.writers)
      } else if (!history.wrote.includes(document)) {
        await collection.updateOne({ _id: document }, { $push: { writers: id }, $inc: { length: 1 } }, { session })
        history.wrote.push(document)
      } else {
        const found = await collection.findOne({ _id: document }, { session })
        expect(found!.writers.at(-1)).toBe(id)
      }
    }
    if (randomInt(8) === 0) await session.abortTransaction()
    else {
      await session.commitTransaction()
      history.outcome = 'committed'
    }
  } catch (error) {
    if (!(error instanceof MongoServerError) || !error.hasErrorLabel('TransientTransactionError')) throw error
    history.outcome = 'conflict'
  } finally {
    await session.endSession()
  }
  return history
}

test('a snapshot is not read through an index that is newer', async () => {
  await collectionOf(0).insertOne({ _id: 0, writers: [], length: 0 })
  const session = client.startSession()
  session.startTransaction()
  await collectionOf(1).findOne({}, { session })
  await collectionOf(0).createIndex({ length: 1 })
  const refused = collectionOf(0).findOne({ length: 0 }, { session })
  await expect(refused).rejects.toMatchObject({ code: 246, errorLabels: ['TransientTransactionError'] })
  await session.endSession()
})

test('a collection that was dropped since the snapshot is not read as an empty one', async () => {
  for (const document of [0, 1]) await collectionOf(document).insertOne({ _id: document, writers: [], length: 0 })
  const session = client.startSession()
  session.startTransaction()
  await collectionOf(0).findOne({}, { session })
  await collectionOf(1).drop()
  await expect(collectionOf(1).find({}, { session }).toArray()).rejects.toMatchObject({
    code: 246,
    errorLabels: ['TransientTransactionError'],
  })
  await session.endSession()
})

test('no write is lost, all reads of a transaction are of one state, and of two writers the first to commit wins', async () => {
  for (let document = 0; document < DOCUMENTS; document++) {
    await collectionOf(document).createIndex({ length: 1 })
    await collectionOf(document).insertOne({ _id: document, writers: [], length: 0 })
  }
  let next = 1
  const histories: History[] = []
  await Promise.all(
    Array.from({ length: WORKERS }, async () => {
      for (let i = 0; i < TRANSACTIONS_EACH; i++) histories.push(await transaction(next++))
    }),
  )
  const committed = histories.filter(({ outcome }) => outcome === 'committed')
  const final = new Map<number, number[]>()
  for (let document = 0; document < DOCUMENTS; document++) {
    const { writers, length } = (await collectionOf(document).findOne({ _id: document }))!
    final.set(document, writers)
    expect(length).toBe(writers.length)
    // Every committed write is there once, and no other.
    const wrote = committed.filter(({ wrote }) => wrote.includes(document)).map(({ id }) => id)
    expect([...writers].sort((a, b) => a - b)).toEqual(wrote.sort((a, b) => a - b))
  }
  for (const { id, read, wrote, outcome } of histories) {
    for (const [document, writers] of read) expect(writers).toEqual(final.get(document)!.slice(0, writers.length))
    if (outcome !== 'committed') continue
    // Nobody else wrote between the snapshot and the commit what this one wrote.
    for (const document of wrote) expect(final.get(document)!.indexOf(id)).toBe(read.get(document)!.length)
  }
  for (const { read } of histories)
    for (const writers of read.values())
      for (const writer of writers)
        for (const other of committed.find(({ id }) => id === writer)!.wrote)
          // Who is seen in one document is seen in all that it wrote.
          if (read.has(other)) expect(read.get(other)).toContain(writer)
  // Of any two snapshots one is the older in everything.
  for (const one of histories)
    for (const two of histories) {
      const signs = [...one.read].flatMap(([document, writers]) => {
        const others = two.read.get(document)
        return others ? [Math.sign(writers.length - others.length)] : []
      })
      expect(signs.includes(1) && signs.includes(-1)).toBe(false)
    }
  expect(committed.length).toBeGreaterThan(WORKERS)
  expect(histories.some(({ outcome }) => outcome === 'conflict')).toBe(true)
})
