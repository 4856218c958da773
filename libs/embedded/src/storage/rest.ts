// What a start leaves of a large file is looked at afterwards, by another thread, while the file is used.
//
// A snapshot holds the pages that it can reach: LMDB writes to others, and the file grows meanwhile by what is written.
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { RootDatabase } from 'lmdb'
import type { CheckOptions, Meta } from './check'
import { endAtOnce } from './end'
import { writeDurably } from './files'

/** The next opening looks at the whole file, however large: it is then refused like any damaged one. */
const SUSPECT_FILE = 'suspect'

export const isSuspect = (directory: string): boolean => existsSync(join(directory, SUSPECT_FILE))
export const clearSuspicion = (directory: string): void => rmSync(join(directory, SUSPECT_FILE), { force: true })

/** Looks at the whole file as of `meta`, its newest commit; ends the process when it is damaged. Gives what stops it. */
export function lookAtRest(
  root: RootDatabase<Buffer, Buffer>,
  directory: string,
  options: CheckOptions & { meta: Meta },
): () => Promise<unknown> {
  const snapshot = root.useReadTransaction()
  const workerData = { file: join(directory, 'data.mdb'), options: { ...options, isWhole: true } }
  const worker = new Worker(join(__dirname, 'rest-thread.js'), { workerData })
  worker.unref()
  worker.once('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code !== 'storage-damaged') return process.stderr.write(`${directory} was not looked at whole: ${message}\n`)
    try {
      writeDurably(directory, SUSPECT_FILE, Buffer.of())
    } finally {
      // Also without room for the note.
      endAtOnce(`${message}\n`)
    }
  })
  worker.once('exit', () => snapshot.done())
  return () => worker.terminate()
}
