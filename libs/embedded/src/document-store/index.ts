// The embedded document store: a server that speaks the MongoDB wire protocol on a private unix socket.
import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { runCommand } from './commands/commands'
import { type Store } from './commands/context'
import { Cursors } from './cursors'
import { Engine } from './keyspace/engine'
import { Sessions } from './sessions'
import { serve } from './wire/connection'
import { type Request } from './wire/message'

export { checkDocuments } from './check'

export interface DocumentStoreOptions {
  /** Where to listen; at most about 100 bytes, in a folder that only the owner can enter. */
  socketPath: string
  /** Where the data lies; made when absent. */
  directory: string
  /** A transaction that is not ended within this time is aborted; 60 s as in MongoDB unless said otherwise. */
  transactionLifetimeMs?: number
  /** Told every command that a client sends. */
  onCommand?: (request: Request) => void
}

export interface DocumentStore {
  /** Ends all connections, waits for what was accepted, closes the files. */
  close(): Promise<void>
}

const HOUSEKEEPING = 60_000

/**
 * Starts the server; the official driver connects with `mongodb://{socketPath, URI-encoded}/?directConnection=true`.
 * What is acknowledged is synced to the disk.
 * @throws WrongFormat when the directory was written by a newer version or holds something else.
 */
export async function startDocumentStore(options: DocumentStoreOptions): Promise<DocumentStore> {
  const { socketPath, directory, transactionLifetimeMs, onCommand } = options
  const engine = new Engine(directory)
  const cursors = new Cursors()
  const sessions = new Sessions(engine, transaction => cursors.killOf(transaction), transactionLifetimeMs)
  const store: Store = { engine, cursors, sessions }
  const sockets = new Map<Socket, Promise<void>>()
  const server = createServer(socket => {
    const served = serve(socket, request => {
      onCommand?.(request)
      return runCommand(store, request)
    }).finally(() => sockets.delete(socket))
    sockets.set(socket, served)
  })
  let kept = Promise.resolve()
  const keepHouse = () => {
    cursors.closeIdle()
    void engine.removeDropped()
    const isForgotten = sessions.forgetOld()
    kept = isForgotten.catch((error: unknown) => void process.stderr.write(`document store: ${String(error)}\n`))
  }
  const housekeeping = setInterval(keepHouse, HOUSEKEEPING)
  housekeeping.unref()
  rmSync(socketPath, { force: true })
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(socketPath, resolve)
    })
    chmodSync(socketPath, 0o600)
  } catch (error) {
    clearInterval(housekeeping)
    await engine.close()
    throw error
  }
  keepHouse()
  return {
    async close() {
      clearInterval(housekeeping)
      engine.interrupt()
      sessions.abortAll()
      const closed = new Promise(resolve => server.close(resolve))
      for (const socket of sockets.keys()) socket.destroy()
      await Promise.all(sockets.values())
      await closed
      await kept
      await engine.close()
    },
  }
}
