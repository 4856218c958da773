// The timetable sends what is due, under ids that do not depend on who sends.
import { describe, expect, it } from '@jest/globals'
import { RuleBroken, Unavailable } from './errors'
import { scheduledCommandId, startTimetable } from './timetable'

const EVENT = '1f0c2b7e-0000-4000-8000-000000000001'
const OTHER = '1f0c2b7e-0000-4000-8000-000000000002'

/** Runs timetables until `enough`, then stops them. */
const runUntil = (enough: (done: () => void) => { stop(): Promise<void> }[]): Promise<void> =>
  new Promise((resolve, reject) => {
    const timetables: { stop(): Promise<void> }[] = []
    const done = () => {
      Promise.all(timetables.map(timetable => timetable.stop())).then(() => {
        resolve()
      }, reject)
    }
    timetables.push(...enough(done))
  })

describe('the timetable', () => {
  it('sends under the same id from two processes and after a restart', async () => {
    const sent: string[] = []
    const due = () => Promise.resolve([{ scheduledBy: EVENT, command: 'publish' }])
    await runUntil(done => {
      const send = (command: string, id: string) => {
        sent.push(`${command} ${id}`)
        if (sent.length === 6) done()
        return Promise.resolve()
      }
      return [startTimetable({ due, send, every: 1 }), startTimetable({ due, send, every: 1 })]
    })
    expect(new Set(sent)).toEqual(new Set([`publish ${scheduledCommandId(EVENT)}`]))
    expect(scheduledCommandId(EVENT)).not.toBe(scheduledCommandId(OTHER))
  })

  it('goes on to the next one after a refusal', async () => {
    const errors: (string | null)[] = []
    let reached = ''
    await runUntil(done => [
      startTimetable({
        due: () =>
          Promise.resolve([
            { scheduledBy: EVENT, command: 'stale' },
            { scheduledBy: OTHER, command: 'good' },
          ]),
        send: command => {
          if (command === 'stale') return Promise.reject(new RuleBroken('not-pending', 'it is not pending'))
          reached = command
          done()
          return Promise.resolve()
        },
        every: 1,
        onError: (_error, scheduledBy) => errors.push(scheduledBy),
      }),
    ])
    expect(reached).toBe('good')
    expect(errors[0]).toBe(EVENT)
  })

  it('tries again later when a store is gone, the rest of the round included', async () => {
    const sent: string[] = []
    await runUntil(done => [
      startTimetable({
        due: () =>
          Promise.resolve([
            { scheduledBy: EVENT, command: 'first' },
            { scheduledBy: OTHER, command: 'second' },
          ]),
        send: command => {
          sent.push(command)
          if (sent.length === 1) return Promise.reject(new Unavailable('event store', 'gone'))
          if (command === 'second') done()
          return Promise.resolve()
        },
        every: 1,
      }),
    ])
    expect(sent.slice(0, 3)).toEqual(['first', 'first', 'second'])
  })
})
