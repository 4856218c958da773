// Of which kind and version the files of a directory are.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { WrongFormat } from './errors'
import { writeDurably } from './files'

export type EnvironmentFormat = {
  kind: 'event-store' | 'document-store'
  /** All that it may have; any when absent. Under another name one would be missed, and an empty one made. */
  databases?: readonly string[]
  /** Every entry begins with a checksum (seal.ts), which is looked at also when the file is opened. */
  isSealed?: true
  /** What this program writes. A directory of a newer version is refused, one of an older version is opened, */
  formatVersion: number
  /** but for those before this version. */
  oldest?: { formatVersion: number; whatToDo: string }
}

export const FORMAT_FILE = 'format.json'

export function writeFormat(directory: string, { kind, formatVersion }: EnvironmentFormat): void {
  writeDurably(directory, FORMAT_FILE, Buffer.from(`${JSON.stringify({ kind, formatVersion })}\n`))
}

/**
 * The version that `directory` was made with.
 * @throws WrongFormat when it was written by a newer version, or holds another kind of store.
 */
export function checkFormat(directory: string, { kind, formatVersion, oldest }: EnvironmentFormat): number {
  const file = join(directory, FORMAT_FILE)
  if (!existsSync(file))
    throw new WrongFormat(
      'foreign-directory',
      `${directory} has data but no ${FORMAT_FILE}: these are not the files of ${kind} of this program. Choose another DATA_DIR.`,
    )
  const found = readFormat(file)
  if (found.kind !== kind)
    throw new WrongFormat(
      'foreign-directory',
      `${directory} holds the files of ${String(found.kind)}, not of ${kind}. Choose another DATA_DIR.`,
    )
  if (typeof found.formatVersion !== 'number' || found.formatVersion > formatVersion)
    throw new WrongFormat(
      'newer-format',
      `${directory} was written in format ${String(found.formatVersion)}, this program knows up to ${formatVersion}. Start it with the newer version of the program, or restore a backup made with this one.`,
    )
  if (oldest && found.formatVersion < oldest.formatVersion)
    throw new WrongFormat(
      'older-format',
      `${directory} was written in format ${found.formatVersion}, which this program does not read any more. ${oldest.whatToDo}`,
    )
  return found.formatVersion
}

function readFormat(file: string): { kind?: unknown; formatVersion?: unknown } {
  try {
    // Destructured, so that null is refused like any other text.
    const { kind, formatVersion } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
    return { kind, formatVersion }
  } catch (cause) {
    throw new WrongFormat(
      'foreign-directory',
      `${file} cannot be read as a format description. Restore the directory from a backup.`,
      { cause },
    )
  }
}
