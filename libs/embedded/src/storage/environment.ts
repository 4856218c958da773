// One LMDB environment with a format of its own and a group commit: what both stores write through.
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { open, type RootDatabase } from 'lmdb'
import { checkFile } from './check'
import { noteClosed, takeClosed } from './closing'
import { endAtOnce } from './end'
import { StorageFull } from './errors'
import { makeFolder, makeReaderTable, syncDirectory, writeDurably } from './files'
import { checkFormat, FORMAT_FILE, writeFormat, type EnvironmentFormat } from './format'
import { clearSuspicion, isSuspect, lookAtRest } from './rest'
import { isRewriteRequested, rewriteIfRequested, type Living } from './rewrite'
import { isFull } from './room'

export type EnvironmentOptions = {
  /** Called when a commit fails for another reason than a full disk. The default ends the process: what a failed sync
   *  leaves behind is unknown to the kernel too, so nothing more may be acknowledged. */
  onFailedCommit?: (error: Error) => void
  /** What a rewrite keeps; all unless said otherwise. */
  living?: Living
  /**
   * A commit is waited for on the spot while the last one took no longer than this, in milliseconds: a fast disk is ready
   * before another thread could have told of it. Of slower ones another thread waits, so that readers need not.
   */
  onTheSpot?: number
  /** Milliseconds between two looks for readers that died; LMDB itself looks when it opens a file and when it has no place. */
  clearReadersEvery?: number
}

export type Environment = {
  readonly directory: string
  /** The version the directory was created with, at most the one asked for. */
  readonly formatVersion: number
  /** Databases are opened on it by name (`openDatabase`). */
  readonly root: RootDatabase<Buffer, Buffer>
  /**
   * Runs `write` synchronously in an LMDB write transaction shared with every other write that is waiting, and resolves
   * with its value once the transaction is synced to the disk. Reads within `write` see all earlier writes of the group.
   * `write` must check before its first put: a throw rejects its own promise alone, and what it had put would stay.
   * @throws StorageFull when there is no room; then no write of the group was stored.
   */
  commit: <T>(write: () => T) => Promise<T>
  /** Waits for what was accepted, then closes the files. */
  close: () => Promise<void>
}

type Waiting = { write: () => unknown; resolve: (value: never) => void; reject: (error: unknown) => void }

const DATA_FILE = 'data.mdb'
const MAKING_FILE = 'making'
const ON_THE_SPOT = 2
const CLEAR_READERS_EVERY = 30_000
const PAGE_SIZE = 16_384
const MAX_DATABASES = 1_024
/** Snapshots that may be open at once. */
const MAX_READERS = 1_024

/**
 * Opens (or creates) the environment in `directory`.
 * @throws WrongFormat when the directory was written by a newer version, or holds another kind of store.
 * @throws StorageDamaged when its file is cut off or does not hold together.
 */
export function openEnvironment(
  directory: string,
  format: EnvironmentFormat,
  options: EnvironmentOptions = {},
): Environment {
  makeFolder(directory)
  if (isUnmade(directory)) make(directory, format)
  const formatVersion = checkFormat(directory, format)
  // A rewrite copies what the old pages lead to.
  const isWhole = isRewriteRequested(directory) || isSuspect(directory)
  const isTrusted = takeClosed(directory)
  const rest = checkFile(join(directory, DATA_FILE), { ...format, isTrusted, isWhole })
  clearSuspicion(directory)
  rewriteIfRequested(directory, openFiles, options.living)
  const root = openFiles(directory)
  const stopLooking = rest && lookAtRest(root, directory, { ...format, meta: rest })
  const { onFailedCommit = endProcess, onTheSpot = ON_THE_SPOT, clearReadersEvery = CLEAR_READERS_EVERY } = options
  // What a backup was reading when it was killed would never be free again.
  const readers = setInterval(() => root.readerCheck(), clearReadersEvery).unref()
  /** Milliseconds that LMDB took to make the last group durable. */
  let lastCommit = 0
  let waiting: Waiting[] = []
  let running: Promise<void> | undefined
  let closing: Promise<void> | undefined

  async function commitGroups(): Promise<void> {
    while (waiting.length > 0) await commitGroup()
    running = undefined
  }

  async function commitGroup(): Promise<void> {
    let group: Waiting[] = []
    const outcomes: (() => void)[] = []
    let written = 0
    const write = () => {
      group = waiting
      waiting = []
      for (const one of group) outcomes.push(attempt(one))
      written = performance.now()
    }
    try {
      // All that has arrived by now belongs to the group.
      await setImmediate()
      if (lastCommit <= onTheSpot) root.transactionSync(write)
      // A child transaction, because only that can be rolled back as a whole when there is no room for a put.
      else await root.childTransaction(write)
      lastCommit = performance.now() - written
    } catch (error) {
      const reason = await commitError(error)
      if (isFull(reason, directory)) {
        const full = new StorageFull(directory, reason)
        for (const { reject } of group) reject(full)
        return
      }
      for (const { reject } of group) reject(reason)
      onFailedCommit(new Error(`A commit to ${directory} failed (${reason.message})`, { cause: reason }))
      return
    }
    for (const tell of outcomes) tell()
  }

  return {
    directory,
    formatVersion,
    root,
    commit<T>(write: () => T): Promise<T> {
      if (closing) return Promise.reject(new Error(`${directory} is closed`))
      return new Promise<T>((resolve, reject) => {
        waiting.push({ write, resolve, reject })
        running ??= commitGroups()
      })
    },
    close() {
      closing ??= (async () => {
        while (running) await running
        clearInterval(readers)
        await stopLooking?.()
        await root.close()
        noteClosed(directory)
      })()
      return closing
    },
  }
}

/** Opens the files of an environment as they are, without a look at their format. */
export function openFiles(path: string): RootDatabase<Buffer, Buffer> {
  makeReaderTable(path, MAX_READERS)
  return open<Buffer, Buffer>({
    path,
    pageSize: PAGE_SIZE,
    // A commit resolves after its own fdatasync; with overlapping syncs it would resolve before.
    overlappingSync: false,
    // Groups are made here. Its own batching would also leave a promise behind that rejects unseen when a commit fails.
    eventTurnBatching: false,
    maxDbs: MAX_DATABASES,
    maxReaders: MAX_READERS,
    encoding: 'binary',
    keyEncoding: 'binary',
  })
}

/** Runs one write of a group; gives what tells of it. Its own refusal is its outcome; no room for its puts is the whole group's. */
function attempt({ write, resolve, reject }: Waiting): () => void {
  try {
    const value = write()
    return () => resolve(value as never)
  } catch (error) {
    if (isLmdb(error)) throw error
    return () => reject(error)
  }
}

/** LMDB throws plain errors with a number for a code; a store's own refusals are classes of their own. */
const isLmdb = (error: unknown): boolean =>
  typeof (error as { code?: unknown }).code === 'number' && (error as Error).constructor.name === 'Error'

/** lmdb-js rejects with an error whose `commitError` promise rejects with the reason. */
async function commitError(error: unknown): Promise<Error> {
  const { commitError } = error as { commitError?: Promise<never> }
  if (!commitError) return error instanceof Error ? error : new Error(String(error))
  return commitError.catch((reason: unknown) => (reason instanceof Error ? reason : new Error(String(reason))))
}

function endProcess(error: Error): void {
  endAtOnce(`${error.message}. The process ends: nothing written from here on could be relied on.\n`)
}

/** Whether nothing was ever committed in a directory: it has no files, or those that a crash in their making left. */
function isUnmade(directory: string): boolean {
  if (existsSync(join(directory, MAKING_FILE))) return true
  return [FORMAT_FILE, DATA_FILE].every(file => !existsSync(join(directory, file)))
}

/** Without the note of it, a file that is lost later would be taken for one that is still to be made. */
function make(directory: string, format: EnvironmentFormat): void {
  writeDurably(directory, MAKING_FILE, Buffer.of())
  for (const file of [DATA_FILE, 'lock.mdb']) rmSync(join(directory, file), { force: true })
  writeFormat(directory, format)
  // Nothing is pending on it, so it is closed at once.
  void openFiles(directory).close()
  rmSync(join(directory, MAKING_FILE))
  syncDirectory(directory)
}
