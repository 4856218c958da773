// Who waits for room, and who loses its connection for that.
import { expect, it } from '@jest/globals'
import { Budget } from './budget'

const PATIENCE = 100

it('cuts off who stopped, not who was only waited for at the moment', async () => {
  const budget = new Budget(100, PATIENCE)
  const cut: string[] = []
  const take = (name: string, signal = new AbortController().signal) => budget.take(60, () => cut.push(name), signal)
  const first = await take('first')
  first.waiting()
  const second = take('second')
  first.waiting() // something came of it
  first.release()
  const other = await second
  expect(cut).toEqual([])
  other.waiting()
  const started = performance.now()
  await take('third')
  expect(cut).toEqual(['second'])
  expect(performance.now() - started).toBeGreaterThan(PATIENCE / 2)
})

it('ends the wait of who has closed', async () => {
  const budget = new Budget(100, 60_000)
  const { signal } = new AbortController()
  const first = await budget.take(60, () => {}, signal)
  first.working()
  const closed = new AbortController()
  const second = budget.take(60, () => {}, closed.signal)
  closed.abort(new Error('closed'))
  await expect(second).rejects.toThrow('closed')
  first.release()
  await expect(budget.take(100, () => {}, signal)).resolves.toBeDefined()
})
