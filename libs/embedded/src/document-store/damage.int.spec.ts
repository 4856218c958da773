// No room, a disk that fails, files that are cut off or altered: refused, reported, never served.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { MongoClient, type MongoClientOptions, MongoServerError } from 'mongodb'
import { compiledRoom } from '../supervisor/entry'
import { startDocumentStore } from '.'

interface Doc {
  _id: number
  n: number
  text: string
}

let folder: string
let server: ChildProcess | undefined
let complaints: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stet-test-'))
})
afterEach(async () => {
  if (server?.exitCode === null && server.signalCode === null) {
    const exit = once(server, 'exit')
    server.kill('SIGKILL')
    await exit
  }
  rmSync(folder, { recursive: true })
})

const options = () => ({ socketPath: join(folder, 'documents.sock'), directory: join(folder, 'documents') })
const dataFile = () => join(options().directory, 'data.mdb')
const connect = (more: MongoClientOptions = {}) =>
  new MongoClient(`mongodb://${encodeURIComponent(options().socketPath)}/?directConnection=true`, {
    serverSelectionTimeoutMS: 5_000,
    ...more,
  })
const document = (n: number): Doc => ({ _id: n, n: n % 7, text: `text ${n} `.repeat(40) })

/** A server in a process of its own; the signal USR2 takes the file of its data away from it. */
async function start(): Promise<void> {
  const room = JSON.stringify(join(compiledRoom(), 'document-store'))
  const program = `
    const fs = require('node:fs')
    process.on('SIGUSR2', () => {
      const files = fs.readdirSync('/proc/self/fd').filter(fd => {
        try { return fs.readlinkSync('/proc/self/fd/' + fd).endsWith('data.mdb') } catch { return false }
      })
      // The lowest number that is free is given again: writing and syncing fail from here on.
      for (const fd of files) { fs.closeSync(Number(fd)); fs.openSync(${JSON.stringify(join(folder, 'read-only'))}, 'r') }
      process.send('replaced ' + files.length)
    })
    require(${room}).startDocumentStore(${JSON.stringify(options())}).then(() => process.send('ready'))`
  server = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'inherit', 'pipe', 'ipc'] })
  complaints = ''
  server.stderr!.on('data', (chunk: Buffer) => (complaints += chunk.toString()))
  await once(server, 'message')
}

/** Files of the server may not grow beyond so many bytes. */
function limitFileSize(bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(server!.pid), `--fsize=${bytes}:unlimited`])
}

const onLinux = process.platform === 'linux' ? describe : describe.skip

onLinux('a server in a process of its own', () => {
  test('refuses writes while there is no room, loses nothing, and writes again when there is', async () => {
    await start()
    const client = connect()
    const docs = client.db('test').collection<Doc>('docs')
    await docs.createIndex({ n: 1 })
    await docs.insertMany(Array.from({ length: 100 }, (_, i) => document(i)))
    limitFileSize(statSync(dataFile()).size + 200_000)
    let written = 100
    let refused: unknown
    while (!refused)
      await docs.insertMany(Array.from({ length: 100 }, (_, i) => document(written + i))).then(
        () => (written += 100),
        (error: unknown) => (refused = error),
      )
    expect(refused).toBeInstanceOf(MongoServerError)
    expect(refused).toMatchObject({ code: 14031, message: expect.stringContaining('Free some space') as unknown })
    expect(await docs.countDocuments({ n: { $gte: 0 } })).toBe(written)
    // A transaction is refused whole.
    const session = client.startSession()
    session.startTransaction()
    await docs.insertMany(
      Array.from({ length: 500 }, (_, i) => document(10_000 + i)),
      { session },
    )
    await expect(session.commitTransaction()).rejects.toMatchObject({ code: 14031 })
    await session.endSession()
    limitFileSize('unlimited')
    await docs.insertMany(Array.from({ length: 100 }, (_, i) => document(written + i)))
    written += 100
    expect(await docs.estimatedDocumentCount()).toBe(written)
    expect(await docs.find({ n: { $gte: 0 } }).toArray()).toHaveLength(written)
    // What was refused has left the file whole.
    const exit = once(server!, 'exit')
    server!.kill('SIGKILL')
    await exit
    await start()
    expect(await docs.countDocuments({ n: { $gte: 0 } })).toBe(written)
    await client.close()
  })

  /** Has a write refused for want of room; what is done `meanwhile` is refused with it. */
  async function withoutRoom(client: MongoClient, meanwhile: () => Promise<unknown> = () => Promise.resolve()) {
    limitFileSize(statSync(dataFile()).size)
    const large = client
      .db('test')
      .collection('large')
      .insertOne({ filler: Buffer.alloc(4_000_000) })
    const outcomes = await Promise.allSettled([large, meanwhile()])
    limitFileSize('unlimited')
    expect(outcomes[0]).toMatchObject({ status: 'rejected', reason: { code: 14031 } })
  }

  const transaction = (client: MongoClient) => {
    const session = client.startSession()
    session.startTransaction()
    return session
  }

  test('has no conflict with a write that was refused for want of room', async () => {
    await start()
    const client = connect()
    const docs = client.db('test').collection<Doc>('docs')
    await docs.insertOne(document(1))
    const move = async (filler?: Buffer) => {
      const session = transaction(client)
      await docs.updateOne({ _id: 1 }, { $set: { filler } }, { session })
      await session.commitTransaction().finally(() => session.endSession())
    }
    const older = transaction(client)
    await docs.findOne({ _id: 1 }, { session: older })
    await docs.updateOne({ _id: 1 }, { $inc: { n: 1 } })
    await withoutRoom(client, async () => {
      await expect(move(Buffer.alloc(4_000_000))).rejects.toMatchObject({ code: 14031 })
    })
    // A write before that one is still known as such.
    const conflict = docs.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session: older })
    await expect(conflict).rejects.toMatchObject({ code: 112 })
    await move()
    await client.close()
  })

  test('has the same collections for an open transaction when a write was refused for want of room', async () => {
    await start()
    const client = connect()
    const db = client.db('test')
    const docs = db.collection<{ _id: number; tags: unknown }>('docs')
    await docs.createIndex({ tags: 1 })
    const session = transaction(client)
    await docs.insertOne({ _id: 1, tags: ['a', 'b'] }, { session })
    await withoutRoom(client, () => expect(db.createCollection('refused')).rejects.toMatchObject({ code: 14031 }))
    let isDropped = false
    const dropped = db.dropCollection('docs').then(() => (isDropped = true))
    await db.collection<Doc>('others').insertOne(document(1))
    expect(
      await db
        .listCollections({}, { nameOnly: true })
        .map(({ name }) => name)
        .toArray(),
    ).not.toContain('refused')
    expect(isDropped).toBe(false)
    await session.commitTransaction()
    await dropped
    expect(await docs.countDocuments()).toBe(0)

    await docs.createIndex({ tags: 1 })
    session.startTransaction()
    await docs.insertOne({ _id: 1, tags: ['a', 'b'] }, { session })
    await withoutRoom(client)
    await session.commitTransaction()
    // Two elements pass, of an index that is known to have several entries for a document.
    expect(await docs.find({ tags: { $gt: 'a', $lt: 'b' } }).toArray()).toHaveLength(1)
    await session.endSession()
    await client.close()
  })

  test('ends when its file cannot be written and synced, and acknowledges nothing of that', async () => {
    await start()
    const client = connect()
    const docs = client.db('test').collection<Doc>('docs')
    await docs.insertOne(document(1))
    copyFileSync(dataFile(), join(folder, 'read-only'))
    const replaced = once(server!, 'message')
    server!.kill('SIGUSR2')
    expect(await replaced).toEqual([expect.stringMatching(/^replaced [1-9]/) as unknown, undefined])
    const exit = once(server!, 'exit')
    // The driver would send it again to the server that is started next, which may well take it.
    const unrepeated = connect({ retryWrites: false })
    const write = unrepeated
      .db('test')
      .collection<Doc>('docs')
      .insertOne(document(2))
      .then(
        () => 'acknowledged',
        () => 'refused',
      )
    expect(await exit).toEqual([null, 'SIGKILL'])
    expect(complaints).toContain('The process ends: nothing written from here on could be relied on.')
    expect(await write).toBe('refused')
    await unrepeated.close()
    await start()
    expect(await docs.countDocuments({ _id: 1 })).toBe(1)
    await client.close()
  })
})

async function filled(count: number): Promise<Buffer> {
  const store = await startDocumentStore(options())
  const client = connect()
  const docs = client.db('test').collection<Doc>('docs')
  await docs.createIndex({ n: 1 })
  await docs.insertMany(Array.from({ length: count }, (_, i) => document(i)))
  await client.close()
  await store.close()
  return readFileSync(dataFile())
}

/** All that is there, through each index; or that the directory, or what was read, is damaged. */
async function readAll(): Promise<Doc[] | 'damaged'> {
  let store
  try {
    store = await startDocumentStore(options())
  } catch (error) {
    expect((error as Error).message).toContain('Restore the directory from a backup')
    return 'damaged'
  }
  const client = connect()
  const docs = client.db('test').collection<Doc>('docs')
  try {
    const byIndex = await docs.find({ n: { $gte: 0 } }).toArray()
    const all = await docs.find({}).sort({ _id: 1 }).toArray()
    expect(byIndex).toHaveLength(all.length)
    return all
  } finally {
    await client.close()
    await store.close()
  }
}

test('whichever bit is flipped: it is found, or it is one that nobody reads', async () => {
  const bytes = await filled(300)
  const whole = Array.from({ length: 300 }, (_, i) => document(i))
  let found = 0
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(7), async (at, bit) => {
      const altered = Buffer.from(bytes)
      altered[at]! ^= 1 << bit
      writeFileSync(dataFile(), altered)
      const read = await readAll()
      if (read === 'damaged') found++
      else expect(read).toEqual(whole)
    }),
    { numRuns: 150 },
  )
  expect(found).toBeGreaterThan(20)
}, 120_000)

test('a file that is cut off is not opened', async () => {
  const bytes = await filled(300)
  for (const length of [0, 1, 100, 16_384, 40_000, bytes.length >> 1, bytes.length - 1]) {
    writeFileSync(dataFile(), bytes)
    truncateSync(dataFile(), length)
    expect(await readAll()).toBe('damaged')
  }
})

test('an entry that is altered while the server runs is reported when it is read, and others are served', async () => {
  const bytes = await filled(2_000)
  const store = await startDocumentStore(options())
  const client = connect()
  const docs = client.db('test').collection<Doc>('docs')
  const altered = Buffer.from(bytes)
  const text = 'text 1234 '
  for (let at = altered.indexOf(text); at >= 0; at = altered.indexOf(text, at + 1)) altered.write('TEXT', at)
  const { mtimeMs } = statSync(dataFile())
  writeFileSync(dataFile(), altered, { flag: 'r+' })
  expect(statSync(dataFile()).mtimeMs).toBeGreaterThanOrEqual(mtimeMs)
  await expect(docs.findOne({ _id: 1234 })).rejects.toMatchObject({
    code: 296,
    message: expect.stringContaining('damaged on disk and is not served') as unknown,
  })
  await expect(docs.find({ n: 1234 % 7 }).toArray()).rejects.toMatchObject({ code: 296 })
  expect(await docs.findOne({ _id: 5 })).toEqual(document(5))
  await client.close()
  await store.close()
})
