// The recent end of the log in memory, shared by all live subscriptions, and the signal that it grew.
import type { StoredRecord } from './record'

const MAX_RECORDS = 8_192
const MAX_BYTES = 32 * 1_048_576

export class LiveTail {
  private records: StoredRecord[] = []
  private bytes = 0
  private waiting: (() => void)[] = []
  private waking = false

  constructor(
    /** The position of the last committed event, or 0. */
    public lastPosition: number,
    /** Positions after this one are in memory. */
    private floor = lastPosition,
  ) {}

  /** Adds records just committed, in the order of the log. */
  publish(records: StoredRecord[]): void {
    for (const record of records) {
      this.records.push(record)
      this.bytes += record.response.length
      this.lastPosition = record.position
    }
    if (this.records.length > MAX_RECORDS || this.bytes > MAX_BYTES) this.forget()
    if (this.waking || this.waiting.length === 0) return
    this.waking = true
    // Once per turn: the writes of one commit group arrive one after the other.
    setImmediate(() => this.wake())
  }

  /** At most `limit` records after `position`, or undefined when some of them are no longer in memory. */
  after(position: number, limit: number): StoredRecord[] | undefined {
    if (position < this.floor) return undefined
    if (position >= this.lastPosition) return []
    let low = 0
    let high = this.records.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.records[middle]!.position <= position) low = middle + 1
      else high = middle
    }
    return this.records.slice(low, low + limit)
  }

  /** Resolves when the log grew beyond `position`, or when the tail is closed. */
  grownBeyond(position: number): Promise<void> {
    if (this.lastPosition > position) return Promise.resolve()
    return new Promise(resolve => this.waiting.push(resolve))
  }

  /** Wakes everyone who waits, so that they see that they were cancelled. */
  wake(): void {
    this.waking = false
    const waiting = this.waiting
    this.waiting = []
    for (const resolve of waiting) resolve()
  }

  /** Holds nothing any more: there is too much of it, or some was taken out of the log. */
  forget(): void {
    this.floor = this.lastPosition
    this.records = []
    this.bytes = 0
  }
}
