// Order, exclusion and bounds of the queues.
import { expect, test } from '@jest/globals'
import { Contended, Unavailable } from './errors'
import { Lanes } from './lanes'

const gate = () => {
  let open = (): void => undefined
  const opened = new Promise<void>(resolve => (open = resolve))
  return { opened, open }
}

test('one at a time per key in the order of arrival, whatever becomes of the one before', async () => {
  const lanes = new Lanes(10, 100)
  const seen: string[] = []
  let running = 0
  const task = (name: string) => async () => {
    expect(++running).toBe(1)
    await Promise.resolve()
    seen.push(name)
    running--
    if (name === 'b') throw new Error('b fails')
  }
  const results = await Promise.allSettled(['a', 'b', 'c'].map(name => lanes.run('key', task(name))))
  expect(seen).toEqual(['a', 'b', 'c'])
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(lanes.size).toBe(0)
})

test('keys do not wait for one another', async () => {
  const lanes = new Lanes(10, 100)
  const { opened, open } = gate()
  const slow = lanes.run('slow', () => opened)
  expect(await lanes.run('fast', async () => 'done')).toBe('done')
  open()
  await slow
})

test('too many for a key are Contended, too many in all Unavailable; room comes back', async () => {
  const lanes = new Lanes(2, 3)
  const { opened, open } = gate()
  const held = [lanes.run('a', () => opened), lanes.run('a', () => opened), lanes.run('b', () => opened)]
  await expect(lanes.run('a', () => opened)).rejects.toThrow(Contended)
  await expect(lanes.run('c', () => opened)).rejects.toThrow(Unavailable)
  open()
  await Promise.all(held)
  expect(await lanes.run('a', async () => 1)).toBe(1)
})
