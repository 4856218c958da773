// Recording views in a real event store: when a view is answered, and that none is lost or counted twice when it fails.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes, randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { startEventStore } from '@stet/embedded'
import { connectEventLog, decoded, type EventLog, type LogEvent, Unavailable } from '@stet/eventsourcing'
import { type NewsroomEvents, ViewCounter, type ViewOutcome } from '@stet/newsroom'
import { ViewRecorder, type ViewRecorderOptions } from './view-recorder'

const CHROME =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36'

let folder: string
let store: Awaited<ReturnType<typeof startEventStore>> | null
let log: EventLog
const recorders: ViewRecorder[] = []

const startStore = async () => {
  store = await startEventStore({ socketPath: join(folder, 'es.sock'), directory: join(folder, 'data') })
}
const stopStore = async () => {
  await store?.close()
  store = null
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stet-'))
  await startStore()
  log = connectEventLog({ url: `unix:${join(folder, 'es.sock')}` })
})
afterEach(async () => {
  await Promise.all(recorders.splice(0).map(recorder => recorder.stop()))
  await log.close()
  await stopStore()
  rmSync(folder, { recursive: true, force: true })
})

/** The log with another way to append. */
const appending = (append: EventLog['append']): EventLog =>
  new Proxy(log, {
    get: (target, name) => {
      if (name === 'append') return append
      const method: unknown = Reflect.get(target, name)
      return typeof method === 'function' ? (method as (...call: unknown[]) => unknown).bind(target) : method
    },
  })

const recorderOf = async (options: Partial<ViewRecorderOptions> = {}) => {
  const counter = new ViewCounter({ siteUrl: 'https://news.example', newSalt: () => randomBytes(16) })
  const recorder = await ViewRecorder.start({ log, counter, ...options })
  recorders.push(recorder)
  return recorder
}

/** Each from a network of its own, without a visitor's hash: only the view id tells repeats. */
let visitors = 0
const record = (recorder: ViewRecorder, viewId: string, articleId = randomUUID()) =>
  recorder.record(
    { articleId, viewId },
    { ip: `10.${(visitors >> 8) & 255}.${visitors++ & 255}.1`, userAgent: CHROME, unhashed: true },
  )

const ids = (count: number) => Array.from({ length: count }, () => randomUUID())

const recorded = async () => {
  const events: LogEvent[] = []
  for await (const event of log.readAll({ filter: { categories: ['views'] } })) events.push(decoded(event))
  const data = events.map(event => event.data as NewsroomEvents['ArticlesViewed'])
  return { events, views: data.flatMap(({ views }) => views).reduce((sum, [, count]) => sum + count, 0) }
}

const outcomes = async (promises: readonly Promise<ViewOutcome>[]) =>
  (await Promise.allSettled(promises)).map(result =>
    result.status === 'fulfilled' ? result.value : (result.reason as Error).name,
  )

describe('views', () => {
  it('are answered once they are in the log, many in one event', async () => {
    const recorder = await recorderOf()
    expect(await record(recorder, randomUUID())).toBe('counted')
    expect(await recorded()).toMatchObject({ views: 1 })
    const answers = await outcomes(ids(500).map(id => record(recorder, id)))
    expect(answers).toEqual(answers.map(() => 'counted'))
    const { events, views } = await recorded()
    expect(views).toBe(501)
    expect(events).toHaveLength(2)
    expect(new Set(events.map(({ stream }) => stream)).size).toBe(1)
    expect(recorder.statistics()).toMatchObject({ recorded: 501, waiting: 0 })
  })

  it('cost at most four appends a second', async () => {
    const starts: number[] = []
    const timed = appending((...call: Parameters<EventLog['append']>) => {
      starts.push(performance.now())
      return log.append(...call)
    })
    const recorder = await recorderOf({ log: timed })
    for (let i = 0; i < 5; i++) await record(recorder, randomUUID())
    expect(starts).toHaveLength(5)
    // Timers may fire a moment early.
    expect(starts.at(-1)! - starts[0]!).toBeGreaterThanOrEqual(4 * 245)
  })

  it('that come again wait for the one on its way and do not count', async () => {
    const recorder = await recorderOf()
    const id = randomUUID()
    const answers = await outcomes([record(recorder, id), record(recorder, id)])
    expect(answers).toEqual(['counted', 'repeat'])
    expect(await recorded()).toMatchObject({ views: 1 })
  })

  it('are recorded when the process stops, and refused afterwards', async () => {
    const recorder = await recorderOf()
    const answers = outcomes(ids(3).map(id => record(recorder, id)))
    await recorder.stop()
    expect(await answers).toEqual(['counted', 'counted', 'counted'])
    await expect(record(recorder, randomUUID())).rejects.toBeInstanceOf(Unavailable)
    expect(await recorded()).toMatchObject({ views: 3 })
  })

  it('are known after a restart, which writes a stream of its own', async () => {
    const id = randomUUID()
    const first = await recorderOf()
    await record(first, id)
    await first.stop()
    const second = await recorderOf()
    expect(await record(second, id)).toBe('repeat')
    expect(await record(second, randomUUID())).toBe('counted')
    const { events, views } = await recorded()
    expect(views).toBe(2)
    expect(new Set(events.map(({ stream }) => stream)).size).toBe(2)
    const later = await recorderOf({ now: () => Date.now() + 31 * 60_000 })
    expect(await record(later, id)).toBe('counted')
  })
})

describe('while the event store is gone', () => {
  it('views are answered Unavailable in time, and each that comes again is counted exactly once', async () => {
    const recorder = await recorderOf({ patience: 700 })
    const before = ids(20)
    await Promise.all(before.map(id => record(recorder, id)))
    await stopStore()
    const during = ids(20)
    const start = performance.now()
    const answers = await outcomes(during.map(id => record(recorder, id)))
    expect(answers).toEqual(during.map(() => 'Unavailable'))
    expect(performance.now() - start).toBeLessThan(3_000)
    await startStore()
    const again = [...before, ...during]
    const counted = new Set<string>()
    const until = performance.now() + 30_000
    while (counted.size < again.length && performance.now() < until) {
      const left = again.filter(id => !counted.has(id))
      const results = await Promise.allSettled(left.map(id => record(recorder, id)))
      for (const [i, { status }] of results.entries()) if (status === 'fulfilled') counted.add(left[i]!)
      await new Promise(resolve => setImmediate(resolve))
    }
    expect(counted.size).toBe(40)
    expect(await recorded()).toMatchObject({ views: 40 })
  })

  it.each([
    ['its answer is lost', true],
    ['it never arrives', false],
  ])('an append is repeated with the same ids when %s', async (_, arrives) => {
    let failures = 3
    const lossy = appending(async (...call: Parameters<EventLog['append']>) => {
      if (failures === 0) return log.append(...call)
      failures--
      if (arrives) await log.append(...call)
      throw new Unavailable('event store', 'no answer')
    })
    const recorder = await recorderOf({ log: lossy })
    const answers = await outcomes(ids(30).map(id => record(recorder, id)))
    expect(answers).toEqual(answers.map(() => 'counted'))
    expect(await record(recorder, randomUUID())).toBe('counted')
    const { events, views } = await recorded()
    expect(views).toBe(31)
    expect(events.map(({ revision }) => revision)).toEqual([0, 1])
  })

  it('a stream that somebody else has written to is left to them', async () => {
    let stolen = false
    const shared = appending(async (...[stream, expected, events]: Parameters<EventLog['append']>) => {
      if (!stolen) {
        stolen = true
        await log.append(stream, expected, [{ ...events[0]!, id: randomUUID() }])
      }
      return log.append(stream, expected, events)
    })
    const recorder = await recorderOf({ log: shared })
    expect(await record(recorder, randomUUID())).toBe('counted')
    const { events } = await recorded()
    expect(events.map(({ revision }) => revision)).toEqual([0, 0])
  })
})
