// Lets those who waited for one thing go on a few at a time, so that everything else gets its turn in between.

/** Those who go on in one turn of the event loop: less than a millisecond of work. */
const AT_ONCE = 8

/** In the order in which they came. */
export class Turns {
  private waiting: (() => void)[] = []

  /** Resolves when it is the caller's turn. */
  next(): Promise<void> {
    return new Promise(resolve => {
      // Whoever finds others waiting is let go after them.
      if (this.waiting.push(resolve) === 1) setImmediate(() => this.release())
    })
  }

  private release(): void {
    const some = this.waiting.slice(0, AT_ONCE)
    this.waiting = this.waiting.slice(AT_ONCE)
    if (this.waiting.length > 0) setImmediate(() => this.release())
    for (const go of some) go()
  }
}
