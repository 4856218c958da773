// Remembers that an environment's file was closed in order, so that what was looked at before is not read again whole.
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { syncDirectory, writeDurably } from './files'

const CLOSED_FILE = 'closed'

/** To be called once the file of `directory` is closed. */
export function noteClosed(directory: string): void {
  try {
    writeDurably(directory, CLOSED_FILE, Buffer.from(stateOf(directory)))
  } catch {
    // No room, or the directory is gone: then it is looked at whole when it is opened again.
  }
}

/**
 * Whether the file is the one that was closed in order, untouched since. Asked once: from here on it counts as open, and
 * what ends the process leaves it so.
 */
export function takeClosed(directory: string): boolean {
  const note = join(directory, CLOSED_FILE)
  if (!existsSync(note)) return false
  const isUntouched = readFileSync(note, 'utf8') === stateOf(directory)
  rmSync(note)
  syncDirectory(directory)
  return isUntouched
}

/** What changes when anybody writes to the file, or puts another one in its place. */
function stateOf(directory: string): string {
  const file = join(directory, 'data.mdb')
  if (!existsSync(file)) return ''
  const { ino, size, mtimeNs } = statSync(file, { bigint: true })
  return `${ino} ${size} ${mtimeNs}\n`
}
