// Starts the embedded stores in a child process of their own, and starts them again when they die.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { lockDirectory, readHolder, socketsOf, type Holder } from '../storage'
import { childEntry } from './entry'
import type { ChildMessage } from './child'

export type StoreUrls = {
  /** `unix:/path`, which the official client's constructor takes as its endpoint. */
  eventStoreUrl: string
  /** A connection string for the official driver. */
  mongodbUrl: string
}

export type EmbeddedStores = StoreUrls & {
  /** Lets the stores finish what they accepted, ends the child and gives the directory free. */
  stop(): Promise<void>
}

export type EmbeddedOptions = {
  /** Created when absent; one owner at a time. */
  dataDir: string
  /** Told in one line each when the stores died and when they are back. */
  log?: (line: string) => void
}

/**
 * Of a process with a store. It holds little and passes much through, in buffers that V8 counts as growth: from a small heap
 * it would look through all of it for every few megabytes that pass, which took a third of the processor time of bulk writes.
 */
export const STORE_NODE_OPTIONS: readonly string[] = ['--initial-old-space-size=128']

/** The first wait before a restart; doubled by every death soon after a start. */
const FIRST_BACK_OFF_MS = 50
const LONGEST_BACK_OFF_MS = 5_000
/** A child that lived this long has started well: the back-off begins anew. */
const STABLE_MS = 10_000
const STOP_GRACE_MS = 5_000

/**
 * Starts both stores and resolves once they answer.
 * @throws DirectoryLocked (naming the holder) when another process owns `dataDir`; an Error with the child's message when
 * the stores cannot be opened, for instance because a newer program wrote them.
 */
export async function startEmbeddedStores({ dataDir, log = () => {} }: EmbeddedOptions): Promise<EmbeddedStores> {
  const lock = lockDirectory(dataDir)
  let isStopping = false
  let child: ChildProcess
  let restart: NodeJS.Timeout | undefined
  let backOff = FIRST_BACK_OFF_MS

  async function start(): Promise<void> {
    const startedAt = Date.now()
    child = fork(childEntry(), [dataDir, lock.runtimeFolder], { execArgv: [...STORE_NODE_OPTIONS], stdio: 'inherit' })
    const starting = child
    await readiness(starting)
    starting.once('exit', (code, signal) => {
      if (isStopping) return
      if (Date.now() - startedAt > STABLE_MS) backOff = FIRST_BACK_OFF_MS
      log(`The embedded stores ended (${signal ?? `exit ${code}`}); they are started again in ${backOff} ms.`)
      restartLater()
    })
  }

  function restartLater(): void {
    restart = setTimeout(() => {
      start().then(
        () => log('The embedded stores are back.'),
        (error: Error) => {
          log(`The embedded stores did not start: ${error.message} They are tried again in ${backOff} ms.`)
          if (!isStopping) restartLater()
        },
      )
    }, backOff)
    backOff = Math.min(backOff * 2, LONGEST_BACK_OFF_MS)
  }

  try {
    await start()
  } catch (error) {
    await lock.release()
    throw error
  }
  return {
    ...urlsOf(lock),
    async stop() {
      isStopping = true
      clearTimeout(restart)
      await ended(child)
      await lock.release()
    },
  }
}

/** The urls of the stores that a live process runs in `dataDir`, or null: how the command line finds a running server. */
export async function findRunningStores(dataDir: string): Promise<StoreUrls | null> {
  const holder = await readHolder(dataDir)
  return holder && urlsOf(holder)
}

function urlsOf(holder: Holder): StoreUrls {
  const { events, documents } = socketsOf(holder)
  return {
    eventStoreUrl: `unix:${events}`,
    mongodbUrl: `mongodb://${encodeURIComponent(documents)}/?directConnection=true`,
  }
}

/** Resolves when the child is ready. @throws Error with its message when it fails or ends before. */
async function readiness(child: ChildProcess): Promise<void> {
  const early = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`The process of the embedded stores ended at once (${signal ?? `exit ${code}`}).`)
  })
  const [message] = (await Promise.race([once(child, 'message'), early])) as [ChildMessage]
  if (message !== 'ready') throw new Error(message.failed)
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  if (child.connected) child.send('stop')
  const force = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS)
  await exit
  clearTimeout(force)
}
