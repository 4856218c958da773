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

/** Milliseconds in which nothing came of a client, or went to it, before it counts as one that stopped. */
const PATIENCE = 1_000

export class Budget {
  private used = 0
  private readonly holders = new Set<Holder>()
  private readonly queue = new Set<() => void>()

  constructor(
    private readonly limit: number,
    private readonly patience = PATIENCE,
  ) {}

  /**
   * Waits for room. Who makes others wait loses its connection (`giveUp` is called): of those whose client stopped, the one
   * that has been waited for longest. Clients that send and read go on; one that stopped does not hold them up.
   * @throws the signal's reason
   */
  async take(bytes: number, giveUp: () => void, signal: AbortSignal): Promise<Share> {
    while (this.used > 0 && this.used + bytes > this.limit) {
      const stopped = this.longestWaitedFor()
      if (stopped) {
        stopped.giveUp()
        this.release(stopped)
      } else await this.change(signal)
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

  /** Resolves when there may be room, or somebody who stopped. */
  private async change(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    let wake = () => {}
    const woken = new Promise<void>(resolve => (wake = resolve))
    const timer = setTimeout(wake, this.patience)
    signal.addEventListener('abort', wake)
    this.queue.add(wake)
    await woken
    this.queue.delete(wake)
    signal.removeEventListener('abort', wake)
    clearTimeout(timer)
    signal.throwIfAborted()
  }

  private longestWaitedFor(): Holder | undefined {
    let longest: Holder | undefined
    let since = performance.now() - this.patience
    for (const holder of this.holders)
      if (holder.since !== undefined && holder.since < since) {
        longest = holder
        since = holder.since
      }
    return longest
  }

  private release(holder: Holder): void {
    if (!this.holders.delete(holder)) return
    this.used -= holder.bytes
    for (const wake of this.queue) wake()
  }
}
