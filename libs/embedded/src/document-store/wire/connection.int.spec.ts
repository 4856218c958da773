// Messages that are no messages: the sender is refused or cut off, everybody else is served.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { serialize } from 'bson'
import { MongoClient } from 'mongodb'
import { decode, type Document } from '../bson/value'
import { startDocumentStore, type DocumentStore } from '..'

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

test('nesting without end is refused and not stored', async () => {
  let nested: object = { end: true }
  for (let depth = 0; depth < 3_000; depth++) nested = { a: nested }
  const refused = await answer(message(body({ insert: 'deep', $db: 'test', documents: [nested] })))
  expect(refused).not.toBe('closed')
  expect(await client.db('test').collection('deep').countDocuments()).toBe(0)
  expect(await answer(message(body({ find: 'deep', $db: 'test', filter: nested })))).not.toBe('closed')
  await alive()
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

test('a hundred connections at once, each cut in the middle of a message, leave nothing behind', async () => {
  const sockets = await Promise.all(Array.from({ length: 100 }, opened))
  for (const socket of sockets) socket.write(header(1_000))
  await alive()
  for (const socket of sockets) socket.destroy()
  await alive()
})

/** Bytes of buffers that something still holds. */
function heldBuffers(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  return process.memoryUsage().arrayBuffers
}
