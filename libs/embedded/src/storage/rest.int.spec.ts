// What a start leaves of a large file is looked at beside its use: damage ends the process, and the next start; nothing else does.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  copyFileSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { compiledRoom } from '../supervisor/entry'
import { openDatabase } from './database'
import { openEnvironment } from './environment'

const FORMAT = { kind: 'event-store', formatVersion: 1 } as const
const PAGE = 16_384
const ENTRIES = 2_000
/** More than a start looks at whole. */
const PAGES = 70_000
let directory: string
let file: string

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'stet-test-'))
  file = join(directory, 'data.mdb')
  const environment = openEnvironment(directory, FORMAT)
  const entries = openDatabase(environment.root, 'entries')
  await environment.commit(() => {
    for (let n = 0; n < ENTRIES; n++) entries.putSync(Buffer.from(`key ${n}`), Buffer.alloc(1_000, n))
  })
  await environment.close()
  copyFileSync(file, backup())
  // Its last pages are free ones that were never written.
  const descriptor = openSync(file, 'r+')
  for (const meta of [0, PAGE]) {
    writeNumber(descriptor, meta + 24 + 120, PAGES)
    writeNumber(descriptor, meta + 24 + 16, 2 * PAGES * PAGE)
  }
  ftruncateSync(descriptor, (PAGES + 1) * PAGE)
  closeSync(descriptor)
})
afterEach(() => {
  rmSync(backup())
  rmSync(directory, { recursive: true })
})
const backup = () => `${directory}.mdb`

function writeNumber(descriptor: number, at: number, value: number): void {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  writeSync(descriptor, bytes, 0, 8, at)
}

/** LMDB sees one entry fewer. */
function hideOneEntry(): void {
  const descriptor = openSync(file, 'r+')
  const head = Buffer.alloc(24)
  const isLeaf = () => head.readUInt16LE(18) === 2 && head.readUInt16LE(20) > 20
  let page = 1
  do readSync(descriptor, head, 0, head.length, ++page * PAGE)
  while (!isLeaf())
  head.writeUInt16LE(head.readUInt16LE(20) - 2, 20)
  writeSync(descriptor, head, 0, head.length, page * PAGE)
  closeSync(descriptor)
}

/** Opens the file in a process of its own and writes to it until nobody looks at it any more. */
async function use(): Promise<{ code: number; said: string }> {
  const program = `
    const { openDatabase, openEnvironment } = require(${JSON.stringify(join(compiledRoom(), 'storage'))})
    const { root, commit, close } = openEnvironment(process.argv[1], ${JSON.stringify(FORMAT)})
    const entries = openDatabase(root, 'entries')
    const isLookedAt = () => root.readerList().split('\\n').some(row => /^ *\\d.* \\d+$/.test(row))
    ;(async () => {
      for (let round = 0; isLookedAt(); round++)
        await commit(() => {
          for (let n = round % 7; n < ${ENTRIES}; n += 7) entries.putSync(Buffer.from('key ' + n), Buffer.alloc(1_000, round))
        })
      await close()
      console.log('closed')
    })()`
  const child = spawn(process.execPath, ['-e', program, directory], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const output of [child.stdout, child.stderr]) output.on('data', text => (said += String(text)))
  const [code] = (await once(child, 'close')) as [number]
  return { code, said }
}

test('a file that is written to meanwhile is sound', async () => {
  for (const _ of [1, 2, 3]) expect(await use()).toEqual({ code: 0, said: 'closed\n' })
})

test('damage ends the process, and keeps the file from being opened until it is restored', async () => {
  hideOneEntry()
  const damaged = /data.mdb .*is damaged on disk and is not served/
  expect(await use()).toEqual({ code: 70, said: expect.stringMatching(damaged) })
  expect(() => openEnvironment(directory, FORMAT)).toThrow(damaged)
  expect(() => openEnvironment(directory, FORMAT)).toThrow(damaged)
  copyFileSync(backup(), file)
  expect(await use()).toEqual({ code: 0, said: 'closed\n' })
  expect(readdirSync(directory)).not.toContain('suspect')
})
