// A dropped collection is gone at once; what it leaves goes by and by, and never comes back as part of another one.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { Int32 } from 'bson'
import { requestRewrite } from '../../storage'
import { type Collection } from './catalog'
import { insertDocument, storable } from './documents'
import { Engine } from './engine'
import { after, collectionPrefix } from './layout'
import { entriesOf } from './view'

const DOCUMENTS = 5_000

let directory: string
let engine: Engine
let dropped: Collection
let other: Collection

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'stet-test-'))
  engine = new Engine(directory)
  other = await filled('other', 10)
  dropped = await filled('dropped', DOCUMENTS)
})
afterEach(async () => {
  await engine.close()
  rmSync(directory, { recursive: true })
})

async function filled(name: string, count: number): Promise<Collection> {
  const collection = engine.catalog.draft('test', name)
  await engine.write(unit => {
    for (let i = 0; i < count; i++)
      insertDocument(unit, collection, storable({ _id: new Int32(i), text: `${name} ${i}` }))
    unit.changed.add(collection)
    unit.effects.push(() => engine.catalog.add(collection))
  })
  return collection
}

function entries({ id }: Collection): number {
  const prefix = collectionPrefix(id)
  return [...entriesOf(engine.committed, prefix, after(prefix))].length
}

const drop = () => engine.write(unit => engine.drop(unit, dropped))

async function restart(): Promise<void> {
  await engine.close()
  engine = new Engine(directory)
}

test('others write between the pieces in which its entries are removed', async () => {
  await drop()
  expect(entries(dropped)).toBe(DOCUMENTS)
  let isRemoved = false
  const removal = engine.removeDropped().then(() => (isRemoved = true))
  await engine.write(unit => insertDocument(unit, other, storable({ _id: 'meanwhile' })))
  expect(isRemoved).toBe(false)
  await removal
  expect([entries(dropped), entries(other)]).toEqual([0, 11])
})

test('a stop does not wait for the removal; after the next start no collection gets the id, and the rest is removed', async () => {
  await drop()
  const removal = engine.removeDropped()
  await restart()
  await removal
  expect(entries(dropped)).toBeGreaterThan(0)
  expect(engine.catalog.find('test', 'dropped')).toBeUndefined()
  expect(engine.catalog.draft('test', 'next').id).toBeGreaterThan(dropped.id)
  await engine.removeDropped()
  expect([entries(dropped), entries(other)]).toEqual([0, 10])
})

test('a rewrite of the file leaves out what is not removed yet', async () => {
  await drop()
  requestRewrite(directory)
  await restart()
  expect([entries(dropped), entries(other)]).toEqual([0, 10])
  const bytes = readFileSync(join(directory, 'data.mdb'))
  expect([bytes.includes('dropped 7'), bytes.includes('other 7')]).toEqual([false, true])
})

test('what goes wrong is told, and the next call goes on', async () => {
  await drop()
  const stderr = jest.spyOn(process.stderr, 'write').mockReturnValue(true)
  const keys = jest.spyOn(engine.catalog, 'list').mockImplementationOnce(() => {
    throw new Error('planted')
  })
  await engine.removeDropped()
  expect(stderr).toHaveBeenCalledWith(expect.stringContaining('planted'))
  stderr.mockRestore()
  keys.mockRestore()
  await engine.removeDropped()
  expect(entries(dropped)).toBe(0)
})
