import { expect, it } from '@jest/globals'
import { setImmediate } from 'node:timers/promises'
import { Turns } from './turns'

it('lets all go on, in order, with turns of the event loop for others in between', async () => {
  const turns = new Turns()
  const went: number[] = []
  const all = Promise.all(
    Array.from({ length: 200 }, async (_, n) => {
      await turns.next()
      went.push(n)
    }),
  )
  const seen: number[] = []
  while (went.length < 200) {
    await setImmediate()
    seen.push(went.length)
  }
  await all
  expect(went).toEqual(Array.from({ length: 200 }, (_, n) => n))
  // Nobody saw all of them go at once.
  expect(Math.max(...seen.map((count, i) => count - (seen[i - 1] ?? 0)))).toBeLessThan(100)
})
