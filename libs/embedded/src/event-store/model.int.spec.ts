// Random histories of appends, retries, deletions, metadata, reads of every kind, subscriptions opened at random and
// restarts, against a plain model in memory.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import {
  BACKWARDS,
  END,
  EventStoreDBClient,
  FORWARDS,
  StreamDeletedError,
  StreamNotFoundError,
  WrongExpectedVersionError,
  eventTypeFilter,
  jsonEvent,
  streamNameFilter,
  type AllStreamSubscription,
  type ResolvedEvent,
  type StreamSubscription,
} from '@eventstore/db-client'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Model, steps } from './model.fixture.spec'
import { startEventStore, type RunningStore } from './index'

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

const revisionFrom = (from: number | 'start' | 'end') => (typeof from === 'number' ? BigInt(from) : from)

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

type Place = string
const TYPES = ['Tested', 'Tried']
const typeOf = (n: number) => TYPES[n % TYPES.length]!

/** A subscription that goes on after a restart where it was, and what it should have heard. */
class Listener {
  readonly heard: Place[] = []
  private last?: ResolvedEvent

  constructor(
    private readonly open: (after: ResolvedEvent | undefined) => AllStreamSubscription | StreamSubscription,
    private readonly placeOf: (resolved: ResolvedEvent) => Place | undefined,
    /** What it is to hear of an event that was just written. */
    readonly hears: (place: Place) => boolean,
    /** What it is to have heard, at first what was there when it was opened. */
    readonly wanted: Place[],
    /** Of one stream only. */
    readonly stream?: number,
  ) {}

  /** Resolves when it has caught up. */
  async start(): Promise<void> {
    const subscription = this.open(this.last)
    subscription
      .on('data', (resolved: ResolvedEvent) => {
        const place = this.placeOf(resolved)
        if (!place) return
        this.last = resolved
        this.heard.push(place)
      })
      .on('error', () => {})
    await once(subscription, 'caughtUp')
    this.stop = () => subscription.unsubscribe()
  }
  stop: () => Promise<void> = () => Promise.resolve()

  async check(): Promise<void> {
    const deadline = Date.now() + 5_000
    while (this.heard.length < this.wanted.length && Date.now() < deadline) await setImmediate()
    expect(this.heard).toEqual(this.wanted)
  }
}

test('any history leaves what the model says', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async history => {
      const run = randomUUID()
      const name = (stream: number) => `${run}-${stream}`
      const idOf = (n: number) => `${run.slice(0, 24)}${n.toString(16).padStart(12, '0')}`
      const model = new Model()
      const revisions = (events: ResolvedEvent[]) => events.map(({ event }) => Number(event!.revision))
      const place = ({ event }: ResolvedEvent) => `${event!.streamId.slice(run.length + 1)}@${event!.revision}`
      const isOrdinary = ({ event }: ResolvedEvent) => event!.streamId.startsWith(run) && TYPES.includes(event!.type)
      const placeOf = (resolved: ResolvedEvent) => (isOrdinary(resolved) ? place(resolved) : undefined)
      const types = new Map<Place, string>()
      /** Those that go on after a restart, and those that a restart ends. */
      const listeners: Listener[] = []
      let ephemeral: Listener[] = []
      const checkListeners = async () => {
        for (const listener of [...listeners, ...ephemeral]) await listener.check()
      }
      const ordinary = async () => (await collect(client.readAll())).filter(isOrdinary)

      for (const step of history)
        switch (step.do) {
          case 'append': {
            const ids = step.ids.map(idOf)
            const expectedRevision = typeof step.expected === 'number' ? BigInt(step.expected) : step.expected
            const events = ids.map(id => jsonEvent({ id, type: typeOf(step.ids[ids.indexOf(id)]!), data: {} }))
            const answer = outcome(
              client.appendToStream(name(step.stream), events, { expectedRevision }),
              ({ nextExpectedRevision }) => Number(nextExpectedRevision),
            )
            const known = model.all.length
            const wanted = model.append(step.stream, step.expected, ids)
            for (const [index, written] of model.all.slice(known).entries()) {
              types.set(written, typeOf(step.ids[index]!))
              for (const listener of [...listeners, ...ephemeral])
                if (listener.hears(written)) listener.wanted.push(written)
            }
            // The client reads an absent revision, which an empty append to a missing stream has, as 0.
            expect(await answer).toEqual(wanted === -1 ? 0 : wanted)
            break
          }
          case 'delete':
            expect(await outcome(client.deleteStream(name(step.stream)), () => 'ok')).toBe(model.delete(step.stream))
            break
          case 'tombstone':
            // What listens to the stream ends with it.
            await checkListeners()
            ephemeral = ephemeral.filter(({ stream }) => stream !== step.stream)
            expect(await outcome(client.tombstoneStream(name(step.stream)), () => 'ok')).toBe(
              model.tombstone(step.stream),
            )
            break
          case 'limit': {
            if (model.of(step.stream).tombstoned) break
            const { maxCount, maxAge, truncateBefore } = step
            await client.setStreamMetadata(name(step.stream), {
              ...(maxCount && { maxCount }),
              ...(maxAge && { maxAge }),
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
          case 'read': {
            const visible = model.visible(step.stream)
            const { backwards, count } = step
            const reading = client.readStream(name(step.stream), {
              direction: backwards ? BACKWARDS : FORWARDS,
              fromRevision: BigInt(step.from),
              maxCount: count,
            })
            const wanted = (there: number[]) =>
              backwards
                ? there.filter(revision => revision <= step.from).toReversed()
                : there.filter(revision => revision >= step.from)
            expect(await outcome(collect(reading), revisions)).toEqual(
              typeof visible === 'string' ? visible : wanted(visible).slice(0, count),
            )
            break
          }
          case 'readAll': {
            const from = (await ordinary())[step.from]
            if (!from) break
            const direction = step.backwards ? BACKWARDS : FORWARDS
            const read = await collect(client.readAll({ direction, fromPosition: from.event!.position! }))
            const wanted = step.backwards ? model.all.slice(0, step.from).toReversed() : model.all.slice(step.from)
            expect(read.filter(isOrdinary).map(place)).toEqual(wanted)
            break
          }
          case 'listenToAll': {
            const written = await ordinary()
            const from = typeof step.from === 'number' ? written[step.from]?.event?.position : step.from
            const first = { start: 0, end: written.length }[String(step.from)] ?? Number(step.from) + 1
            if (!from) break
            const filter =
              step.filter === 'stream'
                ? streamNameFilter({ prefixes: [run] })
                : eventTypeFilter({ regex: `^${TYPES[0]}$` })
            const hears = (one: Place) => step.filter === 'stream' || types.get(one) === TYPES[0]
            const listener = new Listener(
              last => client.subscribeToAll({ fromPosition: last?.event?.position ?? from, filter }),
              placeOf,
              hears,
              model.all.slice(first).filter(hears),
            )
            await listener.start()
            // From the end, a restart before the first event would begin at a later end.
            if (step.from !== 'end' || listener.wanted.length > 0) listeners.push(listener)
            else ephemeral.push(listener)
            break
          }
          case 'listenToStream': {
            const visible = model.visible(step.stream)
            if (visible === 'deleted') break
            const prefix = `${step.stream}@`
            const last = model.of(step.stream).ids.length - 1
            const after = { start: -1, end: last }[String(step.from)] ?? Number(step.from)
            const listener = new Listener(
              () => client.subscribeToStream(name(step.stream), { fromRevision: revisionFrom(step.from) }),
              placeOf,
              one => one.startsWith(prefix) && Number(one.slice(prefix.length)) > after,
              visible === 'missing' ? [] : visible.filter(revision => revision > after).map(one => `${prefix}${one}`),
              step.stream,
            )
            await listener.start()
            ephemeral.push(listener)
            break
          }
          case 'checkAll':
            expect((await ordinary()).map(place)).toEqual(model.all)
            break
          case 'restart':
            await checkListeners()
            await stop()
            await start()
            model.restart()
            ephemeral = []
            for (const listener of listeners) await listener.start()
        }

      const backwards = await collect(client.readAll({ direction: BACKWARDS, fromPosition: END }))
      expect(backwards.filter(isOrdinary).map(place)).toEqual(model.all.toReversed())
      await checkListeners()
      for (const listener of [...listeners, ...ephemeral]) await listener.stop()
    }),
    { numRuns: Number(process.env.MODEL_RUNS ?? 25) },
  )
})
