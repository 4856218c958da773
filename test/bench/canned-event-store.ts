// What the event store is measured against: a gRPC server that keeps nothing and looks at nothing, and answers with
// messages that were made beforehand. SOCKET COUNT: a read of $all, or a subscription to it, has COUNT events of 1 KB.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { ServerFeaturesService } from '@eventstore/db-client/generated/serverfeatures_grpc_pb'
import { SupportedMethod, SupportedMethods } from '@eventstore/db-client/generated/serverfeatures_pb'
import { AllStreamPosition, StreamIdentifier, UUID } from '@eventstore/db-client/generated/shared_pb'
import { StreamsService } from '@eventstore/db-client/generated/streams_grpc_pb'
import { BatchAppendResp, type ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb'
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerWritableStream,
  type UntypedHandleCall,
  type handleUnaryCall,
} from '@grpc/grpc-js'

const [socketPath, count] = process.argv.slice(2)

const bytesOf = (message: { serializeBinary(): Uint8Array }): Buffer => Buffer.from(message.serializeBinary())

const eventAnswer = (): Buffer => {
  const event = new ReadResp.ReadEvent.RecordedEvent()
    .setId(new UUID().setString(randomUUID()))
    .setStreamIdentifier(new StreamIdentifier().setStreamName(Buffer.from(`bench-${randomUUID()}`)))
    .setStreamRevision('0')
    .setCommitPosition('1000000')
    .setPreparePosition('1000000')
    .setCustomMetadata(Buffer.from(JSON.stringify({ actor: 'bench' })))
    .setData(Buffer.from(JSON.stringify({ text: 'x'.repeat(950) })))
  event
    .getMetadataMap()
    .set('type', 'Measured')
    .set('content-type', 'application/json')
    .set('created', '17000000000000000')
  return bytesOf(new ReadResp().setEvent(new ReadResp.ReadEvent().setEvent(event).setCommitPosition('1000000')))
}
const EVENT = eventAnswer()
const CONFIRMATION = bytesOf(
  new ReadResp().setConfirmation(new ReadResp.SubscriptionConfirmation().setSubscriptionId(randomUUID())),
)
const APPENDED = bytesOf(
  new BatchAppendResp()
    .setStreamIdentifier(new StreamIdentifier().setStreamName(Buffer.from('bench')))
    .setSuccess(
      new BatchAppendResp.Success()
        .setCurrentRevision('0')
        .setPosition(new AllStreamPosition().setCommitPosition('1000000').setPreparePosition('1000000')),
    ),
)

/** The correlation id is the first field of a request and of its answer; the rest of the request is not looked at. */
const batchAppend = (call: ServerDuplexStream<Buffer, Buffer>): void => {
  call.on('data', (request: Buffer) => call.write(Buffer.concat([request.subarray(0, 2 + request[1]!), APPENDED])))
  call.on('end', () => call.end())
}

const read = async (call: ServerWritableStream<ReadReq, Buffer>): Promise<void> => {
  const isSubscription = call.request.getOptions()!.hasSubscription()
  if (isSubscription) call.write(CONFIRMATION)
  for (let n = 0; n < Number(count) && !call.cancelled; n++) if (!call.write(EVENT)) await once(call, 'drain')
  if (!isSubscription) call.end()
}

const getSupportedMethods: handleUnaryCall<unknown, SupportedMethods> = (_call, reply) => {
  const methods = new SupportedMethods().setEventStoreServerVersion('24.2.0')
  methods.addMethods(
    new SupportedMethod().setServiceName('event_store.client.streams.Streams').setMethodName('batchappend'),
  )
  reply(null, methods)
}

const asIs = (bytes: Buffer): Buffer => bytes
const server = new Server({ 'grpc.max_receive_message_length': -1 })
server.addService(
  {
    ...StreamsService,
    read: { ...StreamsService.read, responseSerialize: asIs },
    batchAppend: { ...StreamsService.batchAppend, requestDeserialize: asIs, responseSerialize: asIs },
  },
  { read: read as UntypedHandleCall, batchAppend: batchAppend as UntypedHandleCall },
)
server.addService(ServerFeaturesService, { getSupportedMethods })
server.bindAsync(`unix:${socketPath}`, ServerCredentials.createInsecure(), error => {
  if (error) throw error
  console.log('listening')
})
