// Rewrites an environment's file, so that what was removed from it is no longer anywhere in it.
//
// LMDB keeps removed bytes in free pages and in the gaps of pages in use until they happen to be overwritten. A file into
// which only what lives was put has neither; so erasure ends with this, done while nobody has the file open.
import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Database, type RootDatabase } from 'lmdb'
import { syncDirectory, writeDurably } from './files'

const REQUEST_FILE = 'rewrite-requested'
const NEW_FOLDER = 'rewritten'
const PUTS_PER_COMMIT = 2_000

/** The next opening of `directory` rewrites its file first, also after a crash in between. */
export function requestRewrite(directory: string): void {
  writeDurably(directory, REQUEST_FILE, Buffer.of())
}

/** Rewrites the file of `directory` if that was requested. Takes as long as reading and writing it once. */
export function rewriteIfRequested(
  directory: string,
  openEnvironment: (path: string) => RootDatabase<Buffer, Buffer>,
): void {
  if (!existsSync(join(directory, REQUEST_FILE))) return
  const folder = join(directory, NEW_FOLDER)
  rmSync(folder, { recursive: true, force: true })
  const from = openEnvironment(directory)
  const to = openEnvironment(folder)
  for (const name of databasesOf(from)) {
    const binary = { name, encoding: 'binary', keyEncoding: 'binary' } as const
    copy(from.openDB<Buffer, Buffer>(binary), to.openDB<Buffer, Buffer>(binary))
  }
  // Nothing is pending on either, so both are closed when this returns.
  void from.close()
  void to.close()
  renameSync(join(folder, 'data.mdb'), join(directory, 'data.mdb'))
  rmSync(join(directory, 'lock.mdb'), { force: true })
  syncDirectory(directory)
  rmSync(folder, { recursive: true })
  rmSync(join(directory, REQUEST_FILE))
  syncDirectory(directory)
}

function copy(from: Database<Buffer, Buffer>, to: Database<Buffer, Buffer>): void {
  const entries = from.getRange()[Symbol.iterator]()
  for (let done = false; !done;)
    to.transactionSync(() => {
      for (let put = 0; put < PUTS_PER_COMMIT; put++) {
        const next = entries.next()
        if (next.done) return void (done = true)
        to.putSync(next.value.key, next.value.value)
      }
    })
}

/** LMDB lists the databases of an environment as the keys of its main one. */
const databasesOf = (root: RootDatabase<Buffer, Buffer>): string[] =>
  [...root.getKeys()].map(name => name.toString('utf8').replace(/\0$/, ''))
