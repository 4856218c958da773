// The rate of a caller, with the time given.
import { expect, it } from '@jest/globals'
import { CallerRate } from './rate'

it('lets each caller send so many a minute, and says how long to wait', () => {
  const rate = new CallerRate(2)
  expect([rate.take('a', 1_000), rate.take('a', 2_000), rate.take('b', 2_000)]).toEqual([0, 0, 0])
  expect([rate.take('a', 2_000), rate.take('a', 60_500)]).toEqual([59, 1])
  expect(rate.take('a', 61_000)).toBe(0)
})

it('bounds what it remembers: callers beyond that share a count', () => {
  const rate = new CallerRate(1)
  for (let i = 0; i < 10_000; i++) expect(rate.take(`caller ${i}`, 0)).toBe(0)
  expect([rate.take('one more', 0), rate.take('another', 0), rate.take('caller 1', 0)]).toEqual([0, 60, 60])
})

it('may be off', () => {
  const rate = new CallerRate(null)
  for (let i = 0; i < 100; i++) expect(rate.take('a', 0)).toBe(0)
})
