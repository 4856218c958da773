// What a statement reads: the committed state, a snapshot of it, or either under the writes of its own transaction.
import { type Database, type Transaction } from 'lmdb'
import { opened } from './layout'

export interface Entry {
  key: Buffer
  value: Buffer
}

/** Some of a range, perhaps none. */
export interface Piece {
  entries: Entry[]
  /** Where the rest of the range begins, or ends when it is read backwards; undefined when there is none. */
  rest?: Buffer
}

export interface View {
  get(key: Buffer): Buffer | undefined
  /** At most `limit` entries with start <= key < end, from the end backwards when `reverse`, and not many bytes. */
  range(start: Buffer, end: Buffer, reverse: boolean, limit: number): Piece
}

/** A piece ends with the entry that makes it so large, for it is held until it is given away. */
const PIECE_BYTES = 1024 * 1024

/** All entries with start <= key < end. */
export function* entriesOf(view: View, start: Buffer, end: Buffer): Generator<Entry> {
  for (let from: Buffer | undefined = start; from;) {
    const { entries, rest }: Piece = view.range(from, end, false, ENTRIES)
    yield* entries
    from = rest
  }
}
const ENTRIES = 1_000

/**
 * The state as committed, or as of `snapshot`. Within a group commit it includes the writes of the group so far.
 * What is damaged on disk is never given: reading it throws StorageDamaged.
 */
export class StoredView implements View {
  constructor(
    private readonly data: Database<Buffer, Buffer>,
    private readonly snapshot?: Transaction,
  ) {}

  get(key: Buffer): Buffer | undefined {
    const bytes = this.data.get(key, this.snapshot && { transaction: this.snapshot })
    return bytes && opened(key, bytes)
  }

  range(start: Buffer, end: Buffer, reverse: boolean, limit: number): Piece {
    const entries: Entry[] = []
    if (start.compare(end) >= 0) return { entries }
    // Backwards, LMDB begins at `end`, which is not in the range, and has to include `start`, which is.
    const bounds = reverse
      ? { start: end, end: start, reverse: true, exclusiveStart: true, inclusiveEnd: true }
      : { start, end }
    let bytes = 0
    for (const { key, value } of this.data.getRange({ ...bounds, limit, transaction: this.snapshot })) {
      entries.push({ key, value: opened(key, value) })
      bytes += value.length
      if (bytes >= PIECE_BYTES) break
    }
    return bytes >= PIECE_BYTES || entries.length === limit ? upTo(entries, reverse) : { entries }
  }
}

/** A piece that ends with the last of these entries. */
function upTo(entries: Entry[], reverse: boolean): Piece {
  const { key } = entries.at(-1)!
  return { entries, rest: reverse ? key : Buffer.concat([key, Buffer.of(0)]) }
}

/** Writes that are not stored yet, above a view. */
export class Overlay implements View {
  private readonly writes = new Map<string, { key: Buffer; value: Buffer | null }>()
  private sorted: string[] = []
  private unsorted: string[] = []
  /** Bytes held, to bound a transaction. */
  bytes = 0

  constructor(private readonly under: View) {}

  get(key: Buffer): Buffer | undefined {
    if (this.writes.size === 0) return this.under.get(key)
    const own = this.writes.get(name(key))
    return own ? (own.value ?? undefined) : this.under.get(key)
  }

  put(key: Buffer, value: Buffer): void {
    this.write(key, value)
  }

  delete(key: Buffer): void {
    this.write(key, null)
  }

  range(start: Buffer, end: Buffer, reverse: boolean, limit: number): Piece {
    const below = this.under.range(start, end, reverse, limit)
    if (this.writes.size === 0) return below
    // Of its own only those that come before the rest of what is below.
    const own = reverse ? this.ownRange(below.rest ?? start, end).reverse() : this.ownRange(start, below.rest ?? end)
    if (own.length === 0) return below
    const entries = this.merge(own, below.entries, reverse)
    return entries.length > limit ? upTo(entries.slice(0, limit), reverse) : { entries, rest: below.rest }
  }

  get size(): number {
    return this.writes.size
  }

  forEach(visit: (key: Buffer, value: Buffer | null) => void): void {
    for (const { key, value } of this.writes.values()) visit(key, value)
  }

  private write(key: Buffer, value: Buffer | null): void {
    const string = name(key)
    if (!this.writes.has(string)) this.unsorted.push(string)
    this.bytes += key.length + (value?.length ?? 0)
    this.writes.set(string, { key, value })
  }

  private ownRange(start: Buffer, end: Buffer): string[] {
    if (this.unsorted.length > 0) {
      this.sorted = this.sorted.concat(this.unsorted).sort(byBytes)
      this.unsorted = []
    }
    return this.sorted.slice(lowerBound(this.sorted, name(start)), lowerBound(this.sorted, name(end)))
  }

  private merge(own: string[], below: Entry[], reverse: boolean): Entry[] {
    const merged: Entry[] = []
    const sign = reverse ? -1 : 1
    let next = 0
    const takeOwn = () => {
      const { key, value } = this.writes.get(own[next++]!)!
      if (value) merged.push({ key, value })
    }
    for (const entry of below) {
      const key = name(entry.key)
      while (next < own.length && byBytes(own[next]!, key) * sign < 0) takeOwn()
      if (own[next] === key) takeOwn()
      else merged.push(entry)
    }
    while (next < own.length) takeOwn()
    return merged
  }
}

/** Bytes as a string of the same order, to be a key of a Map. */
export function name(key: Buffer): string {
  return key.toString('latin1')
}

function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function lowerBound(sorted: string[], key: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! < key) low = middle + 1
    else high = middle
  }
  return low
}
