// Group commit over real files: order, refusals, formats, backup, and what happens when there is no room.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { compiledRoom } from '../supervisor/entry'
import { openDatabase } from './database'
import { openEnvironment, type Environment } from './environment'
import { StorageDamaged, WrongFormat } from './errors'
import { requestRewrite } from './rewrite'

const FORMAT = { kind: 'event-store', formatVersion: 1 } as const
let directory: string
let opened: Environment[]

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'stet-test-'))
  opened = []
})
afterEach(async () => {
  for (const environment of opened) await environment.close()
  rmSync(directory, { recursive: true, force: true })
})

function openHere(onTheSpot?: number): Environment {
  const environment = openEnvironment(directory, FORMAT, { onTheSpot })
  opened.push(environment)
  return environment
}
const key = (text: string) => Buffer.from(text)

/** Whether commits are waited for here, or by another thread. */
const waits = [
  ['on the spot', Infinity],
  ['elsewhere', -1],
] as const

test.each(waits)('writes see each other and resolve with their values in order; %s', async (_, onTheSpot) => {
  const { root, commit } = openHere(onTheSpot)
  const counts = await Promise.all(
    Array.from({ length: 100 }, () =>
      commit(() => {
        const next = (root.get(key('count'))?.readUInt32BE() ?? 0) + 1
        const value = Buffer.alloc(4)
        value.writeUInt32BE(next)
        root.putSync(key('count'), value)
        return next
      }),
    ),
  )
  expect(counts).toEqual(Array.from({ length: 100 }, (_, index) => index + 1))
})

test.each(waits)('a write that throws rejects alone; %s', async (_, onTheSpot) => {
  const { root, commit } = openHere(onTheSpot)
  const outcomes = await Promise.allSettled([
    commit(() => root.putSync(key('a'), key('1'))),
    commit(() => {
      throw new Error('refused')
    }),
    commit(() => root.putSync(key('b'), key('2'))),
  ])
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect([root.get(key('a')), root.get(key('b'))].map(String)).toEqual(['1', '2'])
})

test.each(waits)(
  'a put that has no room refuses its whole group, of which nothing is stored; %s',
  async (_, onTheSpot) => {
    const { root, commit } = openHere(onTheSpot)
    const outcomes = await Promise.allSettled([
      commit(() => root.putSync(key('a'), key('1'))),
      commit(() => {
        root.putSync(key('b'), key('2'))
        throw Object.assign(new Error('MDB_MAP_FULL'), { code: -30_792 })
      }),
    ])
    const refused = { status: 'rejected', reason: { code: 'storage-full' } }
    expect(outcomes).toMatchObject([refused, refused])
    expect([root.get(key('a')), root.get(key('b'))]).toEqual([undefined, undefined])
  },
)

/** Whether what its entries hold is looked at when the file is opened: they have no checksum. */
async function isReadWhole(): Promise<boolean> {
  try {
    await openEnvironment(directory, { ...FORMAT, isSealed: true }).close()
    return false
  } catch (error) {
    expect(error).toBeInstanceOf(StorageDamaged)
    return true
  }
}

test('a large file that was closed in order and left alone is not read whole again; anything else is', async () => {
  const { root, commit, close } = openEnvironment(directory, FORMAT)
  const entries = openDatabase(root, 'entries')
  await commit(() => entries.putSync(key('a'), Buffer.alloc(64 * 1_048_576, 1)))
  // A process that ends here leaves this behind.
  const cut = mkdtempSync(join(tmpdir(), 'stet-test-'))
  cpSync(directory, cut, { recursive: true, preserveTimestamps: true })
  await close()

  expect(await isReadWhole()).toBe(false)
  const file = join(directory, 'data.mdb')
  const { atime, mtime } = statSync(file)
  utimesSync(file, atime, new Date(mtime.getTime() + 1))
  expect(await isReadWhole()).toBe(true)

  rmSync(directory, { recursive: true })
  cpSync(cut, directory, { recursive: true })
  rmSync(cut, { recursive: true })
  expect(await isReadWhole()).toBe(true)

  await openEnvironment(directory, FORMAT).close()
  requestRewrite(directory)
  expect(await isReadWhole()).toBe(true)
})

test('a small file is read whole whenever it is opened', async () => {
  const { root, commit, close } = openEnvironment(directory, FORMAT)
  const entries = openDatabase(root, 'entries')
  await commit(() => entries.putSync(key('a'), key('1')))
  await close()
  expect(await isReadWhole()).toBe(true)
})

test('what was made and not written to yet is opened again, closed in order or not', async () => {
  await openHere().close()
  opened = []
  const { root } = openHere()
  const cut = mkdtempSync(join(tmpdir(), 'stet-test-'))
  cpSync(directory, cut, { recursive: true })
  const again = openEnvironment(cut, FORMAT)
  await again.commit(() => again.root.putSync(key('a'), key('1')))
  await again.close()
  rmSync(cut, { recursive: true })
  expect(root.get(key('a'))).toBeUndefined()
})

test('a file that is lost is reported; what a crash in the making of one left is made anew', async () => {
  const made = openHere()
  await made.commit(() => made.root.putSync(key('a'), key('1')))
  await made.close()
  opened = []
  const file = join(directory, 'data.mdb')
  rmSync(file)
  expect(() => openHere()).toThrow(/data.mdb \(it is missing\) is damaged/)
  expect(existsSync(file)).toBe(false)

  // As it is after each step of the making.
  for (const left of [[], ['format.json'], ['format.json', 'lock.mdb'], ['format.json', 'lock.mdb', 'data.mdb']]) {
    rmSync(directory, { recursive: true })
    mkdirSync(directory)
    writeFileSync(join(directory, 'making'), '')
    for (const name of left) writeFileSync(join(directory, name), name === 'format.json' ? JSON.stringify(FORMAT) : '')
    const environment = openEnvironment(directory, FORMAT)
    await environment.commit(() => environment.root.putSync(key('a'), key('1')))
    await environment.close()
    const again = openEnvironment(directory, FORMAT)
    expect(String(again.root.get(key('a')))).toBe('1')
    await again.close()
  }
})

test('a process can be ended at any moment of a commit', () => {
  const program = `
    const { endAtOnce, openEnvironment } = require(${JSON.stringify(join(compiledRoom(), 'storage'))})
    const { root, commit } = openEnvironment(process.argv[1], ${JSON.stringify(FORMAT)}, { onTheSpot: -1 })
    const end = turns => (turns === 0 ? endAtOnce() : setImmediate(end, turns - 1))
    commit(() => root.putSync(Buffer.from('a'), Buffer.from('1')))
    end(Number(process.argv[2]))`
  for (const turns of ['0', '1', '2', '3', '4'])
    expect(spawnSync(process.execPath, ['-e', program, directory, turns], { timeout: 10_000 }).signal).toBe('SIGKILL')
})

test('the place of a reader that was killed is given back while the files are open', async () => {
  const environment = openEnvironment(directory, FORMAT, { clearReadersEvery: 10 })
  opened.push(environment)
  const program = `
    const root = require(${JSON.stringify(join(compiledRoom(), 'storage'))}).openFiles(process.argv[1])
    root.useReadTransaction()
    root.get(Buffer.from('a'))
    setInterval(() => process.send('reading'), 10)`
  const reader = spawn(process.execPath, ['-e', program, directory], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  await once(reader, 'message')
  const hasPlace = () => environment.root.readerList().includes(` ${reader.pid} `)
  expect(hasPlace()).toBe(true)
  reader.kill('SIGKILL')
  await once(reader, 'exit')
  while (hasPlace()) await setImmediate()
})

test.each(waits)('what was committed is there again; close waits for what was accepted; %s', async (_, onTheSpot) => {
  const first = openHere(onTheSpot)
  const accepted = first.commit(() => first.root.putSync(key('a'), key('1')))
  await first.close()
  await accepted
  await expect(first.commit(() => 1)).rejects.toThrow('is closed')
  opened = []
  expect(String(openHere().root.get(key('a')))).toBe('1')
})

/** Commits 64 KiB at each message and answers with what came of it. */
async function writer(onTheSpot: number): Promise<{ child: ChildProcess; commit: () => Promise<string> }> {
  const program = `
    const { openEnvironment } = require(${JSON.stringify(join(compiledRoom(), 'storage'))})
    const { root, commit } = openEnvironment(process.argv[1], ${JSON.stringify(FORMAT)}, { onTheSpot: ${onTheSpot} })
    let n = 0
    process.on('message', () =>
      commit(() => root.putSync(Buffer.from('key ' + n), Buffer.alloc(65536, n))).then(
        () => process.send(String(n++)),
        error => process.send(error.code),
      ))
    process.send('ready')`
  const child = spawn(process.execPath, ['-e', program, directory], { stdio: ['ignore', 'inherit', 'pipe', 'ipc'] })
  const answer = async () => ((await once(child, 'message')) as [string])[0]
  await answer()
  return {
    child,
    commit: () => {
      child.send('commit')
      return answer()
    },
  }
}

const onLinux = process.platform === 'linux' ? test : test.skip
const limits = waits.map(([name, onTheSpot]) => [name, onTheSpot === Infinity ? 1e9 : onTheSpot] as const)

onLinux.each(limits)('what has no room is refused until there is some; %s', async (_, onTheSpot) => {
  const { child, commit } = await writer(onTheSpot)
  const limit = (bytes: string) => execFileSync('prlimit', ['--pid', String(child.pid), `--fsize=${bytes}:unlimited`])
  for (const n of [0, 1, 2]) expect(await commit()).toBe(String(n))
  limit(String(statSync(join(directory, 'data.mdb')).size + 300_000))
  let last = 2
  for (;;) {
    const outcome = await commit()
    if (outcome === 'storage-full') break
    expect(outcome).toBe(String(++last))
  }
  expect(await commit()).toBe('storage-full')
  limit('unlimited')
  expect(await commit()).toBe(String(last + 1))
  child.kill('SIGKILL')
  await once(child, 'exit')
  const { root } = openHere()
  for (let n = 0; n <= last + 1; n++) expect(root.get(key(`key ${n}`))).toEqual(Buffer.alloc(65_536, n))
  expect(root.get(key(`key ${last + 2}`))).toBeUndefined()
})

// A small disk of its own needs a mount namespace, which Linux gives to anybody unless the machine forbids it.
const canMount = spawnSync('unshare', ['-rm', 'true']).status === 0
const onSmallDisk = canMount ? test : test.skip

/** What a program of a process of its own says, in `directory` on a disk of 8 MiB. */
function onDisk(program: string): unknown {
  const mounted = 'mount -t tmpfs -o size=8m none "$0" && exec "$1" -e "$2" "$0"'
  const prepared = `
    const fs = require('node:fs')
    const { openEnvironment } = require(${JSON.stringify(join(compiledRoom(), 'storage'))})
    const directory = process.argv[1]
    const failed = []
    const onFailedCommit = error => failed.push(error.message)
    const { root, commit } = openEnvironment(directory, ${JSON.stringify(FORMAT)}, { onFailedCommit })
    const put = (n, bytes) => commit(() => root.putSync(Buffer.from('key ' + n), Buffer.alloc(bytes, n)))
      .then(() => 'stored', error => error.code)
    ;(async () => { ${program} })().then(said => { console.log(JSON.stringify(said)); process.exit() })`
  const said = execFileSync('unshare', ['-rm', 'sh', '-c', mounted, directory, process.execPath, prepared], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return JSON.parse(String(said))
}

onSmallDisk('a disk that is full refuses writes until there is room', () => {
  const said = onDisk(`
    fs.writeFileSync(directory + '/other', Buffer.alloc(5 * 1048576))
    const outcomes = new Set()
    for (let n = 0; n < 30; n++) outcomes.add(await put(n, 300_000))
    fs.rmSync(directory + '/other')
    return [...outcomes, await put(99, 300_000), failed]`)
  expect(said).toEqual(['stored', 'storage-full', 'stored', []])
})

onSmallDisk('a disk that fails is not taken for a full one when little room is left', () => {
  const said = onDisk(`
    const before = await put(0, 1000)
    for (const fd of fs.readdirSync('/proc/self/fd')) {
      let file = ''
      try { file = fs.readlinkSync('/proc/self/fd/' + fd) } catch {}
      if (!file.endsWith('data.mdb')) continue
      // The lowest free number is given again. Writing there is an I/O error.
      fs.closeSync(Number(fd))
      fs.openSync('/proc/self/mem', 'r+')
    }
    return [before, await put(1, 1000), failed.length]`)
  expect(said).toEqual(['stored', 5, 1])
})

test('a newer format, another kind and a foreign folder are refused with what to do', async () => {
  await openHere().close()
  opened = []
  const format = join(directory, 'format.json')
  expect(() => openEnvironment(directory, { kind: 'document-store', formatVersion: 1 })).toThrow(
    'holds the files of event-store',
  )
  writeFileSync(format, JSON.stringify({ kind: 'event-store', formatVersion: 2 }))
  expect(() => openHere()).toThrow(/written in format 2.*newer version of the program/)
  writeFileSync(format, JSON.stringify({ kind: 'event-store', formatVersion: 0 }))
  const oldest = { formatVersion: 1, whatToDo: 'Remove it.' }
  expect(() => openEnvironment(directory, { ...FORMAT, oldest })).toThrow(/format 0.*not read any more. Remove it./)
  for (const text of ['{"kind":', 'null', '']) {
    writeFileSync(format, text)
    expect(() => openHere()).toThrow(WrongFormat)
  }
  rmSync(format)
  expect(() => openHere()).toThrow('not the files of event-store of this program')
})
