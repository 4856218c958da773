// The gRPC services: which calls there are, and how each reaches the store.
import { GossipService } from '@eventstore/db-client/generated/gossip_grpc_pb'
import { ClusterInfo, EndPoint, MemberInfo } from '@eventstore/db-client/generated/gossip_pb'
import { MonitoringService } from '@eventstore/db-client/generated/monitoring_grpc_pb'
import { OperationsService } from '@eventstore/db-client/generated/operations_grpc_pb'
import { ScavengeResp, type StartScavengeReq } from '@eventstore/db-client/generated/operations_pb'
import { PersistentSubscriptionsService } from '@eventstore/db-client/generated/persistent_grpc_pb'
import { ProjectionsService } from '@eventstore/db-client/generated/projections_grpc_pb'
import { ServerFeaturesService } from '@eventstore/db-client/generated/serverfeatures_grpc_pb'
import { SupportedMethod, SupportedMethods } from '@eventstore/db-client/generated/serverfeatures_pb'
import { type Empty, UUID } from '@eventstore/db-client/generated/shared_pb'
import { StreamsService } from '@eventstore/db-client/generated/streams_grpc_pb'
import {
  BatchAppendReq,
  type DeleteReq,
  type ReadReq,
  type TombstoneReq,
} from '@eventstore/db-client/generated/streams_pb'
import { UsersService } from '@eventstore/db-client/generated/users_grpc_pb'
import {
  status,
  type Server,
  type ServiceDefinition,
  type UntypedHandleCall,
  type UntypedServiceImplementation,
  type handleServerStreamingCall,
  type handleUnaryCall,
} from '@grpc/grpc-js'
import { BatchCalls, appendCall } from './append-calls'
import { type BatchChunk, readBatchChunk } from './batch-messages'
import { Refusal, toServiceError, unsupported } from './errors'
import { Unfinished } from './incoming'
import { type OnMessage } from './listener'
import type { LiveTail } from './live'
import type { EventLog } from './log'
import type { ExpectedRevision } from './model'
import { Outlet, type ReadCall } from './outlet'
import { deleteAnswer, parseDelete, parseRead, tombstoneAnswer } from './protocol'
import { readAll, readStream } from './reads'
import { subscribeToAll, subscribeToStream } from './subscriptions'
import type { Scavenge } from './scavenge'
import type { Appended, Writes } from './writes'

/** Batches are read without a message in between; whoever listens gets one made for it. */
const heard =
  (onMessage: OnMessage | undefined) =>
  (bytes: Buffer): BatchChunk => {
    onMessage?.(StreamsService.batchAppend.path, BatchAppendReq.deserializeBinary(bytes))
    return readBatchChunk(bytes)
  }

export type Store = { log: EventLog; live: LiveTail; writes: Writes; scavenge: Scavenge }

/** What the client is told; its features of 21.10 and later are keyed by the methods below, not by this. */
const SERVER_VERSION = '24.2.0'

/** Adds all services. Calling the result ends reads and subscriptions with CANCELLED, batch appends once answered. */
export function addServices(server: Server, store: Store, onMessage?: OnMessage): () => void {
  const reads = new Set<ReadCall>()
  const unfinished = new Unfinished()
  const batches = new BatchCalls(store.writes, unfinished)
  // A read's answers are stored as they are sent, and a batch's are written as bytes: nothing is left to serialise.
  const responseSerialize = (answer: Buffer) => answer
  const streams = {
    ...StreamsService,
    read: { ...StreamsService.read, responseSerialize },
    batchAppend: { ...StreamsService.batchAppend, requestDeserialize: heard(onMessage), responseSerialize },
  }
  server.addService(streams, {
    read: readCall(store, reads) as UntypedHandleCall,
    append: appendCall(store.writes, unfinished) as UntypedHandleCall,
    batchAppend: batches.handle as UntypedHandleCall,
    delete: deletionCall((...which) => store.writes.delete(...which), deleteAnswer) as UntypedHandleCall,
    tombstone: deletionCall((...which) => store.writes.tombstone(...which), tombstoneAnswer) as UntypedHandleCall,
  })
  server.addService(ServerFeaturesService, { getSupportedMethods })
  server.addService(GossipService, { read: gossip })
  for (const [what, service] of Object.entries(ABSENT)) server.addService(service, refusing(service, what))
  server.addService(OperationsService, {
    ...refusing(OperationsService, 'operation but scavenging'),
    startScavenge: startScavenge(store.scavenge),
  })
  return () => {
    batches.close()
    for (const call of reads) fail(call, new Refusal(status.CANCELLED, 'The embedded event store is closing.'))
  }
}

const ABSENT = {
  'persistent subscriptions': PersistentSubscriptionsService,
  'server-side projections': ProjectionsService,
  'monitoring over gRPC': MonitoringService,
  'user management': UsersService,
}

function readCall({ log, live }: Store, reads: Set<ReadCall>): handleServerStreamingCall<ReadReq, Buffer> {
  return call => {
    reads.add(call)
    // Cancelling does not always close the call; whoever waits for news must see it.
    call.once('cancelled', () => live.wake())
    answer(call)
      .then(
        () => call.end(),
        (error: unknown) => fail(call, error),
      )
      .finally(() => reads.delete(call))
  }

  async function answer(call: ReadCall): Promise<void> {
    const request = parseRead(call.request)
    const outlet = new Outlet(call, log, request)
    const { stream, limit } = request
    if (limit === undefined)
      return stream === undefined
        ? subscribeToAll(log, live, outlet, request)
        : subscribeToStream(log, live, outlet, { ...request, stream })
    return stream === undefined
      ? readAll(log, outlet, { ...request, limit })
      : readStream(log, outlet, { ...request, stream, limit })
  }
}

function deletionCall<Answer>(
  write: (stream: string, expected: ExpectedRevision) => Promise<Appended>,
  answer: (appended: Appended) => Answer,
): handleUnaryCall<DeleteReq | TombstoneReq, Answer> {
  async function deleted(request: DeleteReq | TombstoneReq): Promise<Answer> {
    const { stream, expected } = parseDelete(request)
    return answer(await write(stream, expected))
  }
  return (call, reply) => {
    deleted(call.request).then(
      answer => reply(null, answer),
      (error: unknown) => reply(toServiceError(error)),
    )
  }
}

const getSupportedMethods: handleUnaryCall<Empty, SupportedMethods> = (_call, reply) => {
  const methods = new SupportedMethods().setEventStoreServerVersion(SERVER_VERSION)
  for (const service of [StreamsService, GossipService, ServerFeaturesService])
    for (const { path } of Object.values(service) as { path: string }[]) {
      const [, serviceName, methodName] = path.split('/') as [string, string, string]
      methods.addMethods(new SupportedMethod().setServiceName(serviceName).setMethodName(methodName.toLowerCase()))
    }
  reply(null, methods)
}

/** A cluster of one, which leads. It has no network address: its clients know the socket. */
const gossip: handleUnaryCall<Empty, ClusterInfo> = (call, reply) => {
  const member = new MemberInfo()
    .setInstanceId(new UUID().setString('00000000-0000-0000-0000-000000000000'))
    .setTimeStamp(`${Date.now()}0000`)
    .setState(MemberInfo.VNodeState.LEADER)
    .setIsAlive(true)
    .setHttpEndPoint(new EndPoint().setAddress(call.getHost()).setPort(0))
  reply(null, new ClusterInfo().setMembersList([member]))
}

function startScavenge(scavenge: Scavenge): handleUnaryCall<StartScavengeReq, ScavengeResp> {
  return (_call, reply) => {
    try {
      const { id, isNew } = scavenge.start()
      const { STARTED, INPROGRESS } = ScavengeResp.ScavengeResult
      reply(null, new ScavengeResp().setScavengeId(id).setScavengeResult(isNew ? STARTED : INPROGRESS))
    } catch (error) {
      reply(toServiceError(error))
    }
  }
}

/** Handlers that answer every call of a service with what is missing. */
function refusing(service: ServiceDefinition, what: string): UntypedServiceImplementation {
  const unary = (_call: unknown, reply: (error: unknown) => void) => reply(toServiceError(unsupported(what)))
  const streaming = (call: ReadCall) => fail(call, unsupported(what))
  return Object.fromEntries(
    Object.entries(service).map(([name, { responseStream }]) => [
      name,
      (responseStream ? streaming : unary) as UntypedHandleCall,
    ]),
  )
}

function fail(call: ReadCall, error: unknown): void {
  if (!call.cancelled && !call.writableEnded) call.emit('error', toServiceError(error))
}
