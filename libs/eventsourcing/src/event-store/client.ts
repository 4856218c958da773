// Opens the official client, with guards around what would end the process or leave a promise hanging.
//
// @eventstore/db-client 6.2.1: all appends of a process go through one module-global table of promises. When a batch
// stream breaks, that table is emptied; a reply that arrives later finds no entry and throws inside an event listener,
// and a write that waits for the stream to drain rejects a promise that nobody holds. Both are uncaught by nature.
import { type CallOptions, type Channel, type Client as GrpcClient, type Metadata } from '@grpc/grpc-js'
import { EventStoreDBClient } from '@eventstore/db-client'

/** Where a process tells what happened to a connection: one line, no stack. */
export type ConnectionLog = (line: string) => void

/** What the client keeps to itself and we need: its channel, and the one place where it opens calls. */
interface Internals {
  GRPCStreamCreator: <Service extends GrpcClient, Call extends object>(
    service: new (...args: never[]) => Service,
    name: string,
    creator: (grpc: Service) => Call,
    cache?: WeakMap<Service, Call>,
  ) => () => Promise<Call>
  callArguments(options: object, callOptions: CallOptions): [Metadata, CallOptions]
  getChannel: () => Promise<Channel>
}

/** The parts of a batch call that are guarded. */
interface BatchCall {
  write(message: unknown): boolean
  listeners(event: 'data'): ((message: unknown) => void)[]
  removeListener(event: 'data', listener: (message: unknown) => void): unknown
  on(event: 'data', listener: (message: unknown) => void): unknown
}

export const internalsOf = (client: EventStoreDBClient): Internals => client as unknown as Internals

/** The channel that each client uses now: asking a client for it would open one. */
const channels = new WeakMap<EventStoreDBClient, Promise<Channel>>()

/** `esdb://`, `esdb+discover://` or the same with `kurrentdb` (a connection string), or `unix:/path` (insecure). */
export const openClient = (url: string): EventStoreDBClient => {
  const client = url.startsWith('unix:')
    ? new EventStoreDBClient({ endpoint: url }, { insecure: true })
    : // The newer name of the same protocol; this client knows the older one only.
      EventStoreDBClient.connectionString(url.replace(/^kurrentdb(\+discover)?:/, 'esdb$1:'))
  const internals = internalsOf(client)
  const getChannel = internals.getChannel
  internals.getChannel = () => {
    const channel = getChannel()
    channels.set(client, channel)
    return channel
  }
  return client
}

/** Opens a client whose batch appends can neither throw out of a listener nor reject where nobody listens. */
export const openAppendingClient = (url: string, log: ConnectionLog): EventStoreDBClient => {
  const client = openClient(url)
  const internals = internalsOf(client)
  const create = internals.GRPCStreamCreator
  internals.GRPCStreamCreator = (service, name, creator, cache) =>
    create(
      service,
      name,
      grpc => {
        const call = creator(grpc)
        if (isBatchCall(call)) guard(call, log)
        return call
      },
      cache,
    )
  return client
}

/** Cancels the client's calls and closes its channel; settles within `milliseconds` whatever the connection does. */
export const closeClient = async (client: EventStoreDBClient, milliseconds: number): Promise<void> => {
  const closing = client
    .dispose()
    .then(async () => (await channels.get(client))?.close())
    // A channel that never came up has nothing to close.
    .catch(() => undefined)
  let timer: NodeJS.Timeout | undefined
  await Promise.race([closing, new Promise(resolve => (timer = setTimeout(resolve, milliseconds)))])
  clearTimeout(timer)
}

const isBatchCall = (call: object): call is BatchCall => 'write' in call && 'listeners' in call

const guard = (call: BatchCall, log: ConnectionLog): void => {
  for (const listener of call.listeners('data')) {
    call.removeListener('data', listener)
    call.on('data', message => {
      try {
        listener.call(call, message)
      } catch (error) {
        log(`the event store answered an append that was given up before (${String(error)})`)
      }
    })
  }
  // Never "wait for drain": the appender bounds what is in flight itself.
  const write = call.write.bind(call)
  call.write = message => {
    write(message)
    return true
  }
}
