// What the product relies on of a document store, through the official driver: one behaviour of the real server per test.
// Runs against any replica set: MONGODB_URL=mongodb://... npm run test:contract. Without it, against the embedded store.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import {
  type ClientSession,
  type Collection,
  type Db,
  type Document,
  Double,
  Int32,
  Long,
  MongoBulkWriteError,
  MongoClient,
  MongoServerError,
  ObjectId,
  UUID,
} from 'mongodb'
import { startDocumentStore } from '../../libs/embedded/src/document-store'

interface Doc extends Document {
  _id: string | number | ObjectId
}

let client: MongoClient
/** Whose sessions get their numbers from the tests. */
let numbered: MongoClient
let stop: () => Promise<void>
let db: Db
let docs: Collection<Doc>
let sessions: ClientSession[]

beforeAll(async () => {
  const url = process.env.MONGODB_URL
  let connect: () => MongoClient
  if (url && url !== 'embedded') {
    connect = () => new MongoClient(url)
    stop = () => Promise.resolve()
  } else {
    const folder = mkdtempSync(join(tmpdir(), 'stet-test-'))
    const socketPath = join(folder, 'documents.sock')
    const store = await startDocumentStore({ socketPath, directory: join(folder, 'documents') })
    connect = () => new MongoClient(`mongodb://${encodeURIComponent(socketPath)}/?directConnection=true`)
    stop = async () => {
      await store.close()
      rmSync(folder, { recursive: true })
    }
  }
  client = connect()
  numbered = connect()
  db = client.db(`contract-${randomUUID().slice(0, 8)}`)
})
afterAll(async () => {
  await db.dropDatabase()
  await client.close()
  await numbered.close()
  await stop()
})

beforeEach(() => {
  docs = db.collection(`c-${randomUUID()}`)
  sessions = []
})
afterEach(async () => {
  for (const session of sessions) await session.endSession()
})

/** The error of a server, or a failure when there is none. */
async function refusal(promise: Promise<unknown>): Promise<MongoServerError> {
  const outcome = await promise.then(
    () => 'no error',
    (error: unknown) => error,
  )
  expect(outcome).toBeInstanceOf(MongoServerError)
  return outcome as MongoServerError
}

/** The first error that a command answers of one of its statements. */
function failing(answer: Document): void {
  const [error] = answer.writeErrors as Document[]
  throw new MongoServerError(error!)
}

async function idsOf(filter: Document, sort: Document = { _id: 1 }): Promise<unknown[]> {
  const found = await docs.find(filter).sort(sort).toArray()
  return found.map(({ _id }) => _id)
}

async function fill(...documents: Doc[]): Promise<void> {
  await docs.insertMany(documents)
}

async function updated(update: Document | Document[], document: Doc): Promise<Document | null> {
  await docs.deleteMany({})
  await docs.insertOne(document)
  await docs.updateOne({ _id: document._id }, update)
  return docs.findOne({ _id: document._id })
}

async function examined(
  filter: Document,
  sort: Document = {},
  limit = 0,
): Promise<{ returned: number; examined: number }> {
  const explained = await docs.find(filter).sort(sort).limit(limit).explain('executionStats')
  const { nReturned, totalDocsExamined } = explained.executionStats as { nReturned: number; totalDocsExamined: number }
  return { returned: nReturned, examined: totalDocsExamined }
}

function started(): ClientSession {
  const session = client.startSession()
  sessions.push(session)
  session.startTransaction()
  return session
}

/** A transaction of a session, as a driver sends it, but with any number and with several commands at once. */
function transacting(txnNumber = 1, id = { id: new UUID() }) {
  const session = numbered.startSession()
  sessions.push(session)
  Object.assign(session.serverSession, { id, txnNumber })
  const write = (command: Document, on = db.databaseName) =>
    numbered.db(on).command({ ...command, txnNumber: Long.fromNumber(txnNumber) }, { session })
  const send = (command: Document, on?: string) => write({ ...command, autocommit: false }, on)
  return {
    /** Outside of the transaction, with its number. */
    write,
    start: (command: Document) => send({ ...command, startTransaction: true }),
    send,
    commit: () => send({ commitTransaction: 1 }, 'admin'),
    abort: () => send({ abortTransaction: 1 }, 'admin'),
  }
}

const insertion = (...documents: Doc[]): Document => ({ insert: docs.collectionName, documents })
const increment = (_id: number): Document => ({
  update: docs.collectionName,
  updates: [{ q: { _id }, u: { $inc: { n: 1 } } }],
})

/** The code of a server's refusal, 0 when it did not refuse. */
const codeOf = (promise: Promise<Document>): Promise<unknown> =>
  promise.then(
    () => 0,
    (error: unknown) => (error as MongoServerError).code,
  )

describe('server', () => {
  test('introduces itself as a writable primary with sessions', async () => {
    const hello = await db.command({ hello: 1 })
    expect(hello).toMatchObject({ isWritablePrimary: true, logicalSessionTimeoutMinutes: 30, ok: 1 })
  })

  test('refuses an unknown command with CommandNotFound', async () => {
    expect(await refusal(db.command({ frobnicate: 1 }))).toMatchObject({ code: 59, codeName: 'CommandNotFound' })
  })

  test('refuses an unknown field of a command', async () => {
    expect(await refusal(db.command({ find: 'x', frobnicate: 1 }))).toMatchObject({ code: 40415 })
  })

  test('refuses an unknown field of a statement with the whole command', async () => {
    const updates = [
      { q: { _id: 1 }, u: { $set: { a: 1 } }, upsert: true },
      { q: {}, u: { $set: { a: 1 } }, frobnicate: 1 },
    ]
    expect((await refusal(db.command({ update: docs.collectionName, updates }))).code).toBe(40415)
    const deletes = [{ q: {}, limit: 0, frobnicate: 1 }]
    expect((await refusal(db.command({ delete: docs.collectionName, deletes }))).code).toBe(40415)
    expect(await docs.countDocuments()).toBe(0)
  })
})

describe('insert', () => {
  test('gives an _id where there is none and refuses one that is taken with 11000, key pattern and value', async () => {
    const { insertedId } = await docs.insertOne({ n: 1 } as unknown as Doc)
    expect(insertedId).toBeInstanceOf(ObjectId)
    const error = await refusal(docs.insertOne({ _id: insertedId }))
    expect(error).toMatchObject({ code: 11000, keyPattern: { _id: 1 }, keyValue: { _id: insertedId } })
  })

  test('ordered stops at the first error, unordered goes on', async () => {
    const batch = [{ _id: 1 }, { _id: 1 }, { _id: 2 }]
    const ordered = await docs.insertMany(batch).catch((error: unknown) => error)
    expect(ordered).toBeInstanceOf(MongoBulkWriteError)
    expect((ordered as MongoBulkWriteError).insertedCount).toBe(1)
    expect(await docs.countDocuments()).toBe(1)
    const unordered = await docs.insertMany(batch, { ordered: false }).catch((error: unknown) => error)
    expect((unordered as MongoBulkWriteError).writeErrors).toHaveLength(2)
    expect(await idsOf({})).toEqual([1, 2])
  })

  test('tells very many failures apart, the later ones without a message', async () => {
    await docs.insertOne({ _id: 1 })
    const documents = Array.from({ length: 60_000 }, () => ({ _id: 1 }))
    const answer = await db.command({ insert: docs.collectionName, documents, ordered: false })
    const errors = answer.writeErrors as Document[]
    expect(errors).toHaveLength(60_000)
    expect(errors[0]!.errmsg).toContain('E11000')
    expect(errors.at(-1)).toMatchObject({ index: 59_999, code: 11000, errmsg: '', keyValue: { _id: 1 } })
  })

  test('keeps Int32, Long, Double, dates, binaries and the order of fields', async () => {
    await docs.insertOne({
      _id: 1,
      z: new Int32(1),
      a: new Double(1),
      l: Long.fromString('9007199254740993'),
      d: new Date(5),
      b: Buffer.from('x'),
    })
    const raw = await docs.findOne({ _id: 1 }, { promoteValues: false })
    expect(Object.keys(raw!)).toEqual(['_id', 'z', 'a', 'l', 'd', 'b'])
    expect(raw!.z).toBeInstanceOf(Int32)
    expect(raw!.a).toBeInstanceOf(Double)
    expect(String(raw!.l)).toBe('9007199254740993')
    expect(raw!.d).toEqual(new Date(5))
  })

  test('takes a document of 16 MiB and refuses a larger one', async () => {
    const longest = 'x'.repeat(16 * 1024 * 1024 - 22)
    const insert = (_id: number, x: string) =>
      db.command({ insert: docs.collectionName, documents: [{ _id: new Int32(_id), x }] })
    expect(await insert(1, longest)).toMatchObject({ n: 1 })
    expect((await refusal(insert(2, `${longest}x`).then(failing))).code).toBe(2)
    expect(await docs.countDocuments()).toBe(1)
  })

  test('refuses an update and an upsert that would make a document somewhat larger', async () => {
    const filler = 'x'.repeat(16 * 1024 * 1024 - 4_000)
    await docs.insertOne({ _id: 1, filler })
    const more = { $set: { more: 'x'.repeat(5_000) } }
    expect((await refusal(docs.updateOne({ _id: 1 }, more))).code).toBe(17419)
    expect((await refusal(docs.updateOne({ _id: 2, filler }, more, { upsert: true }))).code).toBe(17420)
    expect((await refusal(docs.findOneAndUpdate({ _id: 2, filler }, more, { upsert: true }))).code).toBe(17420)
  })

  test('answers findAndModify with a document of 16 MiB', async () => {
    const filler = 'x'.repeat(16 * 1024 * 1024 - 34)
    await docs.insertOne({ _id: new Int32(1) as never, filler, n: new Int32(1) })
    const options = { returnDocument: 'after', promoteValues: false } as const
    expect(await docs.findOneAndUpdate({ _id: 1 }, { $inc: { n: 1 } }, options)).toMatchObject({ n: new Int32(2) })
  })

  test('refuses an array as _id', async () => {
    expect((await refusal(docs.insertOne({ _id: [1] as never }))).code).toBe(72)
  })
})

describe('find', () => {
  test('null is equal to null and to a missing field, also in embedded documents of arrays', async () => {
    await fill({ _id: 1, a: null }, { _id: 2 }, { _id: 3, a: 1 }, { _id: 4, a: [] }, { _id: 5, a: [null] })
    expect(await idsOf({ a: null })).toEqual([1, 2, 5])
    expect(await idsOf({ a: { $ne: null } })).toEqual([3, 4])
    expect(await idsOf({ a: { $exists: false } })).toEqual([2])
    await docs.deleteMany({})
    await fill(
      { _id: 1, a: [{ b: 1 }, {}] },
      { _id: 2, a: [] },
      { _id: 3, a: [1] },
      { _id: 4, a: 1 },
      { _id: 5, a: [{ b: 1 }] },
    )
    expect(await idsOf({ 'a.b': null })).toEqual([1, 4])
    expect(await idsOf({ 'a.b': { $exists: false } })).toEqual([2, 3, 4])
  })

  test('a dotted path goes through arrays by element and by position', async () => {
    await fill({ _id: 1, a: [{ b: 1 }, { b: 2 }] }, { _id: 2, a: { b: 2 } }, { _id: 3, a: [[{ b: 2 }]] })
    expect(await idsOf({ 'a.b': 2 })).toEqual([1, 2])
    expect(await idsOf({ 'a.1.b': 2 })).toEqual([1])
    expect(await idsOf({ 'a.0.b': 2 })).toEqual([3])
  })

  test('a path that ends in a position means what stands there, not what is in it', async () => {
    await fill({ _id: 1, a: [[0, 5]] }, { _id: 2, a: [5] }, { _id: 3, a: { 0: [5] } })
    expect(await idsOf({ 'a.0': 5 })).toEqual([2, 3])
    expect(await idsOf({ 'a.0': { $gt: 4 } })).toEqual([2, 3])
    expect(await idsOf({ 'a.0': { $ne: 5 } })).toEqual([1])
    expect(await idsOf({ 'a.0': [0, 5] })).toEqual([1])
    expect(await idsOf({ 'a.0.1': 5 })).toEqual([1])
  })

  test('a path beyond a position ends in nothing that is null where a scalar stands there', async () => {
    await fill({ _id: 1, a: [5] }, { _id: 2, a: [null] }, { _id: 3, a: [[5]] }, { _id: 4, a: { 0: 5 } })
    expect(await idsOf({ 'a.0.b': null })).toEqual([4])
    expect(await idsOf({ 'a.0.b': { $ne: null } })).toEqual([1, 2, 3])
    expect(await idsOf({ 'a.0.b': { $exists: false } })).toEqual([1, 2, 3, 4])
  })

  test('comparisons stay within one type; numbers of all types compare by value', async () => {
    await fill(
      { _id: 1, a: new Int32(5) },
      { _id: 2, a: new Double(5) },
      { _id: 3, a: Long.fromNumber(5) },
      { _id: 4, a: '5' },
      { _id: 5, a: new Date(5) },
    )
    expect(await idsOf({ a: 5 })).toEqual([1, 2, 3])
    expect(await idsOf({ a: { $gte: 4 } })).toEqual([1, 2, 3])
    expect(await idsOf({ a: { $lt: 'x' } })).toEqual([4])
  })

  test('Long and Double beyond 2^53 are told apart exactly', async () => {
    await fill(
      { _id: 1, a: Long.fromString('9007199254740993') },
      { _id: 2, a: new Double(9007199254740992) },
      { _id: 3, a: Long.fromString('9007199254740992') },
    )
    expect(await idsOf({ a: new Double(9007199254740992) })).toEqual([2, 3])
    expect(await idsOf({ a: { $gt: new Double(9007199254740992) } })).toEqual([1])
    expect(await idsOf({ a: Long.fromString('9007199254740993') })).toEqual([1])
  })

  test('orders values of all types: null, numbers, strings, objects, arrays by their least element, binary, id, bool, date', async () => {
    const values: unknown[] = [null, 1, 'a', { x: 1 }, Buffer.from('x'), new ObjectId(), true, new Date(1)]
    await docs.insertMany(values.map((a, i) => ({ _id: i, a })).reverse())
    await docs.insertOne({ _id: 'empty array', a: [] })
    await docs.insertOne({ _id: 'array', a: [new Date(9), 0] })
    expect(await idsOf({}, { a: 1 })).toEqual(['empty array', 0, 'array', 1, 2, 3, 4, 5, 6, 7])
    expect((await idsOf({}, { a: -1 })).slice(0, 2)).toEqual(['array', 7])
  })

  test('$in, $nin, $not, $or, $and', async () => {
    await fill(
      {
        _id: 1,
        t: ['a', 'b'],
        s: [
          { k: 1, v: 1 },
          { k: 2, v: 2 },
        ],
      },
      { _id: 2, t: ['b'], s: [{ k: 1, v: 2 }] },
      { _id: 3 },
    )
    expect(await idsOf({ t: { $in: ['a', null] } })).toEqual([1, 3])
    expect(await idsOf({ t: { $nin: ['a'] } })).toEqual([2, 3])
    expect(await idsOf({ 's.k': 1, 's.v': 2 })).toEqual([1, 2])
    expect(await idsOf({ t: { $not: { $gt: 'a' } } })).toEqual([3])
    expect(await idsOf({ $or: [{ t: 'a' }, { t: { $exists: false } }] })).toEqual([1, 3])
    expect(await idsOf({ $and: [{ t: 'b' }, { 's.k': 2 }] })).toEqual([1])
    expect(await idsOf({ t: ['b'] })).toEqual([2])
  })

  test('projections include or exclude, also in documents of arrays', async () => {
    await fill({ _id: 1, a: 1, b: { c: 2, d: 3 }, t: [1, 2, 3], s: [{ x: 1, y: 2 }, { x: 3 }, 9] })
    const projected = (projection: Document) => docs.findOne({ _id: 1 }, { projection })
    expect(await projected({ a: 1 })).toEqual({ _id: 1, a: 1 })
    expect(await projected({ 'b.c': 1, _id: 0 })).toEqual({ b: { c: 2 } })
    expect(await projected({ 's.x': 1, _id: 0 })).toEqual({ s: [{ x: 1 }, { x: 3 }] })
    expect(await projected({ b: 0, s: 0, t: 0 })).toEqual({ _id: 1, a: 1 })
    expect(await projected({ _id: 0, a: 0, b: 0, t: 0, 's.x': 0 })).toEqual({ s: [{ y: 2 }, {}, 9] })
    expect((await refusal(projected({ a: 1, b: 0 }))).code).toBe(31254)
    expect((await refusal(projected({ _id: 1, a: 0, b: 1 }))).code).toBe(31253)
    expect((await refusal(projected({ b: 1, 'b.c': 1 }))).code).toBe(31249)
    expect((await refusal(projected({ 'b.c': 1, b: 1 }))).code).toBe(31250)
    await docs.insertOne({ _id: { x: 1, y: 2 } as never })
    expect(await docs.findOne({ a: null }, { projection: { '_id.x': 1 } })).toEqual({ _id: { x: 1 } })
  })

  test('a query or a write ends when its time is over; that between two batches does not count', async () => {
    await docs.insertMany(Array.from({ length: 20_000 }, (_, i) => ({ _id: i, a: i })))
    expect((await refusal(docs.find({ a: -1 }, { maxTimeMS: 1 }).toArray())).code).toBe(50)
    const updates = [{ q: { a: -1 }, u: { $set: { b: 1 } } }]
    expect((await refusal(db.command({ update: docs.collectionName, updates, maxTimeMS: 1 }))).code).toBe(50)
    const cursor = docs.find({ a: { $lt: 4 } }, { maxTimeMS: 500, batchSize: 2, limit: 4 })
    expect(await cursor.next()).toMatchObject({ _id: 0 })
    const until = performance.now() + 600
    while (performance.now() < until) await db.command({ ping: 1 })
    expect(await cursor.toArray()).toHaveLength(3)
  })

  test('a cursor gives everything once over many batches, and is gone when killed', async () => {
    await docs.insertMany(Array.from({ length: 1_000 }, (_, i) => ({ _id: i })))
    const all = await docs.find({}, { batchSize: 7 }).sort({ _id: 1 }).toArray()
    expect(all.map(({ _id }) => _id)).toEqual(Array.from({ length: 1_000 }, (_, i) => i))
    expect(await docs.find({}).skip(990).limit(5).toArray()).toHaveLength(5)
    const opened = await db.command({ find: docs.collectionName, batchSize: 1 })
    const { id } = (opened as { cursor: { id: Long } }).cursor
    await db.command({ killCursors: docs.collectionName, cursors: [id] })
    expect((await refusal(db.command({ getMore: Long.fromValue(id), collection: docs.collectionName }))).code).toBe(43)
  })

  test.each([1, -1] as const)('a further batch has documents as they are by then; order %p', async order => {
    await docs.insertMany(Array.from({ length: 10 }, (_, _id) => ({ _id })))
    const cursor = docs.find({}, { sort: { _id: order }, batchSize: 1 })
    await cursor.next()
    await docs.deleteOne({ _id: 5 })
    await docs.updateOne({ _id: 6 }, { $set: { a: 1 } })
    await docs.insertOne({ _id: 4.5 })
    const rest = await cursor.toArray()
    const expected: Document[] = [0, 1, 2, 3, 4, 4.5, 6, 7, 8, 9].map(_id => (_id === 6 ? { _id, a: 1 } : { _id }))
    expect(rest).toEqual((order === 1 ? expected : expected.reverse()).slice(1))
  })

  test('a cursor goes on only in its own session and transaction', async () => {
    await docs.insertMany(Array.from({ length: 5 }, (_, i) => ({ _id: i })))
    const [own, other] = [client.startSession(), client.startSession()]
    sessions.push(own, other)
    const opened = async (session: ClientSession) => {
      const { cursor } = await db.command({ find: docs.collectionName, batchSize: 1 }, { session })
      return { getMore: Long.fromValue((cursor as { id: Long }).id), collection: docs.collectionName }
    }
    const plain = await opened(own)
    expect(await codeOf(db.command(plain, { session: other }))).toBe(50738)
    expect(await codeOf(db.command(plain, { session: own }))).toBe(0)
    const again = await opened(own)
    own.startTransaction()
    await docs.findOne({}, { session: own })
    expect(await codeOf(db.command(again, { session: own }))).toBe(50739)
    await own.abortTransaction()

    const transaction = transacting()
    const find = { find: docs.collectionName, batchSize: 1 }
    const { cursor } = (await transaction.start(find)) as { cursor: { id: Long } }
    const more = { getMore: Long.fromValue(cursor.id), collection: docs.collectionName }
    expect(await codeOf(numbered.db(db.databaseName).command(more, { session: sessions.at(-1) }))).toBe(50740)
    expect(await codeOf(transaction.send(more))).toBe(0)
  })

  test('refuses what it does not know with BadValue, and paths that are too long', async () => {
    expect((await refusal(docs.findOne({ a: { $frob: 1 } }))).code).toBe(2)
    expect((await refusal(docs.findOne({ $frob: 1 }))).code).toBe(2)
    expect((await refusal(docs.findOne({ $or: [] }))).code).toBe(2)
    const deep = Array.from({ length: 300 }, () => 'a').join('.')
    expect((await refusal(docs.findOne({}, { sort: { [deep]: 1 } }))).code).toBe(15)
    expect((await refusal(docs.findOne({}, { projection: { [deep]: 1 } }))).code).toBe(15)
  })

  test('count and distinct', async () => {
    await fill({ _id: 1, t: ['a', 'b'] }, { _id: 2, t: ['b'] }, { _id: 3 })
    expect(await docs.countDocuments({ t: 'b' })).toBe(2)
    expect(await docs.estimatedDocumentCount()).toBe(3)
    expect(await docs.distinct('t')).toEqual(['a', 'b'])
    expect(await db.collection('nothing here').countDocuments()).toBe(0)
  })

  test('distinct values are refused beyond 16 MiB, and those that are equal are one', async () => {
    for (let i = 0; i < 34; i++)
      await docs.insertOne({ _id: i, a: `${i % 17}`.padEnd(1_000_000), n: new Double(i % 2) })
    await docs.insertOne({ _id: 'more', n: Long.fromNumber(1) })
    expect(await docs.distinct('n')).toEqual([0, 1])
    expect(await docs.distinct('a', { _id: { $gt: 17 } })).toHaveLength(16)
    for (let i = 0; i < 34; i++) await docs.insertOne({ _id: 100 + i, a: `b${i}`.padEnd(1_000_000) })
    expect((await refusal(docs.distinct('a'))).code).toBe(17217)
  })
})

describe('update', () => {
  test('$set, $unset, $inc on dotted paths', async () => {
    const document = { _id: 1, a: 1, b: { c: 5 }, t: [1, 2] }
    expect(await updated({ $set: { 'b.d': 1, x: 2 } }, document)).toEqual({ ...document, b: { c: 5, d: 1 }, x: 2 })
    expect(await updated({ $unset: { 'b.c': '', t: '' } }, document)).toEqual({ _id: 1, a: 1, b: {} })
    expect(await updated({ $unset: { 't.0': '' } }, document)).toEqual({ ...document, t: [null, 2] })
    expect(await updated({ $inc: { a: 2, n: 3 } }, document)).toEqual({ ...document, a: 3, n: 3 })
    expect(await updated({ $set: { 't.3': 9 } }, document)).toEqual({ ...document, t: [1, 2, null, 9] })
    expect((await refusal(updated({ $set: { 't.2000000': 9 } }, document))).code).toBe(34)
  })

  test('fields that an update creates come in the order of their names', async () => {
    expect(
      Object.keys((await updated({ $set: { z: 1 }, $inc: { y: 1 }, $push: { x: 1 } }, { _id: 1, b: 1 }))!),
    ).toEqual(['_id', 'b', 'x', 'y', 'z'])
  })

  test('$inc keeps the types of numbers, widens Int32 to Long and refuses strings', async () => {
    await docs.insertOne({ _id: 1, i: new Int32(2147483647), d: new Double(1), s: 'x' })
    await docs.updateOne({ _id: 1 }, { $inc: { i: new Int32(1), d: new Int32(1) } })
    const raw = await docs.findOne({ _id: 1 }, { promoteValues: false })
    expect(raw!.i).toBeInstanceOf(Long)
    expect(raw!.d).toBeInstanceOf(Double)
    expect((await refusal(docs.updateOne({ _id: 1 }, { $inc: { s: 1 } }))).code).toBe(14)
  })

  test('$push with $each, $sort, $slice and $position, also on an absent array', async () => {
    const each = (modifiers: Document, t?: unknown[]) =>
      updated({ $push: { t: { $each: [3, 1], ...modifiers } } }, { _id: 1, ...(t && { t }) })
    expect((await each({}))!.t).toEqual([3, 1])
    expect((await each({ $slice: 1 }))!.t).toEqual([3])
    expect((await each({ $sort: 1 }, [2]))!.t).toEqual([1, 2, 3])
    expect((await each({ $sort: -1, $slice: -2 }, [2]))!.t).toEqual([2, 1])
    expect((await each({ $position: 0 }, [2]))!.t).toEqual([3, 1, 2])
    const ranked = await updated(
      { $push: { t: { $each: [{ n: 1 }], $sort: { n: 1 }, $slice: 1 } } },
      { _id: 1, t: [{ n: 2 }] },
    )
    expect(ranked!.t).toEqual([{ n: 1 }])
    expect((await refusal(updated({ $push: { a: 1 } }, { _id: 1, a: 1 }))).code).toBe(2)
  })

  test('$addToSet, $pull, $pop', async () => {
    const document = {
      _id: 1,
      t: [1, 2, 3, 2],
      s: [
        { k: 1, v: 1 },
        { k: 2, v: 1 },
      ],
    }
    expect((await updated({ $addToSet: { t: { $each: [3, 4] } } }, document))!.t).toEqual([1, 2, 3, 2, 4])
    expect((await updated({ $pull: { t: 2 } }, document))!.t).toEqual([1, 3])
    expect((await updated({ $pull: { t: { $gte: 2 } } }, document))!.t).toEqual([1])
    expect((await updated({ $pull: { s: { k: 1 } } }, document))!.s).toEqual([{ k: 2, v: 1 }])
    expect((await updated({ $pop: { t: -1 } }, document))!.t).toEqual([2, 3, 2])
  })

  test('$push sorts by fields as they are: an array as an array, what is missing as null', async () => {
    const sorted = async ($sort: Document, ...t: unknown[]) =>
      (await updated({ $push: { t: { $each: [], $sort } } }, { _id: 1, t }))!.t as unknown
    const [array, five, none] = [{ s: [1, 9], r: [2, 3] }, { s: 5 }, {}]
    expect(await sorted({ s: 1 }, array, five, none)).toEqual([none, five, array])
    expect(await sorted({ s: -1 }, none, five, array)).toEqual([array, five, none])
    expect(await sorted({ s: 1, r: 1 }, array, { s: [1, 9], r: [1] }, 7)).toEqual([7, { s: [1, 9], r: [1] }, array])
    expect(await sorted({ 's.1': -1 }, { s: [9, 1] }, { s: [1, 9] })).toEqual([{ s: [1, 9] }, { s: [9, 1] }])
    for (const path of ['', 'x.', '.x', 'x..y']) expect((await refusal(sorted({ [path]: 1 }))).code).toBe(2)
    expect((await refusal(sorted({}))).code).toBe(2)
  })

  test('$pull tests an element as a field is tested: operators also look into an element that is an array', async () => {
    const pulled = async (a: unknown[], test: Document) =>
      (await updated({ $pull: { a: test } }, { _id: 1, a }))!.a as unknown
    expect(await pulled([[4, 1], 2, 5], { $gt: 3 })).toEqual([2])
    expect(await pulled([1, [1, 2], 2], { $ne: 1 })).toEqual([1, [1, 2]])
  })

  test('$pop and $pull leave alone what is missing and refuse a path that cannot be; $unset leaves both', async () => {
    const document = { _id: 1, a: 5, t: [1, 2] }
    for (const path of ['x.b', 't.7', 't.7.b']) {
      expect(await updated({ $pop: { [path]: 1 } }, document)).toEqual(document)
      expect(await updated({ $unset: { [path]: '' } }, document)).toEqual(document)
    }
    for (const path of ['a.b', 't.b', 't.0.b', 't.b.c']) {
      expect(await updated({ $unset: { [path]: '' } }, document)).toEqual(document)
      expect((await refusal(updated({ $pop: { [path]: 1 } }, document))).code).toBe(28)
      expect((await refusal(updated({ $pull: { [path]: 1 } }, document))).code).toBe(28)
    }
    expect((await refusal(docs.updateOne({ _id: 1 }, { $pop: { 'a.b': 1 } }))).message).toContain(
      'Cannot use the part (b) of (a.b) to traverse the element ({a: 5})',
    )
  })

  test('$push and $addToSet take very many elements', async () => {
    const many = Array.from({ length: 200_000 }, (_, i) => i)
    const document = await updated({ $push: { p: { $each: many } }, $addToSet: { s: { $each: many } } }, { _id: 1 })
    expect([document!.p, document!.s]).toEqual([many, many])
  })

  test('counts matched and modified apart; multi changes all', async () => {
    await fill({ _id: 1, a: 1 }, { _id: 2, a: 1 }, { _id: 3, a: 2 })
    expect(await docs.updateOne({ _id: 1 }, { $set: { a: 1 } })).toMatchObject({ matchedCount: 1, modifiedCount: 0 })
    expect(await docs.updateMany({ a: 1 }, { $inc: { a: 1 } })).toMatchObject({ matchedCount: 2, modifiedCount: 2 })
    expect(await docs.deleteMany({ a: 2 })).toMatchObject({ deletedCount: 3 })
  })

  test('an update of many that fails at one of them counts none, and keeps what it has changed', async () => {
    await fill({ _id: 1, a: 1 }, { _id: 2, a: 1 }, { _id: 3, a: 'x' }, { _id: 4, a: 1 })
    const updates = [{ q: {}, u: { $inc: { a: 1 } }, multi: true }]
    const answer = await db.command({ update: docs.collectionName, updates })
    expect(answer).toMatchObject({ n: 0, nModified: 0, writeErrors: [{ index: 0, code: 14 }] })
    expect(await docs.distinct('a')).toEqual(expect.arrayContaining([2, 'x', 1]))
  })

  test('an upsert takes the equalities of the filter, $setOnInsert only then', async () => {
    const first = await docs.updateOne(
      { _id: 7, k: 1, n: { $gt: 2 } },
      { $set: { a: 1 }, $setOnInsert: { b: 1 } },
      { upsert: true },
    )
    expect(first).toMatchObject({ upsertedCount: 1, upsertedId: 7, matchedCount: 0 })
    expect(await docs.findOne()).toEqual({ _id: 7, k: 1, a: 1, b: 1 })
    await docs.updateOne({ _id: 7 }, { $set: { a: 2 }, $setOnInsert: { b: 2 } }, { upsert: true })
    expect(await docs.findOne()).toEqual({ _id: 7, k: 1, a: 2, b: 1 })
  })

  test('an upsert of a replacement makes an _id where the filter has none, and keeps null as one', async () => {
    const { upsertedId } = await docs.replaceOne({ slug: 'x' }, { slug: 'x', n: 1 }, { upsert: true })
    expect(upsertedId).toBeInstanceOf(ObjectId)
    expect(await docs.findOne({ slug: 'x' })).toEqual({ _id: upsertedId, slug: 'x', n: 1 })
    await docs.replaceOne({ _id: null as never }, { a: 1 }, { upsert: true })
    await docs.replaceOne({ _id: null as never }, { a: 2 })
    expect(await docs.findOne({ a: 2 })).toEqual({ _id: null, a: 2 })
  })

  test.each<[number, Document]>([
    [54, { $and: [{ a: 1 }, { a: 1 }] }],
    [54, { a: { c: 1 }, 'a.b': 2 }],
    [54, { 'a.b': 2, a: { c: 1 } }],
    [54, { $and: [{ _id: 1 }, { _id: 2 }] }],
    [54, { _id: { x: 1 }, '_id.x': 1 }],
  ])('an upsert is refused with %i when the filter %j says a field twice', async (code, filter) => {
    const upsert = docs.updateOne(filter, { $set: { n: 1 } }, { upsert: true })
    expect((await refusal(upsert)).code).toBe(code)
    expect(await docs.countDocuments()).toBe(0)
  })

  test('an upsert of a replacement minds of the filter only the _id, which has to be whole and said once', async () => {
    const put = (filter: Document) => docs.replaceOne(filter, { n: 1 }, { upsert: true })
    expect((await put({ _id: 1, x: 1, 'x.x': 1 })).upsertedId).toBe(1)
    expect((await refusal(put({ $and: [{ _id: 2 }, { _id: 3 }] }))).code).toBe(54)
    expect((await refusal(put({ '_id.x': 1 }))).code).toBe(111)
    expect((await refusal(put({ _id: { x: 1 }, '_id.x': 1 }))).code).toBe(111)
  })

  test('an upsert on _id and another field that does not match gives 11000', async () => {
    await fill({ _id: 'checkpoint', position: '5' })
    const stale = docs.updateOne({ _id: 'checkpoint', position: '4' }, { $set: { position: '6' } }, { upsert: true })
    expect((await refusal(stale)).code).toBe(11000)
    expect(await docs.updateOne({ _id: 'checkpoint', position: '4' }, { $set: { position: '6' } })).toMatchObject({
      matchedCount: 0,
    })
  })

  test('replaceOne replaces all but the _id, which cannot change', async () => {
    await fill({ _id: 1, a: 1, b: 2 })
    await docs.replaceOne({ _id: 1 }, { c: 3 })
    expect(await docs.findOne()).toEqual({ _id: 1, c: 3 })
    expect((await refusal(docs.replaceOne({ _id: 1 }, { _id: 2 }))).code).toBe(66)
    expect((await refusal(docs.updateOne({ _id: 1 }, { $set: { _id: 2 } }))).code).toBe(66)
    await docs.insertOne({ _id: 'one', a: 1 })
    const other = {
      update: docs.collectionName,
      updates: [{ q: { _id: 'one' }, u: { _id: 'two', a: 2 }, upsert: true }],
    }
    expect((await refusal(db.command(other).then(failing))).code).toBe(66)
    expect([await idsOf({ a: 2 }), await idsOf({ _id: 'one', a: 1 })]).toEqual([[], ['one']])
  })

  test.each<Document>([
    { $set: { '_id.x': 5 } },
    { $unset: { '_id.y': '' } },
    { $inc: { '_id.n': 1 } },
    { $push: { '_id.t': 2 } },
  ])('the _id cannot change in part either: %j', async update => {
    const _id = { x: 1, y: 1, t: [1] } as never
    await docs.insertOne({ _id, a: 1 })
    expect((await refusal(docs.updateOne({ a: 1 }, update))).code).toBe(66)
    expect((await refusal(docs.findOneAndUpdate({ a: 1 }, update))).code).toBe(66)
    expect(await docs.updateOne({ a: 1 }, { $set: { '_id.x': 1, a: 2 } })).toMatchObject({ modifiedCount: 1 })
    expect(await docs.find({ _id }).toArray()).toEqual([{ _id, a: 2 }])
  })

  test('refuses conflicting paths, paths through scalars and unknown operators', async () => {
    await fill({ _id: 1, a: 1 })
    expect((await refusal(docs.updateOne({ _id: 1 }, { $set: { a: 1 }, $inc: { a: 1 } }))).code).toBe(40)
    expect((await refusal(docs.updateOne({ _id: 1 }, { $set: { 'a.b': 1 } }))).code).toBe(28)
    expect((await refusal(docs.updateOne({ _id: 1 }, { $frob: { a: 1 } }))).code).toBe(9)
    const deep = Array.from({ length: 300 }, () => 'a').join('.')
    expect((await refusal(docs.updateOne({ _id: 1 }, { $set: { [`b.${deep}`]: 1 } }))).code).toBe(15)
    // Also where no document is found.
    expect((await refusal(docs.updateOne({ _id: 2 }, { $inc: { a: 'x' as never } }))).code).toBe(14)
  })

  test('bulkWrite counts each kind', async () => {
    const outcome = await docs.bulkWrite([
      { insertOne: { document: { _id: 1 } } },
      { replaceOne: { filter: { _id: 2 }, replacement: { a: 1 }, upsert: true } },
      { updateOne: { filter: { _id: 1 }, update: { $set: { a: 1 } } } },
      { updateMany: { filter: { a: 1 }, update: { $inc: { a: 1 } } } },
      { deleteOne: { filter: { _id: 2 } } },
    ])
    expect(outcome).toMatchObject({
      insertedCount: 1,
      upsertedCount: 1,
      matchedCount: 3,
      modifiedCount: 3,
      deletedCount: 1,
    })
    expect(outcome.upsertedIds).toEqual({ 1: 2 })
  })

  test('findOneAndUpdate answers as before or after, by sort, with upsert', async () => {
    await fill({ _id: 1, n: 5 }, { _id: 2, n: 3 })
    expect(await docs.findOneAndUpdate({}, { $inc: { n: 1 } }, { sort: { n: 1 } })).toEqual({ _id: 2, n: 3 })
    expect(await docs.findOneAndUpdate({ _id: 2 }, { $inc: { n: 1 } }, { returnDocument: 'after' })).toEqual({
      _id: 2,
      n: 5,
    })
    expect(
      await docs.findOneAndUpdate({ _id: 3 }, { $inc: { n: 1 } }, { upsert: true, returnDocument: 'after' }),
    ).toEqual({ _id: 3, n: 1 })
    expect(await docs.findOneAndDelete({ _id: 3 })).toEqual({ _id: 3, n: 1 })
    expect(await docs.findOneAndDelete({ _id: 3 })).toBeNull()
  })
})

describe('indexes', () => {
  const many = () =>
    docs.insertMany(
      Array.from({ length: 500 }, (_, i) => ({ _id: i, s: `s${i % 5}`, n: i, t: [`t${i % 7}`, `t${i % 3}`] })),
    )

  test('are listed, made once, refused under another name, and one beside the other when one is unique', async () => {
    await docs.createIndex({ a: 1, b: -1 })
    expect(await docs.createIndex({ a: 1, b: -1 })).toBe('a_1_b_-1')
    expect((await docs.indexes()).map(({ name, key }) => [name, key])).toEqual([
      ['_id_', { _id: 1 }],
      ['a_1_b_-1', { a: 1, b: -1 }],
    ])
    expect((await refusal(docs.createIndex({ a: 1, b: -1 }, { name: 'other' }))).code).toBe(85)
    expect((await refusal(docs.createIndex({ c: 1 }, { name: 'a_1_b_-1' }))).code).toBe(86)
    expect((await refusal(docs.createIndex({ a: 1, b: -1 }, { unique: true }))).code).toBe(86)
    expect(await docs.createIndex({ a: 1, b: -1 }, { unique: true, name: 'u' })).toBe('u')
    expect((await refusal(docs.createIndex({ a: 1, b: -1 }, { unique: true, name: 'v' }))).code).toBe(85)
    expect((await refusal(docs.createIndex({ _id: 1 }, { unique: true }))).code).toBe(197)
    expect((await refusal(docs.createIndex({ _id: -1 }))).code).toBe(2)
  })

  test('a collection has 64 of them at most', async () => {
    const keys = Array.from({ length: 64 }, (_, i) => ({ key: { [`f${i}`]: 1 } }))
    expect((await refusal(docs.createIndexes(keys))).code).toBe(67)
    expect(await docs.createIndexes(keys.slice(1))).toHaveLength(63)
    expect(await docs.createIndex({ f1: 1 })).toBe('f1_1')
    expect((await refusal(docs.createIndex({ g: 1 }))).code).toBe(67)
  })

  test('an index or an order has 32 fields at most', async () => {
    const fields = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, 1 as const]))
    await fill({ _id: 1 })
    expect(await docs.createIndex(fields(32), { name: 'widest' })).toBe('widest')
    expect(await docs.findOne({}, { sort: fields(32) })).toEqual({ _id: 1 })
    expect((await refusal(docs.createIndex(fields(33), { name: 'wider' }))).code).toBe(13103)
    expect((await refusal(docs.findOne({}, { sort: fields(33) }))).code).toBe(13103)
  })

  test('an equality and an order are served without looking at more than is given', async () => {
    await many()
    await docs.createIndex({ s: 1, n: -1 })
    expect(await examined({ s: 's1' }, { n: -1 }, 20)).toEqual({ returned: 20, examined: 20 })
    expect(await examined({ s: 's1' }, { n: 1 }, 20)).toEqual({ returned: 20, examined: 20 })
    expect(await examined({ s: 's1', n: { $gte: 100, $lt: 200 } })).toEqual({ returned: 20, examined: 20 })
    const page = await docs.find({ s: 's1' }).sort({ n: -1 }).limit(3).toArray()
    expect(page.map(({ n }) => n as number)).toEqual([496, 491, 486])
  })

  test('a multikey index serves elements; a document comes once', async () => {
    await many()
    await docs.createIndex({ t: 1 })
    const found = await docs.find({ t: { $in: ['t0', 't1'] } }).toArray()
    expect(new Set(found.map(({ _id }) => _id)).size).toBe(found.length)
    expect(await examined({ t: 't5' })).toEqual({ returned: 71, examined: 71 })
  })

  test('two tests may be passed by two elements of one array', async () => {
    await docs.createIndexes([{ key: { t: 1 } }, { key: { 's.k': 1, 's.v': 1 } }])
    const pairs = [1, 2].map(n => ({ k: n, v: n }))
    await fill({ _id: 1, t: [0, 4], s: pairs }, { _id: 2, t: [2], s: [] })
    expect(await idsOf({ t: { $gt: 3, $lt: 1 } })).toEqual([1])
    expect(await idsOf({ 's.k': 1, 's.v': 2 })).toEqual([1])
  })

  test('two fields of one array, in which one document has another array', async () => {
    await docs.createIndex({ 's.k': 1, 's.v': 1 })
    await docs.insertOne({ _id: 1, s: { k: 0, v: ['z'] } })
    await docs.insertOne({
      _id: 2,
      s: [
        { k: 'color', v: 'red' },
        { k: 'size', v: 'XL' },
      ],
    })
    expect(await idsOf({ 's.k': 'color', 's.v': 'XL' })).toEqual([2])
  })

  test('a unique index refuses a second document, also by upsert, and the index cannot be made over duplicates', async () => {
    await docs.createIndex({ slug: 1 }, { unique: true })
    await fill({ _id: 1, slug: 'a' })
    const error = await refusal(docs.insertOne({ _id: 2, slug: 'a' }))
    expect(error).toMatchObject({ code: 11000, keyPattern: { slug: 1 }, keyValue: { slug: 'a' } })
    expect((await refusal(docs.updateOne({ _id: 3 }, { $set: { slug: 'a' } }, { upsert: true }))).code).toBe(11000)
    await docs.replaceOne({ _id: 1 }, { slug: 'b' })
    await docs.insertOne({ _id: 2, slug: 'a' })
    await docs.updateMany({}, { $set: { n: 1 } })
    expect((await refusal(docs.createIndex({ n: 1 }, { unique: true }))).code).toBe(11000)
    expect(await docs.indexes()).toHaveLength(2)
  })

  test('a partial index holds only what passes its filter', async () => {
    await docs.createIndex({ slug: 1 }, { unique: true, partialFilterExpression: { live: true } })
    await fill({ _id: 1, slug: 'a', live: true }, { _id: 2, slug: 'a', live: false })
    expect((await refusal(docs.updateOne({ _id: 2 }, { $set: { live: true } }))).code).toBe(11000)
    expect(await examined({ slug: 'a', live: true })).toEqual({ returned: 1, examined: 1 })
    expect(await idsOf({ slug: 'a' })).toEqual([1, 2])
  })

  test('the next page after a cursor of time and id is served from its first entry on, also for an element of an array', async () => {
    await docs.insertMany(
      Array.from({ length: 300 }, (_, i) => ({
        _id: `id-${i % 10}-${i}`,
        card: { at: `2026-${i % 30}`, tags: ['x', `t${i % 2}`] },
      })),
    )
    await docs.createIndexes([{ key: { 'card.at': -1, _id: -1 } }, { key: { 'card.tags': 1, 'card.at': -1, _id: -1 } }])
    const sort = { 'card.at': -1, _id: -1 }
    for (const filter of [{}, { 'card.tags': 't1' }]) {
      const all = await docs
        .find({ ...filter, 'card.at': { $gt: '' } })
        .sort({ 'card.at': -1, _id: -1 })
        .toArray()
      const last = all[99]! as unknown as { _id: string; card: { at: string } }
      const next = {
        ...filter,
        'card.at': { $gt: '', $lte: last.card.at },
        $or: [{ 'card.at': { $lt: last.card.at } }, { 'card.at': last.card.at, _id: { $lt: last._id } }],
      }
      const page = await docs.find(next).sort({ 'card.at': -1, _id: -1 }).limit(10).toArray()
      expect(page).toEqual(all.slice(100, 110))
      const { examined: looked } = await examined(next, sort, 10)
      expect(looked).toBeLessThanOrEqual(20)
    }
  })

  test('many ids at once are fetched one by one', async () => {
    await docs.insertMany(Array.from({ length: 3_000 }, (_, i) => ({ _id: i })))
    const wanted = Array.from({ length: 1_200 }, (_, i) => i * 4)
    expect(await examined({ _id: { $in: wanted } })).toEqual({ returned: 750, examined: 750 })
  })

  test('follow every change of a document', async () => {
    await docs.createIndex({ a: 1 })
    await fill({ _id: 1, a: 1 }, { _id: 2, a: 2 })
    await docs.updateOne({ _id: 1 }, { $set: { a: [5, 6] } })
    expect(await idsOf({ a: 6 })).toEqual([1])
    expect(await idsOf({ a: 1 })).toEqual([])
    await docs.deleteOne({ _id: 1 })
    expect(await examined({ a: 5 })).toEqual({ returned: 0, examined: 0 })
  })

  test('follow the elements of a very long array', async () => {
    await docs.createIndex({ a: 1 })
    const from = (first: number) => Array.from({ length: 130_000 }, (_, i) => first + i)
    await fill({ _id: 1, a: from(0) })
    await docs.replaceOne({ _id: 1 }, { a: from(1) })
    expect([await idsOf({ a: 0 }), await idsOf({ a: 1 }), await idsOf({ a: 130_000 })]).toEqual([[], [1], [1]])
  })

  test('a position in the path of an index, beside which no document may have a field of that name', async () => {
    await docs.createIndex({ 'a.0.b': 1 })
    await fill({ _id: 1, a: [{ b: 1 }] }, { _id: 2, a: [{ b: 2 }, { b: 1 }] }, { _id: 3, a: { 0: { b: 1 } } })
    expect(await idsOf({ 'a.0.b': 1 })).toEqual([1, 3])
    const ambiguous = { _id: 4, a: [5, { 0: { b: 7 } }] }
    expect((await refusal(docs.insertOne(ambiguous))).code).toBe(16746)
    await docs.drop()
    await docs.insertOne(ambiguous)
    expect((await refusal(docs.createIndex({ 'a.0.b': 1 }))).code).toBe(16746)
    expect((await refusal(docs.find().sort({ 'a.0.b': 1 }).toArray())).code).toBe(16746)
  })

  test('an index over two arrays is refused', async () => {
    await docs.createIndex({ a: 1, b: 1 })
    expect((await refusal(docs.insertOne({ _id: 1, a: [1], b: [2] }))).code).toBe(171)
  })

  test('long values are found and told apart', async () => {
    await docs.createIndex({ a: 1 }, { unique: true })
    const long = 'x'.repeat(1_500)
    await fill({ _id: 1, a: `${long}1` }, { _id: 2, a: `${long}2` })
    expect(await idsOf({ a: `${long}2` })).toEqual([2])
    expect(await idsOf({ a: { $gt: `${long}1` } })).toEqual([2])
    expect(await idsOf({}, { a: -1 })).toEqual([2, 1])
    expect((await refusal(docs.insertOne({ _id: 3, a: `${long}2` }))).code).toBe(11000)
  })

  test('long values that begin alike come once each', async () => {
    await docs.createIndex({ a: 1, b: 1 })
    const values = ['1', '2'].map(end => 'x'.repeat(1_500) + end)
    await docs.insertMany(values.map((a, i) => ({ _id: i, a, b: 1 })))
    expect(await idsOf({ a: { $in: values }, b: { $gte: 1 } })).toEqual([0, 1])
  })
})

describe('collections', () => {
  test('are created, listed, dropped; a second creation is refused', async () => {
    await db.createCollection(docs.collectionName)
    expect((await refusal(db.createCollection(docs.collectionName))).code).toBe(48)
    const listed = await db.listCollections({ name: docs.collectionName }, { nameOnly: true }).toArray()
    expect(listed).toEqual([{ name: docs.collectionName, type: 'collection' }])
    await docs.insertOne({ _id: 1 })
    await docs.drop()
    expect(await docs.countDocuments()).toBe(0)
    expect(await db.listCollections({ name: docs.collectionName }).toArray()).toEqual([])
  })
})

describe('a dropped collection', () => {
  test('ends its cursors with QueryPlanKilled, also those over an order that was sorted', async () => {
    for (const sort of ['_id', 'n']) {
      await docs.insertMany(Array.from({ length: 10 }, (_, i) => ({ _id: i, n: i % 4 })))
      const cursor = docs.find({}, { batchSize: 2 }).sort(sort)
      await cursor.next()
      await docs.drop()
      const error = await refusal(cursor.toArray())
      expect([error.code, error.codeName]).toEqual([175, 'QueryPlanKilled'])
    }
  })
})

describe('aggregate', () => {
  test('$match, $sort, $skip, $limit and $project, $count or what counts documents', async () => {
    await fill({ _id: 1, s: 'a' }, { _id: 2, s: 'a' }, { _id: 3, s: 'b' }, { _id: 4, s: 'b' })
    const all = (...stages: Document[]) => docs.aggregate(stages).toArray()
    const rest = { $match: { _id: { $gt: 1 } } }
    expect(await all(rest, { $sort: { _id: -1 } }, { $skip: 1 }, { $limit: 2 }, { $project: { s: 1 } })).toEqual([
      { _id: 3, s: 'b' },
      { _id: 2, s: 'a' },
    ])
    expect(await all(rest, { $project: { _id: 0 } })).toEqual([{ s: 'a' }, { s: 'b' }, { s: 'b' }])
    expect(await all(rest, { $limit: 2 }, { $count: 'n' })).toEqual([{ n: 2 }])
    expect(await all({ $match: { s: 'c' } }, { $count: 'n' })).toEqual([])
    expect(await docs.countDocuments({ s: 'a' }, { skip: 1 })).toBe(1)
  })

  test('refuses an unknown stage and an order by nothing', async () => {
    expect((await refusal(docs.aggregate([{ $sort: {} }]).toArray())).code).toBe(15976)
    expect((await refusal(docs.aggregate([{ $frob: 1 }]).toArray())).code).toBe(40324)
  })
})

describe('transactions', () => {
  beforeEach(async () => {
    await docs.insertMany([
      { _id: 1, n: 1 },
      { _id: 2, n: 1 },
    ])
  })

  test('read their own writes and a snapshot; others see all of it after the commit and nothing before', async () => {
    const session = started()
    expect(await docs.countDocuments({}, { session })).toBe(2)
    await docs.insertOne({ _id: 3, n: 1 })
    expect(await docs.countDocuments({}, { session })).toBe(2)
    await docs.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session })
    await docs.insertOne({ _id: 4, n: 9 }, { session })
    expect(
      await docs
        .find({ n: { $gt: 1 } }, { session })
        .sort({ n: 1 })
        .toArray(),
    ).toEqual([
      { _id: 1, n: 2 },
      { _id: 4, n: 9 },
    ])
    expect(await idsOf({ n: { $gt: 1 } })).toEqual([])
    await session.commitTransaction()
    expect(await idsOf({ n: { $gt: 1 } })).toEqual([1, 4])
    expect(await docs.estimatedDocumentCount()).toBe(4)
  })

  test('an aborted one leaves nothing', async () => {
    const session = started()
    await docs.deleteMany({}, { session })
    expect(await docs.countDocuments({}, { session })).toBe(0)
    await session.abortTransaction()
    expect(await idsOf({})).toEqual([1, 2])
  })

  test('are atomic over collections', async () => {
    const others = await db.createCollection<Doc>(`${docs.collectionName}-others`)
    const session = started()
    await docs.updateOne({ _id: 1 }, { $set: { n: 5 } }, { session })
    await others.insertOne({ _id: 'other' }, { session })
    await session.commitTransaction()
    expect(await others.countDocuments()).toBe(1)
    expect(await docs.findOne({ _id: 1 })).toEqual({ _id: 1, n: 5 })
  })

  test('the second writer of a document fails at once with WriteConflict, to be run again', async () => {
    const [first, second] = [started(), started()]
    await docs.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session: first })
    const error = await refusal(docs.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session: second }))
    expect(error.code).toBe(112)
    expect(error.hasErrorLabel('TransientTransactionError')).toBe(true)
    const bulk = docs.bulkWrite([{ updateOne: { filter: { _id: 1 }, update: { $inc: { n: 1 } } } }], {
      session: started(),
    })
    expect((await refusal(bulk)).hasErrorLabel('TransientTransactionError')).toBe(true)
    await first.commitTransaction()
    expect(await docs.findOne({ _id: 1 })).toEqual({ _id: 1, n: 2 })
  })

  test('a write to a document changed since the snapshot is a WriteConflict', async () => {
    const session = started()
    await docs.findOne({ _id: 2 }, { session })
    await docs.updateOne({ _id: 1 }, { $inc: { n: 1 } })
    expect((await refusal(docs.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session }))).code).toBe(112)
  })

  test('a write that changes nothing is no write: others may write the document', async () => {
    const [first, second] = [started(), started()]
    const same = await docs.updateOne({ _id: 1 }, { $set: { n: 1 } }, { session: first })
    expect([same.matchedCount, same.modifiedCount]).toEqual([1, 0])
    await docs.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session: second })
    await second.commitTransaction()
    await docs.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { maxTimeMS: 1_000 })
    await first.commitTransaction()
    expect(await docs.findOne({ _id: 1 })).toEqual({ _id: 1, n: 3 })
  })

  test('a plain write waits for the transaction that has the document', async () => {
    const session = started()
    await docs.updateOne({ _id: 1 }, { $set: { n: 10 } }, { session })
    let settled = false
    const plain = docs.updateOne({ _id: 1 }, { $inc: { n: 1 } }).then(() => (settled = true))
    await docs.updateOne({ _id: 2 }, { $inc: { n: 1 } }) // other documents are free
    expect(settled).toBe(false)
    await session.commitTransaction()
    await plain
    expect(await docs.findOne({ _id: 1 })).toEqual({ _id: 1, n: 11 })
  })

  test('an upsert that waits for a transaction starts from its filter again', async () => {
    for (const upsert of [docs.updateOne.bind(docs), docs.findOneAndUpdate.bind(docs)]) {
      const session = started()
      await docs.insertOne({ _id: 'k' }, { session })
      const waiting = upsert({ _id: 'k', a: { n: 1 } }, { $inc: { 'a.n': 1 } }, { upsert: true })
      await docs.updateOne({ _id: 1 }, { $inc: { n: 1 } }) // the upsert has been tried
      await session.abortTransaction()
      await waiting
      expect(await docs.findOne({ _id: 'k' })).toEqual({ _id: 'k', a: { n: 2 } })
      await docs.deleteOne({ _id: 'k' })
    }
  })

  test('a plain write waits no longer than it may', async () => {
    const session = started()
    await docs.updateOne({ _id: 1 }, { $set: { n: 10 } }, { session })
    expect((await refusal(docs.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { maxTimeMS: 50 }))).code).toBe(50)
    await session.commitTransaction()
    expect(await docs.findOne({ _id: 1 })).toEqual({ _id: 1, n: 10 })
  })

  test('a checkpoint moved by two is moved by one', async () => {
    await docs.insertOne({ _id: 'checkpoint', position: 0 })
    const move = async () => {
      const session = started()
      const { matchedCount } = await docs.updateOne(
        { _id: 'checkpoint', position: 0 },
        { $set: { position: 1 } },
        { session },
      )
      if (matchedCount === 1) await session.commitTransaction()
      return matchedCount
    }
    const outcomes = await Promise.allSettled([move(), move()])
    expect(outcomes.filter(outcome => outcome.status === 'fulfilled' && outcome.value === 1)).toHaveLength(1)
  })

  test('a unique key is guarded between transactions', async () => {
    await docs.createIndex({ slug: 1 }, { unique: true, partialFilterExpression: { slug: { $exists: true } } })
    const [first, second] = [started(), started()]
    await docs.insertOne({ _id: 5, slug: 'a' }, { session: first })
    expect((await refusal(docs.insertOne({ _id: 6, slug: 'a' }, { session: second }))).code).toBe(112)
    await first.commitTransaction()
    expect(await docs.countDocuments({ slug: 'a' })).toBe(1)
  })

  test('a unique key that a transaction gives up is waited for', async () => {
    await docs.createIndex({ slug: 1 }, { unique: true, partialFilterExpression: { slug: { $exists: true } } })
    await docs.insertOne({ _id: 5, slug: 'a' })
    const session = started()
    await docs.updateOne({ _id: 5 }, { $set: { slug: 'b' } }, { session })
    const waiting = docs.insertOne({ _id: 6, slug: 'a' }).catch((error: unknown) => error)
    await docs.updateOne({ _id: 2 }, { $inc: { n: 1 } }) // the insertion has been tried
    await session.commitTransaction()
    expect(await waiting).toMatchObject({ insertedId: 6 })
  })

  test('an error ends the transaction', async () => {
    const session = started()
    expect((await refusal(docs.insertOne({ _id: 1 }, { session }))).code).toBe(11000)
    expect((await refusal(docs.findOne({}, { session }))).code).toBe(251)
  })

  test('do not run count, which looks at no snapshot', async () => {
    const transaction = transacting()
    expect(await codeOf(transaction.start({ count: docs.collectionName }))).toBe(263)
  })

  test('a commit that is repeated is answered again', async () => {
    const session = started()
    await docs.insertOne({ _id: 3 }, { session })
    await session.commitTransaction()
    await session.commitTransaction()
    expect(await idsOf({})).toEqual([1, 2, 3])
  })

  test('a commit that is sent twice at once is done once', async () => {
    for (let round = 0; round < 10; round++) {
      const transaction = transacting()
      await transaction.start(insertion({ _id: 100 + round }))
      expect(await Promise.all([codeOf(transaction.commit()), codeOf(transaction.commit())])).toEqual([0, 0])
    }
    expect(await docs.estimatedDocumentCount()).toBe(12)
  })

  test('an abort beside a commit is before it or after it', async () => {
    for (let round = 0; round < 10; round++) {
      const transaction = transacting()
      await transaction.start(insertion({ _id: 100 + round }))
      const outcome = await Promise.all([codeOf(transaction.commit()), codeOf(transaction.abort())])
      const stored = await docs.countDocuments({ _id: 100 + round })
      expect([outcome, stored]).toEqual(stored === 1 ? [[0, 256], 1] : [[251, 0], 0])
    }
  })

  test('a statement beside the commit is stored with it or refused', async () => {
    for (let round = 0; round < 10; round++) {
      const transaction = transacting()
      await transaction.start(insertion({ _id: 100 + round }))
      const [commit, insert] = await Promise.all([
        codeOf(transaction.commit()),
        codeOf(transaction.send(insertion({ _id: 200 + round }))),
      ])
      expect(commit).toBe(0)
      expect([insert, await docs.countDocuments({ _id: 200 + round })]).toEqual(insert === 0 ? [0, 1] : [256, 0])
    }
  })

  test('the next transaction of a session, begun beside a commit, keeps nothing to itself', async () => {
    for (let round = 0; round < 10; round++) {
      const id = { id: new UUID() }
      const [first, second] = [transacting(1, id), transacting(2, id)]
      await first.start(insertion({ _id: 100 + round }))
      const begun = await Promise.all([codeOf(first.commit()), codeOf(second.start(increment(1)))])
      expect(begun[1]).toBe(0)
      expect(await codeOf(second.commit())).toBe(0)
      await docs.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { maxTimeMS: 1_000 })
    }
    expect(await docs.findOne({ _id: 1 })).toEqual({ _id: 1, n: 21 })
  })

  test('of a number below the highest of their session are too old, in every state of that', async () => {
    const id = { id: new UUID() }
    const refused = async () => {
      const older = transacting(4, id)
      expect(await codeOf(older.start(increment(1)))).toBe(225)
      expect(await codeOf(older.send(increment(1)))).toBe(225)
      expect(await codeOf(older.commit())).toBe(225)
      expect(await codeOf(older.write(increment(1)))).toBe(225)
    }
    const transaction = transacting(5, id)
    await transaction.start(increment(1))
    await refused()
    await transaction.commit()
    await refused()
    expect(await codeOf(transaction.commit())).toBe(0)
    expect(await docs.findOne({ _id: 1 })).toEqual({ _id: 1, n: 2 })

    await transacting(7, id).write(increment(1))
    expect(await codeOf(transacting(6, id).start(increment(1)))).toBe(225)
    const aborted = transacting(8, id)
    await aborted.start(increment(1))
    await aborted.abort()
    expect(await codeOf(transacting(7, id).start(increment(1)))).toBe(225)
  })

  test('do not share their number with a retryable write', async () => {
    const id = { id: new UUID() }
    const transaction = transacting(5, id)
    await transaction.start(increment(1))
    expect(await codeOf(transaction.write(increment(1)))).toBe(72)
    await transaction.commit()
    expect(await codeOf(transaction.write(increment(1)))).toBe(72)
    expect(await docs.findOne({ _id: 1 })).toEqual({ _id: 1, n: 2 })
  })

  test('are aborted by a retryable write of their session with a higher number', async () => {
    const id = { id: new UUID() }
    const transaction = transacting(5, id)
    await transaction.start(increment(1))
    await transacting(6, id).write(increment(1))
    expect(await codeOf(transaction.commit())).toBe(225)
    expect(await docs.findOne({ _id: 1 })).toEqual({ _id: 1, n: 2 })
  })

  test('a query of a transaction uses indexes over its own writes', async () => {
    await docs.createIndex({ n: -1 })
    const session = started()
    await docs.bulkWrite(
      Array.from({ length: 50 }, (_, i) => ({
        replaceOne: { filter: { _id: 100 + i }, replacement: { n: i }, upsert: true },
      })),
      { session },
    )
    await docs.deleteOne({ _id: 149 }, { session })
    const top = await docs
      .find({ n: { $gte: 46 } }, { session })
      .sort({ n: -1 })
      .toArray()
    expect(top.map(({ _id }) => _id)).toEqual([148, 147, 146])
    await session.commitTransaction()
    expect(await idsOf({ n: { $gte: 47 } })).toEqual([147, 148])
  })
})

describe('retryable writes', () => {
  test('a statement that is sent again is not done again and answered as before', async () => {
    const session = client.startSession()
    sessions.push(session)
    await docs.insertOne({ _id: 1, n: 0 })
    const command = {
      update: docs.collectionName,
      updates: [{ q: { _id: 1 }, u: { $inc: { n: 1 } } }],
      txnNumber: Long.fromNumber(1_000_041),
    }
    const first = await db.command({ ...command }, { session })
    const second = await db.command({ ...command }, { session })
    expect([first.n, second.n, second.nModified]).toEqual([1, 1, 1])
    expect(await docs.findOne()).toEqual({ _id: 1, n: 1 })
    expect((await refusal(db.command({ ...command, txnNumber: Long.fromNumber(1_000_040) }, { session }))).code).toBe(
      225,
    )
  })
})
