// Backups of both stores, beside their process and without one: whole and readable, or not there at all.
import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { MongoClient } from 'mongodb'
import { backupEmbeddedStores, type BackupOptions } from './backup'
import { lockDirectory } from '../storage'
import { compiledRoom } from './entry'
import { startEmbeddedStores, type EmbeddedStores } from './supervisor'

let folder: string
let dataDir: string
let target: string
let running: EmbeddedStores[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stet-test-'))
  dataDir = join(folder, 'data')
  target = join(folder, 'copies', 'first')
  running = []
})
afterEach(async () => {
  for (const stores of running) await stores.stop()
  rmSync(folder, { recursive: true })
})

interface Seen {
  _id: string
  n: number
}

/** Stores with their two clients; `with` ends all of it. */
async function withStores<T>(
  directory: string,
  use: (events: EventStoreDBClient, documents: MongoClient) => Promise<T>,
): Promise<T> {
  const stores = await startEmbeddedStores({ dataDir: directory })
  running.push(stores)
  const events = new EventStoreDBClient({ endpoint: stores.eventStoreUrl }, { insecure: true })
  const documents = await MongoClient.connect(stores.mongodbUrl)
  try {
    return await use(events, documents)
  } finally {
    await Promise.all([events.dispose(), documents.close()])
    await stores.stop()
    running = running.filter(one => one !== stores)
  }
}

const event = (n: number) => jsonEvent({ type: 'Counted', data: { n, text: `event ${n} `.repeat(100) } })
const seen = (documents: MongoClient) => documents.db('test').collection<Seen>('seen')

/** Both stores with something in them, and nobody who runs them. */
const fill = (events = 3): Promise<void> =>
  withStores(dataDir, async (log, documents) => {
    for (let n = 0; n < events; n++) await log.appendToStream('log', event(n))
    await seen(documents).insertOne({ _id: 'seen', n: events - 1 })
  })

const backup = (options: Partial<BackupOptions> = {}) => backupEmbeddedStores({ dataDir, target, ...options })

/** Everything beside the data directory. */
const leftovers = () => (existsSync(join(folder, 'copies')) ? readdirSync(join(folder, 'copies')) : [])

test('taken while both are written to, it is a data directory whose log is never behind its documents', async () => {
  await withStores(dataDir, async (log, documents) => {
    let isDone = false
    let projected = 0
    // As a projector does: the event first, then the document that says how far it came.
    const projecting = (async () => {
      for (let n = 0; !isDone; projected = ++n) {
        await log.appendToStream('log', event(n))
        await seen(documents).replaceOne({ _id: 'seen' }, { n }, { upsert: true })
      }
    })()
    while (projected <= 5) await new Promise(resolve => setTimeout(resolve, 5))
    const before = projected
    // And while the first of the two is copied.
    const [{ eventStoreUrl, mongodbUrl }] = running as [EmbeddedStores]
    const projection = `
      const { EventStoreDBClient, jsonEvent } = require('@eventstore/db-client')
      const { MongoClient } = require('mongodb')
      const log = new EventStoreDBClient({ endpoint: '${eventStoreUrl}' }, { insecure: true })
      const documents = new MongoClient('${mongodbUrl}')
      log.appendToStream('log', jsonEvent({ type: 'Counted', data: {} }))
        .then(({ nextExpectedRevision: n }) => documents.db('test').collection('seen').insertOne({ _id: 'seen between', n: Number(n) }))
        .then(() => process.exit())`
    let isFirst = true
    const { events, position, bytes } = await backup({
      onProgress: () => {
        if (isFirst) execFileSync(process.execPath, ['-e', projection])
        isFirst = false
      },
    })
    isDone = true
    await projecting
    expect(events).toBeGreaterThanOrEqual(before)
    expect(position).toBeGreaterThan(0)
    expect(bytes).toBeGreaterThan(16_384)
  })
  await withStores(target, async (log, documents) => {
    const n = Math.max(...(await seen(documents).find().toArray()).map(({ n }) => n))
    const { nextExpectedRevision } = await log.appendToStream('log', event(-1))
    expect(n).toBeGreaterThanOrEqual(4)
    expect(Number(nextExpectedRevision)).toBeGreaterThan(n)
  })
})

test('without anybody running it has everything, and the files that were named, for their owner only', async () => {
  await fill()
  mkdirSync(join(dataDir, 'keys'))
  writeFileSync(join(dataDir, 'keys/signing.json'), '{}', { mode: 0o644 })
  const told: number[] = []
  const done = await backup({
    files: ['keys/signing.json', 'keys/absent.json'],
    onProgress: ({ done, total }) => told.push(done / total),
  })
  expect(done).toMatchObject({ target, events: 3 })
  expect(told.length).toBeGreaterThan(1)
  expect(told).toEqual([...told].sort((a, b) => a - b))
  expect(readdirSync(target, { recursive: true, encoding: 'utf8' }).sort()).toEqual(
    [
      ...['documents', 'documents/data.mdb', 'documents/format.json'],
      ...['events', 'events/data.mdb', 'events/format.json'],
      ...['keys', 'keys/signing.json'],
    ].sort(),
  )
  for (const file of readdirSync(target, { recursive: true, encoding: 'utf8' })) {
    const found = statSync(join(target, file))
    expect(found.mode & 0o777).toBe(found.isDirectory() ? 0o700 : 0o600)
  }
  expect(statSync(target).mode & 0o777).toBe(0o700)
  expect(leftovers()).toEqual(['first'])
})

test('it goes into a new or empty folder outside of the data directory', async () => {
  await expect(backup()).rejects.toThrow('has no documents to back up')
  await fill()
  await expect(backup({ target: join(dataDir, 'copy') })).rejects.toThrow('lies in the data directory')
  symlinkSync(dataDir, join(folder, 'link'))
  await expect(backup({ target: join(folder, 'link', 'a', 'b') })).rejects.toThrow('lies in the data directory')
  await expect(backup({ target: dataDir })).rejects.toThrow('lies in the data directory')
  await expect(backup({ target: folder })).rejects.toThrow('is not empty')
  writeFileSync(join(folder, 'file'), '')
  await expect(backup({ target: join(folder, 'file') })).rejects.toThrow('is a file')
  symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling'))
  await expect(backup({ target: join(folder, 'dangling') })).rejects.toThrow('is a link to nothing')
  expect(leftovers()).toEqual([])
  mkdirSync(target, { recursive: true })
  await backup()
  await expect(backup()).rejects.toThrow('is not empty')
})

test('what lies where it would be made, and is not of a backup, is left alone', async () => {
  await fill()
  const place = join(folder, 'copies')
  renameSync(dataDir, `${place}.partial`)
  const there = () => readdirSync(`${place}.partial`, { recursive: true }).sort()
  const before = there()
  await expect(backup({ dataDir: `${place}.partial`, target: place })).rejects.toThrow('lies in the data directory')
  expect(there()).toEqual(before)
  renameSync(`${place}.partial`, dataDir)
  mkdirSync(`${place}.partial`)
  writeFileSync(join(`${place}.partial`, 'letter'), 'kept')
  await expect(backup({ target: place })).rejects.toThrow(/copies.partial, where the backup is made, is taken/)
  expect(there()).toEqual(['letter'])
  rmSync(`${place}.partial`, { recursive: true })
  mkdirSync(`${place}.partial`)
  renameSync(dataDir, join(`${place}.partial`, 'copy'))
  const within = backup({ dataDir: join(`${place}.partial`, 'copy'), target: place })
  await expect(within).rejects.toThrow('holds the data directory')
  renameSync(join(`${place}.partial`, 'copy'), dataDir)
  rmSync(`${place}.partial`, { recursive: true })
  symlinkSync(dataDir, `${place}.partial`)
  await expect(backup({ target: place })).rejects.toThrow('lies in the data directory')
})

test('of two into one folder one is refused; what a killed one left is no obstacle', async () => {
  await fill()
  mkdirSync(join(`${target}.partial`, 'copy', 'events'), { recursive: true })
  writeFileSync(join(`${target}.partial`, 'copy', 'rubbish'), '')
  const outcomes = await Promise.allSettled([backup(), backup()])
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  expect(outcomes[1]).toMatchObject({ reason: { message: expect.stringContaining('is making a backup') } })
  expect(leftovers()).toEqual(['first'])
  expect(readdirSync(target).sort()).toEqual(['documents', 'events'])
})

test('a backup is copied like any other directory, once', async () => {
  await fill()
  await backup()
  const told: number[] = []
  const again = await backup({ dataDir: target, target: `${target}-again`, onProgress: ({ done }) => told.push(done) })
  const { length } = told
  await backup({ dataDir: target, target: `${target}-once-more`, onProgress: ({ done }) => told.push(done) })
  expect(again.events).toBe(3)
  expect(told).toHaveLength(2 * length)
})

test('one that is interrupted leaves nothing', async () => {
  await fill()
  const interrupted = new AbortController()
  const started = backup({ signal: interrupted.signal, onProgress: () => interrupted.abort(new Error('enough')) })
  await expect(started).rejects.toThrow('enough')
  expect(leftovers()).toEqual([])
})

const onLinux = process.platform === 'linux' ? test : test.skip

onLinux('a place where no folder can be made is refused', async () => {
  await fill()
  // In a process of its own, which a call that never returns would hold up.
  const program = `
    require(${JSON.stringify(join(compiledRoom(), 'supervisor/backup'))})
      .backupEmbeddedStores({ dataDir: ${JSON.stringify(dataDir)}, target: '/proc/new/folder' })
      .catch(error => console.log(error.message))`
  const { stdout, signal } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', timeout: 20_000 })
  expect({ stdout, signal }).toEqual({ stdout: expect.stringContaining("mkdir '/proc/new'"), signal: null })
})

// A small disk of its own needs a mount namespace, which Linux gives to anybody unless the machine forbids it.
const canMount = spawnSync('unshare', ['-rm', 'true']).status === 0
const onSmallDisk = canMount ? test : test.skip

onSmallDisk('without room, or more of it than a limit allows, it is refused in words and leaves nothing', async () => {
  await fill(300)
  const place = join(folder, 'copies')
  mkdirSync(place)
  const program = `
    const { readdirSync } = require('node:fs')
    require(${JSON.stringify(join(compiledRoom(), 'supervisor/backup'))})
      .backupEmbeddedStores({ dataDir: ${JSON.stringify(dataDir)}, target: ${JSON.stringify(target)} })
      .then(() => 'done', error => error.message)
      .then(said => console.log(JSON.stringify({ said, left: readdirSync(${JSON.stringify(place)}) })))`
  const before = [
    // Room for nothing; for the lock's table and not for its pages; for those and not for the stores' tables; for part of it.
    ...['4k', '16k', '120k', '300k'].map(size => `mount -t tmpfs -o size=${size} none "$0"`),
    'ulimit -f 200',
  ]
  for (const step of before) {
    const run = ['-rm', 'sh', '-c', `${step} && exec "$1" -e "$2"`, place, process.execPath, program]
    const { stdout, signal } = spawnSync('unshare', run, { encoding: 'utf8' })
    expect({ step, signal, ...(JSON.parse(stdout || '{}') as object) }).toEqual({
      step,
      signal: null,
      said: expect.stringContaining(`There is no room for the backup at ${target}`),
      left: [],
    })
  }
})

onSmallDisk('an empty disk is refused at once as a target: a folder in it is one', async () => {
  await fill()
  const place = join(folder, 'disk')
  mkdirSync(place)
  const program = `
    const { backupEmbeddedStores } = require(${JSON.stringify(join(compiledRoom(), 'supervisor/backup'))})
    const backup = target => backupEmbeddedStores({ dataDir: ${JSON.stringify(dataDir)}, target })
      .then(({ events }) => events, error => error.message)
    const place = ${JSON.stringify(place)}
    ;(async () => [await backup(place), await backup(place + '/first')])().then(said => console.log(JSON.stringify(said)))`
  const mounted = 'mount -t tmpfs none "$0" && exec "$1" -e "$2"'
  const said = execFileSync('unshare', ['-rm', 'sh', '-c', mounted, place, process.execPath, program])
  expect(JSON.parse(String(said))).toEqual([expect.stringContaining('name a new folder in it'), 3])
})

onSmallDisk('a data directory on a file system that is read only is copied like any other', async () => {
  await fill()
  const program = `
    require(${JSON.stringify(join(compiledRoom(), 'supervisor/backup'))})
      .backupEmbeddedStores({ dataDir: ${JSON.stringify(dataDir)}, target: ${JSON.stringify(target)} })
      .then(({ events }) => events, error => error.message)
      .then(said => console.log(said))`
  const mounted = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$1" -e "$2"'
  const said = execFileSync('unshare', ['-rm', 'sh', '-c', mounted, dataDir, process.execPath, program])
  expect(String(said).trim()).toBe('3')
})

test('an event that is damaged on the disk fails it: a copy of that is no backup', async () => {
  await fill()
  const file = join(dataDir, 'events', 'data.mdb')
  const bytes = readFileSync(file)
  for (let at = -1; (at = bytes.indexOf('event 1 event 1', at + 1)) !== -1;) bytes[at] = 'E'.charCodeAt(0)
  writeFileSync(file, bytes)
  const refusal = await backup().catch((error: Error) => error.message)
  expect(refusal).toMatch(/data.events.*is damaged on disk/)
  // Where it was found is gone.
  expect(refusal).not.toContain('partial')
  expect(leftovers()).toEqual([])
})

test('files of a newer program are refused before anything is copied', async () => {
  await fill()
  const format = join(dataDir, 'events', 'format.json')
  const before = readFileSync(format, 'utf8')
  writeFileSync(format, before.replace(/"formatVersion":\d+/, '"formatVersion":999'))
  await expect(backup()).rejects.toThrow(`${join(dataDir, 'events')} was written in format 999`)
  rmSync(format)
  await expect(backup()).rejects.toThrow('has data but no format.json')
  expect(leftovers()).toEqual([])
})

test('a file whose pages are damaged or cut off is not copied, beside a server or without one', async () => {
  await fill(100)
  const file = join(dataDir, 'events', 'data.mdb')
  const bytes = readFileSync(file)
  const PAGE = 16_384
  const leaves = Array.from({ length: bytes.length / PAGE }, (_, page) => page * PAGE).filter(
    at => bytes.readUInt16LE(at + 18) === 2 && bytes.readUInt16LE(at + 20) > 10,
  )
  // That of the last commit: others may be free by now.
  const leaf = leaves.reduce((a, b) => (bytes.readBigUInt64LE(b + 8) > bytes.readBigUInt64LE(a + 8) ? b : a))
  const altered = Buffer.from(bytes)
  // LMDB sees one entry fewer there.
  altered.writeUInt16LE(altered.readUInt16LE(leaf + 20) - 2, leaf + 20)
  writeFileSync(file, altered)
  await expect(backup()).rejects.toThrow(/data.events.*is damaged on disk/)
  const lock = lockDirectory(dataDir)
  await expect(backup()).rejects.toThrow(/data.events .*of .* entries.*is damaged on disk/)
  await lock.release()

  writeFileSync(file, bytes.subarray(0, bytes.length / 2))
  await expect(backup()).rejects.toThrow(/data.events.*is damaged on disk/)
  writeFileSync(file, Buffer.alloc(bytes.length, 'garbage'))
  await expect(backup()).rejects.toThrow(/data.events.*is damaged on disk/)
  expect(leftovers()).toEqual([])
})

test('stores that are rewritten meanwhile are copied again', async () => {
  await fill()
  let isFirst = true
  await backup({
    onProgress: () => {
      if (!isFirst) return
      isFirst = false
      // What stores that come back after a scavenge do, and a write after it.
      const program = `const { openEnvironment, requestRewrite } = require(${JSON.stringify(join(compiledRoom(), 'storage'))})
        const { FORMAT, sealed } = require(${JSON.stringify(join(compiledRoom(), 'document-store/keyspace/layout'))})
        const directory = ${JSON.stringify(join(dataDir, 'documents'))}
        requestRewrite(directory)
        const { root, commit, close } = openEnvironment(directory, FORMAT)
        const data = root.openDB({ name: 'data', encoding: 'binary', keyEncoding: 'binary' })
        const key = Buffer.from([9])
        commit(() => data.putSync(key, sealed(key, Buffer.from('written after the rewrite')))).then(close)`
      execFileSync(process.execPath, ['-e', program])
    },
  })
  expect(isFirst).toBe(false)
  expect(readFileSync(join(target, 'documents', 'data.mdb')).includes('written after the rewrite')).toBe(true)
})
