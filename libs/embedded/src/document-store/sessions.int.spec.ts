// What is remembered of sessions, and for how long.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { encode } from './bson/value'
import { Engine } from './keyspace/engine'
import { sessionsEnd, sessionsStart } from './keyspace/layout'
import { entriesOf } from './keyspace/view'
import { Sessions } from './sessions'

const HOUR = 60 * 60_000

let engine: Engine
let directory: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'stet-test-'))
  engine = new Engine(join(directory, 'documents'))
})
afterAll(async () => {
  await engine.close()
  rmSync(directory, { recursive: true })
})

test('answers of long ago are forgotten, looked at by few at a time; later ones are not', async () => {
  const sessions = new Sessions(engine, () => undefined)
  const session = (n: number) => ({ key: Buffer.alloc(16, n), name: `${n}` })
  const answer = encode({ filler: 'x'.repeat(500_000) })
  const write = (n: number, number: bigint) =>
    engine.write(unit => sessions.retryable(unit, session(n), number, () => answer))
  for (let n = 0; n < 20; n++) await write(n, 1n)
  const range = jest.spyOn(engine.committed, 'range')
  await sessions.forgetOld(Date.now() + HOUR / 2)
  const bytes = range.mock.results.map(({ value }) =>
    (value as ReturnType<typeof engine.committed.range>).entries.reduce((sum, entry) => sum + entry.value.length, 0),
  )
  expect(bytes.length).toBeGreaterThan(1)
  expect(Math.max(...bytes)).toBeLessThan(2_000_000)
  range.mockRestore()
  const remembered = () => [...entriesOf(engine.committed, sessionsStart, sessionsEnd)].length
  expect(remembered()).toBe(20)
  await sessions.forgetOld(Date.now() + HOUR + 1_000)
  expect(remembered()).toBe(0)
})
