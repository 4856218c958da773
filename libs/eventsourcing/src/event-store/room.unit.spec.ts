// Order and bounds of what is on its way.
import { expect, test } from '@jest/globals'
import { TimedOut } from './failures'
import { Room } from './room'

const LONG = 60_000

test('admits in order of arrival while there is room, and more than one when a large one leaves', async () => {
  const room = new Room(10)
  const entered: string[] = []
  const enter = async (name: string, weight: number) => {
    await room.enter(weight, LONG)
    entered.push(name)
  }
  const all = [enter('a', 8), enter('b', 5), enter('c', 1), enter('d', 4), enter('e', 1)]
  await Promise.resolve()
  expect(entered).toEqual(['a'])
  room.leave(8)
  await Promise.all(all.slice(0, 4))
  expect(entered).toEqual(['a', 'b', 'c', 'd'])
  room.leave(1)
  await Promise.all(all)
  expect(entered).toEqual(['a', 'b', 'c', 'd', 'e'])
})

test('what is larger than the room goes alone', async () => {
  const room = new Room(10)
  await room.enter(50, LONG)
  const small = room.enter(1, LONG)
  room.leave(50)
  await small
})

test('who waits too long is told, and takes no room', async () => {
  const room = new Room(10)
  await room.enter(10, LONG)
  await expect(room.enter(5, 1)).rejects.toThrow(TimedOut)
  room.leave(10)
  await room.enter(10, 1)
})
