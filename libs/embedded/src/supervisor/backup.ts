// A copy of both stores at one consistent point, taken beside a running server or without one.
//
// It is made in a folder beside its place and moved there whole: what was cut short never lies where a backup would.
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { open } from 'lmdb'
import { checkDocuments } from '../document-store'
import { FORMAT as DOCUMENTS } from '../document-store/keyspace/layout'
import { checkEventLog, type CheckedLog } from '../event-store'
import { FORMAT as EVENTS } from '../event-store/log'
import {
  Digest,
  DirectoryLocked,
  StorageError,
  StorageFull,
  LOCK_FOLDER,
  checkFile,
  checkFormat,
  entriesOf,
  isFull,
  lockDirectory,
  openFiles,
  putAll,
  readHolder,
  syncDirectory,
  takeClosed,
  writeDurably,
  type DirectoryLock,
} from '../storage'

export type BackupOptions = {
  dataDir: string
  /** A new or empty folder, outside of `dataDir`. */
  target: string
  /** Further files of `dataDir`, by their path in it; what is absent there is absent in the backup. */
  files?: readonly string[]
  /** Ends it early; then nothing is left of it. */
  signal?: AbortSignal
  onProgress?: (progress: BackupProgress) => void
}

/** Bytes copied and read again, of about so many. */
export type BackupProgress = { done: number; total: number }

export type Backup = CheckedLog & {
  /** Where it lies. */
  target: string
  /** Of all its files. */
  bytes: number
}

/** The documents first: whatever they say was projected, the log copied after them still holds. */
const STORES = ['documents', 'events'] as const
const FORMATS = { documents: DOCUMENTS, events: EVENTS }

/** In the folder where it is made. */
const COPY_FOLDER = 'copy'

type Run = { signal?: AbortSignal; tell: (bytes: number) => void }

/**
 * Copies both stores of `dataDir` into `target`; DATA_DIR pointed at the copy is the restore. Each store is copied as of
 * one moment while writers go on, then read again and compared, and every event's checksum is verified.
 * @throws Error when there is nothing to copy, the target holds something, there is no room, or what was copied is damaged;
 * the signal's reason. Then the target is as it was.
 */
export async function backupEmbeddedStores({ signal, onProgress, ...options }: BackupOptions): Promise<Backup> {
  const { dataDir, files = [] } = options
  for (const store of STORES)
    if (!existsSync(join(dataDir, store, 'data.mdb'))) throw new Error(`${dataDir} has no ${store} to back up.`)
  for (const store of STORES) checkFormat(join(dataDir, store), FORMATS[store])
  const target = placeOf(options.target)
  const unfinished = `${target}.partial`
  const source = realpathSync(dataDir)
  for (const place of [target, placeOf(unfinished)])
    if (isWithin(source, place))
      throw new Error(`${place} lies in the data directory and would be lost with it: choose a place outside of it.`)
  if (isWithin(unfinished, source))
    throw new Error(`${unfinished}, where the backup is made, holds the data directory: choose another place.`)
  checkFree(target)
  checkUnfinished(unfinished)

  let done = 0
  // Everything is read twice.
  const total = 2 * STORES.reduce((sum, store) => sum + statSync(join(dataDir, store, 'data.mdb')).size, 0)
  const tell = (bytes: number) => onProgress?.({ done: Math.min((done += bytes), total), total })

  const lock = lockTarget(unfinished, target)
  try {
    // Another one may have come to its end while this one began.
    checkFree(target)
    const copy = join(unfinished, COPY_FOLDER)
    // Of one that was killed.
    rmSync(copy, { recursive: true, force: true })
    mkdirSync(copy, { mode: 0o700 })
    for (const store of STORES) await checkSource(dataDir, store)
    for (const store of STORES) await copyStore(join(dataDir, store), join(copy, store), { signal, tell })
    for (const file of files) copyFile(dataDir, copy, file)
    const checked = await check(copy, dataDir, signal)
    const bytes = sizeOf(copy)
    syncDirectory(copy)
    renameSync(copy, target)
    syncDirectory(dirname(target))
    return { ...checked, target, bytes }
  } catch (error) {
    throw error instanceof StorageFull || isFull(error, unfinished) ? noRoom(target, error) : error
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
    await lock.release()
  }
}

/** LMDB follows whatever pages lead to. Those of running stores change meanwhile; they were looked at when these started. */
async function checkSource(dataDir: string, store: string): Promise<void> {
  if (await isHeld(dataDir)) return
  try {
    checkFile(join(dataDir, store, 'data.mdb'))
  } catch (error) {
    // Stores that have started since may write.
    if (!(await isHeld(dataDir))) throw error
  }
}

/** The stores' process may end a little later than its parent. */
async function isHeld(dataDir: string): Promise<boolean> {
  return (await readHolder(dataDir)) !== null || (await readHolder(join(dataDir, 'stores'))) !== null
}

async function copyStore(from: string, to: string, run: Run): Promise<void> {
  for (;;) {
    const files = filesOf(from)
    mkdirSync(to, { mode: 0o700 })
    try {
      await copyEntries(from, to, run)
    } catch (error) {
      throw isFull(error, to) ? new StorageFull(to, error) : error
    }
    copyFileSync(join(from, 'format.json'), join(to, 'format.json'))
    // Stores that come back after a scavenge have put a new file in place of the one that was open here, and might have
    // taken the pages of a reader whom they did not see.
    if (filesOf(from).startsWith(files)) break
    rmSync(to, { recursive: true })
  }
  rmSync(join(to, 'lock.mdb'), { force: true })
  for (const file of readdirSync(to)) seal(join(to, file))
  syncDirectory(to)
}

/** Copies what lives, reads the copy again, and compares. */
async function copyEntries(from: string, to: string, { signal, tell }: Run): Promise<void> {
  const given = new Digest()
  const kept = new Digest()
  // LMDB's readers see one snapshot and block nobody, also from another process than the writer's.
  const source = open<Buffer, Buffer>({ path: from, readOnly: true, encoding: 'binary', keyEncoding: 'binary' })
  const copy = openFiles(to)
  try {
    for (const bytes of putAll(given.over(entriesOf(source, from)), copy)) {
      tell(bytes)
      await pause(signal)
    }
    let told = 0
    for (const _ of kept.over(entriesOf(copy, to))) {
      if (kept.bytes - told < BYTES_PER_PAUSE) continue
      tell(kept.bytes - told)
      told = kept.bytes
      await pause(signal)
    }
  } finally {
    await Promise.all([source.close(), copy.close()])
  }
  if (!given.equals(kept)) throw new Error(`What was copied to ${to} is not what is read there: the disk is not sound.`)
}

const BYTES_PER_PAUSE = 4 * 1_048_576

/** Lets signals and the terminal have their turn. */
async function pause(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate()
  signal?.throwIfAborted()
}

/** Opens the copy as the stores would, and reads every event. What is damaged there is so in `dataDir`: it was compared. */
async function check(copy: string, dataDir: string, signal: AbortSignal | undefined): Promise<CheckedLog> {
  try {
    await checkDocuments(join(copy, 'documents'))
    return await checkEventLog(join(copy, 'events'), () => pause(signal))
  } catch (error) {
    if (error instanceof StorageError) error.message = error.message.replaceAll(copy, dataDir)
    throw error
  } finally {
    for (const store of STORES) {
      // A copy may lie somewhere for years: whoever opens it looks at all of it.
      takeClosed(join(copy, store))
      rmSync(join(copy, store, 'lock.mdb'), { force: true })
    }
  }
}

/** Which files a directory's names stand for. The table of readers comes last: where there is none, whoever is first makes it. */
function filesOf(directory: string): string {
  const found = ['data.mdb', 'lock.mdb'].map(file => statSync(join(directory, file), { throwIfNoEntry: false }))
  return found.map(file => file && `${file.ino} `).join('')
}

function copyFile(dataDir: string, copy: string, file: string): void {
  if (!existsSync(join(dataDir, file))) return
  const folder = dirname(join(copy, file))
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeDurably(folder, basename(file), readFileSync(join(dataDir, file)))
}

/** For the owner's eyes, and on the disk. */
function seal(file: string): void {
  chmodSync(file, 0o600)
  const handle = openSync(file, 'r+')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function lockTarget(unfinished: string, target: string): DirectoryLock {
  try {
    return lockDirectory(unfinished)
  } catch (error) {
    if (error instanceof StorageFull) {
      rmSync(unfinished, { recursive: true })
      throw noRoom(target, error)
    }
    if (!(error instanceof DirectoryLocked)) throw error
    throw new Error(`Process ${error.holderPid} is making a backup at ${target} already.`, { cause: error })
  }
}

function noRoom(target: string, cause: unknown): Error {
  const message = `There is no room for the backup at ${target}: nothing of it was kept. Free some, or go elsewhere.`
  return new Error(message, { cause })
}

function checkFree(target: string): void {
  const found = statSync(target, { throwIfNoEntry: false })
  if (!found) {
    if (!lstatSync(target, { throwIfNoEntry: false })) return
    throw new Error(`${target} is a link to nothing: a backup goes into a new folder.`)
  }
  if (!found.isDirectory()) throw new Error(`${target} is a file: a backup goes into a new folder.`)
  if (readdirSync(target).length > 0) throw new Error(`${target} is not empty: a backup goes into a new folder.`)
  // What is made beside it cannot be moved over it.
  if (found.dev !== statSync(dirname(target)).dev)
    throw new Error(`${target} is a file system of its own: name a new folder in it.`)
}

/** It is cleared away whole, so nothing may lie in it but what a backup that was killed left there. */
function checkUnfinished(folder: string): void {
  const found = lstatSync(folder, { throwIfNoEntry: false })
  if (!found) return
  if (!found.isDirectory() || readdirSync(folder).some(name => name !== COPY_FOLDER && name !== LOCK_FOLDER))
    throw new Error(
      `${folder}, where the backup is made, is taken and not by a backup: move it or choose another place.`,
    )
}

/** The path without links, as far as it exists. */
function placeOf(path: string): string {
  const absolute = resolve(path)
  if (existsSync(absolute) || absolute === dirname(absolute)) return realpathSync(absolute)
  return join(placeOf(dirname(absolute)), basename(absolute))
}

function isWithin(directory: string, path: string): boolean {
  const way = relative(directory, path)
  return way.split(/[\\/]/)[0] !== '..' && !isAbsolute(way)
}

function sizeOf(directory: string): number {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map(file => statSync(join(directory, file)))
    .reduce((sum, found) => sum + (found.isFile() ? found.size : 0), 0)
}
