// A rewrite takes everything along, or leaves the old file as it was and says so.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { compiledRoom } from '../supervisor/entry'
import { noteClosed } from './closing'
import { openDatabase } from './database'
import { openEnvironment, openFiles } from './environment'
import { StorageDamaged } from './errors'
import { requestRewrite, rewriteIfRequested } from './rewrite'

const FORMAT = { kind: 'event-store', formatVersion: 1 } as const
const PAGE = 16_384
const ENTRIES = 200
let directory: string
let file: string

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'stet-test-'))
  file = join(directory, 'data.mdb')
  const environment = openEnvironment(directory, FORMAT)
  const entries = openDatabase(environment.root, 'entries')
  await environment.commit(() => {
    for (let n = 0; n < ENTRIES; n++) entries.putSync(Buffer.from([n]), Buffer.alloc(1_000, n))
  })
  await environment.close()
})
afterEach(() => rmSync(directory, { recursive: true }))

/** As bits turn on a disk: the file was closed in order, and its times are as they were. LMDB sees one entry fewer. */
function hideOneEntry(): Buffer {
  const bytes = readFileSync(file)
  const isLeaf = (page: number) => bytes.readUInt16LE(page * PAGE + 18) === 2
  const inUse = (page: number) => bytes.readUInt16LE(page * PAGE + 20) > 10
  const leaf = Array.from({ length: bytes.length / PAGE }, (_, page) => page).findLast(
    page => isLeaf(page) && inUse(page),
  )!
  bytes.writeUInt16LE(bytes.readUInt16LE(leaf * PAGE + 20) - 2, leaf * PAGE + 20)
  writeFileSync(file, bytes)
  noteClosed(directory)
  return bytes
}

test('a file that lost entries to damage is not rewritten without them', () => {
  const damaged = hideOneEntry()
  requestRewrite(directory)
  expect(() => rewriteIfRequested(directory, openFiles)).toThrow(StorageDamaged)
  expect(() => rewriteIfRequested(directory, openFiles)).toThrow('199 of 200 entries')
  expect(readFileSync(file).equals(damaged)).toBe(true)
})

test('what a rewrite that was killed has left is in none that follows', async () => {
  const left = openFiles(join(directory, 'rewritten'))
  openDatabase(left, 'entries').putSync(Buffer.from('erased'), Buffer.from('secret'))
  await left.close()
  requestRewrite(directory)
  await openEnvironment(directory, FORMAT).close()
  expect(readFileSync(file).includes('secret')).toBe(false)
})

const onLinux = process.platform === 'linux' ? test : test.skip

onLinux('a file that has no room to be rewritten is opened as it was', () => {
  const before = readFileSync(file)
  requestRewrite(directory)
  const program = `
    const { isRewriteRequested, openDatabase, openEnvironment } = require(${JSON.stringify(join(compiledRoom(), 'storage'))})
    const { root } = openEnvironment(process.argv[1], ${JSON.stringify(FORMAT)})
    const count = openDatabase(root, 'entries').getCount()
    console.log(JSON.stringify({ count, isRequested: isRewriteRequested(process.argv[1]) }))
    process.exit()`
  const limited = ['--fsize=100000:unlimited', process.execPath, '-e', program, directory]
  const { stdout, stderr } = spawnSync('prlimit', limited, { encoding: 'utf8' })
  expect(JSON.parse(stdout)).toEqual({ count: ENTRIES, isRequested: false })
  expect(stderr).toContain(`${directory} was not written anew: there was no room for a second file beside the old one.`)
  expect(readFileSync(file).equals(before)).toBe(true)
  expect(readdirSync(directory)).not.toContain('rewritten')
})

test('a file is looked at whole before it is rewritten, closed in order or not', () => {
  const damaged = hideOneEntry()
  requestRewrite(directory)
  expect(() => openEnvironment(directory, FORMAT)).toThrow(StorageDamaged)
  expect(readFileSync(file).equals(damaged)).toBe(true)
})
