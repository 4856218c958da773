// The tail of the log in memory says what it knows, and says when it no longer does.
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { LiveTail } from './live'
import type { StoredRecord } from './record'

const record = (position: number, size = 10) => ({ position, response: Buffer.alloc(size) }) as StoredRecord
const positions = (records: StoredRecord[] | undefined) => records?.map(({ position }) => position)

test('gives what follows a position, nothing at the end, and undefined before its beginning', () => {
  const tail = new LiveTail(100)
  tail.publish([record(110), record(120)])
  tail.publish([record(130)])
  expect(positions(tail.after(100, 10))).toEqual([110, 120, 130])
  expect(positions(tail.after(115, 1))).toEqual([120])
  expect(positions(tail.after(130, 10))).toEqual([])
  expect(tail.after(99, 10)).toBeUndefined()
})

test('is bounded in records and in bytes, and never skips one in between', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(10, 1_000_000), { minLength: 1, maxLength: 200 }),
      fc.nat(40_000),
      (sizes, from) => {
        const tail = new LiveTail(0)
        const all: number[] = []
        for (const [index, size] of sizes.entries()) {
          const batch = Array.from({ length: size === 10 ? 100 : 1 }, (_, k) => record(1 + index * 100 + k, size))
          all.push(...positions(batch)!)
          tail.publish(batch)
        }
        const known = tail.after(from, Infinity)
        if (known) expect(positions(known)).toEqual(all.filter(position => position > from))
        else expect(all.some(position => position > from)).toBe(true)
      },
    ),
    { numRuns: 50 },
  )
  const tail = new LiveTail(0)
  for (let position = 1; position <= 50_000; position++) tail.publish([record(position)])
  expect(tail.after(0, 1)).toBeUndefined()
  let floor = 0
  while (!tail.after(floor, 1)) floor++
  expect(positions(tail.after(floor, Infinity))).toEqual(
    Array.from({ length: 50_000 - floor }, (_, k) => floor + 1 + k),
  )
  expect(tail.after(49_900, 10_000)).toHaveLength(100)
})

test('wakes whoever waits once it has grown, and at once who is behind', async () => {
  const tail = new LiveTail(5)
  await tail.grownBeyond(4)
  let woken = false
  const waiting = tail.grownBeyond(5).then(() => (woken = true))
  await Promise.resolve()
  expect(woken).toBe(false)
  tail.publish([record(6)])
  await waiting
})
