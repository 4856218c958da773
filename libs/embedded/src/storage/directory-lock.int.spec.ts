// One owner per data directory: a second start names the first, a dead one is replaced without a hand.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { compiledRoom } from '../supervisor/entry'
import { lockDirectory, readHolder } from './directory-lock'
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
  expect(lock.documentsSocket.length).toBeLessThan(104)
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

test('of many that start over a dead holder exactly one wins', async () => {
  const { other } = await otherOwner()
  await ended(other)
  const starts = await Promise.all([otherOwner(), otherOwner(), otherOwner()])
  expect(starts.filter(({ said }) => said === 'held')).toHaveLength(1)
})

test('a directory without a holder has none', async () => {
  expect(await readHolder(dataDir)).toBeNull()
  expect(await readHolder(join(dataDir, 'absent'))).toBeNull()
})
