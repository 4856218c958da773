// Messages that are no messages: the sender is refused or cut off, everybody else is served.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { Double, Int32, serialize } from 'bson'
import { Long, MongoClient, UUID } from 'mongodb'
import { documentOf } from '../bson/raw'
import { decode, type Document } from '../bson/value'
import { startDocumentStore, type DocumentStore } from '..'
import { serve } from './connection'
import { MAX_BATCH, parseMessage } from './message'

let folder: string
let socketPath: string
let store: DocumentStore
let client: MongoClient

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stet-test-'))
  socketPath = join(folder, 'documents.sock')
  store = await startDocumentStore({ socketPath, directory: join(folder, 'documents') })
  client = new MongoClient(`mongodb://${encodeURIComponent(socketPath)}/?directConnection=true`)
})
afterAll(async () => {
  await client.close()
  await store.close()
  rmSync(folder, { recursive: true })
})

function header(length: number, opcode = 2013): Buffer {
  const bytes = Buffer.alloc(16)
  bytes.writeInt32LE(length, 0)
  bytes.writeInt32LE(1, 4)
  bytes.writeInt32LE(opcode, 12)
  return bytes
}

function message(...sections: Uint8Array[]): Buffer {
  const content = Buffer.concat([Buffer.alloc(4), ...sections])
  return Buffer.concat([header(16 + content.length), content])
}

const inTest = (command: object) => ({ ...command, $db: '$db' in command ? command.$db : 'test' })
const insertion = { insert: 'refused', documents: [{ _id: 1 }] }
/** What makes a command one outside of transactions. */
const outside = { autocommit: undefined, startTransaction: undefined }
const body = (document: object) => Buffer.concat([Buffer.from([0]), serialize(document)])

async function opened(): Promise<Socket> {
  const socket = connect(socketPath)
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

/** The answer to one message, or 'closed'. */
async function answer(bytes: Buffer): Promise<Document | 'closed'> {
  const socket = await opened()
  socket.write(bytes)
  const outcome = await Promise.race([
    once(socket, 'data').then(([data]) => decode((data as Buffer).subarray(21))),
    once(socket, 'close').then(() => 'closed' as const),
  ])
  socket.destroy()
  return outcome
}

async function alive(): Promise<void> {
  expect(await client.db('test').command({ ping: 1 })).toMatchObject({ ok: 1 })
}

test('the socket belongs to its owner alone', () => {
  expect(statSync(socketPath).mode & 0o777).toBe(0o600)
})

test.each([
  ['a length below that of a header', header(3)],
  ['a header alone', header(16)],
  ['a negative length', header(-1)],
  ['a length beyond the largest message', header(2_000_000_000)],
])('%s closes the connection', async (_what, bytes) => {
  expect(await answer(bytes)).toBe('closed')
  await alive()
})

test.each([
  ['no section', message()],
  ['a section of unknown kind', message(Buffer.from([9]))],
  ['a document longer than its message', message(Buffer.from([0, 255, 255, 0, 0, 0]))],
  ['a document shorter than a document', message(Buffer.from([0, 1, 0, 0, 0]))],
  [
    'a sequence that ends beyond the message',
    message(body({ insert: 'x', $db: 'test' }), Buffer.from([1, 255, 0, 0, 0, 97, 0])),
  ],
  [
    'a sequence without the end of its name',
    message(body({ insert: 'x', $db: 'test' }), Buffer.from([1, 6, 0, 0, 0, 97, 97])),
  ],
  ['two bodies', message(body({ ping: 1, $db: 'test' }), body({ ping: 1, $db: 'test' }))],
  [
    'a string that lies about its length',
    message(Buffer.from([0, 14, 0, 0, 0, 2, 97, 0, 255, 255, 255, 127, 0, 0, 0])),
  ],
  ['no command', message(body({}))],
  ['a command without a database', message(body({ ping: 1 }))],
  ['an unknown operation', Buffer.concat([header(20, 2001), Buffer.alloc(4)])],
])('%s is refused', async (_what, bytes) => {
  expect(await answer(bytes)).toMatchObject({ errmsg: expect.stringMatching(/./) as unknown })
  await alive()
})

test('of more statements than a command takes no more are read than it takes to refuse them', async () => {
  const documents = Array.from({ length: MAX_BATCH + 1_000 }, () => nest(0))
  const bytes = message(body({ insert: 'x', $db: 'test' }), sequence('documents', ...documents))
  expect(parseMessage(bytes).sequences.get('documents')).toHaveLength(MAX_BATCH + 1)
  expect(await answer(bytes)).toMatchObject({ code: new Int32(16) })
})

test.each([
  ['fields without a name', () => Buffer.concat(Array.from({ length: 1_000 }, () => Buffer.from('\x0a\0'))), []],
  ['fields', () => Buffer.concat(Array.from({ length: 1_000 }, (_, i) => Buffer.from(`\x0af${i}\0`))), []],
  ['sequences', () => Buffer.alloc(0), Array.from({ length: 1_000 }, (_, i) => sequence(`s${i}`))],
])('of very many %s no more are read than it takes to refuse them', async (_what, fields, sequences) => {
  const command = documentOf([serialize({ ping: 1, $db: 'test' }).subarray(4, -1) as Buffer, fields()])
  const bytes = message(Buffer.from([0]), command, ...sequences)
  expect(() => parseMessage(bytes)).toThrow('malformed')
  expect(await answer(bytes)).toMatchObject({ code: new Int32(9) })
  await alive()
})

test('what wants no answer gets none, also when it cannot be read', async () => {
  const malformed = message(body({ insert: 'x', $db: 'test' }), sequence('documents', Buffer.from([1, 0, 0, 0, 0])))
  malformed.writeUInt32LE(2, 16)
  expect(await answer(Buffer.concat([malformed, message(body({ ping: 1, $db: 'test' }))]))).toEqual({
    ok: new Double(1),
  })
})

test('of the old messages only the first of a connection is served', async () => {
  const query = (command: object) => {
    const content = [Buffer.alloc(4), Buffer.from('admin.$cmd\0'), Buffer.alloc(8), serialize(command)]
    return Buffer.concat([header(16 + Buffer.concat(content).length, 2004), ...content])
  }
  const answerTo = async (command: object) => {
    const socket = await opened()
    socket.write(query(command))
    const [data] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()
    return decode(data.subarray(36))
  }
  expect(await answerTo({ ismaster: 1 })).toMatchObject({ ismaster: true })
  expect(await answerTo({ create: 'x' })).toMatchObject({ code: new Int32(352) })
})

test.each([
  ['documents', { find: 'x' }],
  ['filter', { find: 'x' }],
  ['updates', { insert: 'x', documents: [{ _id: 1 }] }],
])('a sequence of %s that its command does not have is refused', async (name, command) => {
  const given = sequence(name, Buffer.from(serialize({ _id: 7 })))
  expect(await answer(message(body({ ...command, $db: 'test' }), given))).toMatchObject({ code: new Int32(40415) })
})

test('an array of documents that its command does not have is refused', async () => {
  const command = { find: 'x', documents: [{ _id: 7 }], $db: 'test' }
  expect(await answer(message(body(command)))).toMatchObject({ code: new Int32(40415) })
})

test('nesting without end is refused and not stored', async () => {
  for (const depth of [200, 3_000, 100_000]) {
    const nested = nest(depth)
    const documents = Buffer.concat([sequence('documents', nested)])
    const refused = await answer(message(body({ insert: 'deep', $db: 'test' }), documents))
    expect(JSON.stringify(refused)).toContain('errmsg')
    const filter = Buffer.concat([Buffer.from('\x03filter\0'), nested])
    const find = Buffer.concat([serialize({ find: 'deep', $db: 'test' }).subarray(0, -1), filter, Buffer.of(0)])
    find.writeInt32LE(find.length)
    expect(await answer(message(Buffer.concat([Buffer.of(0), find])))).toMatchObject({
      codeName: expect.stringMatching(/Overflow|FailedToParse/) as unknown,
    })
  }
  expect(await client.db('test').collection('deep').countDocuments()).toBe(0)
  await alive()
})

test.each([
  ['a cursor id', { getMore: 'x', collection: 'x' }, 14],
  ['the ids of cursors', { killCursors: 'x', cursors: 1 }, 14],
  ['a session', { find: 'x', lsid: { id: 5 } }, 9],
  ['a transaction number', { insert: 'x', documents: [{ _id: 1 }], lsid: { id: new UUID() }, txnNumber: 'x' }, 14],
  ['a filter', { find: 'x', filter: 5 }, 14],
  ['a batch size', { find: 'x', batchSize: -1 }, 51024],
  ['a pipeline', { aggregate: 'x', pipeline: 5, cursor: {} }, 14],
  ['the name of a collection', { find: 7 }, 14],
  ...['', 'a.b', 'a b', '$a', 'a/b', 'x'.repeat(64)].map(
    $db => [`the name of a database, '${$db}',`, { find: 'x', $db }, 73] as [string, object, number],
  ),
])('%s of a wrong type is refused as that', async (_what, command, code) => {
  const refused = (await answer(message(body(inTest(command))))) as Document
  expect(refused['code']).toEqual(new Int32(code))
})

test.each([
  ['a number without a session', insertion, { ...outside, lsid: undefined }, 72],
  ['a negative number', insertion, { txnNumber: Long.fromNumber(-1) }, 72],
  ['autocommit without a number', insertion, { txnNumber: undefined }, 72],
  ['autocommit that is true', insertion, { autocommit: true }, 72],
  ['a start without autocommit', insertion, { autocommit: undefined }, 72],
  ['a start that is false', insertion, { startTransaction: false }, 72],
  ['a write concern in a transaction', insertion, { writeConcern: { w: 1 } }, 72],
  ['the number of a read', { find: 'refused' }, outside, 50768],
  ['a commit without a transaction', { commitTransaction: 1 }, { ...outside, txnNumber: undefined }, 125],
])('%s is refused, and nothing is written', async (_what, command, fields, code) => {
  const transaction = { txnNumber: Long.fromNumber(1), autocommit: false, startTransaction: true }
  const given = Object.entries({ ...command, lsid: { id: new UUID() }, ...transaction, ...fields })
  const sent = Object.fromEntries(given.filter(([, value]) => value !== undefined))
  expect(await answer(message(body(inTest(sent))))).toMatchObject({ code: new Int32(code) })
  expect(await client.db('test').collection('refused').countDocuments()).toBe(0)
})

test('an _id too long for a key is looked for and not found, and refused as one', async () => {
  const texts = client.db('test').collection<{ _id: string }>('texts')
  const long = 'x'.repeat(100_000)
  await texts.insertOne({ _id: 'x' })
  expect(await texts.findOne({ _id: long })).toBeNull()
  expect(await texts.find({ _id: { $in: [long, 'x'] } }).toArray()).toHaveLength(1)
  expect(await texts.find({ _id: { $gte: long } }).toArray()).toEqual([])
  await expect(texts.insertOne({ _id: long })).rejects.toMatchObject({ code: 17280 })
})

test('who never reads is not written to without bound, and others are served', async () => {
  await client
    .db('test')
    .collection<{ _id: number }>('large')
    .insertOne({ _id: 1, filler: 'x'.repeat(1_000_000) } as { _id: number })
  const socket = await opened()
  socket.pause()
  const before = heldBuffers()
  const find = message(body({ find: 'large', $db: 'test' }))
  for (let i = 0; i < 200; i++) socket.write(find)
  await alive()
  // Of 200 answers of 1 MB each the server holds a few: the rest of the questions are not even read.
  expect(heldBuffers() - before).toBeLessThan(50_000_000)
  socket.destroy()
})

test('a thousand connections, each cut in the middle of a message, take nothing from the others', async () => {
  const sockets: Socket[] = []
  for (let i = 0; i < 1_000; i++) {
    const socket = await opened()
    socket.write(header(1_000))
    sockets.push(socket)
  }
  await alive()
  for (const socket of sockets) socket.destroy()
  await alive()
})

test('large messages that never end are held up to a bound; whoever goes on sending is served', async () => {
  const before = heldBuffers()
  const sockets: Socket[] = []
  for (let i = 0; i < 25; i++) {
    const socket = await opened()
    const sent = new Promise<void>(resolve => socket.once('close', resolve).write(Buffer.alloc(0), () => resolve()))
    socket.write(header(20_000_000))
    socket.write(Buffer.alloc(10_000_000))
    await sent
    sockets.push(socket)
  }
  const large = client.db('test').collection('large-ones')
  await large.insertMany(Array.from({ length: 30 }, () => ({ filler: 'x'.repeat(1_000_000) })))
  expect(await large.countDocuments()).toBe(30)
  expect(sockets.some(({ destroyed }) => destroyed)).toBe(true)
  for (const socket of sockets) socket.destroy()
  while (heldBuffers() - before > 50_000_000) await alive()
})

test('large messages whose answers are large do not wait for each other', async () => {
  const large = client.db('test').collection<{ _id: string; filler: string }>('large-answers')
  await large.insertOne({ _id: 'x', filler: 'x'.repeat(900_000) })
  const session = client.startSession()
  session.startTransaction()
  await large.updateOne({ _id: 'x' }, { $set: { held: true } }, { session })
  const find = { findAndModify: 'large-answers', query: { _id: 'x' }, update: { $inc: { n: 1 } }, $db: 'test' }
  const comment = 'x'.repeat(15_950_000)
  const request = message(body({ ...find, comment }))
  // Together they have all of the budget while they wait for the transaction.
  const sockets = await Promise.all(Array.from({ length: 12 }, opened))
  await Promise.all(sockets.map(socket => new Promise<void>(resolve => socket.write(request, () => resolve()))))
  const answers = sockets.map(socket => once(socket, 'data'))
  await session.commitTransaction()
  await session.endSession()
  await Promise.all(answers)
  for (const socket of sockets) socket.destroy()
  await alive()
})

test('a connection collects no listeners', async () => {
  let served: Socket | undefined
  const reply = { document: { filler: 'x'.repeat(400_000) } }
  const path = join(folder, 'listeners.sock')
  const server = createServer(socket => {
    served = socket
    void serve(socket, () => Promise.resolve(reply))
  }).listen(path)
  await once(server, 'listening')
  const socket = connect(path)
  for (let round = 0; round < 20; round++) {
    socket.write(message(body({ ping: 1, $db: 'test' })))
    for (let have = 0; have < 400_000;) have += ((await once(socket, 'data')) as [Buffer])[0].length
  }
  for (const event of ['close', 'drain', 'error']) expect(served!.listenerCount(event)).toBeLessThan(5)
  socket.destroy()
  server.close()
})

test('cursors that nobody closes are bounded in number and in bytes; the oldest goes first', async () => {
  const many = client.db('test').collection('many')
  await many.insertMany(
    Array.from({ length: 300 }, (_, i) => ({ _id: i as never, n: -i, filler: 'x'.repeat(100_000) })),
  )
  const find = { find: 'many', sort: { n: 1 }, batchSize: 1 }
  const cursors: Long[] = []
  for (let i = 0; i < 12; i++) {
    const { cursor } = (await client.db('test').command(find)) as { cursor: { id: Long } }
    cursors.push(Long.fromValue(cursor.id))
  }
  // Each holds 30 MB that were sorted; 256 MiB are held at most.
  const more = (id: Long) => client.db('test').command({ getMore: id, collection: 'many', batchSize: 1 })
  await expect(more(cursors[0]!)).rejects.toMatchObject({ code: 43 })
  expect(await more(cursors.at(-1)!)).toMatchObject({ ok: 1 })
  await client.db('test').collection<{ _id: number }>('one').insertOne({ _id: 1 })
  const opened: Long[] = []
  for (let i = 0; i < 101; i++)
    await Promise.all(
      Array.from({ length: 100 }, async () => {
        const { cursor } = (await client.db('test').command({ find: 'one', batchSize: 0 })) as { cursor: { id: Long } }
        opened.push(Long.fromValue(cursor.id))
      }),
    )
  const ended = await client.db('test').command({ killCursors: 'one', cursors: opened })
  expect(ended['cursorsKilled']).toHaveLength(10_000)
  await alive()
})

test.each(['commitTransaction', 'abortTransaction'] as const)('cursors of a transaction end with its %s', async end => {
  const two = client.db('test').collection<{ _id: number }>(end)
  await two.insertMany([{ _id: 1 }, { _id: 2 }])
  const session = client.startSession()
  session.startTransaction()
  const find = { find: end, batchSize: 1 }
  const { cursor } = (await client.db('test').command(find, { session })) as { cursor: { id: Long } }
  await session[end]()
  const killed = await client.db('test').command({ killCursors: end, cursors: [Long.fromValue(cursor.id)] })
  expect(killed).toMatchObject({ cursorsKilled: [], cursorsNotFound: [cursor.id] })
  await session.endSession()
})

test('transactions that nobody ends are bounded in number', async () => {
  const sessions = Array.from({ length: 501 }, () => client.startSession())
  const begun = await Promise.allSettled(
    sessions.map(session => {
      session.startTransaction()
      return client.db('test').collection('x').findOne({}, { session })
    }),
  )
  expect(begun.filter(({ status }) => status === 'rejected')).toHaveLength(1)
  await Promise.all(sessions.map(session => session.endSession()))
  await alive()
})

/** A document in a document in a document, so many times. */
function nest(depth: number): Buffer {
  const head = Buffer.from([0, 0, 0, 0, 3, 97, 0])
  const bytes = Buffer.alloc(depth * 8 + 5)
  for (let i = 0; i < depth; i++) {
    head.copy(bytes, i * 7)
    bytes.writeInt32LE(bytes.length - i * 8, i * 7)
  }
  bytes.writeInt32LE(5, depth * 7)
  return bytes
}

function sequence(name: string, ...documents: Buffer[]): Buffer {
  const content = Buffer.concat([Buffer.from(`${name}\0`), ...documents])
  const head = Buffer.alloc(5)
  head[0] = 1
  head.writeInt32LE(content.length + 4, 1)
  return Buffer.concat([head, content])
}

/** Bytes of buffers that something still holds. */
function heldBuffers(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  return process.memoryUsage().arrayBuffers
}
