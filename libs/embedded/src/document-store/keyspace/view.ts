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
    return {
      entries,
      rest: bytes >= PIECE_BYTES || entries.length === limit ? past(entries.at(-1)!.key, reverse) : undefined,
    }
  }
}

/** Where a range goes on that has been read up to this key. */
export function past(key: Buffer, reverse: boolean): Buffer {
  return reverse ? key : Buffer.concat([key, Buffer.of(0)])
}

/** Writes that are not stored yet, above a view. */
export class Overlay implements View {
  private readonly writes = new Map<string, { key: Buffer; value: Buffer | null }>()
  /** Its keys as sorted runs, each longer than the next, and those that came since. */
  private readonly runs: string[][] = []
  private unsorted: string[] = []
  /** Bytes held, to bound a transaction. */
  bytes = 0

  constructor(private readonly under: View) {}

  get(key: Buffer): Buffer | undefined {
    if (this.writes.size === 0) return this.under.get(key)
    const own = this.writes.get(name(key))
    return own ? (own.value ?? undefined) : this.under.get(key)
  }

  delete(key: Buffer): void {
    this.put(key, null)
  }

  put(key: Buffer, value: Buffer | null): void {
    const string = name(key)
    const before = this.writes.get(string)
    if (!before) this.unsorted.push(string)
    this.bytes += (value?.length ?? 0) - (before ? (before.value?.length ?? 0) : -key.length)
    this.writes.set(string, { key, value })
  }

  range(start: Buffer, end: Buffer, reverse: boolean, limit: number): Piece {
    const below = this.under.range(start, end, reverse, limit)
    if (this.writes.size === 0) return below
    // Of its own only those that come before the rest of what is below, and not more than are asked for.
    const [low, high] = reverse ? [below.rest ?? start, end] : [start, below.rest ?? end]
    const own = this.ownKeys(low, high, reverse, limit)
    if (own.length === 0) return below
    const sign = reverse ? -1 : 1
    // Where its own are cut, so is what is below.
    const last = own.length === limit ? this.writes.get(own.at(-1)!)!.key : undefined
    const entries = below.entries.filter(
      ({ key }) => !this.writes.has(name(key)) && (!last || key.compare(last) * sign < 0),
    )
    for (const string of own) {
      const { key, value } = this.writes.get(string)!
      if (value) entries.push({ key, value })
    }
    entries.sort((a, b) => a.key.compare(b.key) * sign)
    if (entries.length > limit)
      return { entries: entries.slice(0, limit), rest: past(entries[limit - 1]!.key, reverse) }
    return { entries, rest: last ? past(last, reverse) : below.rest }
  }

  get size(): number {
    return this.writes.size
  }

  forEach(visit: (key: Buffer, value: Buffer | null) => void): void {
    for (const { key, value } of this.writes.values()) visit(key, value)
  }

  /** At most `limit` of its keys with start <= key < end, in order, from the end backwards when `reverse`. */
  private ownKeys(start: Buffer, end: Buffer, reverse: boolean, limit: number): string[] {
    if (this.unsorted.length > 0) {
      let run = this.unsorted.sort(byBytes)
      // So that a key is merged few times, however often a range is read between two writes.
      while (run.length >= (this.runs.at(-1)?.length ?? Infinity)) run = this.runs.pop()!.concat(run).sort(byBytes)
      this.runs.push(run)
      this.unsorted = []
    }
    const keys = this.runs.flatMap(run => {
      const [low, high] = [lowerBound(run, name(start)), lowerBound(run, name(end))]
      return reverse ? run.slice(Math.max(low, high - limit), high) : run.slice(low, Math.min(high, low + limit))
    })
    keys.sort(byBytes)
    return (reverse ? keys.reverse() : keys).slice(0, limit)
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
