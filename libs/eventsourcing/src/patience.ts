// How long the engine insists while the event store cannot be reached, and how it waits between attempts.
import { setTimeout as sleep } from 'node:timers/promises'
import { Unavailable } from './errors'

/** Milliseconds; each wait is twice the one before, up to the last. */
const FIRST_WAIT = 25
const LAST_WAIT = 400

/** The time that one command may take in all, queueing included. Monotonic: nothing recorded depends on it. */
export class Patience {
  readonly #until: number
  constructor(milliseconds: number) {
    this.#until = performance.now() + milliseconds
  }

  get over(): boolean {
    return performance.now() >= this.#until
  }

  /** Repeats `attempt` while it throws Unavailable and there is patience left; then throws what it threw last. */
  async insist<T>(attempt: () => Promise<T>): Promise<T> {
    for (let wait = FIRST_WAIT; ; wait = Math.min(2 * wait, LAST_WAIT)) {
      try {
        return await attempt()
      } catch (error) {
        if (!(error instanceof Unavailable) || performance.now() + wait >= this.#until) throw error
        await sleep(wait)
      }
    }
  }
}
