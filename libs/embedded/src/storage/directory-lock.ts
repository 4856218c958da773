// One owner per data directory, told by the operating system and not by a pid alone.
//
// The lock is a reader's place in a tiny LMDB environment. LMDB guards each place by an fcntl lock of its process, which
// the kernel drops when the process dies, however it dies: a stale place is recognised without trusting pids, and the
// environment's own write mutex (robust against a dead owner) lets two starts take over one after the other.
import { appendFileSync, existsSync, mkdtempSync, realpathSync, rmSync, statSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { open, type RootDatabase, type Transaction } from 'lmdb'
import { checkFile } from './check'
import { DirectoryLocked, StorageDamaged, StorageFull } from './errors'
import { makeFolder, makeReaderTable } from './files'
import { isFull, numberOf } from './room'

export type Holder = {
  pid: number
  /** Where the lock was taken: a copy of the directory has the record too. */
  directory: string
  /** A private folder (0700) with a path short enough for sockets. */
  runtimeFolder: string
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
 * @throws DirectoryLocked naming the holder's pid; StorageFull.
 */
export function lockDirectory(dataDir: string): DirectoryLock {
  makeFolder(dataDir)
  const directory = realpathSync(dataDir)
  if (heldHere.has(directory)) throw new DirectoryLocked(dataDir, process.pid)
  const holder = newHolder(directory)
  let root: RootDatabase<Holder, string> | undefined
  let place: Transaction | undefined
  const letGo = async () => {
    removeRuntimeFolder(holder)
    place?.done()
    await root?.close()
  }
  try {
    root = openSound(directory)
    // Taken before the record is written, so whoever reads the record finds its owner alive.
    place = takePlace(root, dataDir)
    record(root, holder, dataDir)
  } catch (error) {
    void letGo()
    const folder = join(directory, LOCK_FOLDER)
    throw isFull(error, folder) ? new StorageFull(folder, error) : error
  }
  heldHere.set(directory, holder)
  return {
    ...holder,
    async release() {
      heldHere.delete(directory)
      await letGo()
    },
  }
}

/** Of several that start at a time the first one to come here is the next holder. */
function record(root: RootDatabase<Holder, string>, next: Holder, dataDir: string): void {
  root.transactionSync(() => {
    const last = root.get(RECORD)
    if (last && last.pid !== process.pid && livePids(root).has(last.pid)) throw new DirectoryLocked(dataDir, last.pid)
    if (last?.directory === next.directory) removeRuntimeFolder(last)
    root.putSync(RECORD, next)
  })
}

/**
 * The live owner of `dataDir`, or null. Takes no lock and creates nothing.
 * @throws DirectoryLocked when there is one that cannot be told more of: it has the pid of this process, in another container.
 */
export async function readHolder(dataDir: string): Promise<Holder | null> {
  if (!existsSync(join(dataDir, LOCK_FOLDER))) return null
  const directory = realpathSync(dataDir)
  const own = heldHere.get(directory)
  if (own) return own
  if (isDamaged(directory)) return null
  let root: RootDatabase<Holder, string> | undefined
  try {
    root = openLock(directory)
    takePlace(root, dataDir).done()
    const last = root.get(RECORD)
    return last && last.pid !== process.pid && livePids(root).has(last.pid) ? last : null
  } catch (error) {
    // Nobody can take a lock there.
    if (numberOf(error) === constants.errno.EROFS) return null
    throw error
  } finally {
    await root?.close()
  }
}

/** As many as LMDB takes when it is not told. */
const MAX_READERS = 126
/** A record takes a few pages of 4 KiB, which become free again. */
const SPARE_BYTES = 65_536

function openLock(directory: string): RootDatabase<Holder, string> {
  const path = join(directory, LOCK_FOLDER)
  makeReaderTable(path, MAX_READERS)
  return open<Holder, string>({ path, encoding: 'json', overlappingSync: false })
}

/** Opens the lock to take it: a damaged file is made anew, and one that has no room yet for the next record is given it. */
function openSound(directory: string): RootDatabase<Holder, string> {
  if (isDamaged(directory)) replaceDamaged(directory)
  const root = openLock(directory)
  const file = join(directory, LOCK_FOLDER, 'data.mdb')
  const { size } = statSync(file)
  try {
    // At its end, so that nothing is written over which another process may just write there.
    if (size < SPARE_BYTES) appendFileSync(file, Buffer.alloc(SPARE_BYTES - size))
  } catch {
    // Without room for that there may still be enough for the record.
  }
  return root
}

/** Longer than another process takes to make the file or to write a record: what is found then stays so. */
const SETTLED_MS = 100

function isDamaged(directory: string): boolean {
  const file = join(directory, LOCK_FOLDER, 'data.mdb')
  const looksDamaged = () => {
    try {
      if (existsSync(file)) checkFile(file)
      return false
    } catch (error) {
      if (error instanceof StorageDamaged) return true
      throw error
    }
  }
  if (!looksDamaged()) return false
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SETTLED_MS)
  return looksDamaged()
}

/** The record is lost with its file. An owner that is still alive has a place among the readers, which have another file. */
function replaceDamaged(directory: string): void {
  rmSync(join(directory, LOCK_FOLDER, 'data.mdb'))
  const root = openLock(directory)
  for (const pid of livePids(root))
    if (pid !== process.pid) root.putSync(RECORD, { pid, directory: '', runtimeFolder: '' })
  void root.close()
}

/** A reader's place. The kernel refuses it when a process with the pid of this one has it: in another container. */
function takePlace(root: RootDatabase<Holder, string>, dataDir: string): Transaction {
  try {
    const place = root.useReadTransaction()
    root.get(RECORD)
    return place
  } catch (error) {
    // What LMDB says by itself has a code. Refused a place, lmdb-js tries for 10 s and goes on without one.
    throw error instanceof TypeError ? new DirectoryLocked(dataDir, process.pid) : error
  }
}

/** The processes with a place in the reader table, after those that died were cleared from it. */
function livePids(root: RootDatabase<Holder, string>): Set<number> {
  root.readerCheck()
  const rows = root.readerList().split('\n')
  return new Set(rows.map(row => Number.parseInt(row, 10)).filter(pid => !Number.isNaN(pid)))
}

/** The sockets in a holder's folder. */
export const socketsOf = ({ runtimeFolder }: Pick<Holder, 'runtimeFolder'>) => ({
  events: join(runtimeFolder, 'events.sock'),
  documents: join(runtimeFolder, 'documents.sock'),
})

/** A fresh private folder for the sockets: mkdtemp makes it 0700 under a name that nobody could have prepared. */
function newHolder(directory: string): Holder {
  const places = [process.env.XDG_RUNTIME_DIR, tmpdir(), '/tmp'].filter(place => place)
  for (const place of places as string[]) {
    const template = join(place, RUNTIME_PREFIX)
    if (socketsOf({ runtimeFolder: `${template}XXXXXX` }).documents.length > MAX_SOCKET_PATH) continue
    try {
      return { pid: process.pid, directory, runtimeFolder: mkdtempSync(template) }
    } catch {
      // It is not there, or not ours to write in.
    }
  }
  throw new Error(
    `No folder to write in has a path short enough for unix sockets: tried ${places.join(', ')}. Set TMPDIR to one.`,
  )
}

/** Removes a holder's folder, if it still looks like one of ours. */
function removeRuntimeFolder({ runtimeFolder }: Holder): void {
  if (basename(runtimeFolder).startsWith(RUNTIME_PREFIX)) rmSync(runtimeFolder, { recursive: true, force: true })
}
