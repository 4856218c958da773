// What the product relies on of an event store, through the official client: one behaviour of the real server per test.
// Runs against any server: EVENTSTORE_URL=esdb://... npm run test:contract. Without it, against the embedded store.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  BACKWARDS,
  DeadlineExceededError,
  END,
  EventStoreDBClient,
  FORWARDS,
  MaxAppendSizeExceededError,
  START,
  StreamDeletedError,
  StreamNotFoundError,
  WrongExpectedVersionError,
  binaryEvent,
  eventTypeFilter,
  jsonEvent,
  streamNameFilter,
  type AllStreamSubscription,
  type ReadRevision,
  type ResolvedEvent,
  type StreamSubscription,
} from '@eventstore/db-client'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { startEventStore } from '../../libs/embedded/src/event-store'

let client: EventStoreDBClient
let stop: () => Promise<void>
let stream: string
let open: (AllStreamSubscription | StreamSubscription)[]

beforeAll(async () => {
  const url = process.env.EVENTSTORE_URL
  if (url && url !== 'embedded') {
    client = EventStoreDBClient.connectionString(url)
    stop = () => client.dispose()
    return
  }
  const folder = mkdtempSync(join(tmpdir(), 'stet-test-'))
  const socketPath = join(folder, 'events.sock')
  const store = await startEventStore({ socketPath, directory: join(folder, 'events') })
  client = new EventStoreDBClient({ endpoint: `unix:${socketPath}` as never }, { insecure: true })
  stop = async () => {
    await client.dispose()
    await store.close()
    rmSync(folder, { recursive: true })
  }
})
afterAll(() => stop())

beforeEach(() => {
  stream = `contract-${randomUUID()}`
  open = []
})
afterEach(async () => {
  for (const subscription of open) await subscription.unsubscribe()
})

type Given = { type?: string; id?: string; data?: Record<string, unknown>; metadata?: Record<string, unknown> }
const event = ({ type = 'Tested', id = randomUUID(), data = {}, metadata }: Given = {}) =>
  jsonEvent({ type, id, data, metadata })
const events = (count: number, given: Given = {}) =>
  Array.from({ length: count }, (_, n) => event({ ...given, data: { n } }))

async function collect(reading: AsyncIterable<ResolvedEvent>): Promise<ResolvedEvent[]> {
  const read: ResolvedEvent[] = []
  for await (const resolved of reading) read.push(resolved)
  return read
}
const numbers = (read: ResolvedEvent[]) => read.map(({ event }) => (event!.data as { n: number }).n)
const revisions = (read: ResolvedEvent[]) => read.map(({ event }) => Number(event!.revision))
const readOf = (
  name: string,
  options: { fromRevision?: ReadRevision; direction?: 'forwards' | 'backwards'; maxCount?: number } = {},
) => collect(client.readStream(name, options))
const failure = (attempt: Promise<unknown>): Promise<Error & Record<string, unknown>> =>
  attempt.then(
    () => {
      throw new Error('it succeeded')
    },
    (error: Error & Record<string, unknown>) => error,
  )

/** What a subscription says, in order: events by their number, checkpoints, caught up. */
function heard<S extends AllStreamSubscription | StreamSubscription>(subscription: S) {
  open.push(subscription)
  const said: (number | string)[] = []
  const waiting: { enough: () => boolean; resolve: () => void; reject: (error: Error) => void }[] = []
  let failed: Error | undefined
  const check = () => {
    for (const one of waiting)
      if (failed) one.reject(failed)
      else if (one.enough()) one.resolve()
  }
  const say = (word: number | string) => {
    said.push(word)
    check()
  }
  subscription.on('caughtUp', () => say('caught up'))
  subscription.on('data', (resolved: ResolvedEvent) => {
    const { type, data } = resolved.event!
    say(type.startsWith('$') ? type : (data as { n: number }).n)
  })
  subscription.on('error', (error: Error) => {
    failed = error
    check()
  })
  return {
    said,
    until: (enough: (said: (number | string)[]) => boolean) =>
      new Promise<void>((resolve, reject) => {
        waiting.push({ enough: () => enough(said), resolve, reject })
        check()
      }),
  }
}
const has =
  (...words: (number | string)[]) =>
  (said: (number | string)[]) =>
    words.every(word => said.includes(word))

describe('append', () => {
  test('answers with the revision and the position of the last event', async () => {
    const first = await client.appendToStream(stream, event())
    expect(first).toMatchObject({ success: true, nextExpectedRevision: 0n })
    const second = await client.appendToStream(stream, events(3))
    expect(second.nextExpectedRevision).toBe(3n)
    const last = (await readOf(stream)).at(-1)!.event!
    expect(last.position).toEqual(second.position)
    expect(second.position!.commit > first.position!.commit).toBe(true)
  })

  test('keeps id, type, data, metadata and time', async () => {
    const id = randomUUID()
    const before = Date.now()
    await client.appendToStream(
      stream,
      event({ id, type: 'Läuft', data: { text: 'ж\u0000"' }, metadata: { $correlationId: 'c' } }),
    )
    const [read] = await readOf(stream)
    expect(read!.event).toMatchObject({ id, type: 'Läuft', streamId: stream, revision: 0n, isJson: true })
    expect(read!.event!.data).toEqual({ text: 'ж\u0000"' })
    expect(read!.event!.metadata).toEqual({ $correlationId: 'c' })
    expect(read!.event!.created.getTime()).toBeGreaterThanOrEqual(before - 1_000)
    expect(read!.event!.created.getTime()).toBeLessThanOrEqual(Date.now() + 1_000)
  })

  test('keeps binary data', async () => {
    await client.appendToStream(stream, binaryEvent({ type: 'Bytes', data: Uint8Array.of(0, 255, 128) }))
    const [read] = await readOf(stream)
    expect([read!.event!.isJson, ...(read!.event!.data as Uint8Array)]).toEqual([false, 0, 255, 128])
  })

  test('no_stream is refused once there is an event', async () => {
    await client.appendToStream(stream, event(), { expectedRevision: 'no_stream' })
    const error = await failure(client.appendToStream(stream, event(), { expectedRevision: 'no_stream' }))
    expect(error).toBeInstanceOf(WrongExpectedVersionError)
    expect(error).toMatchObject({ expectedVersion: 'no_stream', actualVersion: 0n, streamName: stream })
  })

  test('a stale or future revision is refused with the actual one', async () => {
    await client.appendToStream(stream, events(3))
    for (const expectedRevision of [1n, 3n]) {
      const error = await failure(client.appendToStream(stream, event(), { expectedRevision }))
      expect(error).toBeInstanceOf(WrongExpectedVersionError)
      expect(error).toMatchObject({ expectedVersion: expectedRevision, actualVersion: 2n })
    }
    expect(await client.appendToStream(stream, event(), { expectedRevision: 2n })).toMatchObject({
      nextExpectedRevision: 3n,
    })
  })

  test('a revision of a missing stream is refused with no_stream', async () => {
    for (const expectedRevision of [0n, 'stream_exists'] as const) {
      const error = await failure(client.appendToStream(stream, event(), { expectedRevision }))
      expect(error).toBeInstanceOf(WrongExpectedVersionError)
      expect(error).toMatchObject({ expectedVersion: expectedRevision, actualVersion: 'no_stream' })
    }
  })

  test('stream_exists accepts a stream that has only metadata', async () => {
    await client.setStreamMetadata(stream, { maxCount: 5 })
    expect(await client.appendToStream(stream, event(), { expectedRevision: 'stream_exists' })).toMatchObject({
      success: true,
    })
  })

  test('a refused append of several events writes none of them', async () => {
    await client.appendToStream(stream, event())
    await failure(client.appendToStream(stream, events(3), { expectedRevision: 5n }))
    expect(await readOf(stream)).toHaveLength(1)
  })

  test('of fifty at once on the same revision exactly one is written', async () => {
    await client.appendToStream(stream, event())
    const outcomes = await Promise.allSettled(
      events(50).map(one => client.appendToStream(stream, one, { expectedRevision: 0n })),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await readOf(stream)).toHaveLength(2)
  })

  test('one whose deadline has passed is refused and not written', async () => {
    for (const deadline of [0, -5_000])
      expect(await failure(client.appendToStream(stream, event(), { deadline }))).toBeInstanceOf(DeadlineExceededError)
    expect(await failure(readOf(stream))).toBeInstanceOf(StreamNotFoundError)
  })

  test('an event has a type, and an id other than zeros', async () => {
    for (const given of [{ type: '' }, { id: '00000000-0000-0000-0000-000000000000' }])
      await failure(client.appendToStream(stream, event(given)))
    expect(await failure(readOf(stream))).toBeInstanceOf(StreamNotFoundError)
  })

  test('an empty append checks the revision and creates nothing', async () => {
    expect(await client.appendToStream(stream, [], { expectedRevision: 'no_stream' })).toMatchObject({ success: true })
    expect(await failure(readOf(stream))).toBeInstanceOf(StreamNotFoundError)
    expect(await failure(client.appendToStream(stream, [], { expectedRevision: 4n }))).toBeInstanceOf(
      WrongExpectedVersionError,
    )
  })

  test('exactly 1 MiB of data passes, one byte more is refused, and the next append passes again', async () => {
    const bytes = (size: number) => binaryEvent({ type: 'Large', data: new Uint8Array(size) })
    await client.appendToStream(stream, bytes(1_048_576))
    const error = await failure(client.appendToStream(stream, [bytes(1_048_576), bytes(1)]))
    expect(error).toBeInstanceOf(MaxAppendSizeExceededError)
    expect(error).toMatchObject({ maxAppendSize: 1_048_576 })
    expect(await client.appendToStream(stream, event())).toMatchObject({ nextExpectedRevision: 1n })
  })

  test('metadata and type do not count against the limit', async () => {
    const large = jsonEvent({ type: 'Large', data: {}, metadata: new Uint8Array(2 * 1_048_576).fill(32) })
    expect(await client.appendToStream(stream, large)).toMatchObject({ success: true })
  })

  test('the older append call, which credentials select, behaves the same', async () => {
    const credentials = { username: 'admin', password: 'changeit' }
    const batch = events(2)
    const first = await client.appendToStream(stream, batch, { expectedRevision: 'no_stream', credentials })
    expect(first).toMatchObject({ success: true, nextExpectedRevision: 1n })
    expect(await client.appendToStream(stream, batch, { expectedRevision: 'no_stream', credentials })).toEqual(first)
    const error = await failure(client.appendToStream(stream, event(), { expectedRevision: 0n, credentials }))
    expect(error).toBeInstanceOf(WrongExpectedVersionError)
    expect(error).toMatchObject({ expectedVersion: 0n, actualVersion: 1n, streamName: stream })
    const large = binaryEvent({ type: 'Large', data: new Uint8Array(1_048_577) })
    expect(await failure(client.appendToStream(stream, large, { credentials }))).toBeInstanceOf(
      MaxAppendSizeExceededError,
    )
  })
})

describe('retries', () => {
  test('with no_stream and with a revision: the ids that stand there answer as the first time', async () => {
    const batch = events(3)
    const first = await client.appendToStream(stream, batch, { expectedRevision: 'no_stream' })
    expect(await client.appendToStream(stream, batch, { expectedRevision: 'no_stream' })).toEqual(first)
    const more = events(2)
    const second = await client.appendToStream(stream, more, { expectedRevision: 2n })
    expect(await client.appendToStream(stream, more, { expectedRevision: 2n })).toEqual(second)
    expect(await readOf(stream)).toHaveLength(5)
  })

  test('a retry of the first of several is at the position of what it names', async () => {
    const batch = events(3)
    await client.appendToStream(stream, batch, { expectedRevision: 'no_stream' })
    const retry = await client.appendToStream(stream, batch[0]!, { expectedRevision: 'no_stream' })
    expect(retry.nextExpectedRevision).toBe(0n)
    expect(retry.position).toEqual((await readOf(stream))[0]!.event!.position)
  })

  test('other ids, another order or more than stands there are no retry', async () => {
    const [a, b] = events(2) as [ReturnType<typeof event>, ReturnType<typeof event>]
    await client.appendToStream(stream, [a, b], { expectedRevision: 'no_stream' })
    for (const batch of [
      [b, a],
      [a, event()],
      [a, b, event()],
    ])
      expect(await failure(client.appendToStream(stream, batch, { expectedRevision: 'no_stream' }))).toBeInstanceOf(
        WrongExpectedVersionError,
      )
  })

  test('at the current revision everything is written again, ids or not', async () => {
    const one = event()
    await client.appendToStream(stream, one, { expectedRevision: 'no_stream' })
    expect(await client.appendToStream(stream, one, { expectedRevision: 0n })).toMatchObject({
      nextExpectedRevision: 1n,
    })
  })

  test('with any: known ids write nothing, in any order and with gaps', async () => {
    const [a, b, c] = events(3)
    const first = await client.appendToStream(stream, [a!, b!, c!])
    expect(await client.appendToStream(stream, [a!, b!, c!])).toEqual(first)
    expect(await client.appendToStream(stream, [a!, c!])).toMatchObject({ nextExpectedRevision: 2n })
    expect(await client.appendToStream(stream, [b!, a!])).toMatchObject({ nextExpectedRevision: 0n })
    expect(await client.appendToStream(stream, [b!], { expectedRevision: 'stream_exists' })).toMatchObject({
      nextExpectedRevision: 1n,
    })
    expect(await readOf(stream)).toHaveLength(3)
  })

  test('with any: an unknown first id writes all; a known first and a new later one is refused', async () => {
    const [a, x, y] = events(3)
    await client.appendToStream(stream, [a!])
    expect(await client.appendToStream(stream, [x!, a!])).toMatchObject({ nextExpectedRevision: 2n })
    const error = await failure(client.appendToStream(stream, [a!, y!]))
    expect(error).toBeInstanceOf(WrongExpectedVersionError)
    expect(error).toMatchObject({ expectedVersion: 'any', actualVersion: 2n })
    expect(await failure(client.appendToStream(stream, [a!, y!, x!]))).toBeInstanceOf(WrongExpectedVersionError)
  })

  test('the same id in another stream is another event', async () => {
    const one = event()
    await client.appendToStream(stream, one)
    await client.appendToStream(`${stream}-2`, one)
    expect(await readOf(`${stream}-2`)).toHaveLength(1)
  })
})

describe('reading a stream', () => {
  beforeEach(async () => {
    await client.appendToStream(stream, events(10))
  })

  test('forwards from the start, from a revision, and so many', async () => {
    expect(numbers(await readOf(stream))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(numbers(await readOf(stream, { fromRevision: 7n }))).toEqual([7, 8, 9])
    expect(numbers(await readOf(stream, { fromRevision: 2n, maxCount: 3 }))).toEqual([2, 3, 4])
    expect(await readOf(stream, { fromRevision: 10n })).toEqual([])
  })

  test('backwards from the end, from a revision, from beyond the end, from the start', async () => {
    expect(numbers(await readOf(stream, { direction: BACKWARDS, fromRevision: END }))).toEqual([
      9, 8, 7, 6, 5, 4, 3, 2, 1, 0,
    ])
    expect(numbers(await readOf(stream, { direction: BACKWARDS, fromRevision: 3n, maxCount: 2 }))).toEqual([3, 2])
    expect(numbers(await readOf(stream, { direction: BACKWARDS, fromRevision: 99n, maxCount: 1 }))).toEqual([9])
    expect(numbers(await readOf(stream, { direction: BACKWARDS, fromRevision: START }))).toEqual([0])
  })

  test('a missing stream is told as such', async () => {
    const error = await failure(readOf(`${stream}-missing`))
    expect(error).toBeInstanceOf(StreamNotFoundError)
    expect(error.streamName).toBe(`${stream}-missing`)
  })

  test('forwards from the end, and a count of 0, are errors', async () => {
    await failure(readOf(stream, { direction: FORWARDS, fromRevision: END }))
    await failure(readOf(stream, { maxCount: 0 }))
  })

  test('more events than fit a page come whole and in order, both ways', async () => {
    await client.appendToStream(
      stream,
      Array.from({ length: 1_000 }, (_, n) => event({ data: { n: n + 10 } })),
    )
    const all = Array.from({ length: 1_010 }, (_, n) => n)
    expect(numbers(await readOf(stream))).toEqual(all)
    expect(numbers(await readOf(stream, { direction: BACKWARDS, fromRevision: END }))).toEqual(all.toReversed())
  })
})

describe('reading $all', () => {
  const allOf = async (options: Parameters<EventStoreDBClient['readAll']>[0]) =>
    (await collect(client.readAll(options))).filter(({ event }) => event?.streamId === stream)

  test('forwards from a position includes it, backwards excludes it', async () => {
    await client.appendToStream(stream, events(5))
    const written = await readOf(stream)
    const fromPosition = written[2]!.event!.position!
    expect(numbers(await allOf({ fromPosition }))).toEqual([2, 3, 4])
    expect(numbers(await allOf({ fromPosition, direction: BACKWARDS, maxCount: 2 }))).toEqual([1, 0])
  })

  test('from the end backwards is the last first; forwards there is nothing', async () => {
    await client.appendToStream(stream, events(3))
    expect(numbers(await allOf({ fromPosition: END, direction: BACKWARDS, maxCount: 3 }))).toEqual([2, 1, 0])
    expect(await collect(client.readAll({ fromPosition: END }))).toEqual([])
  })

  test('from the position of the start it is as from the start', async () => {
    await client.appendToStream(stream, event())
    const fromPosition = { commit: 0n, prepare: 0n }
    const first = await collect(client.readAll({ fromPosition: START, maxCount: 3 }))
    expect(await collect(client.readAll({ fromPosition, maxCount: 3 }))).toEqual(first)
    expect(await collect(client.readAll({ fromPosition, direction: BACKWARDS }))).toEqual([])
    const heard = client.subscribeToAll({ fromPosition })
    open.push(heard)
    for await (const { event } of heard) {
      expect(event).toEqual(first[0]!.event)
      break
    }
  })

  test('positions rise strictly', async () => {
    await client.appendToStream(stream, events(3))
    const positions = (await collect(client.readAll())).map(({ event }) => event!.position!.commit)
    expect(positions.every((position, index) => index === 0 || position > positions[index - 1]!)).toBe(true)
  })

  test('a position where no event is, is an error', async () => {
    const { position } = await client.appendToStream(stream, event())
    const between = { commit: position!.commit - 1n, prepare: position!.prepare - 1n }
    await failure(collect(client.readAll({ fromPosition: between })))
  })
})

describe('deleting', () => {
  beforeEach(async () => {
    await client.appendToStream(stream, events(3))
  })

  test('a deleted stream reads as missing and goes on after its last revision', async () => {
    const { position } = await client.deleteStream(stream)
    expect(position!.commit).toBeGreaterThan(0n)
    expect(await failure(readOf(stream))).toBeInstanceOf(StreamNotFoundError)
    expect(
      await client.appendToStream(stream, event({ data: { n: 9 } }), { expectedRevision: 'no_stream' }),
    ).toMatchObject({ nextExpectedRevision: 3n })
    const read = await readOf(stream)
    expect([numbers(read), revisions(read)]).toEqual([[9], [3]])
    expect((await client.getStreamMetadata(stream)).metadata).toMatchObject({ truncateBefore: 3 })
  })

  test('a deleted stream also accepts its last revision, and any', async () => {
    await client.deleteStream(stream)
    expect(await failure(client.appendToStream(stream, event(), { expectedRevision: 1n }))).toBeInstanceOf(
      WrongExpectedVersionError,
    )
    await client.appendToStream(stream, event(), { expectedRevision: 2n })
    await client.deleteStream(stream)
    expect(await client.appendToStream(stream, event())).toMatchObject({ nextExpectedRevision: 4n })
  })

  test('stream_exists on a deleted stream says that it is deleted', async () => {
    const known = event()
    await client.appendToStream(stream, known)
    await client.deleteStream(stream)
    for (const one of [event(), known])
      expect(await failure(client.appendToStream(stream, one, { expectedRevision: 'stream_exists' }))).toBeInstanceOf(
        StreamDeletedError,
      )
  })

  test('deletion expects a revision; a missing stream cannot be deleted; twice succeeds', async () => {
    const error = await failure(client.deleteStream(stream, { expectedRevision: 1n }))
    expect(error).toBeInstanceOf(WrongExpectedVersionError)
    expect(error).toMatchObject({ expectedVersion: 1n, actualVersion: 2n })
    await client.deleteStream(stream, { expectedRevision: 2n })
    await client.deleteStream(stream)
    expect(await failure(client.deleteStream(`${stream}-missing`))).toBeInstanceOf(WrongExpectedVersionError)
  })

  test('a retry of what was deleted succeeds without a position, and the stream stays deleted', async () => {
    const batch = events(2)
    const name = `${stream}-2`
    await client.appendToStream(name, batch, { expectedRevision: 'no_stream' })
    await client.deleteStream(name)
    const retry = await client.appendToStream(name, batch, { expectedRevision: 'no_stream' })
    expect(retry).toMatchObject({ success: true, nextExpectedRevision: 1n })
    expect(retry.position).toBeUndefined()
    expect(await failure(readOf(name))).toBeInstanceOf(StreamNotFoundError)
  })

  test('only some of what was deleted, with no_stream, is no retry; without events the revision is checked', async () => {
    const batch = events(2)
    const name = `${stream}-2`
    await client.appendToStream(name, batch, { expectedRevision: 'no_stream' })
    await client.deleteStream(name)
    for (const retry of [[batch[0]!, event()], [...batch, event()], []])
      expect(await failure(client.appendToStream(name, retry, { expectedRevision: 'no_stream' }))).toBeInstanceOf(
        WrongExpectedVersionError,
      )
    expect(await client.appendToStream(name, [event()], { expectedRevision: 'no_stream' })).toMatchObject({
      nextExpectedRevision: 2n,
    })
  })

  test('a tombstone is for ever, and visible in $all', async () => {
    const { position } = await client.tombstoneStream(stream)
    for (const attempt of [
      () => readOf(stream),
      () => client.appendToStream(stream, event()),
      () => client.deleteStream(stream),
      () => client.tombstoneStream(stream),
      () => client.getStreamMetadata(stream),
    ])
      expect(await failure(attempt())).toBeInstanceOf(StreamDeletedError)
    const [last] = await collect(client.readAll({ fromPosition: position! }))
    expect(last!.event).toMatchObject({ type: '$streamDeleted', streamId: stream, revision: 9223372036854775807n })
  })

  test('a missing stream can be tombstoned', async () => {
    await client.tombstoneStream(`${stream}-missing`, { expectedRevision: 'no_stream' })
    expect(await failure(readOf(`${stream}-missing`))).toBeInstanceOf(StreamDeletedError)
  })
})

describe('metadata', () => {
  test('is read back as it was set; of its stream only the last event is visible', async () => {
    expect((await client.getStreamMetadata(stream)).metadata).toBeUndefined()
    await client.setStreamMetadata(stream, { maxCount: 3, custom: 'kept' })
    await client.setStreamMetadata(stream, { maxCount: 4, custom: 'kept' })
    expect((await client.getStreamMetadata(stream)).metadata).toEqual({ maxCount: 4, custom: 'kept' })
    expect(revisions(await readOf(`$$${stream}`))).toEqual([1])
  })

  test('is there whatever is done to the metadata of its own stream', async () => {
    await client.setStreamMetadata(stream, { maxCount: 3 })
    await client.deleteStream(`$$${stream}`).catch(() => {})
    expect((await client.getStreamMetadata(stream)).metadata).toEqual({ maxCount: 3 })
  })

  test('$maxCount shows the last so many, both ways', async () => {
    await client.appendToStream(stream, events(10))
    await client.setStreamMetadata(stream, { maxCount: 3 })
    expect(numbers(await readOf(stream))).toEqual([7, 8, 9])
    expect(numbers(await readOf(stream, { direction: BACKWARDS, fromRevision: END }))).toEqual([9, 8, 7])
    expect(await readOf(stream, { direction: BACKWARDS, fromRevision: 5n })).toEqual([])
    await client.appendToStream(stream, event({ data: { n: 10 } }))
    expect(numbers(await readOf(stream))).toEqual([8, 9, 10])
  })

  test('$tb hides what is before it, and nothing of it in $all', async () => {
    const { position } = await client.appendToStream(stream, event({ data: { n: 0 } }))
    await client.appendToStream(stream, events(4))
    await client.setStreamMetadata(stream, { truncateBefore: 3 })
    expect(revisions(await readOf(stream))).toEqual([3, 4])
    const all = await collect(client.readAll({ fromPosition: position! }))
    expect(all.filter(({ event }) => event?.streamId === stream)).toHaveLength(5)
  })

  test('$tb beyond the end hides also what comes, until it is reached', async () => {
    await client.appendToStream(stream, events(2))
    await client.setStreamMetadata(stream, { truncateBefore: 4 })
    await client.appendToStream(stream, events(1))
    expect(await readOf(stream)).toEqual([])
    await client.appendToStream(stream, events(3))
    expect(revisions(await readOf(stream))).toEqual([4, 5])
  })

  test('a fully truncated stream reads as empty, not as missing', async () => {
    await client.appendToStream(stream, events(2))
    await client.setStreamMetadata(stream, { truncateBefore: 2 })
    expect(await readOf(stream)).toEqual([])
  })

  test('$maxAge hides what is older, and what is not stays', async () => {
    await client.appendToStream(stream, events(3))
    await client.setStreamMetadata(stream, { maxAge: 3_600 })
    expect(await readOf(stream)).toHaveLength(3)
    await client.setStreamMetadata(stream, { maxAge: 1 })
    const deadline = Date.now() + 10_000
    while ((await readOf(stream)).length > 0 && Date.now() < deadline);
    expect(await readOf(stream)).toEqual([])
    await client.appendToStream(stream, event({ data: { n: 3 } }))
    expect(numbers(await readOf(stream))).toEqual([3])
  })

  test('metadata for a deleted stream makes it exist, empty', async () => {
    await client.appendToStream(stream, events(2))
    await client.deleteStream(stream)
    await client.setStreamMetadata(stream, { maxCount: 10 })
    expect(await readOf(stream)).toEqual([])
    expect((await client.getStreamMetadata(stream)).metadata).toEqual({ maxCount: 10, truncateBefore: 2 })
  })

  test('limits that are no whole number above 0 are ignored', async () => {
    await client.appendToStream(stream, events(3))
    await client.appendToStream(
      `$$${stream}`,
      jsonEvent({ type: '$metadata', data: { $maxCount: -1, $maxAge: 0.5, $tb: 'x' } }),
    )
    expect(await readOf(stream)).toHaveLength(3)
  })
})

describe('links', () => {
  const link = (text: string) => binaryEvent({ type: '$>', data: Buffer.from(text) })

  test('resolve to the event they name, with the position of the link', async () => {
    await client.appendToStream(stream, events(2))
    const { position } = await client.appendToStream(`${stream}-links`, [
      link(`1@${stream}`),
      link(`-1@${stream}`),
      link(`9@${stream}`),
    ])
    const read = await collect(client.readStream(`${stream}-links`, { resolveLinkTos: true }))
    expect(read.map(({ event }) => event && Number(event.revision))).toEqual([1, 1, undefined])
    expect(read.map(({ link }) => Number(link!.revision))).toEqual([0, 1, 2])
    expect(read[2]!.commitPosition).toBe(position!.commit)
  })

  test('a link to a link leads to that link; a target that is hidden or deleted is not shown', async () => {
    await client.appendToStream(stream, events(2))
    await client.appendToStream(`${stream}-links`, [
      link(`0@${stream}`),
      link(`0@${stream}-links`),
      link(`1@${stream}`),
      link(`0@${stream}-gone`),
    ])
    await client.appendToStream(`${stream}-gone`, event())
    await client.tombstoneStream(`${stream}-gone`)
    await client.setStreamMetadata(stream, { truncateBefore: 1 })
    const resolved = async () =>
      (await collect(client.readStream(`${stream}-links`, { resolveLinkTos: true }))).map(({ event }) => event?.type)
    expect(await resolved()).toEqual([undefined, '$>', 'Tested', undefined])
    await client.deleteStream(stream)
    expect(await resolved()).toEqual([undefined, '$>', undefined, undefined])
  })

  test('are events of their own unless resolving is asked for', async () => {
    await client.appendToStream(stream, events(1))
    await client.appendToStream(`${stream}-links`, link(`0@${stream}`))
    const [read] = await readOf(`${stream}-links`)
    expect([read!.event!.type, read!.link]).toEqual(['$>', undefined])
  })
})

describe('subscriptions to a stream', () => {
  test('history, caught up once, then live, each event once', async () => {
    await client.appendToStream(stream, events(3))
    const { said, until } = heard(client.subscribeToStream(stream))
    await until(has('caught up'))
    await client.appendToStream(stream, event({ data: { n: 3 } }))
    await until(has(3))
    expect(said).toEqual([0, 1, 2, 'caught up', 3])
  })

  test('from a revision is exclusive; from the end is only live', async () => {
    await client.appendToStream(stream, events(3))
    const after = heard(client.subscribeToStream(stream, { fromRevision: 1n }))
    const live = heard(client.subscribeToStream(stream, { fromRevision: END }))
    await Promise.all([after.until(has('caught up')), live.until(has('caught up'))])
    await client.appendToStream(stream, event({ data: { n: 3 } }))
    await Promise.all([after.until(has(3)), live.until(has(3))])
    expect([after.said, live.said]).toEqual([
      [2, 'caught up', 3],
      ['caught up', 3],
    ])
  })

  test('a missing stream is waited for', async () => {
    const { said, until } = heard(client.subscribeToStream(stream))
    await until(has('caught up'))
    await client.appendToStream(stream, events(2))
    await until(has(1))
    expect(said).toEqual(['caught up', 0, 1])
  })

  test('a deleted stream is waited for: what comes after it is heard, what was before is not', async () => {
    await client.appendToStream(stream, events(2))
    await client.deleteStream(stream)
    const { said, until } = heard(client.subscribeToStream(stream))
    await until(has('caught up'))
    await client.appendToStream(stream, event({ data: { n: 9 } }))
    await until(has(9))
    expect(said).toEqual(['caught up', 9])
  })

  test('one that was dropped goes on after the revision it had, one that is slow misses nothing', async () => {
    const first = client.subscribeToStream(stream)
    open.push(first)
    const total = 400
    await client.appendToStream(stream, events(total / 2))
    const taken: number[] = []
    for await (const { event } of first) if (taken.push((event!.data as { n: number }).n) === 7) break
    await client.appendToStream(
      stream,
      Array.from({ length: total / 2 }, (_, n) => event({ data: { n: n + total / 2 } })),
    )
    for await (const { event } of client.subscribeToStream(stream, { fromRevision: 6n })) {
      // Slower than the log grows, so that it falls behind while it is live.
      await new Promise(resolve => setImmediate(resolve))
      if (taken.push((event!.data as { n: number }).n) === total) break
    }
    expect(taken).toEqual(Array.from({ length: total }, (_, n) => n))
  })

  test('a tombstone ends it: at once, or when it comes', async () => {
    await client.appendToStream(stream, events(1))
    const { said, until } = heard(client.subscribeToStream(stream))
    await until(has('caught up'))
    await client.tombstoneStream(stream)
    expect(await failure(until(() => false))).toBeInstanceOf(StreamDeletedError)
    expect(said).toEqual([0, 'caught up', '$streamDeleted'])
    expect(await failure(heard(client.subscribeToStream(stream)).until(() => false))).toBeInstanceOf(StreamDeletedError)
  })
})

describe('subscriptions to $all', () => {
  test('by stream prefix: history, a checkpoint, caught up, live; others are not sent', async () => {
    await client.appendToStream(`other-${stream}`, events(3))
    await client.appendToStream(stream, events(3))
    const checkpoints: bigint[] = []
    const filter = streamNameFilter({
      prefixes: [stream],
      checkpointReached: async (_, position) => void checkpoints.push(position.commit),
    })
    const { said, until } = heard(client.subscribeToAll({ filter }))
    await until(has('caught up'))
    expect(said).toEqual([0, 1, 2, 'caught up'])
    expect(checkpoints.length).toBeGreaterThan(0)
    await client.appendToStream(`other-${stream}`, event({ data: { n: 7 } }))
    await client.appendToStream(`${stream}-b`, event({ data: { n: 8 } }))
    await until(has(8))
    expect(said).toEqual([0, 1, 2, 'caught up', 8])
  })

  test('by a regular expression on the type, unanchored', async () => {
    const type = `Type${randomUUID()}`
    await client.appendToStream(stream, [
      event({ type: `My${type}`, data: { n: 1 } }),
      event({ data: { n: 2 } }),
      event({ type, data: { n: 3 } }),
    ])
    const { said, until } = heard(client.subscribeToAll({ filter: eventTypeFilter({ regex: type }) }))
    await until(has('caught up'))
    expect(said).toEqual([1, 3, 'caught up'])
  })

  test('from a position is exclusive', async () => {
    await client.appendToStream(stream, events(3))
    const fromPosition = (await readOf(stream))[1]!.event!.position!
    const { said, until } = heard(
      client.subscribeToAll({ fromPosition, filter: streamNameFilter({ prefixes: [stream] }) }),
    )
    await until(has('caught up'))
    expect(said).toEqual([2, 'caught up'])
  })

  test('a checkpoint comes after each window times interval, and is a place to go on from', async () => {
    const checkpoints: { commit: bigint; prepare: bigint }[] = []
    const filter = streamNameFilter({
      prefixes: [stream],
      maxSearchWindow: 2,
      checkpointInterval: 2,
      checkpointReached: async (_, position) => void checkpoints.push(position),
    })
    const { until } = heard(client.subscribeToAll({ fromPosition: END, filter }))
    await until(has('caught up'))
    const before = checkpoints.length
    for (let n = 0; n < 8; n++) await client.appendToStream(`other-${stream}`, event())
    await client.appendToStream(stream, event({ data: { n: 1 } }))
    await until(has(1))
    expect(checkpoints.length - before).toBe(2)
    const resumed = heard(
      client.subscribeToAll({ fromPosition: checkpoints.at(-1)!, filter: streamNameFilter({ prefixes: [stream] }) }),
    )
    await resumed.until(has('caught up'))
    expect(resumed.said).toEqual([1, 'caught up'])
  })

  test('a position where no event is, is an error', async () => {
    const { position } = await client.appendToStream(stream, event())
    const fromPosition = { commit: position!.commit - 1n, prepare: position!.prepare - 1n }
    await failure(heard(client.subscribeToAll({ fromPosition })).until(() => false))
  })

  test('catching up while others write: gapless, in order, once', async () => {
    const total = 600
    const filter = streamNameFilter({ prefixes: [stream] })
    await client.appendToStream(stream, events(200))
    const writing = (async () => {
      for (let n = 200; n < total; n += 4)
        await client.appendToStream(
          stream,
          Array.from({ length: 4 }, (_, k) => event({ data: { n: n + k } })),
        )
    })()
    const starts = [0, 1, 2].map(() => heard(client.subscribeToAll({ filter })))
    await writing
    for (const { said, until } of starts) {
      await until(has(total - 1))
      expect(said.filter(word => word !== 'caught up')).toEqual(Array.from({ length: total }, (_, n) => n))
    }
  })
})
