// What a statement reads: the committed state, a snapshot of it, or either under the writes of its own transaction.
import { type Database, type Transaction } from 'lmdb'
import { opened } from './layout'

export interface Entry {
  key: Buffer
  value: Buffer
}

export interface View {
  get(key: Buffer): Buffer | undefined
  /** At most `limit` entries with start <= key < end, from the end backwards when `reverse`. */
  range(start: Buffer, end: Buffer, reverse: boolean, limit: number): Entry[]
}

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

  range(start: Buffer, end: Buffer, reverse: boolean, limit: number): Entry[] {
    if (start.compare(end) >= 0) return []
    // Backwards, LMDB begins at `end`, which is not in the range, and has to include `start`, which is.
    const bounds = reverse
      ? { start: end, end: start, reverse: true, exclusiveStart: true, inclusiveEnd: true }
      : { start, end }
    return Array.from(this.data.getRange({ ...bounds, limit, transaction: this.snapshot }), ({ key, value }) => ({
      key,
      value: opened(key, value),
    }))
  }
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

  range(start: Buffer, end: Buffer, reverse: boolean, limit: number): Entry[] {
    const own = this.ownRange(name(start), name(end))
    if (own.length === 0) return this.under.range(start, end, reverse, limit)
    const deleted = own.filter(key => this.writes.get(key)!.value === null).length
    const below = this.under.range(start, end, reverse, limit + deleted)
    if (reverse) own.reverse()
    // Beyond the last entry below there may be more of them than were asked for, which would come first.
    const complete = below.length < limit + deleted
    return this.merge(own, below, reverse, complete).slice(0, limit)
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

  private ownRange(start: string, end: string): string[] {
    if (this.unsorted.length > 0) {
      this.sorted = this.sorted.concat(this.unsorted).sort(byBytes)
      this.unsorted = []
    }
    return this.sorted.slice(lowerBound(this.sorted, start), lowerBound(this.sorted, end))
  }

  private merge(own: string[], below: Entry[], reverse: boolean, complete: boolean): Entry[] {
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
    while (complete && next < own.length) takeOwn()
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
