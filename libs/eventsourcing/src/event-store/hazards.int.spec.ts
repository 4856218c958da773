// Servers that misbehave: one that does not answer, one that answers what nobody waits for any more, one that dies while
// its client is still writing. Each call settles, and nothing is thrown where nobody can catch it (the runner fails then).
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { ServerFeaturesService } from '@eventstore/db-client/generated/serverfeatures_grpc_pb'
import { SupportedMethod, SupportedMethods } from '@eventstore/db-client/generated/serverfeatures_pb'
import { UUID } from '@eventstore/db-client/generated/shared_pb'
import { StreamsService } from '@eventstore/db-client/generated/streams_grpc_pb'
import { type BatchAppendReq, BatchAppendResp } from '@eventstore/db-client/generated/streams_pb'
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type sendUnaryData,
  type ServerUnaryCall,
} from '@grpc/grpc-js'
import { v4 } from 'uuid'
import { Unavailable } from '../errors'
import { type EventLog, type EventToAppend } from '../event-log'
import { eventually } from '../testing/store.fixture.spec'
import { connectEventLog } from './event-store-log'

type BatchCall = ServerDuplexStream<BatchAppendReq, BatchAppendResp>

let folder: string
let server: Server
let log: EventLog
const lines: string[] = []
/** What the server does with a request for an append. */
let onAppend: (call: BatchCall, request: BatchAppendReq) => void
/** What it does with a read. */
let onRead: (call: { end(): void }) => void

const serve = async () => {
  server = new Server()
  const methods = new SupportedMethods()
  const batch = new SupportedMethod()
  batch.setServiceName('event_store.client.streams.Streams')
  batch.setMethodName('batchappend')
  methods.setMethodsList([batch])
  server.addService(ServerFeaturesService, {
    getSupportedMethods: (_: ServerUnaryCall<unknown, unknown>, answer: sendUnaryData<SupportedMethods>) =>
      answer(null, methods),
  })
  server.addService(StreamsService, {
    batchAppend: (call: BatchCall) => {
      call.on('data', (request: BatchAppendReq) => onAppend(call, request))
      call.on('error', () => undefined)
    },
    read: (call: { end(): void }) => onRead(call),
  })
  await new Promise<void>((resolve, reject) => {
    const credentials = ServerCredentials.createInsecure()
    server.bindAsync(`unix:${folder}/es.sock`, credentials, error => (error ? reject(error) : resolve()))
  })
}
const answer = (id: UUID | undefined): BatchAppendResp => {
  const success = new BatchAppendResp.Success()
  success.setCurrentRevision('0')
  const response = new BatchAppendResp()
  response.setCorrelationId(id)
  response.setSuccess(success)
  return response
}
const event = (data: object = { n: 1 }): EventToAppend => {
  const metadata = { $correlationId: 'c', $causationId: 'd', commandId: 'e', fingerprint: 'f', actor: 'a', at: 'now' }
  return { id: v4(), type: 'Happened', data, metadata }
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stet-'))
  onAppend = () => undefined
  onRead = () => undefined
  await serve()
  lines.length = 0
  log = connectEventLog({ url: `unix:${folder}/es.sock`, log: line => lines.push(line) })
})
afterEach(async () => {
  await log.close()
  server.forceShutdown()
  rmSync(folder, { recursive: true, force: true })
})

test('a frozen server: appends, reads and subscriptions end by themselves, and appending starts on a new connection', async () => {
  const started = performance.now()
  const follow = async () => {
    for await (const _ of log.subscribe({ after: null, signal: new AbortController().signal }));
  }
  const results = await Promise.allSettled([log.append('a-1', -1, [event()]), log.lastOf('a-1'), follow()])
  expect(results.map(result => result.status === 'rejected' && (result.reason as unknown))).toEqual([
    expect.any(Unavailable),
    expect.any(Unavailable),
    expect.any(Unavailable),
  ])
  expect(performance.now() - started).toBeLessThan(8000)
  expect(await log.ping()).toBe(false)
  expect(lines).toEqual(['the connection to the event store is opened anew for appending'])
}, 20_000)

test('an answer that nobody waits for any more is noted and does no harm', async () => {
  onAppend = (call, request) => {
    const unknown = new UUID()
    unknown.setString(v4())
    call.write(answer(unknown))
    // No position: how the store answers for a deleted stream.
    call.write(answer(request.getCorrelationId()))
  }
  await expect(log.append('a-1', -1, [event()])).rejects.toThrow('a-1 is deleted')
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/answered an append that was given up before/)
})

test('a server that dies while hundreds of large appends are on their way: each one settles', async () => {
  let requests = 0
  onAppend = call => {
    // Stop reading, so that the writes pile up in the client.
    if (++requests === 3) call.pause()
  }
  const large = { text: 'x'.repeat(200_000) }
  const results = Promise.allSettled(Array.from({ length: 300 }, (_, n) => log.append(`a-${n}`, -1, [event(large)])))
  await eventually(() => requests >= 3)
  server.forceShutdown()
  for (const result of await results) {
    expect(result).toEqual({ status: 'rejected', reason: expect.any(Unavailable) })
  }
}, 30_000)

test('a subscription that the server ends is an error, not an end', async () => {
  onRead = call => call.end()
  const follow = async () => {
    for await (const _ of log.subscribe({ after: null, signal: new AbortController().signal }));
  }
  await expect(follow()).rejects.toThrow(Unavailable)
})
