// One owner per data directory: a second start names the first, a dead one is replaced without a hand.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { compiledRoom } from '../supervisor/entry'
import { lockDirectory, readHolder, socketsOf } from './directory-lock'
import { DirectoryLocked } from './errors'

let dataDir: string
let others: ChildProcess[]

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'stet-test-'))
  others = []
})
afterEach(async () => {
  for (const other of others) await ended(other)
  rmSync(dataDir, { recursive: true, force: true })
})

async function ended(other: ChildProcess): Promise<void> {
  if (other.exitCode !== null || other.signalCode !== null) return
  other.kill('SIGKILL')
  await once(other, 'exit')
}

/** Another process that tries to own the directory: 'held' or the error's message. */
async function otherOwner(): Promise<{ other: ChildProcess; said: string }> {
  const program = `
    try { require(${JSON.stringify(join(compiledRoom(), 'storage'))}).lockDirectory(${JSON.stringify(dataDir)}); process.send('held') }
    catch (error) { process.send(error.message) }
    setInterval(() => {}, 1000)`
  const other = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  others.push(other)
  const [said] = (await once(other, 'message')) as [string]
  return { other, said }
}

test('the runtime folder is private and its sockets have short paths', async () => {
  const lock = lockDirectory(dataDir)
  expect(statSync(lock.runtimeFolder).mode & 0o777).toBe(0o700)
  expect(socketsOf(lock).documents.length).toBeLessThan(104)
  await lock.release()
  expect(existsSync(lock.runtimeFolder)).toBe(false)
})

test('a second owner in the same process is refused, and after the release accepted', async () => {
  const lock = lockDirectory(dataDir)
  expect(() => lockDirectory(dataDir)).toThrow(DirectoryLocked)
  await lock.release()
  await lockDirectory(dataDir).release()
})

test('a second process is refused with the pid of the holder', async () => {
  const lock = lockDirectory(dataDir)
  expect((await otherOwner()).said).toContain(`in use by process ${process.pid}.`)
  await lock.release()
  expect((await otherOwner()).said).toBe('held')
})

test('a holder killed with -9 is replaced, and its runtime folder removed', async () => {
  const { other, said } = await otherOwner()
  expect(said).toBe('held')
  const holder = await readHolder(dataDir)
  expect(holder?.pid).toBe(other.pid)
  expect(() => lockDirectory(dataDir)).toThrow(`in use by process ${other.pid}.`)
  await ended(other)
  expect(await readHolder(dataDir)).toBeNull()
  const lock = lockDirectory(dataDir)
  expect(existsSync(holder!.runtimeFolder)).toBe(false)
  await lock.release()
})

test('who takes the lock of a copy leaves the sockets of the holder alone', async () => {
  const { other } = await otherOwner()
  const holder = await readHolder(dataDir)
  const copy = mkdtempSync(join(tmpdir(), 'stet-test-'))
  cpSync(dataDir, copy, { recursive: true })
  await lockDirectory(copy).release()
  expect(existsSync(holder!.runtimeFolder)).toBe(true)
  await ended(other)
  await lockDirectory(dataDir).release()
  expect(existsSync(holder!.runtimeFolder)).toBe(false)
  rmSync(copy, { recursive: true })
})

test('of many that start over a dead holder exactly one wins', async () => {
  const { other } = await otherOwner()
  await ended(other)
  const starts = await Promise.all([otherOwner(), otherOwner(), otherOwner()])
  expect(starts.filter(({ said }) => said === 'held')).toHaveLength(1)
})

test('of several that start in a fresh directory exactly one wins', async () => {
  const starts = await Promise.all([otherOwner(), otherOwner(), otherOwner()])
  expect(starts.filter(({ said }) => said === 'held')).toHaveLength(1)
})

test('a lock whose file is damaged is made anew, and an owner that is alive is found all the same', async () => {
  const file = join(dataDir, 'lock', 'data.mdb')
  const damage = () => {
    const bytes = readFileSync(file)
    // All but the head, which by itself is what LMDB expects.
    writeFileSync(file, Buffer.concat([bytes.subarray(0, 8_192), Buffer.alloc(bytes.length - 8_192, 0xff)]))
  }
  await lockDirectory(dataDir).release()
  damage()
  expect(await readHolder(dataDir)).toBeNull()
  await lockDirectory(dataDir).release()

  const { other, said } = await otherOwner()
  expect(said).toBe('held')
  damage()
  for (const _ of [1, 2]) expect(() => lockDirectory(dataDir)).toThrow(`in use by process ${other.pid}.`)
  await ended(other)
  await lockDirectory(dataDir).release()
})

test('only its owner can enter it, whatever the umask', async () => {
  const before = process.umask(0)
  try {
    await lockDirectory(dataDir).release()
  } finally {
    process.umask(before)
  }
  expect(statSync(join(dataDir, 'lock')).mode & 0o777).toBe(0o700)
})

// Namespaces of its own are given to anybody on Linux, unless the machine forbids it.
const canUnshare = spawnSync('unshare', ['-rmpf', 'true']).status === 0
const inNamespaces = canUnshare ? test : test.skip

/** Takes the lock of the folder in its argument, and says so or why not. */
const taking = () => `
  const storage = require(${JSON.stringify(join(compiledRoom(), 'storage'))})
  let said = 'held'
  try { storage.lockDirectory(process.argv[1]) } catch (error) { said = error.message }
  console.log(said)`

inNamespaces('on a full disk a dead holder is replaced; where there never was room for a lock that is said', () => {
  const runtime = mkdtempSync(join(tmpdir(), 'stet-test-'))
  // The first one ends without giving the lock back.
  const steps = `mount -t tmpfs -o size=1m none "$0" && mkdir "$0/a" "$0/b" &&
    "$1" -e "$2;process.kill(process.pid, 9)" "$0/a"; head -c 2000000 /dev/zero > "$0/filler"
    for n in 1 2 3; do "$1" -e "$2;process.kill(process.pid, 9)" "$0/a"; done; rm -rf "$3"/*; "$1" -e "$2;process.exit()" "$0/b"; ls "$3"`
  const { stdout } = spawnSync('unshare', ['-rm', 'sh', '-c', steps, dataDir, process.execPath, taking(), runtime], {
    env: { ...process.env, TMPDIR: runtime, XDG_RUNTIME_DIR: '' },
    encoding: 'utf8',
  })
  const refused = expect.stringContaining(`No room left to write in ${join(dataDir, 'b', 'lock')}`) as unknown
  expect(stdout.trim().split('\n')).toEqual(['held', 'held', 'held', 'held', refused])
  rmSync(runtime, { recursive: true })
})

inNamespaces('a holder with the same pid in another container is found', async () => {
  const inContainer = (program: string) =>
    spawn('unshare', ['-rpf', '--kill-child', process.execPath, '-e', program, dataDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
  const said = async (container: ChildProcess) =>
    String(((await once(container.stdout!, 'data')) as [Buffer])[0]).trim()
  const first = inContainer(`${taking()}; setInterval(() => {}, 1000)`)
  others.push(first)
  expect(await said(first)).toBe('held')
  // lmdb-js would try for ten seconds.
  const second = inContainer(`Atomics.wait = () => 'timed-out'; ${taking()}; process.exit()`)
  others.push(second)
  expect(await said(second)).toMatch(/is in use by process 1\./)
})

test('a directory without a holder has none', async () => {
  expect(await readHolder(dataDir)).toBeNull()
  expect(await readHolder(join(dataDir, 'absent'))).toBeNull()
})
