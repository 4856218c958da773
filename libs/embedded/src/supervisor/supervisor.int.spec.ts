// The stores' process: starts on demand, owns its directory, comes back when it dies, and ends with its parent.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { MongoClient } from 'mongodb'
import { isScavengeBegun } from '../event-store/scavenge'
import { startScavenge } from '../event-store/start-scavenge'
import { DirectoryLocked } from '../storage'
import { compiledRoom } from './entry'
import { scavengeEmbeddedStores } from './scavenge'
import { findRunningStores, startEmbeddedStores, type EmbeddedStores, type StoreUrls } from './supervisor'

let dataDir: string
let running: EmbeddedStores[]
let parents: ChildProcess[]

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'stet-test-'))
  running = []
  parents = []
})
afterEach(async () => {
  for (const stores of running) await stores.stop()
  for (const parent of parents) if (parent.exitCode === null && parent.signalCode === null) parent.kill('SIGKILL')
  rmSync(dataDir, { recursive: true })
})

async function start(log?: (line: string) => void): Promise<EmbeddedStores> {
  const stores = await startEmbeddedStores({ dataDir, log })
  running.push(stores)
  return stores
}

/** Appends through the official client, again and again until it succeeds: the store may just be coming back. */
async function append({ eventStoreUrl }: StoreUrls, stream: string, attempts = 50): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const client = new EventStoreDBClient({ endpoint: eventStoreUrl }, { insecure: true })
    try {
      const { nextExpectedRevision } = await client.appendToStream(stream, jsonEvent({ type: 'Tested', data: {} }))
      return Number(nextExpectedRevision)
    } catch (error) {
      if (attempt === attempts) throw error
      await new Promise(resolve => setTimeout(resolve, 100))
    } finally {
      await client.dispose()
    }
  }
}

/** As soon as the store answers. */
async function countEvents({ eventStoreUrl }: StoreUrls, stream: string, attempts = 50): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const client = new EventStoreDBClient({ endpoint: eventStoreUrl }, { insecure: true })
    try {
      let count = 0
      for await (const _ of client.readStream(stream)) count++
      return count
    } catch (error) {
      if (attempt === attempts) throw error
      await new Promise(resolve => setTimeout(resolve, 100))
    } finally {
      await client.dispose()
    }
  }
}

async function countDocuments({ mongodbUrl }: StoreUrls): Promise<number> {
  const client = await MongoClient.connect(mongodbUrl)
  try {
    const things = client.db('test').collection('things')
    await things.insertOne({})
    return await things.countDocuments()
  } finally {
    await client.close()
  }
}

/** The stores' process is the one child of `parent` that runs child.js. */
function childOf(parent: number): number {
  const children = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  for (const pid of children) {
    try {
      const [, parentPid] = /^\d+ \(.*\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))!.slice(0, 2)
      if (Number(parentPid) === parent && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(dataDir))
        return Number(pid)
    } catch {
      // It ended while the list was read.
    }
  }
  throw new Error(`process ${parent} has no stores`)
}

const isAlive = (pid: number): boolean =>
  existsSync(`/proc/${pid}`) && !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 20))
}

/** A parent of its own, to be killed. */
async function otherParent(): Promise<{ parent: ChildProcess; said: string }> {
  const program = `require(${JSON.stringify(join(compiledRoom(), 'supervisor/supervisor'))})
    .startEmbeddedStores({ dataDir: ${JSON.stringify(dataDir)} }).then(() => process.send('ready'), error => process.send(error.message))`
  const parent = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  parents.push(parent)
  const [said] = (await once(parent, 'message')) as [string]
  return { parent, said }
}

test('both stores answer on private sockets, and keep what they had over a restart', async () => {
  const stores = await start()
  expect(await append(stores, 'a')).toBe(0)
  expect(await countDocuments(stores)).toBe(1)
  const socket = stores.eventStoreUrl.slice('unix:'.length)
  expect(statSync(socket).mode & 0o777).toBe(0o600)
  await stores.stop()
  running.length = 0
  expect(existsSync(socket)).toBe(false)
  const again = await start()
  expect(await append(again, 'a')).toBe(1)
  expect(await countDocuments(again)).toBe(2)
})

test('a second start names the holder; whoever asks finds the urls', async () => {
  expect(await findRunningStores(dataDir)).toBeNull()
  const stores = await start()
  await expect(startEmbeddedStores({ dataDir })).rejects.toThrow(DirectoryLocked)
  expect((await otherParent()).said).toContain(`in use by process ${process.pid}.`)
  const { eventStoreUrl, mongodbUrl } = stores
  expect(await findRunningStores(dataDir)).toEqual({ eventStoreUrl, mongodbUrl })
})

test('stores that die come back on the same sockets with what was acknowledged', async () => {
  const lines: string[] = []
  const stores = await start(line => lines.push(line))
  await append(stores, 'a')
  process.kill(childOf(process.pid), 'SIGKILL')
  expect(await append(stores, 'a')).toBe(1)
  await until(() => lines.includes('The embedded stores are back.'))
  expect(lines[0]).toContain('SIGKILL')
  // Each time after a longer wait.
  process.kill(childOf(process.pid), 'SIGKILL')
  await until(() => lines.length === 4)
  expect([lines[0], lines[2]]).toEqual([
    expect.stringContaining('again in 50 ms'),
    expect.stringContaining('again in 100 ms'),
  ])
})

test('a fault in the stores ends their process at once, also in the middle of a commit', async () => {
  const faulty = join(dataDir, 'faulty.cjs')
  writeFileSync(faulty, "process.on('SIGUSR2', () => { throw new Error('a fault') })")
  const program = join(compiledRoom(), 'supervisor', 'child.js')
  const stores = spawn(process.execPath, ['--require', faulty, program, dataDir, dataDir], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  parents.push(stores)
  let said = ''
  stores.stderr!.on('data', text => (said += String(text)))
  await once(stores, 'message')
  stores.kill('SIGUSR2')
  expect(await once(stores, 'close')).toEqual([null, 'SIGKILL'])
  expect(said).toContain('a fault')
})

test('stores that do not end when they are told to are ended', async () => {
  const stores = await start()
  const child = childOf(process.pid)
  process.kill(child, 'SIGSTOP')
  await stores.stop()
  running.length = 0
  expect(isAlive(child)).toBe(false)
})

test('a scavenge whose process is killed is gone on with by the next', async () => {
  const stores = await start()
  const client = new EventStoreDBClient({ endpoint: stores.eventStoreUrl }, { insecure: true })
  for (let n = 0; n < 40; n++)
    await client.appendToStream(
      'secret',
      Array.from({ length: 250 }, () => jsonEvent({ type: 'Told', data: { text: 'secret-of-a-person'.repeat(20) } })),
    )
  await client.deleteStream('secret')
  await client.dispose()
  const file = () => statSync(join(dataDir, 'events', 'data.mdb')).ino
  const before = file()
  const child = childOf(process.pid)
  await startScavenge(stores.eventStoreUrl)
  process.kill(child, 'SIGKILL')
  expect([isScavengeBegun(join(dataDir, 'events')), file()]).toEqual([true, before])
  await until(() => file() !== before && !isScavengeBegun(join(dataDir, 'events')))
  for (const store of ['documents', 'events'])
    expect(readFileSync(join(dataDir, store, 'data.mdb')).includes('secret-of-a-person')).toBe(false)
  expect(await append(stores, 'a')).toBe(0)
})

test('a scavenge waits for stores that are just starting again, as they do after another one', async () => {
  const stores = await start()
  await append(stores, 'a')
  const child = childOf(process.pid)
  process.kill(child, 'SIGKILL')
  await until(() => !isAlive(child))
  await scavengeEmbeddedStores({ dataDir })
  expect(await countEvents(stores, 'a')).toBe(1)
})

const onLinux = process.platform === 'linux' ? test : test.skip

onLinux(
  'a scavenge whose files find no room ends with an error, and the stores are back with what they had',
  async () => {
    const { parent } = await otherParent()
    const urls = (await findRunningStores(dataDir))!
    const client = new EventStoreDBClient({ endpoint: urls.eventStoreUrl }, { insecure: true })
    const events = Array.from({ length: 300 }, (_, n) =>
      jsonEvent({ type: 'Told', data: { n, text: 'x'.repeat(2_000) } }),
    )
    await client.appendToStream('s', events)
    const child = childOf(parent.pid!)
    // Processes that it starts from here on may not write beyond.
    execFileSync('prlimit', ['--pid', String(parent.pid), '--fsize=200000:unlimited'])
    await expect(scavengeEmbeddedStores({ dataDir })).rejects.toThrow('The scavenge ended early')
    await until(() => !isAlive(child))
    await client.dispose()
    expect(await countEvents(urls, 's')).toBe(300)
  },
)

onLinux('stores without room to request the rewrite of their documents start again all the same', async () => {
  const { parent } = await otherParent()
  const urls = (await findRunningStores(dataDir))!
  await append(urls, 's')
  const child = childOf(parent.pid!)
  // In the place where it is written first.
  mkdirSync(join(dataDir, 'documents', `.rewrite-requested.${child}`))
  await expect(scavengeEmbeddedStores({ dataDir })).rejects.toThrow('The scavenge ended early')
  await until(() => !isAlive(child))
  expect(await countEvents(urls, 's')).toBe(1)
})

test('a parent killed with -9 takes the stores with it, and the next start takes over', async () => {
  const { parent, said } = await otherParent()
  expect(said).toBe('ready')
  const urls = (await findRunningStores(dataDir))!
  await append(urls, 'a')
  const child = childOf(parent.pid!)
  const exit = once(parent, 'exit')
  parent.kill('SIGKILL')
  await exit
  const stores = await start()
  expect(await append(stores, 'a')).toBe(1)
  await until(() => !isAlive(child))
})

test('a file of the other store, or one whose database has another name by now, is not opened as an empty one', async () => {
  const stores = await start()
  await append(stores, 'a')
  await countDocuments(stores)
  await stores.stop()
  running.length = 0
  const [events, documents] = ['events', 'documents'].map(store => join(dataDir, store, 'data.mdb')) as [string, string]
  const before = readFileSync(events)
  const altered = Buffer.from(before)
  for (let at = -1; (at = altered.indexOf('records\0', at + 1)) !== -1;) altered[at]! ^= 1
  for (const bytes of [altered, readFileSync(documents)]) {
    writeFileSync(events, bytes)
    await expect(start()).rejects.toThrow(/data.mdb \(its list of databases\) is damaged on disk/)
  }
  writeFileSync(events, before)
  expect(await append(await start(), 'a')).toBe(1)
})

test('stores that cannot be opened fail the start with their reason, and give the directory free', async () => {
  const stores = await start()
  await stores.stop()
  running.length = 0
  const format = join(dataDir, 'events', 'format.json')
  const before = readFileSync(format, 'utf8')
  writeFileSync(format, before.replace(/"formatVersion":\d+/, '"formatVersion":999'))
  await expect(start()).rejects.toThrow(/written in format 999/)
  writeFileSync(format, before)
  await start()
})
