// What is read stays as it is while other things are read: lmdb-js reads all values into one buffer.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { type Database } from 'lmdb'
import { openDatabase } from './database'
import { openEnvironment, type Environment } from './environment'

let directory: string
let environment: Environment
let database: Database<Buffer, Buffer>

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'stet-test-'))
  environment = openEnvironment(directory, { kind: 'document-store', formatVersion: 1 })
  database = openDatabase(environment.root, 'data')
})
afterEach(async () => {
  await environment.close()
  rmSync(directory, { recursive: true })
})

// Around the sizes at which lmdb-js, LMDB's pages and Node's pool each do something else.
const sizes = [0, 1, 60, 1_000, 4_095, 4_096, 4_097, 8_192, 16_384, 32_767, 32_768, 32_769, 100_000]
const written = sizes.map((size, n) => ({ key: Buffer.from([1, n]), value: Buffer.alloc(size, n + 1) }))

const putAll = () => environment.commit(() => written.forEach(({ key, value }) => database.putSync(key, value)))

test.each([
  ['in order', written],
  ['backwards, so that longer ones come first', [...written].reverse()],
])('values of all sizes, one by one, %s', async (_order, entries) => {
  await putAll()
  const read = entries.map(({ key }) => database.get(key))
  expect(read).toEqual(entries.map(({ value }) => value))
})

test('values of a range, forwards, backwards and beside single ones', async () => {
  await putAll()
  const forwards = [...database.getRange({})]
  const backwards = [...database.getRange({ reverse: true })]
  const between = [...database.getRange({})].map(entry => ({ ...entry, again: database.get(entry.key) }))
  expect(forwards).toEqual(written)
  expect(backwards).toEqual([...written].reverse())
  expect(between).toEqual(written.map(entry => ({ ...entry, again: entry.value })))
})

test('values read in a write transaction and in a snapshot, while they are written over', async () => {
  await putAll()
  const snapshot = environment.root.useReadTransaction()
  const seen = await environment.commit(() =>
    written.map(({ key, value }) => {
      const before = database.get(key)
      database.putSync(key, Buffer.alloc(value.length, 0xff))
      return { before, after: database.get(key), kept: database.get(key, { transaction: snapshot }) }
    }),
  )
  snapshot.done()
  expect(seen.map(({ before }) => before)).toEqual(written.map(({ value }) => value))
  expect(seen.map(({ after }) => after)).toEqual(sizes.map(size => Buffer.alloc(size, 0xff)))
})
