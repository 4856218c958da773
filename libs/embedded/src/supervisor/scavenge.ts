// Scavenges running stores: what was erased leaves the log, and both files are written anew without it.
//
// The event store scavenges while it is used; then the stores' process ends, and when its parent has started it again it
// rewrites both files before it opens them (storage/rewrite.ts).
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { isScavengeBegun } from '../event-store/scavenge'
import { startScavenge } from '../event-store/start-scavenge'
import { isRewriteRequested } from '../storage'
import { findRunningStores } from './supervisor'

export type ScavengeOptions = {
  /** Stores must run there, in this process or another one. */
  dataDir: string
  /** Ends the waiting; the scavenge itself goes on. */
  signal?: AbortSignal
}

const STORES = ['documents', 'events'] as const
/** Milliseconds between two looks at the files. */
const EVERY = 50

/**
 * Resolves once no byte of what truncation and deletion hide is in the files of either store. Takes as long as reading and
 * writing them once; meanwhile, for the last part of it, the stores do not answer.
 * @throws Error when none run there, the event store does not answer or the scavenge ends early; the signal's reason.
 */
export async function scavengeEmbeddedStores({ dataDir, signal }: ScavengeOptions): Promise<void> {
  for (;;) {
    const stores = await findRunningStores(dataDir)
    if (!stores) throw new Error(`No stores run in ${dataDir}.`)
    const before = STORES.map(store => fileOf(dataDir, store))
    const isNew = await startScavenge(stores.eventStoreUrl)
    for (;;) {
      // Looked at in this order: what is under way no more has rewritten both, or has ended early.
      const isUnderWay = isScavengeBegun(join(dataDir, 'events')) || STORES.some(store => isRequested(dataDir, store))
      if (STORES.every((store, index) => isRewritten(dataDir, store, before[index]))) break
      if (!isUnderWay) throw new Error(`The scavenge ended early; the output of the server on ${dataDir} says why.`)
      await pause(EVERY, null, { signal })
    }
    // One that was under way may have passed by what was hidden since it began.
    if (isNew) return
  }
}

/** A rewritten file is another one: the new one is made beside the old one and moved into its place. */
const isRewritten = (dataDir: string, store: string, before: bigint | undefined): boolean =>
  fileOf(dataDir, store) !== before && !isRequested(dataDir, store)

const isRequested = (dataDir: string, store: string): boolean => isRewriteRequested(join(dataDir, store))

function fileOf(dataDir: string, store: string): bigint | undefined {
  const path = join(dataDir, store, 'data.mdb')
  return existsSync(path) ? statSync(path, { bigint: true }).ino : undefined
}
