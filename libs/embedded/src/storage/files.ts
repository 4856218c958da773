// Small files that must be there whole, or not at all.
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

/** Writes a file so that after a crash it has its old content or the new one. */
export function writeDurably(directory: string, name: string, content: Uint8Array): void {
  const temporary = join(directory, `.${name}.${process.pid}`)
  writeFileSync(temporary, content, { mode: 0o600, flush: true })
  renameSync(temporary, join(directory, name))
  syncDirectory(directory)
}

/**
 * Makes a folder for its owner, and what is missing above it. Node 20's own recursive mkdir never returns where a file system
 * refuses new folders as "not found", as /proc does.
 */
export function makeFolder(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found?.isDirectory()) return
  if (found) throw new Error(`${path} is no folder: choose another one`)
  makeFolder(dirname(path))
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Another process may be first.
    if (!existsSync(path)) throw error
  }
}

/** Makes creations, renames and removals in a directory durable. */
export function syncDirectory(directory: string): void {
  const folder = openSync(directory, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

/** Bytes of a reader's place, and of what lies before the first in so many of them. */
const PLACE_BYTES = 64
const HEAD_PLACES = 16

/** Bytes of the pages that an environment begins with, and of some more. */
const FIRST_PAGES = 65_536

/**
 * Makes the file of LMDB's table of readers, where there is none. LMDB itself makes one with holes and maps it into memory:
 * a place for which the disk has no room any more ends the process by SIGBUS. So does a want of room for the first pages.
 */
export function makeReaderTable(directory: string, readers: number): void {
  makeFolder(directory)
  const file = join(directory, 'lock.mdb')
  if (existsSync(file)) return
  const temporary = join(directory, `.lock.mdb.${process.pid}`)
  try {
    const bytes = (HEAD_PLACES + readers) * PLACE_BYTES
    writeFileSync(temporary, Buffer.alloc(bytes + FIRST_PAGES), { mode: 0o600 })
    truncateSync(temporary, bytes)
    linkSync(temporary, file)
  } catch (error) {
    // Another process was first, and may use it already.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(temporary, { force: true })
  }
}
