// The child process of the embedded stores: opens both, says that it is ready, and never outlives its parent.
//
// Started by supervisor.ts with the folder of the data and the two sockets as its arguments.
import { join } from 'node:path'
import { startDocumentStore } from '../document-store'
import { startEventStore } from '../event-store'
import { DirectoryLocked, endAtOnce, lockDirectory, requestRewrite, socketsOf, type DirectoryLock } from '../storage'
import { recordCalls } from './recorder'

/** What it tells its parent: that both answer, or why they could not be opened. */
export type ChildMessage = 'ready' | { failed: string }

/**
 * Milliseconds. Ours take a few hundred at most; one that a killed process left behind holds a group's checkpoints until it
 * is aborted. docker-compose.yml gives MongoDB the same.
 */
const TRANSACTION_LIFETIME = 5_000

const [dataDir, runtimeFolder] = process.argv.slice(2) as [string, string]

/** How long a predecessor, whose parent was killed, may take to end before this is a mistake. */
const TAKE_OVER_MS = 10_000
const RETRY_MS = 50

async function main(): Promise<void> {
  // The kernel closes the channel when the parent dies, however it dies.
  process.on('disconnect', () => endAtOnce())
  if (!process.connected) endAtOnce()
  // What Node does waits like process.exit.
  process.on('uncaughtException', ({ stack }) => endAtOnce(`${stack}\n`))
  // A terminal's Ctrl-C reaches the whole group: the parent decides when the stores may go.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => {})

  const lock = await takeOver(join(dataDir, 'stores'))
  const sockets = socketsOf({ runtimeFolder })
  const documentsDirectory = join(dataDir, 'documents')
  const { STET_RECORD_CALLS: record } = process.env
  const recorder = record ? recordCalls(record) : undefined
  const documents = await startDocumentStore({
    socketPath: sockets.documents,
    directory: documentsDirectory,
    transactionLifetimeMs: TRANSACTION_LIFETIME,
    onCommand: recorder?.onCommand,
  })
  const events = await startEventStore({
    socketPath: sockets.events,
    directory: join(dataDir, 'events'),
    onMessage: recorder?.onMessage,
    onScavenged() {
      // What was erased from the log has left the read models by projection; their file is rewritten with the log's.
      try {
        requestRewrite(documentsDirectory)
      } finally {
        // Also without room for that: the log's rewrite is requested, and whoever waits is to be told that this one is not.
        stop()
      }
    },
  })

  /** Ends orderly; the parent starts the stores again unless it asked for the end. */
  function stop(): void {
    void Promise.allSettled([events.close(), documents.close()])
      .then(() => lock.release())
      .finally(() => process.exit(0))
  }
  // It is told nothing else.
  process.on('message', stop)
  process.send?.('ready' satisfies ChildMessage)
}

/** A killed parent's child may still be ending while the next parent starts: the files have one owner at a time. */
async function takeOver(directory: string): Promise<DirectoryLock> {
  const until = Date.now() + TAKE_OVER_MS
  for (;;) {
    try {
      return lockDirectory(directory)
    } catch (error) {
      if (!(error instanceof DirectoryLocked) || Date.now() > until) throw error
      await new Promise(resolve => setTimeout(resolve, RETRY_MS))
    }
  }
}

main().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error)
  process.send?.({ failed: message } satisfies ChildMessage, () => endAtOnce())
})
