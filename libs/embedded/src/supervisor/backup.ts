// A copy of both stores at one consistent point, taken beside a running server or without one.
import { closeSync, copyFileSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { open } from 'lmdb'
import { syncDirectory } from '../storage'

/** The documents first: whatever they say was projected, the log copied after them still holds. */
const STORES = ['documents', 'events']

/**
 * Copies both stores of `dataDir` into `target`, which must be new or empty; DATA_DIR pointed at the copy is the restore.
 * Each copy is one snapshot, writers go on meanwhile. Tokens and keys are not copied.
 * @throws Error when there is nothing to copy, or the target holds something.
 */
export async function backupEmbeddedStores({ dataDir, target }: { dataDir: string; target: string }): Promise<void> {
  for (const store of STORES)
    if (!existsSync(join(dataDir, store, 'data.mdb'))) throw new Error(`${dataDir} has no ${store} to back up.`)
  mkdirSync(target, { recursive: true, mode: 0o700 })
  if (readdirSync(target).length > 0) throw new Error(`${target} is not empty: a backup goes into a new folder.`)
  for (const store of STORES) await copy(join(dataDir, store), join(target, store))
  syncDirectory(target)
}

async function copy(from: string, to: string): Promise<void> {
  mkdirSync(to, { mode: 0o700 })
  // LMDB's readers see one snapshot and block nobody, also from another process than the writer's.
  const root = open({ path: from, readOnly: true, encoding: 'binary', keyEncoding: 'binary' })
  try {
    await root.backup(to, false)
  } finally {
    await root.close()
  }
  // Last, because a folder without it is refused: a backup that was cut short cannot be taken for one.
  copyFileSync(join(from, 'format.json'), join(to, 'format.json'))
  for (const file of ['data.mdb', 'format.json']) sync(join(to, file))
  syncDirectory(to)
}

function sync(file: string): void {
  const handle = openSync(file, 'r+')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
