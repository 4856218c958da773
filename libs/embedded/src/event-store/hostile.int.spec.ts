// Clients that misbehave get an error or nothing; the others are served.
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect as connectHttp2, constants, type ClientHttp2Session } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  BACKWARDS,
  END,
  EventStoreDBClient,
  StreamNotFoundError,
  binaryEvent,
  eventTypeFilter,
  jsonEvent,
  persistentSubscriptionToStreamSettingsFromDefaults,
  type AllStreamResolvedEvent,
  type Filter,
} from '@eventstore/db-client'
import { Empty, StreamIdentifier, UUID } from '@eventstore/db-client/generated/shared_pb'
import { StreamsClient, StreamsService } from '@eventstore/db-client/generated/streams_grpc_pb'
import {
  AppendReq,
  BatchAppendReq,
  ReadReq,
  type BatchAppendResp,
  type ReadResp,
} from '@eventstore/db-client/generated/streams_pb'
import { Client, credentials, status, type ClientReadableStream, type ServiceError } from '@grpc/grpc-js'
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { Empty as GoogleEmpty } from 'google-protobuf/google/protobuf/empty_pb'
import { startEventStore, type RunningStore } from './index'
import { LiveTail } from './live'

let folder: string
let socketPath: string
let store: RunningStore
let client: EventStoreDBClient
let raw: StreamsClient

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stet-test-'))
  socketPath = join(folder, 'events.sock')
  store = await startEventStore({ socketPath, directory: join(folder, 'events') })
  client = new EventStoreDBClient({ endpoint: `unix:${socketPath}` }, { insecure: true })
  raw = new StreamsClient(`unix:${socketPath}`, credentials.createInsecure())
})
afterEach(async () => {
  raw.close()
  await client.dispose()
  await store.close()
  rmSync(folder, { recursive: true })
})

const event = () => jsonEvent({ type: 'Tested', data: {} })
async function isServed(): Promise<boolean> {
  return (await client.appendToStream(randomUUID(), event())).success
}
const failure = (attempt: Promise<unknown>): Promise<Error> =>
  attempt.then(
    () => {
      throw new Error('it succeeded')
    },
    (error: Error) => error,
  )

const GRPC_HEADERS = { 'content-type': 'application/grpc', te: 'trailers' }
/** A message as it goes over the wire. */
function framed(message: Uint8Array): Buffer {
  const header = Buffer.alloc(5)
  header.writeUInt32BE(message.length, 1)
  return Buffer.concat([header, message])
}
const wholeLog = () =>
  new ReadReq.Options()
    .setAll(new ReadReq.Options.AllOptions().setStart(new Empty()))
    .setSubscription(new ReadReq.Options.SubscriptionOptions())
    .setNoFilter(new Empty())
    .setUuidOption(new ReadReq.Options.UUIDOption().setString(new Empty()))

/** Bytes of buffers that something still holds. */
function heldBuffers(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  return process.memoryUsage().arrayBuffers
}

const message = (id: string, type?: string) => {
  const proposed = new BatchAppendReq.ProposedMessage().setId(new UUID().setString(id))
  if (type !== undefined) proposed.getMetadataMap().set('type', type).set('content-type', 'application/json')
  return proposed
}

test('a thousand connections, some of which send noise, take nothing from the others', async () => {
  const sockets: Socket[] = []
  for (let n = 0; n < 1_000; n++) {
    const socket = connect(socketPath).on('error', () => {})
    await once(socket, 'connect')
    if (n % 10 === 0) socket.write(randomBytes(4_096))
    sockets.push(socket)
  }
  expect(await isServed()).toBe(true)
  for (const socket of sockets) socket.destroy()
})

test('a reader that never reads holds up neither writers nor other readers, and little is kept for it', async () => {
  const filler = 'x'.repeat(100_000)
  for (let n = 0; n < 40; n++)
    await client.appendToStream(
      'large',
      Array.from({ length: 10 }, () => jsonEvent({ type: 'Large', data: { filler } })),
    )
  const options = wholeLog()
  global.gc?.()
  const before = process.memoryUsage()
  const idle: ClientReadableStream<ReadResp>[] = []
  for (let n = 0; n < 20; n++) {
    const reading = raw.read(new ReadReq().setOptions(options))
    reading.on('error', () => {})
    // Metadata arrives: the server has begun to answer; nothing is read from here on.
    await once(reading, 'metadata')
    reading.pause()
    idle.push(reading)
  }
  for (let n = 0; n < 20; n++) expect(await isServed()).toBe(true)
  let read = 0
  for await (const _ of client.readStream('large')) read++
  expect(read).toBe(400)
  const after = process.memoryUsage()
  // Twenty times the log would be 800 MB; both ends of all calls are in this process.
  expect(after.rss - before.rss).toBeLessThan(300 * 1_048_576)
  for (const reading of idle) reading.cancel()
})

test('events of 1 MB are kept one at a time for each reader that never reads', async () => {
  for (let n = 0; n < 30; n++)
    await client.appendToStream('huge', jsonEvent({ type: 'Huge', data: { filler: 'x'.repeat(1_000_000) } }))
  // Its memory of the newest events would give each reader the same bytes.
  await store.close()
  store = await startEventStore({ socketPath, directory: join(folder, 'events') })
  const held = heldBuffers()
  const idle: ClientHttp2Session[] = []
  for (let n = 0; n < 20; n++) {
    // One that takes what the first window has room for, and never more.
    const session = connectHttp2('http://localhost', { createConnection: () => connect(socketPath) })
    idle.push(session)
    const reading = session.request({ ':method': 'POST', ':path': StreamsService.read.path, ...GRPC_HEADERS })
    reading.end(framed(new ReadReq().setOptions(wholeLog()).serializeBinary()))
    await once(reading, 'readable')
  }
  for (let n = 0; n < 100; n++) expect(await isServed()).toBe(true)
  // A page of the log for each, and one answer on its way.
  expect(heldBuffers() - held).toBeLessThan(20 * 4 * 1_048_576)
  for (const session of idle) session.destroy()
})

/** An append in one message, with metadata of so many bytes. */
const wholeAppend = (metadata = 0) =>
  new BatchAppendReq()
    .setCorrelationId(new UUID().setString(randomUUID()))
    .setIsFinal(true)
    .setOptions(
      new BatchAppendReq.Options()
        .setStreamIdentifier(new StreamIdentifier().setStreamName(Buffer.from('deaf')))
        .setAny(new GoogleEmpty()),
    )
    .setProposedMessagesList([message(randomUUID(), 'T').setCustomMetadata(new Uint8Array(metadata))])

test('a writer that never reads its answers is read no further; others are served', async () => {
  const SENT = 20_000
  const call = raw.batchAppend()
  call.on('error', () => {})
  // One answer is taken: only then does pausing keep this client from taking more off the socket.
  call.once('data', () => call.pause())
  for (let n = 0; n < SENT; n++) call.write(wholeAppend())
  // It has stopped when a hundred appends of another client pass and none of its own.
  let taken = -1
  for (let last = -2; taken !== last;) {
    last = taken
    for (let n = 0; n < 100; n++) expect(await isServed()).toBe(true)
    for await (const { event } of client.readStream('deaf', { direction: BACKWARDS, fromRevision: END, maxCount: 1 }))
      taken = Number(event!.revision)
  }
  expect(taken).toBeGreaterThan(0)
  expect(taken).toBeLessThan(SENT / 2)
  call.cancel()
})

test('of writers that never read their answers few whole messages are kept, of all together a bounded number of bytes', async () => {
  const append = (metadata: number) => framed(wholeAppend(metadata).serializeBinary())
  const large = append(15 * 1_048_576)
  const held = heldBuffers()
  const sockets = Array.from({ length: 20 }, () => connect(socketPath))
  const calls = sockets.map(socket => {
    const session = connectHttp2('http://localhost', {
      createConnection: () => socket,
      settings: { initialWindowSize: 0 },
    })
    session.on('error', () => {})
    const call = session.request({ ':method': 'POST', ':path': StreamsService.batchAppend.path, ...GRPC_HEADERS })
    return call.on('error', () => {})
  })
  /** They have stopped when appends of another client pass and nothing is sent. */
  const stopped = async () => {
    const bytesSent = () => sockets.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0)
    for (let last = -1; last !== bytesSent();) {
      last = bytesSent()
      for (let n = 0; n < 20; n++) expect(await isServed()).toBe(true)
    }
  }
  for (const call of calls) for (let n = 0; n < 40; n++) call.write(append(0))
  await stopped()
  for (const call of calls) {
    for (let n = 0; n < 2; n++) call.write(large)
    await stopped()
  }
  expect(heldBuffers() - held).toBeLessThan(200 * 1_048_576)
  for (const socket of sockets) socket.destroy()
})

test('appends that are begun and never finished hold a bounded number of bytes, and give them back', async () => {
  const half = () =>
    new BatchAppendReq()
      .setCorrelationId(new UUID().setString(randomUUID()))
      .setProposedMessagesList([message(randomUUID(), 'T').setData(new Uint8Array(4 * 1_048_576))])
  const whole = () =>
    half()
      .setIsFinal(true)
      .setOptions(
        new BatchAppendReq.Options()
          .setStreamIdentifier(new StreamIdentifier().setStreamName(Buffer.from('s')))
          .setAny(new GoogleEmpty()),
      )
  const calls = [raw.batchAppend(), raw.batchAppend()] as const
  for (const call of calls) call.on('error', () => {})
  for (let n = 0; n < 15; n++) calls[0].write(half())
  const answered = async (request: BatchAppendReq): Promise<BatchAppendResp> => {
    calls[1].write(request)
    const [answer] = (await once(calls[1], 'data')) as [BatchAppendResp]
    return answer
  }
  // One more would be too large by itself; what tells the two refusals apart is who is told to try again.
  let refusal = await answered(whole())
  while (!refusal.getError()!.getMessage().includes('Try again')) refusal = await answered(whole())
  expect(await isServed()).toBe(true)
  calls[0].cancel()
  do refusal = await answered(whole())
  while (refusal.getError()!.getMessage().includes('Try again'))
  expect(refusal.getError()!.getMessage()).toContain('1048576 bytes')
  calls[1].cancel()
})

test('bytes that are no message end their call with an error, and no other', async () => {
  const identity = (bytes: Buffer) => bytes
  const bytesOnly = new Client(`unix:${socketPath}`, credentials.createInsecure())
  for (const noise of [Buffer.from([0x0a, 0xff, 0xff, 0xff, 0x7f]), randomBytes(3_000), Buffer.alloc(100, 0xff)]) {
    const path = '/event_store.client.streams.Streams/BatchAppend'
    const call = bytesOnly.makeBidiStreamRequest(path, identity, identity)
    const failed = once(call, 'error') as Promise<[ServiceError]>
    call.resume().write(noise)
    expect([status.INTERNAL, status.INVALID_ARGUMENT]).toContain((await failed)[0].code)
    const read = once(
      bytesOnly.makeServerStreamRequest('/event_store.client.streams.Streams/Read', identity, identity, noise).resume(),
      'error',
    ) as Promise<[ServiceError]>
    expect((await read)[0].code).toBeGreaterThan(0)
  }
  expect(await isServed()).toBe(true)
  bytesOnly.close()
})

test('messages that never end are held up to a bound; whoever goes on sending is served', async () => {
  const held = heldBuffers()
  const sessions: ClientHttp2Session[] = []
  let ended = 0
  for (let n = 0; n < 20; n++) {
    const session = connectHttp2('http://localhost', { createConnection: () => connect(socketPath) })
    sessions.push(session)
    const call = session.request({ ':method': 'POST', ':path': StreamsService.batchAppend.path, ...GRPC_HEADERS })
    call.on('error', () => {})
    const closed = new Promise<void>(resolve => call.once('close', () => resolve()))
    void closed.then(() => ended++)
    const message = framed(new Uint8Array(19 * 1_048_576))
    const sent = new Promise<void>(resolve => call.write(message.subarray(0, 18 * 1_048_576), () => resolve()))
    await Promise.race([sent, closed])
  }
  expect(ended).toBeGreaterThan(0)
  const large = jsonEvent({ type: 'Large', data: { filler: 'x'.repeat(1_000_000) } })
  for (let n = 0; n < 20; n++) expect(await client.appendToStream('large', large)).toMatchObject({ success: true })
  expect(heldBuffers() - held).toBeLessThan(300 * 1_048_576)
  for (const session of sessions) session.destroy()
})

test('an append whose client is gone before its end is not stored, nothing of it', async () => {
  const streams: string[] = []
  for (let n = 0; n < 20; n++) {
    const stream = `gone-${n}`
    streams.push(stream)
    const socket = connect(socketPath)
    const session = connectHttp2('http://localhost', { createConnection: () => socket })
    session.on('error', () => {})
    const call = session.request({ ':method': 'POST', ':path': StreamsService.append.path, ...GRPC_HEADERS })
    call.on('error', () => {})
    const options = new AppendReq.Options()
      .setStreamIdentifier(new StreamIdentifier().setStreamName(Buffer.from(stream)))
      .setAny(new Empty())
    call.write(framed(new AppendReq().setOptions(options).serializeBinary()))
    for (let event = 0; event < 5; event++) {
      const proposed = new AppendReq.ProposedMessage().setId(new UUID().setString(randomUUID()))
      proposed.getMetadataMap().set('type', 'T').set('content-type', 'application/json')
      await new Promise(resolve =>
        call.write(framed(new AppendReq().setProposedMessage(proposed).serializeBinary()), resolve),
      )
    }
    // The server has them: it answers what came after.
    await new Promise<void>((resolve, reject) => session.ping(error => (error ? reject(error) : resolve())))
    if (n % 2 === 0) socket.destroy()
    else call.close(constants.NGHTTP2_CANCEL)
    await new Promise(resolve => (call.closed ? resolve(null) : call.once('close', resolve)))
    expect(await isServed()).toBe(true)
    session.destroy()
  }
  for (const stream of streams)
    expect([stream, await failure(client.readStream(stream)[Symbol.asyncIterator]().next())]).toEqual([
      stream,
      expect.any(StreamNotFoundError),
    ])
})

test('a message beyond any append is refused by its length, before it is taken', async () => {
  const call = raw.batchAppend()
  const failed = once(call, 'error') as Promise<[ServiceError]>
  call
    .resume()
    .write(
      new BatchAppendReq()
        .setCorrelationId(new UUID().setString(randomUUID()))
        .setProposedMessagesList([message(randomUUID(), 'T').setData(new Uint8Array(21 * 1_048_576))]),
    )
  expect((await failed)[0].code).toBe(status.RESOURCE_EXHAUSTED)
  expect(await isServed()).toBe(true)
})

test('an expression that would run for ever ends; one that could is refused', async () => {
  await client.appendToStream('s', jsonEvent({ type: `${'a'.repeat(40)}b`, data: {} }))
  const endless = client.subscribeToAll({ filter: eventTypeFilter({ regex: '^(a+)+$' }) })
  await once(endless, 'caughtUp')
  await endless.unsubscribe()
  const refusal = async (filter: Filter) => {
    const refused = client.subscribeToAll({ filter })
    const [error] = (await once(refused.resume(), 'end').catch((error: unknown) => [error])) as [Error]
    return error.message
  }
  const cannot = String.raw`(?=a)^(a+)+$ \Aa a\z \p{L} [a-z-[b]] []a] \e \1 (?i)a`.split(' ')
  for (const regex of cannot) expect(await refusal(eventTypeFilter({ regex }))).toContain('linear time')
  expect(await refusal(eventTypeFilter({ regex: 'a|'.repeat(3_000) }))).toContain('4096 characters')
  expect(await refusal(eventTypeFilter({ prefixes: Array<string>(1_001).fill('a') }))).toContain('1000 prefixes')
})

test('a filter that takes long over each event gives way to the others, and refuses what would take too long', async () => {
  for (let n = 0; n < 30; n++) await client.appendToStream('s', jsonEvent({ type: 'a'.repeat(1_000), data: {} }))
  const dear = eventTypeFilter({ regex: `${'a*'.repeat(500)}b` })
  const slow = client.subscribeToAll({ filter: dear })
  slow.on('data', () => {})
  const caughtUp = once(slow, 'caughtUp')
  const order: string[] = []
  await Promise.all([
    caughtUp.then(() => order.push('caught up')),
    // Once the server is at it, and long before it ends.
    once(slow, 'confirmation')
      .then(isServed)
      .then(() => order.push('served')),
  ])
  expect(order).toEqual(['served', 'caught up'])
  await slow.unsubscribe()
  await client.appendToStream('s', jsonEvent({ type: 'a'.repeat(4_000), data: {} }))
  const refused = client.subscribeToAll({ filter: dear })
  const [error] = (await once(refused.resume(), 'end').catch((error: unknown) => [error])) as [Error]
  expect(error.message).toContain('cannot compare')
  expect(await isServed()).toBe(true)
})

test.each([
  ['beyond ASCII, beside a class of letters', String.raw`^\w+$`, 'Ärger'],
  ['with an end of a line, beside an end', '^line$', 'line\n'],
])('a text %s is not compared as JavaScript would', async (_what, regex, type) => {
  await client.appendToStream('s', jsonEvent({ type, data: {} }))
  const refused = client.subscribeToAll({ filter: eventTypeFilter({ regex }) })
  const [error] = (await once(refused.resume(), 'end').catch((error: unknown) => [error])) as [Error]
  expect(error.message).toContain('cannot compare')
})

test('a name that can be none is missing, also as the target of a link', async () => {
  const link = (text: string) => binaryEvent({ type: '$>', data: Buffer.from(text) })
  await client.appendToStream('links', [link(`0@${'x'.repeat(9_000)}`), link('0@$$')])
  const resolved: unknown[] = []
  for await (const { event, link } of client.readStream('links', { resolveLinkTos: true }))
    resolved.push([event, link?.revision])
  expect(resolved).toEqual([
    [undefined, 0n],
    [undefined, 1n],
  ])
  for (const name of ['x'.repeat(5_000), '$$'])
    expect(await failure(client.readStream(name)[Symbol.asyncIterator]().next())).toBeInstanceOf(StreamNotFoundError)
})

test('a name that leaves no room for that of its metadata is refused; the longest one is deleted as any', async () => {
  const name = 'x'.repeat(1_976)
  for (let n = 0; n < 2; n++) {
    await client.appendToStream(name, event())
    await client.deleteStream(name)
  }
  const metadata: bigint[] = []
  for await (const { event } of client.readAll()) if (event!.streamId === `$$${name}`) metadata.push(event!.revision)
  expect(metadata).toEqual([0n, 1n, 2n])
  expect((await failure(client.appendToStream(`${name}x`, event()))).message).toContain('at most 1978 bytes')
})

test('what is refused is not stored: a stream without a name has no metadata', async () => {
  const seen: string[] = []
  const live = client.subscribeToAll({ fromPosition: END })
  live.on('data', ({ event }: AllStreamResolvedEvent) => seen.push(event!.streamId))
  await once(live, 'confirmation')
  expect((await failure(client.appendToStream('$$', [event(), event()]))).message).toContain('name')
  await client.appendToStream('after', event())
  while (!seen.includes('after')) await once(live, 'data')
  expect(seen).toEqual(['after'])
  const all: string[] = []
  for await (const { event } of client.readAll()) all.push(event!.streamId)
  expect(all).toEqual(['after'])
  await live.unsubscribe()
})

test('150 appends in chunks at once, as one client sends them', async () => {
  const events = () =>
    Array.from({ length: 10 }, () => jsonEvent({ type: 'Large', data: { filler: 'x'.repeat(2_000) } }))
  const appends = Array.from({ length: 150 }, (_, n) =>
    client.appendToStream(`chunked-${n}`, events(), { batchAppendSize: 3_000 }),
  )
  expect((await Promise.all(appends)).every(({ success }) => success)).toBe(true)
})

test('each malformed append of a batch call is refused by itself', async () => {
  const call = raw.batchAppend()
  const answers: BatchAppendResp[] = []
  call.on('data', (answer: BatchAppendResp) => answers.push(answer))
  const request = () => new BatchAppendReq().setCorrelationId(new UUID().setString(randomUUID())).setIsFinal(true)
  const target = () =>
    new BatchAppendReq.Options()
      .setStreamIdentifier(new StreamIdentifier().setStreamName(Buffer.from('s')))
      .setAny(new GoogleEmpty())
  const withoutExpectation = () => {
    const options = target()
    options.clearAny()
    return options
  }
  const malformed = [
    request(),
    request()
      .setOptions(target())
      .setProposedMessagesList([message('no-uuid', 'T')]),
    request()
      .setOptions(target())
      .setProposedMessagesList([message(randomUUID())]),
    request()
      .setOptions(target().setStreamIdentifier(new StreamIdentifier()))
      .setProposedMessagesList([message(randomUUID(), 'T')]),
    request()
      .setOptions(target().setStreamIdentifier(new StreamIdentifier().setStreamName(Buffer.alloc(2_000, 97))))
      .setProposedMessagesList([message(randomUUID(), 'T')]),
    request()
      .setOptions(withoutExpectation())
      .setProposedMessagesList([message(randomUUID(), 'T')]),
    request()
      .setOptions(target())
      .setProposedMessagesList([message(randomUUID(), 'T'.repeat(5_000))]),
    request().setOptions(target()).setCorrelationId(undefined),
    // Not the last of its append, which it cannot be told apart from.
    request()
      .setOptions(target())
      .setCorrelationId(new UUID().setString('x'.repeat(100)))
      .setIsFinal(false),
  ]
  for (const one of malformed) call.write(one)
  call.write(
    request()
      .setOptions(target())
      .setProposedMessagesList([message(randomUUID(), 'T')]),
  )
  call.end()
  await once(call, 'end')
  expect(answers.map(answer => answer.hasError())).toEqual([...malformed.map(() => true), false])
  expect(answers.slice(0, -1).map(answer => answer.getError()!.getCode() as number)).toEqual(malformed.map(() => 3))
  for (const answer of answers)
    expect(answer.getStreamIdentifier()!.getStreamName_asU8().length).toBeLessThanOrEqual(1_978)
  const stored: bigint[] = []
  for await (const { event } of client.readStream('s')) stored.push(event!.revision)
  expect(stored).toEqual([0n])
})

test('what the store does not have is refused with what to do', async () => {
  const settings = persistentSubscriptionToStreamSettingsFromDefaults({ startFrom: END })
  const error = await failure(client.createPersistentSubscriptionToStream('s', 'g', settings))
  expect(error.message).toContain(
    'UNIMPLEMENTED: The embedded event store has no persistent subscriptions. Point EVENTSTORE_URL at',
  )
})

test('a subscription whose client is gone ends although nothing is appended', async () => {
  const waiting = jest.spyOn(LiveTail.prototype, 'grownBeyond')
  const subscription = client.subscribeToAll()
  await once(subscription, 'caughtUp')
  while (waiting.mock.results.length === 0) await setImmediate()
  await subscription.unsubscribe()
  await Promise.all(waiting.mock.results.map(({ value }) => value as Promise<void>))
  waiting.mockRestore()
})

test('closing ends subscriptions, and appends in flight are answered or fail, never hang', async () => {
  const subscription = client.subscribeToAll()
  await once(subscription, 'caughtUp')
  const ended = once(subscription.resume(), 'end').catch((error: Error) => error)
  const appends = Array.from({ length: 50 }, () => client.appendToStream('s', event()).catch(() => 'failed'))
  await appends[0]
  await store.close()
  await Promise.all(appends)
  expect(await ended).toBeInstanceOf(Error)
  store = await startEventStore({ socketPath, directory: join(folder, 'events') })
})
