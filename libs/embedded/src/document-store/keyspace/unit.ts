// A unit of writing: what a command or a transaction is about to store, all of it or nothing.
import { CommandError } from '../errors'
import { copyTraits } from '../index/definition'
import { type Collection, storedCollection } from './catalog'
import { clockKey, countKey } from './layout'
import { name, Overlay, type View } from './view'

/** Called before a key is first written; throws when another transaction has the key, or had it since the snapshot. */
export type Claim = (key: string) => void

/** What a unit writes is held in memory until it is stored. */
const MAX_BYTES = 256 * 1024 * 1024

export class Unit {
  readonly view: Overlay
  /** Documents and unique keys this unit writes, for conflicts with others. */
  readonly claimed = new Set<string>()
  /** Collections whose catalog entry has to be stored again. */
  readonly changed = new Set<Collection>()
  /** Collections this unit makes, by namespace. */
  readonly created = new Map<string, Collection>()
  /** What becomes true in memory when the unit is stored. */
  readonly effects: (() => void)[] = []
  private readonly counts = new Map<number, number>()

  constructor(
    under: View,
    private readonly claimKey: Claim,
  ) {
    this.view = new Overlay(under)
  }

  claim(key: Buffer): void {
    if (this.view.bytes > MAX_BYTES)
      throw new CommandError(
        'TransactionTooLarge',
        `the embedded document store takes at most ${MAX_BYTES} bytes in one transaction or command; write less at once, or set MONGODB_URL to use a real MongoDB server`,
      )
    const string = name(key)
    if (this.claimed.has(string)) return
    this.claimKey(string)
    this.claimed.add(string)
  }

  /** Adds to the number of documents of a collection. */
  count(collection: Collection, change: number): void {
    this.counts.set(collection.id, (this.counts.get(collection.id) ?? 0) + change)
  }

  get isEmpty(): boolean {
    return this.view.size === 0 && this.changed.size === 0
  }

  /**
   * Stores everything through `put` and `remove`, with the clock set to `clock`. `committed` is the state at this moment,
   * which for the counts of a transaction is a later one than its snapshot.
   */
  store(
    committed: View,
    clock: number,
    put: (key: Buffer, value: Buffer) => void,
    remove: (key: Buffer) => void,
  ): void {
    // Whatever can fail comes before the first put.
    const counts = [...this.counts].map(([collection, change]) => {
      const key = countKey(collection)
      return [key, numberBytes(readNumber(committed, key) + change)] as const
    })
    this.view.forEach((key, value) => (value ? put(key, value) : remove(key)))
    for (const [key, count] of counts) put(key, count)
    for (const collection of this.changed) {
      put(...storedCollection(collection))
      for (const index of collection.indexes) index.stored = copyTraits(index.traits)
    }
    put(clockKey, numberBytes(clock))
  }
}

export function readNumber(view: View, key: Buffer): number {
  return view.get(key)?.readDoubleBE() ?? 0
}

function numberBytes(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeDoubleBE(value)
  return bytes
}
