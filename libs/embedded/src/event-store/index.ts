// An EventStoreDB-compatible server on a unix socket, for the official client: what this product calls, exactly.
import { chmodSync, rmSync } from 'node:fs'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import { openEnvironment, requestRewrite } from '../storage'
import { listener, type OnMessage } from './listener'
import { LiveTail } from './live'
import { EventLog, FORMAT } from './log'
import { Scavenge } from './scavenge'
import { PartialMessages } from './partial-messages'
import { addServices } from './services'
import { Writes } from './writes'

export { checkEventLog, type CheckedLog } from './check'

export type EventStoreOptions = {
  /** Where it listens; what lies there is replaced. The socket is 0600. */
  socketPath: string
  /** Where the log lies. One process at a time: the caller holds the lock. */
  directory: string
  /** Called after a scavenge: once the store was closed and opened again, no byte of what it removed is in its files. */
  onScavenged?: () => void
  /** Told every message that a client sends. */
  onMessage?: OnMessage
}

export type RunningStore = {
  /** Ends every call and subscription, waits for what was accepted and closes the files. */
  close(): Promise<void>
}

/** On one connection; a client waits with more until some have ended. */
const MAX_CALLS = 1_024

/** The client sends a batch in chunks of about 3 MB, and an event's metadata counts against no limit of an append. */
const MAX_MESSAGE_BYTES = 20 * 1_048_576

/**
 * Starts the event store. The official client reaches it as `{endpoint: 'unix:' + socketPath}`, insecure.
 * @throws StorageError when the directory holds something else or a newer format.
 */
export async function startEventStore({
  socketPath,
  directory,
  onScavenged,
  onMessage,
}: EventStoreOptions): Promise<RunningStore> {
  const environment = openEnvironment(directory, FORMAT)
  const log = new EventLog(environment)
  const live = new LiveTail(log.lastPosition())
  const writes = new Writes(environment, log, records => live.publish(records))
  const onDone = () => {
    requestRewrite(directory)
    onScavenged?.()
  }
  const scavenge = new Scavenge(environment, log, () => live.forget(), onDone)
  const server = new Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': MAX_CALLS,
    interceptors: [new PartialMessages().interceptor, ...(onMessage ? [listener(onMessage)] : [])],
  })
  const endCalls = addServices(server, { log, live, writes, scavenge }, onMessage)
  rmSync(socketPath, { force: true })
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${socketPath}`, ServerCredentials.createInsecure(), error =>
      error ? reject(error) : resolve(),
    )
  })
  chmodSync(socketPath, 0o600)
  scavenge.resume()
  return {
    async close() {
      endCalls()
      live.wake()
      await new Promise<void>(resolve => {
        const force = setTimeout(() => server.forceShutdown(), SHUTDOWN_GRACE_MS)
        server.tryShutdown(() => {
          clearTimeout(force)
          resolve()
        })
      })
      await scavenge.stop()
      await environment.close()
      rmSync(socketPath, { force: true })
    },
  }
}

/** How long calls in flight have to end by themselves. */
const SHUTDOWN_GRACE_MS = 1_000
