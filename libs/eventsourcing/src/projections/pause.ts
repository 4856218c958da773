// Waiting that ends early when there is no reason to wait any more, and waits that grow.

/** Resolves after `milliseconds`, or at once when aborted. Does not keep the process alive by itself. */
export const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) {
      resolve()
      return
    }
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    signal.addEventListener('abort', done, { once: true })
  })

/** Doubles from `first` to `last` ms, each with up to a half more, so that two processes do not meet again and again. */
export class Backoff {
  private next: number

  constructor(
    private readonly first: number,
    private readonly last: number,
  ) {
    this.next = first
  }

  get milliseconds(): number {
    const now = this.next
    this.next = Math.min(2 * now, this.last)
    return now * (1 + Math.random() / 2)
  }

  reset(): void {
    this.next = this.first
  }
}
