// The ids by which retries are told are bounded in number: the oldest go first.
import { expect, test } from '@jest/globals'
import { RecentIds } from './recent-ids'

test('the oldest id goes first, and the first stream that used an id keeps it', () => {
  const recent = new RecentIds(2)
  const place = (position: number) => ({ stream: `s-${position}`, revision: 0, position })
  for (const [id, position] of [
    ['a', 1],
    ['b', 2],
    ['a', 3],
    ['c', 4],
  ] as const)
    recent.add(id, place(position))
  expect(['a', 'b', 'c'].map(id => recent.get(id)?.position)).toEqual([undefined, 2, 4])
  recent.forget('b', 1)
  expect(recent.get('b')).toEqual(place(2))
  recent.forget('b', 2)
  expect(recent.get('b')).toBeUndefined()
})
