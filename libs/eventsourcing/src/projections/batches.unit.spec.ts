// How events that trickle in become batches once a group has caught up.
import { describe, expect, it } from '@jest/globals'
import { setImmediate } from 'node:timers/promises'
import { type LogEvent, type LoggedEvent, type SubscriptionMessage } from '../event-log'
import { type BatchLimits, batchesOf } from './batches'

/** Odd ones matter. */
const event = (n: number): SubscriptionMessage => ({
  kind: 'event',
  event: { position: String(n), type: n % 2 === 1 ? 'Published' : 'Noted', data: {} } as unknown as LogEvent,
})

/** Caught up at once; then each group of events, one event a turn, as soon as the batch before was taken. */
const batches = async (limits: Partial<BatchLimits>, ...groups: number[][]): Promise<string[][]> => {
  let taken: () => void = () => undefined
  async function* messages(): AsyncGenerator<SubscriptionMessage> {
    for (const [i, group] of groups.entries()) {
      const next = new Promise<void>(resolve => (taken = resolve))
      if (i === 0) yield { kind: 'caught-up' }
      for (const n of group) {
        yield event(n)
        await setImmediate()
      }
      await next
    }
  }
  const all: string[][] = []
  const bounds = { events: 100, bytes: 1e6, wait: 1e6, pace: 0, idle: 0, quiet: 1e6, ...limits }
  const matters = ({ type }: LoggedEvent) => type === 'Published'
  for await (const { events } of batchesOf(messages(), bounds, new AbortController(), matters)) {
    if (events.length === 0) continue
    all.push(events.map(({ position }) => position))
    taken()
  }
  return all
}

describe('batches of a group that has caught up', () => {
  it('hands out the first event at once and gathers what follows within its pace', async () => {
    expect(await batches({ pace: 500 }, [1], [2, 3, 4, 5])).toEqual([['1'], ['2', '3', '4', '5']])
  })

  it('says after a while without an event that it has caught up still', async () => {
    const abort = new AbortController()
    async function* messages(): AsyncGenerator<SubscriptionMessage> {
      yield event(1)
      yield { kind: 'caught-up' }
      await new Promise(resolve => {
        abort.signal.addEventListener('abort', resolve)
      })
    }
    const bounds = { events: 100, bytes: 1e6, wait: 1, pace: 0, idle: 0, quiet: 5 }
    const told: [number, boolean][] = []
    for await (const { events, caughtUp } of batchesOf(messages(), bounds, abort, () => true))
      if (told.push([events.length, caughtUp]) === 3) break
    expect(told).toEqual([
      [1, true],
      [0, true],
      [0, true],
    ])
  })

  it('does not wait when a batch is full', async () => {
    expect(await batches({ pace: 1e6, events: 2 }, [1, 2], [3, 4])).toEqual([
      ['1', '2'],
      ['3', '4'],
    ])
  })

  it('gathers longer while nothing matters, and no longer once something does', async () => {
    expect(await batches({ idle: 400 }, [2], [4, 6, 8, 9], [10, 12, 3])).toEqual([
      ['2'],
      ['4', '6', '8', '9'],
      ['10', '12', '3'],
    ])
    expect(await batches({ idle: 1e6, events: 2 }, [2, 4], [6, 8])).toEqual([
      ['2', '4'],
      ['6', '8'],
    ])
  })
})
