// Rewrites an environment's file, so that what was removed from it is no longer anywhere in it.
//
// Erasure ends with it (copy.ts says why); it is done while nobody has the file open.
import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type RootDatabase } from 'lmdb'
import { entriesOf, putAll, type Entry } from './copy'
import { StorageDamaged } from './errors'
import { syncDirectory, writeDurably } from './files'
import { isFull } from './room'

const REQUEST_FILE = 'rewrite-requested'
const NEW_FOLDER = 'rewritten'

/** The next opening of `directory` rewrites its file first, also after a crash in between. */
export function requestRewrite(directory: string): void {
  writeDurably(directory, REQUEST_FILE, Buffer.of())
}

/** Whether a rewrite was requested and has not ended. */
export function isRewriteRequested(directory: string): boolean {
  return existsSync(join(directory, REQUEST_FILE))
}

type Open = (path: string) => RootDatabase<Buffer, Buffer>

/** Made for one reading of all entries in their order: whether one of them lives, or is left out. */
export type Living = () => (entry: Entry) => boolean

/**
 * Rewrites the file of `directory` if that was requested. Takes as long as reading and writing it once. Where that fails, for
 * want of room above all, the file stays as it was and the request is dropped: the store is to be opened all the same.
 * @throws StorageDamaged when not all of it can be read.
 */
export function rewriteIfRequested(directory: string, open: Open, living: Living = () => () => true): void {
  if (!isRewriteRequested(directory)) return
  const folder = join(directory, NEW_FOLDER)
  rmSync(folder, { recursive: true, force: true })
  try {
    copy(directory, folder, open, living())
    renameSync(join(folder, 'data.mdb'), join(directory, 'data.mdb'))
    rmSync(join(directory, 'lock.mdb'), { force: true })
    syncDirectory(directory)
  } catch (error) {
    if (error instanceof StorageDamaged) throw error
    process.stderr.write(
      `${directory} was not written anew: ${reasonOf(error, folder)} What was erased is still in it.\n`,
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  rmSync(join(directory, REQUEST_FILE), { force: true })
  syncDirectory(directory)
}

function reasonOf(error: unknown, folder: string): string {
  if (isFull(error, folder))
    return 'there was no room for a second file beside the old one. Free some, then scavenge again.'
  return `${error instanceof Error ? error.message : String(error)}.`
}

function copy(from: string, to: string, open: Open, lives: (entry: Entry) => boolean): void {
  const source = open(from)
  try {
    const target = open(to)
    try {
      for (const _ of putAll(filtered(entriesOf(source, from), lives), target));
    } finally {
      // Nothing is pending on either, so both are closed when this returns.
      void target.close()
    }
  } finally {
    void source.close()
  }
}

function* filtered(entries: Iterable<Entry>, lives: (entry: Entry) => boolean): Generator<Entry> {
  for (const entry of entries) if (lives(entry)) yield entry
}
