// Memory of what happened lately, in bounded space: hashes with their time, forgotten after a while.

/** Of every table, this share is filled at most. */
const FILL = 0.7
const SMALLEST = 4_096

/**
 * Remembers hashes (positive integers below 2^53) for at least `keepFor` milliseconds, less only when more than `capacity`
 * came in that time; a hash is gone when another one comes after four times that. Two tables take turns: the current one is written, the former one
 * still read, so forgetting costs nothing per hash. 12 bytes a place, at most about 34 bytes for each of `capacity`.
 */
export class RecentHashes {
  private current: Table
  private former: Table
  private since = Number.NEGATIVE_INFINITY

  constructor(
    capacity: number,
    private readonly keepFor: number,
  ) {
    const largest = Math.max(SMALLEST, 2 ** Math.floor(Math.log2(capacity / FILL)))
    this.current = new Table(largest)
    this.former = new Table(largest)
  }

  /** When the hash was remembered last (milliseconds, to the second), undefined when it is not known (any more). */
  at(hash: number): number | undefined {
    return this.current.get(hash) ?? this.former.get(hash)
  }

  remember(hash: number, now: number): void {
    if (now - this.since >= this.keepFor || this.current.full()) {
      // After a long silence even the newer table holds nothing that is still to be kept.
      if (now - this.since >= 2 * this.keepFor) this.current.clear()
      const oldest = this.former
      oldest.clear()
      this.former = this.current
      this.current = oldest
      this.since = now
    }
    this.current.set(hash, now)
  }
}

/** Open addressing with linear probing; 0 marks a free place. Grows by doubling. */
class Table {
  private count = 0
  private hashes = new Float64Array(SMALLEST)
  private seconds = new Uint32Array(SMALLEST)

  constructor(private readonly largest: number) {}

  get(hash: number): number | undefined {
    const place = this.placeOf(hash)
    return this.hashes[place] === hash ? (this.seconds[place] ?? 0) * 1_000 : undefined
  }

  set(hash: number, now: number): void {
    if (this.count >= this.hashes.length * FILL) this.grow()
    this.put(hash, Math.floor(now / 1_000))
  }

  full(): boolean {
    return this.count >= this.largest * FILL - 1
  }

  clear(): void {
    if (this.count > 0) this.hashes.fill(0)
    this.count = 0
  }

  private put(hash: number, second: number): void {
    const place = this.placeOf(hash)
    if (this.hashes[place] !== hash) this.count++
    this.hashes[place] = hash
    this.seconds[place] = second
  }

  private grow(): void {
    const { hashes, seconds } = this
    this.hashes = new Float64Array(hashes.length * 2)
    this.seconds = new Uint32Array(hashes.length * 2)
    this.count = 0
    for (const [place, hash] of hashes.entries()) if (hash !== 0) this.put(hash, seconds[place] ?? 0)
  }

  private placeOf(hash: number): number {
    const mask = this.hashes.length - 1
    let place = hash % this.hashes.length
    while (this.hashes[place] !== 0 && this.hashes[place] !== hash) place = (place + 1) & mask
    return place
  }
}
