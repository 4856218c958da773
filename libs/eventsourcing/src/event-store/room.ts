// A bound on what is on its way at once, in the order of arrival.
import { TimedOut } from './failures'

/** Room for `size` (bytes, say). What is larger than all of it enters alone. */
export class Room {
  readonly #waiting = new Set<{ readonly weight: number; readonly enter: () => void }>()
  #taken = 0

  constructor(private readonly size: number) {}

  /** Resolves once there is room; throws TimedOut after so many milliseconds. Each entry needs one `leave`. */
  async enter(weight: number, milliseconds: number): Promise<void> {
    if (this.#waiting.size === 0 && this.#fits(weight)) {
      this.#taken += weight
      return
    }
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(entry)
        reject(new TimedOut())
      }, milliseconds)
      const entry = {
        weight,
        enter: () => {
          clearTimeout(timer)
          resolve()
        },
      }
      this.#waiting.add(entry)
      this.#admit()
    })
  }

  leave(weight: number): void {
    this.#taken -= weight
    this.#admit()
  }

  #fits(weight: number): boolean {
    return this.#taken === 0 || this.#taken + weight <= this.size
  }

  #admit(): void {
    for (const entry of this.#waiting) {
      if (!this.#fits(entry.weight)) return
      this.#waiting.delete(entry)
      this.#taken += entry.weight
      entry.enter()
    }
  }
}
