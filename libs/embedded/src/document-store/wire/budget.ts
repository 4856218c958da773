// How many bytes of large messages all connections together may have the server hold, whichever way they go.

/** A part of the budget, given back by `release`. */
export interface Share {
  /** From now until the next call the client is waited for. */
  waiting(): void
  /** From now on it is not: its message is being worked on. */
  working(): void
  release(): void
}

interface Holder {
  bytes: number
  /** Since when the client is waited for; undefined while it is not. */
  since?: number
  giveUp: () => void
}

export class Budget {
  private used = 0
  private readonly holders = new Set<Holder>()
  private readonly queue: (() => void)[] = []

  constructor(private readonly limit: number) {}

  /**
   * Waits for room. Who makes others wait loses its connection (`giveUp` is called): of those whose client is waited for,
   * the one that has been waited for longest. Clients that send and read go on; one that stopped does not hold them up.
   */
  async take(bytes: number, giveUp: () => void): Promise<Share> {
    while (this.used > 0 && this.used + bytes > this.limit) {
      const stalled = this.longestWaitedFor()
      if (stalled) {
        stalled.giveUp()
        this.release(stalled)
      } else await new Promise<void>(resolve => this.queue.push(resolve))
    }
    const holder: Holder = { bytes, giveUp }
    this.used += bytes
    this.holders.add(holder)
    return {
      waiting: () => void (holder.since = performance.now()),
      working: () => void (holder.since = undefined),
      release: () => this.release(holder),
    }
  }

  private longestWaitedFor(): Holder | undefined {
    let longest: Holder | undefined
    for (const holder of this.holders)
      if (holder.since !== undefined && (longest === undefined || holder.since < longest.since!)) longest = holder
    return longest
  }

  private release(holder: Holder): void {
    if (!this.holders.delete(holder)) return
    this.used -= holder.bytes
    for (const resolve of this.queue.splice(0)) resolve()
  }
}
