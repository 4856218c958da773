// How far a path may lead.
import { expect, test } from '@jest/globals'
import { pathOf, reach } from './path'
import { type Value } from './value'

test('positions that are names of fields too are followed both ways a bounded number of times', () => {
  let value: Value = null
  for (let i = 0; i < 60; i++) value = [{ 0: value }]
  const positions = (count: number) => `a${'.0'.repeat(count)}`
  expect(() => pathOf(positions(17))).toThrow('positions')
  let visits = 0
  reach({ a: value }, pathOf(positions(16)), () => ++visits < 0)
  expect(visits).toBeLessThan(10_000)
})
