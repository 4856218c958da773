// Gathers single reads into few: what is asked for while others are on their way goes together.

/** Reads under way at once; more would go to the store as many small ones again. */
const UNDER_WAY = 2
/** Keys of one read. */
const MOST = 100

interface Asked<Value> {
  readonly found: Promise<Value | null>
  readonly settle: (value: Value | null) => void
  readonly fail: (error: unknown) => void
}

/**
 * One `read` for many keys. A key that is asked for alone is read at once; a read begins after each of its keys was asked
 * for, so that nobody gets what was read before the question.
 */
export class Gathering<Value> {
  private waiting = new Map<string, Asked<Value>>()
  private underWay = 0

  constructor(private readonly read: (keys: readonly string[]) => Promise<ReadonlyMap<string, Value>>) {}

  get(key: string): Promise<Value | null> {
    const waiting = this.waiting.get(key)
    if (waiting) return waiting.found
    let settle: Asked<Value>['settle'] = () => undefined
    let fail: Asked<Value>['fail'] = () => undefined
    const found = new Promise<Value | null>((resolve, reject) => {
      settle = resolve
      fail = reject
    })
    this.waiting.set(key, { found, settle, fail })
    if (this.underWay < UNDER_WAY) void this.next()
    return found
  }

  private async next(): Promise<void> {
    this.underWay++
    // The keys of one question come in one go.
    await Promise.resolve()
    while (this.waiting.size > 0) {
      const batch = [...this.waiting].slice(0, MOST)
      for (const [key] of batch) this.waiting.delete(key)
      try {
        const found = await this.read(batch.map(([key]) => key))
        for (const [key, { settle }] of batch) settle(found.get(key) ?? null)
      } catch (error) {
        for (const [, { fail }] of batch) fail(error)
      }
    }
    this.underWay--
  }
}
