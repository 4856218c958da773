// Lets those who waited for one thing go on a few at a time, so that everything else gets its turn in between.

/** Those who go on in one turn of the event loop: less than a millisecond of work. */
const AT_ONCE = 8

/** In the order in which they came. */
export class Turns {
  private waiting: (() => void)[] = []
  private isScheduled = false

  /** Resolves when it is the caller's turn. */
  next(): Promise<void> {
    return new Promise(resolve => {
      this.waiting.push(resolve)
      this.schedule()
    })
  }

  private schedule(): void {
    if (this.isScheduled || this.waiting.length === 0) return
    this.isScheduled = true
    setImmediate(() => {
      this.isScheduled = false
      const some = this.waiting.slice(0, AT_ONCE)
      this.waiting = this.waiting.slice(AT_ONCE)
      for (const go of some) go()
      this.schedule()
    })
  }
}
