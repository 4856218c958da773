// What the official client does not send by itself and the protocol has: ids as two numbers, filtered reads of $all that
// end, gossip; and what is refused.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import { GossipClient } from '@eventstore/db-client/generated/gossip_grpc_pb'
import { MemberInfo, type ClusterInfo } from '@eventstore/db-client/generated/gossip_pb'
import { MonitoringService } from '@eventstore/db-client/generated/monitoring_grpc_pb'
import { OperationsService } from '@eventstore/db-client/generated/operations_grpc_pb'
import { PersistentSubscriptionsService } from '@eventstore/db-client/generated/persistent_grpc_pb'
import { ProjectionsService } from '@eventstore/db-client/generated/projections_grpc_pb'
import { ServerFeaturesClient } from '@eventstore/db-client/generated/serverfeatures_grpc_pb'
import type { SupportedMethods } from '@eventstore/db-client/generated/serverfeatures_pb'
import { Empty, StreamIdentifier, UUID } from '@eventstore/db-client/generated/shared_pb'
import { StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb'
import {
  AppendReq,
  BatchAppendReq,
  ReadReq,
  type AppendResp,
  type BatchAppendResp,
  type ReadResp,
} from '@eventstore/db-client/generated/streams_pb'
import { UsersService } from '@eventstore/db-client/generated/users_grpc_pb'
import { Client, credentials, status, type ServiceDefinition, type ServiceError } from '@grpc/grpc-js'
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { Empty as GoogleEmpty } from 'google-protobuf/google/protobuf/empty_pb'
import { startEventStore, type RunningStore } from '.'

let folder: string
let store: RunningStore
let client: EventStoreDBClient
let raw: StreamsClient
let address: string
let stream: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stet-test-'))
  const socketPath = join(folder, 'events.sock')
  address = `unix:${socketPath}`
  store = await startEventStore({ socketPath, directory: join(folder, 'events') })
  client = new EventStoreDBClient({ endpoint: address }, { insecure: true })
  raw = new StreamsClient(address, credentials.createInsecure())
})
afterAll(async () => {
  raw.close()
  await client.dispose()
  await store.close()
  rmSync(folder, { recursive: true })
})
beforeEach(() => {
  stream = `raw-${randomUUID()}`
})

const identifier = () => new StreamIdentifier().setStreamName(Buffer.from(stream))
const withContent = <T extends AppendReq.ProposedMessage | BatchAppendReq.ProposedMessage>(message: T, id: UUID): T => {
  message.setId(id).getMetadataMap().set('type', 'Tested').set('content-type', 'application/json')
  return message
}
/** An id as two numbers of 64 bits. */
const inTwo = (id: string): UUID => {
  const half = (from: number) => BigInt.asIntN(64, BigInt(`0x${id.replaceAll('-', '').slice(from, from + 16)}`))
  return new UUID().setStructured(
    new UUID.Structured().setMostSignificantBits(String(half(0))).setLeastSignificantBits(String(half(16))),
  )
}
const idsIn = async () => {
  const ids: string[] = []
  for await (const { event } of client.readStream(stream)) ids.push(event!.id)
  return ids
}

test('ids as two numbers are the same ids, in both kinds of append and as a correlation id', async () => {
  const ids = [randomUUID(), 'ffffffff-ffff-4fff-bfff-ffffffffffff', '00000000-0000-4000-8000-000000000001']
  const batch = raw.batchAppend()
  const correlationId = inTwo(randomUUID())
  const options = new BatchAppendReq.Options().setStreamIdentifier(identifier()).setNoStream(new GoogleEmpty())
  batch.write(
    new BatchAppendReq()
      .setCorrelationId(correlationId)
      .setOptions(options)
      .setProposedMessagesList(ids.map(id => withContent(new BatchAppendReq.ProposedMessage(), inTwo(id))))
      .setIsFinal(true),
  )
  const [answer] = (await once(batch, 'data')) as [BatchAppendResp]
  expect(answer.getCorrelationId()!.toObject()).toEqual(correlationId.toObject())
  expect(answer.getSuccess()!.getCurrentRevision()).toBe('2')
  batch.end()

  const last = randomUUID()
  await new Promise<AppendResp>((resolve, reject) => {
    const call = raw.append((error: ServiceError | null, response: AppendResp) =>
      error ? reject(error) : resolve(response),
    )
    call.write(new AppendReq().setOptions(new AppendReq.Options().setStreamIdentifier(identifier()).setRevision('2')))
    call.write(new AppendReq().setProposedMessage(withContent(new AppendReq.ProposedMessage(), inTwo(last))))
    call.end()
  })
  expect(await idsIn()).toEqual([...ids, last])
})

test('a read answers with ids in the form that was asked for', async () => {
  const id = randomUUID()
  await client.appendToStream(stream, jsonEvent({ id, type: 'Tested', data: {} }))
  const read = async (form: ReadReq.Options.UUIDOption) => {
    const [answer] = await readWith(
      new ReadReq.Options()
        .setStream(new ReadReq.Options.StreamOptions().setStreamIdentifier(identifier()).setStart(new Empty()))
        .setCount('10')
        .setUuidOption(form),
    )
    return answer!.getEvent()!.getEvent()!.getId()!.toObject()
  }
  const { UUIDOption } = ReadReq.Options
  expect(await read(new UUIDOption().setString(new Empty()))).toMatchObject({ string: id })
  expect(await read(new UUIDOption().setStructured(new Empty()))).toMatchObject(inTwo(id).toObject())
})

async function readWith(options: ReadReq.Options): Promise<ReadResp[]> {
  const call = raw.read(new ReadReq().setOptions(options))
  const answers: ReadResp[] = []
  call.on('data', (answer: ReadResp) => answers.push(answer))
  await once(call, 'end')
  return answers
}

test('a filtered read of $all has what matches, as many as asked for, both ways', async () => {
  for (let n = 0; n < 600; n++) {
    const type = `Numbered${n}`
    await client.appendToStream(n % 3 === 0 ? stream : `other-${stream}`, jsonEvent({ type, data: {} }))
  }
  const { AllOptions, FilterOptions, ReadDirection, UUIDOption } = ReadReq.Options
  const { Expression } = FilterOptions
  const read = async (filter: ReadReq.Options.FilterOptions, count: number, backwards: boolean) => {
    const all = backwards ? new AllOptions().setEnd(new Empty()) : new AllOptions().setStart(new Empty())
    const answers = await readWith(
      new ReadReq.Options()
        .setAll(all)
        .setReadDirection(backwards ? ReadDirection.BACKWARDS : ReadDirection.FORWARDS)
        .setCount(String(count))
        .setFilter(filter.setMax(32))
        .setUuidOption(new UUIDOption().setString(new Empty())),
    )
    return answers.map(answer => answer.getEvent()!.getEvent()!.getMetadataMap().get('type'))
  }
  const byStream = () => new FilterOptions().setStreamIdentifier(new Expression().setPrefixList(['no', stream]))
  expect(await read(byStream(), 1_000, false)).toEqual(Array.from({ length: 200 }, (_, n) => `Numbered${3 * n}`))
  expect(await read(byStream(), 3, true)).toEqual(['Numbered597', 'Numbered594', 'Numbered591'])
  const byType = new FilterOptions().setEventType(new Expression().setRegex('^Numbered1[0-2]$'))
  expect(await read(byType, 1_000, false)).toEqual(['Numbered10', 'Numbered11', 'Numbered12'])
  expect(await read(byType, 2, false)).toEqual(['Numbered10', 'Numbered11'])
})

test('gossip tells of one member, which leads; the features are those of the three services', async () => {
  const gossip = new GossipClient(address, credentials.createInsecure())
  const cluster = await new Promise<ClusterInfo>((resolve, reject) =>
    gossip.read(new Empty(), (error, answer) => (error ? reject(error) : resolve(answer))),
  )
  gossip.close()
  const members = cluster.getMembersList()
  expect(members.map(member => [member.getState(), member.getIsAlive()])).toEqual([
    [MemberInfo.VNodeState.LEADER, true],
  ])
  const features = new ServerFeaturesClient(address, credentials.createInsecure())
  const supported = await new Promise<SupportedMethods>((resolve, reject) =>
    features.getSupportedMethods(new Empty(), (error, answer) => (error ? reject(error) : resolve(answer))),
  )
  features.close()
  const methods = supported.getMethodsList().map(method => method.getMethodName())
  expect(methods).toEqual(expect.arrayContaining(['batchappend', 'append', 'read', 'delete', 'tombstone']))
  expect(methods).not.toContain('replayparked')
})

const absent: [string, ServiceDefinition][] = [
  ['persistent subscriptions', PersistentSubscriptionsService],
  ['server-side projections', ProjectionsService],
  ['monitoring over gRPC', MonitoringService],
  ['user management', UsersService],
  ['operation but scavenging', OperationsService],
]

test.each(absent)('every call of %s is UNIMPLEMENTED and says what to do', async (what, service) => {
  const any = new Client(address, credentials.createInsecure())
  const calls = Object.entries(service).filter(([name]) => name !== 'startScavenge')
  expect(calls.length).toBeGreaterThan(0)
  for (const [, { path, requestStream, responseStream }] of calls) {
    const nothing = () => Buffer.of()
    const error = await new Promise<ServiceError>((resolve, reject) => {
      const answered = (failed: ServiceError | null) =>
        failed ? resolve(failed) : reject(new Error(`${path} answered`))
      if (requestStream) any.makeBidiStreamRequest(path, nothing, nothing).on('error', answered).resume().end()
      else if (responseStream) any.makeServerStreamRequest(path, nothing, nothing, null).on('error', answered).resume()
      else any.makeUnaryRequest(path, nothing, nothing, null, answered)
    })
    expect([path, error.code]).toEqual([path, status.UNIMPLEMENTED])
    expect(error.message).toContain(`The embedded event store has no ${what}. Point EVENTSTORE_URL at`)
  }
  any.close()
})
