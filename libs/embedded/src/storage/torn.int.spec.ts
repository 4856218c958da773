// A failure of the system in the middle of a commit: any part of what it had written may be on the disk, and any part not.
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { checkFile, currentBoot } from './check'
import { openEnvironment } from './environment'
import { StorageDamaged } from './errors'

const FORMAT = { kind: 'document-store', formatVersion: 1 } as const
const PAGE = 16_384
const BOOT = 24 + 136
let folder: string
/** Of some commits: the file before and after it, as another system since its start has left it, and its entries. */
let commits: { before: Buffer; after: Buffer; entriesBefore: string[]; entriesAfter: string[] }[]

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stet-test-'))
  commits = []
  const directory = join(folder, 'whole')
  const environment = openEnvironment(directory, FORMAT, { onTheSpot: Infinity })
  const data = environment.root.openDB<Buffer, Buffer>({ name: 'data', encoding: 'binary', keyEncoding: 'binary' })
  const state = () => {
    const bytes = readFileSync(join(directory, 'data.mdb'))
    for (const place of [BOOT, PAGE + BOOT]) bytes.writeBigUInt64LE(1n, place)
    return { bytes, entries: Array.from(data.getRange(), shown) }
  }
  await environment.commit(() => {
    for (let i = 0; i < 2_000; i++) data.putSync(keyOf(i), Buffer.alloc(300, 1))
  })
  for (let round = 0; round < 20; round++) {
    const { bytes: before, entries: entriesBefore } = state()
    await environment.commit(() => {
      for (let i = 0; i < 5 * (1 + (round % 4)); i++) {
        const n = (round * 7_919 + i * 317) % 2_100
        if (i % 5 === 4) data.removeSync(keyOf(n))
        else data.putSync(keyOf(n), Buffer.alloc(i === 1 ? 40_000 : 300, round))
      }
    })
    const { bytes: after, entries: entriesAfter } = state()
    commits.push({ before, after, entriesBefore, entriesAfter })
  }
  await environment.close()
})
afterAll(() => rmSync(folder, { recursive: true }))

const keyOf = (n: number) => Buffer.from(`key ${n}`)
const shown = ({ key, value }: { key: Buffer; value: Buffer }) => `${key.toString()} ${value.length} ${value[0]}`
/** Entries say by themselves, as those of the stores do, whether they are what was written. */
const isSound = (key: Buffer, value: Buffer) =>
  /^key \d+$/.test(key.toString()) && [300, 40_000].includes(value.length) && value.every(byte => byte === value[0])

/** A disk writes whole blocks. */
const BLOCK = 512
const changed = ({ before, after }: { before: Buffer; after: Buffer }): number[] =>
  Array.from({ length: after.length / BLOCK }, (_, block) => block * BLOCK).filter(
    at => at >= before.length || before.compare(after, at, at + BLOCK, at, at + BLOCK) !== 0,
  )

/** Of the changed blocks: any, all but one at most, or of each page all, none, its first one or all but that. */
function partsOf(n: number): fc.Arbitrary<{ n: number; written: number[] }> {
  const blocks = changed(commits[n]!)
  const isFirst = (at: number) => at % PAGE === 0
  const choice = fc.constantFrom(
    () => true,
    () => false,
    isFirst,
    (at: number) => !isFirst(at),
  )
  const pages = [...new Set(blocks.map(at => Math.floor(at / PAGE)))]
  const byPage = fc
    .tuple(...pages.map(() => choice))
    .map(choices => blocks.filter(at => choices[pages.indexOf(Math.floor(at / PAGE))]!(at)))
  const parts = fc.oneof(fc.subarray(blocks), fc.subarray(blocks, { minLength: blocks.length - 1 }), byPage)
  // The head is there as a rule: without it nothing says that there was a commit.
  const heads = blocks.filter(at => at < 2 * PAGE)
  return fc.tuple(parts, fc.nat(9)).map(([part, tenth]) => ({ n, written: tenth === 0 ? part : [...heads, ...part] }))
}

/** What the file has in all, opened as a store opens it. */
async function entriesIn(directory: string): Promise<string> {
  const { root, close } = openEnvironment(directory, FORMAT, { isSound })
  const data = root.openDB<Buffer, Buffer>({ name: 'data', encoding: 'binary', keyEncoding: 'binary' })
  const entries = String(Array.from(data.getRange(), shown))
  await close()
  return entries
}

const onLinux = currentBoot() === undefined ? test.skip : test
const modes = [
  ['read whole', 65_536],
  ['read above the leaves', 0],
] as const

onLinux.each(modes)('what was acknowledged is there, and of the last commit all or nothing; %s', async (_, pages) => {
  const directory = mkdtempSync(join(folder, 'torn-'))
  const file = join(directory, 'data.mdb')
  copyFileSync(join(folder, 'whole', 'format.json'), join(directory, 'format.json'))
  let [kept, takenBack] = [0, 0]
  await fc.assert(
    fc.asyncProperty(fc.nat(commits.length - 1).chain(partsOf), async ({ n, written }) => {
      const { before, after, entriesBefore, entriesAfter } = commits[n]!
      const torn = Buffer.alloc(written.some(at => at >= before.length) ? after.length : before.length)
      before.copy(torn)
      for (const at of written) after.copy(torn, at, at, at + BLOCK)
      writeFileSync(file, torn)
      if (checkFile(file, { isSound, wholePages: pages })) takenBack++
      // What is left holds together however closely it is looked at.
      checkFile(file, { isSound, wasClosed: true })
      const entries = await entriesIn(directory)
      if (entries === String(entriesAfter)) kept++
      else expect(entries).toBe(String(entriesBefore))
    }),
    { numRuns: 200 },
  )
  expect(kept).toBeGreaterThan(0)
  expect(takenBack).toBeGreaterThan(0)
})

onLinux('a whole commit is not taken back when the list of free pages is long', async () => {
  const directory = mkdtempSync(join(folder, 'free-'))
  const copy = join(folder, 'copy.mdb')
  const { root, commit, close } = openEnvironment(directory, FORMAT, { onTheSpot: Infinity })
  const data = root.openDB<Buffer, Buffer>({ name: 'data', encoding: 'binary', keyEncoding: 'binary' })
  const putAll = () =>
    commit(() => {
      for (let i = 0; i < 400; i++) data.putSync(keyOf(i), Buffer.alloc(9_000))
    })
  await putAll()
  // While somebody reads no page is used again.
  const reader = root.useReadTransaction()
  for (let n = 0; n < 8; n++) await putAll()
  for (let n = 0; n < 2; n++) {
    await putAll()
    const bytes = readFileSync(join(directory, 'data.mdb'))
    const newest = bytes.readBigUInt64LE(24 + 128) > bytes.readBigUInt64LE(PAGE + 24 + 128) ? 0 : PAGE
    const depthOfFreeList = bytes.readUInt16LE(newest + 24 + 24 + 6)
    expect(depthOfFreeList).toBe(2)
    for (const place of [BOOT, PAGE + BOOT]) bytes.writeBigUInt64LE(1n, place)
    for (const [, wholePages] of modes) {
      writeFileSync(copy, bytes)
      expect(checkFile(copy, { wholePages })).toBe(false)
    }
  }
  reader.done()
  await close()
})

onLinux('of a file that was closed in order, or while the system goes on, nothing is taken back: it is damage', () => {
  const file = join(folder, 'damaged.mdb')
  for (const { before, after } of commits) {
    const damaged = Buffer.from(after)
    const at = changed({ before, after }).find(at => at >= 2 * PAGE)!
    damaged.fill(0, at, at + BLOCK)
    writeFileSync(file, damaged)
    expect(() => checkFile(file, { isSound, wasClosed: true })).toThrow(StorageDamaged)
    for (const place of [BOOT, PAGE + BOOT]) damaged.writeBigUInt64LE(currentBoot()!, place)
    writeFileSync(file, damaged)
    expect(() => checkFile(file, { isSound })).toThrow(StorageDamaged)
    for (const place of [BOOT, PAGE + BOOT]) damaged.writeBigUInt64LE(1n, place)
    writeFileSync(file, damaged)
    expect(checkFile(file, { isSound })).toBe(true)
    expect(checkFile(file, { isSound })).toBe(false)
  }
})
