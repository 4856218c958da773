// Group commit over real files: order, refusals, formats, backup, and what happens when there is no room.
import { cpSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { openEnvironment, type Environment } from './environment'
import { WrongFormat } from './errors'

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

function openHere(at = directory): Environment {
  const environment = openEnvironment(at, FORMAT)
  opened.push(environment)
  return environment
}
const key = (text: string) => Buffer.from(text)

test('writes run one after the other, see each other, and resolve with their values in order', async () => {
  const { root, commit } = openHere()
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

test('a write that throws rejects alone', async () => {
  const { root, commit } = openHere()
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

test('what was closed in order and left alone is not read whole again; anything else is', async () => {
  let looked = 0
  const openAndCount = async () => {
    const before = looked
    const environment = openEnvironment(directory, FORMAT, { isSound: () => ++looked > 0 })
    const entries = environment.root.openDB({ name: 'entries', encoding: 'binary', keyEncoding: 'binary' })
    return { environment, entries, looked: looked - before }
  }
  const first = await openAndCount()
  await first.environment.commit(() => void first.entries.put(key('a'), key('1')))
  // A process that ends here leaves this behind.
  const cut = mkdtempSync(join(tmpdir(), 'stet-test-'))
  cpSync(directory, cut, { recursive: true, preserveTimestamps: true })
  await first.environment.close()

  const second = await openAndCount()
  expect(second.looked).toBe(0)
  await second.environment.close()
  const file = join(directory, 'data.mdb')
  const { atime, mtime } = statSync(file)
  utimesSync(file, atime, new Date(mtime.getTime() + 1))
  const touched = await openAndCount()
  expect(touched.looked).toBe(1)
  await touched.environment.close()

  rmSync(directory, { recursive: true })
  cpSync(cut, directory, { recursive: true })
  rmSync(cut, { recursive: true })
  const afterCrash = await openAndCount()
  expect(afterCrash.looked).toBe(1)
  await afterCrash.environment.close()
})

test('what was committed is there when opened again; close waits for what was accepted', async () => {
  const first = openHere()
  const accepted = first.commit(() => first.root.putSync(key('a'), key('1')))
  await first.close()
  await accepted
  await expect(first.commit(() => 1)).rejects.toThrow('is closed')
  opened = []
  expect(String(openHere().root.get(key('a')))).toBe('1')
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
  writeFileSync(format, '{"kind":')
  expect(() => openHere()).toThrow(WrongFormat)
  rmSync(format)
  expect(() => openHere()).toThrow('not the files of event-store of this program')
})
