// Random histories of appends, retries, deletions, metadata, reads and restarts against a plain model in memory.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  BACKWARDS,
  END,
  EventStoreDBClient,
  StreamDeletedError,
  StreamNotFoundError,
  WrongExpectedVersionError,
  jsonEvent,
  streamNameFilter,
  type ResolvedEvent,
} from '@eventstore/db-client'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { startEventStore, type RunningStore } from './index'

const STREAMS = 3
/** Events are drawn from few ids, so that retries and near-retries are common. */
const IDS = 12

let folder: string
let store: RunningStore
let client: EventStoreDBClient

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stet-test-'))
  await start()
})
afterAll(async () => {
  await stop()
  rmSync(folder, { recursive: true })
})

async function start(): Promise<void> {
  const socketPath = join(folder, 'events.sock')
  store = await startEventStore({ socketPath, directory: join(folder, 'events') })
  client = new EventStoreDBClient({ endpoint: `unix:${socketPath}` }, { insecure: true })
}
async function stop(): Promise<void> {
  await client.dispose()
  await store.close()
}

type Expected = 'any' | 'no_stream' | 'stream_exists' | number
type Step =
  | { do: 'append'; stream: number; expected: Expected; ids: number[] }
  | { do: 'delete' | 'tombstone' | 'check' | 'checkBackwards'; stream: number }
  | { do: 'limit'; stream: number; maxCount?: number; truncateBefore?: number }
  | { do: 'restart' | 'checkAll' }

const streamOf = fc.nat(STREAMS - 1)
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 10,
      arbitrary: fc.record({
        do: fc.constant('append' as const),
        stream: streamOf,
        expected: fc.oneof(fc.constantFrom<Expected>('any', 'no_stream', 'stream_exists'), fc.nat(8)),
        ids: fc.array(fc.nat(IDS - 1), { maxLength: 4 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constantFrom('check' as const, 'checkBackwards' as const), stream: streamOf }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), stream: streamOf }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('tombstone' as const), stream: fc.constant(STREAMS - 1) }) },
    {
      weight: 2,
      arbitrary: fc.record(
        {
          do: fc.constant('limit' as const),
          stream: streamOf,
          maxCount: fc.integer({ min: 1, max: 4 }),
          truncateBefore: fc.nat(8),
        },
        { requiredKeys: ['do', 'stream'] },
      ),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('restart' as const, 'checkAll' as const) }) },
  ),
  { minLength: 5, maxLength: 40 },
)

type ModelStream = {
  ids: string[]
  tombstoned: boolean
  hasMetadata: boolean
  maxCount?: number
  truncateBefore?: number
}
const missing = (): ModelStream => ({ ids: [], tombstoned: false, hasMetadata: false })
const isDeleted = (stream: ModelStream) => stream.truncateBefore === Infinity

/** The rules of the store, as plainly as they can be said. */
class Model {
  readonly streams = new Map<number, ModelStream>()
  /** What was written, in order: "stream@revision". */
  readonly all: string[] = []
  private recent = new Map<string, { stream: number; revision: number }>()

  of = (stream: number) => this.streams.get(stream) ?? missing()

  restart() {
    this.recent.clear()
  }

  append(name: number, expected: Expected, ids: string[]): number | 'mismatch' | 'deleted' {
    const stream = this.of(name)
    const last = stream.ids.length - 1
    if (stream.tombstoned) return 'deleted'
    if (expected === 'any' || expected === 'stream_exists') {
      const places = ids.map(id => this.recent.get(id)).map(place => (place?.stream === name ? place : undefined))
      const mayRetry = expected === 'any' || !isDeleted(stream)
      if (mayRetry && places[0]) return places.includes(undefined) ? 'mismatch' : places.at(-1)!.revision
      if (expected === 'stream_exists' && isDeleted(stream)) return 'deleted'
      if (expected === 'stream_exists' && last < 0 && !stream.hasMetadata) return 'mismatch'
    } else {
      const after = expected === 'no_stream' ? -1 : expected
      const there = stream.ids.slice(after + 1, after + 1 + ids.length)
      if (after < last && ids.length > 0 && there.join() === ids.join()) return after + ids.length
      if (after !== last && !(expected === 'no_stream' && isDeleted(stream))) return 'mismatch'
    }
    if (ids.length === 0) return last
    const truncateBefore = isDeleted(stream) ? stream.ids.length : stream.truncateBefore
    this.streams.set(name, { ...stream, ids: [...stream.ids, ...ids], truncateBefore })
    for (const [index, id] of ids.entries()) {
      if (!this.recent.has(id)) this.recent.set(id, { stream: name, revision: last + 1 + index })
      this.all.push(`${name}@${last + 1 + index}`)
    }
    return last + ids.length
  }

  delete(name: number): 'ok' | 'mismatch' | 'deleted' {
    const stream = this.of(name)
    if (stream.tombstoned) return 'deleted'
    if (stream.ids.length === 0) return 'mismatch'
    this.streams.set(name, { ids: stream.ids, tombstoned: false, hasMetadata: true, truncateBefore: Infinity })
    return 'ok'
  }

  tombstone(name: number): 'ok' | 'deleted' {
    const stream = this.of(name)
    if (stream.tombstoned) return 'deleted'
    this.streams.set(name, { ...stream, tombstoned: true })
    return 'ok'
  }

  limit(name: number, maxCount?: number, truncateBefore?: number) {
    const stream = this.of(name)
    const back = isDeleted(stream) && truncateBefore === undefined ? stream.ids.length : truncateBefore
    this.streams.set(name, { ...stream, hasMetadata: true, maxCount, truncateBefore: back })
  }

  visible(name: number): number[] | 'missing' | 'deleted' {
    const { ids, tombstoned, maxCount = Infinity, truncateBefore = 0 } = this.of(name)
    if (tombstoned) return 'deleted'
    if (ids.length === 0 || truncateBefore === Infinity) return 'missing'
    const first = Math.max(truncateBefore, ids.length - maxCount)
    return ids.map((_, revision) => revision).filter(revision => revision >= first)
  }
}

/** What the store answers, in the model's words. */
const outcome = async <T>(attempt: Promise<T>, of: (result: T) => unknown): Promise<unknown> => {
  try {
    return of(await attempt)
  } catch (error) {
    if (error instanceof WrongExpectedVersionError) return 'mismatch'
    if (error instanceof StreamDeletedError) return 'deleted'
    if (error instanceof StreamNotFoundError) return 'missing'
    throw error
  }
}

async function collect(reading: AsyncIterable<ResolvedEvent>): Promise<ResolvedEvent[]> {
  const read: ResolvedEvent[] = []
  for await (const resolved of reading) read.push(resolved)
  return read
}

test('any history leaves what the model says', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async history => {
      const run = randomUUID()
      const name = (stream: number) => `${run}-${stream}`
      const idOf = (n: number) => `${run.slice(0, 24)}${n.toString(16).padStart(12, '0')}`
      const model = new Model()
      const revisions = (events: ResolvedEvent[]) => events.map(({ event }) => Number(event!.revision))
      const heard: string[] = []
      const subscription = client.subscribeToAll({ filter: streamNameFilter({ prefixes: [run] }) })
      const place = ({ event }: ResolvedEvent) => `${event!.streamId.slice(run.length + 1)}@${event!.revision}`
      const isOrdinary = ({ event }: ResolvedEvent) => event!.type === 'Tested' && event!.streamId.startsWith(run)
      subscription.on('data', resolved => isOrdinary(resolved) && heard.push(place(resolved))).on('error', () => {})

      for (const step of history)
        switch (step.do) {
          case 'append': {
            const ids = step.ids.map(idOf)
            const expectedRevision = typeof step.expected === 'number' ? BigInt(step.expected) : step.expected
            const events = ids.map(id => jsonEvent({ id, type: 'Tested', data: {} }))
            const answer = outcome(
              client.appendToStream(name(step.stream), events, { expectedRevision }),
              ({ nextExpectedRevision }) => Number(nextExpectedRevision),
            )
            const wanted = model.append(step.stream, step.expected, ids)
            // The client reads an absent revision, which an empty append to a missing stream has, as 0.
            expect(await answer).toEqual(wanted === -1 ? 0 : wanted)
            break
          }
          case 'delete':
            expect(await outcome(client.deleteStream(name(step.stream)), () => 'ok')).toBe(model.delete(step.stream))
            break
          case 'tombstone':
            expect(await outcome(client.tombstoneStream(name(step.stream)), () => 'ok')).toBe(
              model.tombstone(step.stream),
            )
            break
          case 'limit': {
            if (model.of(step.stream).tombstoned) break
            const { maxCount, truncateBefore } = step
            await client.setStreamMetadata(name(step.stream), {
              ...(maxCount && { maxCount }),
              ...(truncateBefore !== undefined && { truncateBefore }),
            })
            model.limit(step.stream, maxCount, truncateBefore)
            break
          }
          case 'check':
            expect(await outcome(collect(client.readStream(name(step.stream))), revisions)).toEqual(
              model.visible(step.stream),
            )
            break
          case 'checkBackwards': {
            const wanted = model.visible(step.stream)
            const backwards = collect(client.readStream(name(step.stream), { direction: BACKWARDS, fromRevision: END }))
            expect(await outcome(backwards, revisions)).toEqual(
              typeof wanted === 'string' ? wanted : wanted.toReversed(),
            )
            break
          }
          case 'checkAll':
            expect((await collect(client.readAll())).filter(isOrdinary).map(place)).toEqual(model.all)
            break
          case 'restart':
            await stop()
            await start()
            model.restart()
        }

      const backwards = await collect(client.readAll({ direction: BACKWARDS, fromPosition: END }))
      expect(backwards.filter(isOrdinary).map(place)).toEqual(model.all.toReversed())
      // A restart ends the subscription; until then it has heard the log's beginning, in order and once.
      expect(heard).toEqual(model.all.slice(0, heard.length))
      await subscription.unsubscribe()
    }),
    { numRuns: Number(process.env.MODEL_RUNS ?? 25) },
  )
})
