// Small files that must be there whole, or not at all, after a crash.
import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Writes a file so that after a crash it has its old content or the new one. */
export function writeDurably(directory: string, name: string, content: Uint8Array): void {
  const temporary = join(directory, `.${name}.${process.pid}`)
  writeFileSync(temporary, content, { mode: 0o600, flush: true })
  renameSync(temporary, join(directory, name))
  syncDirectory(directory)
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
