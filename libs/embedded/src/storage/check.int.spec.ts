// A file that is cut off or altered is found before anything follows its pages; a whole one never is taken for such.
import {
  copyFileSync,
  ftruncateSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { checkFile, type CheckOptions } from './check'
import { openDatabase } from './database'
import { openEnvironment } from './environment'
import { StorageDamaged } from './errors'
import { seal } from './seal'

const PAGE = 16_384
const HEADER = 24
let folder: string
let file: string
let copy: string
let bytes: Buffer
let inUse: number[]

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stet-test-'))
  copy = join(folder, 'copy.mdb')
  file = join(folder, 'store', 'data.mdb')
  const environment = openEnvironment(join(folder, 'store'), { kind: 'document-store', formatVersion: 1 })
  const data = openDatabase(environment.root, 'data')
  for (let round = 0; round < 60; round++) {
    await environment.commit(() => {
      for (let i = 0; i < 60; i++) {
        const key = Buffer.from(`key ${(round * 7919 + i * 31) % 2_000}`)
        if ((round + i) % 4 === 0) data.removeSync(key)
        else {
          // A long value that is written over at once by a shorter one keeps the pages of the longer.
          if (i === 0) data.putSync(key, Buffer.alloc(80_000))
          data.putSync(key, seal(key, Buffer.alloc(i === 0 ? 40_000 : 300, i)))
        }
      }
    })
    // Between commits, as after a crash at that instant.
    copyFileSync(file, copy)
    checkFile(copy)
  }
  await environment.close()
  bytes = readFileSync(file)
  inUse = pagesInUse()
})
afterAll(() => rmSync(folder, { recursive: true }))

const checked =
  (altered: Buffer, options: CheckOptions = { isSealed: true }) =>
  () => {
    writeFileSync(copy, altered)
    checkFile(copy, options)
  }

test('a file cut off in any page in use is found', () => {
  checkFile(file)
  fc.assert(
    fc.property(fc.nat((Math.max(...inUse) + 1) * PAGE - 1), length => {
      writeFileSync(copy, bytes)
      const descriptor = openSync(copy, 'r+')
      ftruncateSync(descriptor, length)
      closeSync(descriptor)
      expect(() => checkFile(copy)).toThrow(StorageDamaged)
    }),
  )
})

test('a page of zeros in place of any page in use, or another page, is found', () => {
  expect(inUse.length).toBeGreaterThan(30)
  for (const page of inUse) {
    const altered = Buffer.from(bytes)
    altered.fill(0, page * PAGE, (page + 1) * PAGE)
    expect(checked(altered)).toThrow(StorageDamaged)
    bytes.copy(altered, page * PAGE, (page - 1) * PAGE, page * PAGE)
    expect(checked(altered)).toThrow(StorageDamaged)
  }
})

test.each([
  ['after a crash', { isSealed: true }],
  ['after an orderly end, but for what its entries hold', { isTrusted: true }],
])('any bit of the header of a page in use, and of where its entries lie, is found %s', (_when, options) => {
  const withEntries = inUse.filter(page => bytes.readUInt16LE(page * PAGE + 18) !== 4)
  fc.assert(
    fc.property(
      fc.constantFrom(...withEntries),
      fc.constantFrom(0, 1, 2, 18, 20, 21, 22, 23, 24, 25),
      fc.nat(7),
      (page, at, bit) => {
        const altered = Buffer.from(bytes)
        altered[page * PAGE + at]! ^= 1 << bit
        expect(checked(altered, options)).toThrow(StorageDamaged)
      },
    ),
    { numRuns: 200 },
  )
})

test('a tree that has lost entries, or counts others than it has, is found after an orderly end', () => {
  const leaves = inUse.filter(page => bytes.readUInt16LE(page * PAGE + 18) === 2)
  // The main tree has one entry: the name and the tree of its only database, with the number of its entries.
  const counted =
    Math.max(...leaves.map(page => bytes.subarray(0, (page + 1) * PAGE).indexOf('data\0', page * PAGE))) + 37
  for (const alter of [
    ...leaves.map(
      page => (altered: Buffer) => altered.writeUInt16LE(altered.readUInt16LE(page * PAGE + 20) - 2, page * PAGE + 20),
    ),
    (altered: Buffer) => altered.writeUInt32LE(altered.readUInt32LE(counted) + 1, counted),
  ]) {
    const altered = Buffer.from(bytes)
    alter(altered)
    expect(checked(altered, { isTrusted: true })).toThrow(StorageDamaged)
  }
})

test('a page whose first key comes before what leads to it is found, whatever its entries hold', () => {
  const firstKey = (page: number) => page * PAGE + HEADER + bytes.readUInt16LE(page * PAGE + HEADER) + 8
  const leaves = inUse.filter(
    page => bytes.readUInt16LE(page * PAGE + 18) === 2 && bytes.toString('latin1', firstKey(page)).startsWith('key '),
  )
  const textOf = (page: number) =>
    bytes.toString('latin1', firstKey(page), firstKey(page) + bytes.readUInt16LE(firstKey(page) - 2))
  const [, ...others] = leaves.sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1))
  expect(others.length).toBeGreaterThan(10)
  for (const page of others) {
    const altered = Buffer.from(bytes)
    altered.write('a', firstKey(page))
    expect(checked(altered, {})).toThrow(/the order of keys/)
  }
})

test('a page of a later transaction than the newest is found', () => {
  for (const page of inUse) {
    const altered = Buffer.from(bytes)
    altered.writeBigUInt64LE(2n ** 32n, page * PAGE + 8)
    expect(checked(altered, {})).toThrow(StorageDamaged)
  }
})

test('a page that is in use and listed as free is found', () => {
  const newest = bytes.readBigUInt64LE(HEADER + 128) > bytes.readBigUInt64LE(PAGE + HEADER + 128) ? 0 : PAGE
  const leaf = Number(bytes.readBigUInt64LE(newest + HEADER + 64)) * PAGE
  // A list of free pages, behind the head of its entry and the number of a transaction: how many, then each.
  const list = leaf + HEADER + bytes.readUInt16LE(leaf + HEADER) + 16
  for (const page of inUse) {
    const altered = Buffer.from(bytes)
    altered.writeBigInt64LE(BigInt(page), list + 8)
    expect(checked(altered, {})).toThrow(/its list of free pages/)
  }
})

test('a state that is older than the newest one is not opened for it', () => {
  const newest = bytes.readBigUInt64LE(HEADER + 128) > bytes.readBigUInt64LE(PAGE + HEADER + 128) ? 0 : PAGE
  for (let bit = 0; bit < 64; bit++) {
    const altered = Buffer.from(bytes)
    altered[newest + HEADER + 128 + (bit >> 3)]! ^= 1 << (bit % 8)
    expect(checked(altered)).toThrow(StorageDamaged)
  }
})

/** Pages that the check reads: zeros in their place are found. */
function pagesInUse(): number[] {
  return Array.from({ length: bytes.length / PAGE - 2 }, (_, i) => i + 2).filter(page => {
    const altered = Buffer.from(bytes)
    altered.writeBigUInt64LE(0n, page * PAGE)
    try {
      checked(altered)()
      return false
    } catch {
      return true
    }
  })
}
