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
import { seal } from './seal'

const FORMAT = { kind: 'event-store', isSealed: true, formatVersion: 1 } as const
const PAGE = 16_384
const ENTRIES = 2_000
/** A start looks at no entry of such a file, and at none of their contents. */
const SIZES = { large: 70_000, middle: 20_000 }
let directory: string
let file: string

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'stet-test-'))
  file = join(directory, 'data.mdb')
  const environment = openEnvironment(directory, FORMAT)
  const entries = openDatabase(environment.root, 'entries')
  await environment.commit(() => {
    for (let n = 0; n < ENTRIES; n++) {
      const key = Buffer.from(`key ${n}`)
      entries.putSync(key, seal(key, Buffer.alloc(1_000, n)))
    }
  })
  await environment.close()
  copyFileSync(file, backup())
  enlarge(SIZES.large)
})
afterEach(() => {
  rmSync(backup())
  rmSync(directory, { recursive: true })
})
const backup = () => `${directory}.mdb`

/** Its last pages are free ones that were never written. */
function enlarge(pages: number): void {
  const descriptor = openSync(file, 'r+')
  for (const meta of [0, PAGE]) {
    writeNumber(descriptor, meta + 24 + 120, pages)
    writeNumber(descriptor, meta + 24 + 16, 2 * pages * PAGE)
  }
  ftruncateSync(descriptor, (pages + 1) * PAGE)
  closeSync(descriptor)
}

function writeNumber(descriptor: number, at: number, value: number): void {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  writeSync(descriptor, bytes, 0, 8, at)
}

/** The page of a leaf, and how it is altered. */
function alterLeaf(alter: (page: Buffer) => void): void {
  const descriptor = openSync(file, 'r+')
  const page = Buffer.alloc(PAGE)
  const isLeaf = () => page.readUInt16LE(18) === 2 && page.readUInt16LE(20) > 20
  let number = 1
  do readSync(descriptor, page, 0, PAGE, ++number * PAGE)
  while (!isLeaf())
  alter(page)
  writeSync(descriptor, page, 0, PAGE, number * PAGE)
  closeSync(descriptor)
}

/** Opens the file in a process of its own, runs what comes first, and writes such keys to it until nobody looks at it any more. */
async function use(keys: string, first = ''): Promise<{ signal: string | null; said: string }> {
  const program = `
    const { openDatabase, openEnvironment, seal } = require(${JSON.stringify(join(compiledRoom(), 'storage'))})
    const { root, commit, close } = openEnvironment(process.argv[1], ${JSON.stringify(FORMAT)})
    const entries = openDatabase(root, 'entries')
    ${first}
    const isLookedAt = () => root.readerList().split('\\n').some(row => /^ *\\d.* \\d+$/.test(row))
    ;(async () => {
      for (let round = 0; isLookedAt(); round++)
        await commit(() => {
          for (let n = round % 7; n < ${ENTRIES}; n += 7) {
            const key = Buffer.from(process.argv[2] + n)
            entries.putSync(key, seal(key, Buffer.alloc(1_000, round)))
          }
        })
      await close()
      console.log('closed')
    })()`
  const child = spawn(process.execPath, ['-e', program, directory, keys], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const output of [child.stdout, child.stderr]) output.on('data', text => (said += String(text)))
  const [, signal] = (await once(child, 'close')) as [number | null, string | null]
  return { signal, said }
}

test('a file that is written to meanwhile is sound', async () => {
  for (const _ of [1, 2, 3]) expect(await use('key ')).toEqual({ signal: null, said: 'closed\n' })
})

const anotherValue = (page: Buffer) => (page[PAGE - 2]! ^= 1)

test.each<[string, keyof typeof SIZES, (page: Buffer) => void]>([
  ['one entry fewer in a page', 'large', page => page.writeUInt16LE(page.readUInt16LE(20) - 2, 20)],
  ['another value', 'large', anotherValue],
  ['another value', 'middle', anotherValue],
])(
  '%s of a %s file ends the process, and keeps it from being opened until it is restored',
  async (_what, size, alter) => {
    enlarge(SIZES[size])
    alterLeaf(alter)
    const damaged = /data.mdb .*is damaged on disk and is not served/
    expect(await use('other ')).toEqual({ signal: 'SIGKILL', said: expect.stringMatching(damaged) })
    expect(() => openEnvironment(directory, FORMAT)).toThrow(damaged)
    expect(() => openEnvironment(directory, FORMAT)).toThrow(damaged)
    copyFileSync(backup(), file)
    expect(await use('other ')).toEqual({ signal: null, said: 'closed\n' })
    expect(readdirSync(directory)).not.toContain('suspect')
  },
)

test('damage ends the process with its line also where no note can be made of it', async () => {
  alterLeaf(anotherValue)
  const { signal, said } = await use('other ', "require('node:fs').mkdirSync(process.argv[1] + '/suspect')")
  expect(signal).toBe('SIGKILL')
  expect(said).toContain('is damaged on disk and is not served')
})
