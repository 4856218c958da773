// Imports items one command each, some at a time: the log commits what arrives together in one go.
import { type CommandOutcome, StetError, Unavailable } from '@stet/eventsourcing'
import { importOf, readNinjs } from '@stet/newsroom'
import { failureLine } from '../output'
import { itemsOf, type SourceFile, type SourceItem } from './sources'

/** What became of an import. */
export interface ImportTally {
  readonly items: number
  /** Items that were recorded: new articles and new versions. */
  readonly recorded: number
  /** Items that changed nothing: known already, or older than what is known. */
  readonly unchanged: number
  /** Recorded or known items that must not be published now. */
  readonly held: number
  readonly canceled: number
  readonly failed: number
  /** Items of which something is not kept. */
  readonly incomplete: number
}

export interface ImportOptions {
  readonly publish: boolean
  readonly send: (key: string, command: object) => Promise<CommandOutcome>
  /** A line per failure: where, and why. */
  readonly onFailure: (at: string, reason: string) => void
  /** Lines about what of an item is not kept. */
  readonly onNotes?: (at: string, notes: readonly string[]) => void
  readonly onProgress?: (doneBytes: number, tally: ImportTally) => void
  /** Items under way at once; 16 when absent. */
  readonly concurrency?: number
}

/**
 * Imports every item of the files. An item that cannot be imported is reported and the others go on.
 * @throws Unavailable when the event store cannot be reached: what was imported until then stays
 */
export const importFiles = async (files: readonly SourceFile[], options: ImportOptions): Promise<ImportTally> => {
  const tally = { items: 0, recorded: 0, unchanged: 0, held: 0, canceled: 0, failed: 0, incomplete: 0 }
  const { concurrency = 16, onFailure, onProgress } = options
  const underWay = new Set<Promise<void>>()
  let outage: Unavailable | null = null
  let done = 0
  for (const file of files) {
    for await (const source of itemsOf(file)) {
      if (underWay.size >= concurrency) await Promise.race(underWay)
      if (outage) break
      tally.items++
      const work = importItem(source, options, tally)
        .catch((error: unknown) => {
          if (error instanceof Unavailable) outage = error
          else {
            tally.failed++
            onFailure(source.at, failureLine(error))
          }
        })
        .finally(() => underWay.delete(work))
      underWay.add(work)
      onProgress?.(done, tally)
    }
    done += file.size
    onProgress?.(done, tally)
  }
  await Promise.all(underWay)
  if (outage) throw outage as Unavailable
  return tally
}

const importItem = async (
  source: SourceItem,
  { publish, send, onNotes }: ImportOptions,
  tally: { -readonly [Count in keyof ImportTally]: ImportTally[Count] },
): Promise<void> => {
  if ('problem' in source) throw new Unreadable(source.problem)
  const item = readNinjs(source.item)
  const { articleId, command } = importOf(item, { publish })
  const { changed } = await send(articleId, command)
  if (changed) tally.recorded++
  else tally.unchanged++
  if (item.canceled) tally.canceled++
  else if (item.held !== null) tally.held++
  if (item.notUnderstood.length) {
    tally.incomplete++
    onNotes?.(source.at, item.notUnderstood)
  }
}

class Unreadable extends StetError {
  readonly code = 'unreadable'
}
