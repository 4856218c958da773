// Whose log it is: founded once, whoever comes at the same time.
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { v4 } from 'uuid'
import { RuleBroken } from './errors'
import { decoded } from './event-log'
import { connectEventLog } from './event-store'
import { found } from './founding'
import { temporaryEventStore } from './testing/store.fixture.spec'

let store: Awaited<ReturnType<typeof temporaryEventStore>>
beforeAll(async () => {
  store = await temporaryEventStore()
})
afterAll(() => store.remove())

const founding = { stream: 'newsroom-log', type: 'NewsroomFounded', newId: v4 }

test('ten processes found one newsroom, and it stays the same', async () => {
  const log = connectEventLog({ url: store.url, prefix: 'one.' })
  const ids = await Promise.all(Array.from({ length: 10 }, () => found(log, founding)))
  expect(new Set(ids.map(({ id }) => id)).size).toBe(1)
  expect(await found(log, founding)).toEqual(ids[0])
  const events = []
  for await (const event of log.readAll({})) events.push(event)
  expect(events).toMatchObject([{ type: 'NewsroomFounded', stream: 'newsroom-log', revision: 0, data: ids[0] }])
  await log.close()
})

test("another prefix is another newsroom; something else's log is refused", async () => {
  const [one, two, three] = ['one.', 'two.', 'three.'].map(prefix => connectEventLog({ url: store.url, prefix }))
  if (!one || !two || !three) throw new Error('three logs')
  expect(await found(two, founding)).not.toEqual(await found(one, founding))
  const last = await one.lastOf('newsroom-log')
  if (!last) throw new Error('founded above')
  await three.append('orders-1', -1, [{ ...decoded(last), id: v4(), type: 'OrderPlaced' }])
  await expect(found(three, founding)).rejects.toThrow(RuleBroken)
  await expect(found(three, { ...founding, stream: 'orders-1' })).rejects.toThrow('begins with OrderPlaced')
  await Promise.all([one, two, three].map(log => log.close()))
})
