// One owner per data directory, told by the operating system and not by a pid alone.
//
// The lock is a reader's place in a tiny LMDB environment. LMDB guards each place by an fcntl lock of its process, which
// the kernel drops when the process dies, however it dies: a stale place is recognised without trusting pids, and the
// environment's own write mutex (robust against a dead owner) lets two starts take over one after the other.
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import { DirectoryLocked } from './errors'

export type Holder = {
  pid: number
  /** A private folder (0700) with a path short enough for sockets. */
  runtimeFolder: string
  eventsSocket: string
  documentsSocket: string
}

export type DirectoryLock = Holder & {
  /** Gives the directory free and removes the runtime folder. */
  release(): Promise<void>
}

/** Within the directory that it locks. */
export const LOCK_FOLDER = 'lock'
const RUNTIME_PREFIX = 'stet-'
/** sun_path holds 108 bytes on Linux and 104 on macOS, its NUL included. */
const MAX_SOCKET_PATH = 103

const RECORD = 'holder'

// The kernel's lock is per process, so a second owner within this process is told apart here.
const heldHere = new Map<string, Holder>()

/**
 * Makes this process the one owner of `dataDir` (created when absent) until `release` or its death.
 * @throws DirectoryLocked naming the holder's pid.
 */
export function lockDirectory(dataDir: string): DirectoryLock {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const directory = realpathSync(dataDir)
  if (heldHere.has(directory)) throw new DirectoryLocked(dataDir, process.pid)
  const root = openLock(directory)
  // The place is taken before the record is written, so whoever reads the record finds its owner alive.
  const place = root.useReadTransaction()
  root.get(RECORD)
  const release = async () => {
    place.done()
    await root.close()
  }
  let holder: Holder
  try {
    holder = root.transactionSync(() => {
      const last = root.get(RECORD)
      if (last && last.pid !== process.pid && livePids(root).has(last.pid)) throw new DirectoryLocked(dataDir, last.pid)
      if (last) removeRuntimeFolder(last)
      const next = newHolder()
      root.putSync(RECORD, next)
      return next
    })
  } catch (error) {
    void release()
    throw error
  }
  heldHere.set(directory, holder)
  return {
    ...holder,
    async release() {
      removeRuntimeFolder(holder)
      heldHere.delete(directory)
      await release()
    },
  }
}

/** The live owner of `dataDir`, or null. Takes no lock and creates nothing. */
export async function readHolder(dataDir: string): Promise<Holder | null> {
  if (!existsSync(join(dataDir, LOCK_FOLDER))) return null
  const directory = realpathSync(dataDir)
  const own = heldHere.get(directory)
  if (own) return own
  const root = openLock(directory)
  try {
    const last = root.get(RECORD)
    return last && last.pid !== process.pid && livePids(root).has(last.pid) ? last : null
  } finally {
    await root.close()
  }
}

function openLock(directory: string): RootDatabase<Holder, string> {
  return open<Holder, string>({ path: join(directory, LOCK_FOLDER), encoding: 'json', overlappingSync: false })
}

/** The processes with a place in the reader table, after those that died were cleared from it. */
function livePids(root: RootDatabase<Holder, string>): Set<number> {
  root.readerCheck()
  const rows = root.readerList().split('\n')
  return new Set(rows.map(row => Number.parseInt(row, 10)).filter(pid => !Number.isNaN(pid)))
}

/** A fresh private folder for the sockets: mkdtemp makes it 0700 under a name that nobody could have prepared. */
function newHolder(): Holder {
  const places = [process.env.XDG_RUNTIME_DIR, tmpdir(), '/tmp'].filter(
    place => place !== undefined && isWritable(place),
  )
  for (const place of places as string[]) {
    const template = join(place, RUNTIME_PREFIX)
    if (`${template}XXXXXX/documents.sock`.length > MAX_SOCKET_PATH) continue
    const runtimeFolder = mkdtempSync(template)
    return {
      pid: process.pid,
      runtimeFolder,
      eventsSocket: join(runtimeFolder, 'events.sock'),
      documentsSocket: join(runtimeFolder, 'documents.sock'),
    }
  }
  throw new Error(
    `No folder with a path short enough for unix sockets: tried ${places.join(', ')}. Set TMPDIR to a short path.`,
  )
}

function isWritable(place: string): boolean {
  try {
    accessSync(place, constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Removes a holder's folder, if it still looks like one of ours. */
function removeRuntimeFolder({ runtimeFolder }: Holder): void {
  if (basename(runtimeFolder).startsWith(RUNTIME_PREFIX)) rmSync(runtimeFolder, { recursive: true, force: true })
}
