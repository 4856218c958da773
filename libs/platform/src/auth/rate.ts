// How many requests one caller may send a minute where a token is asked for. Counted in memory, by each process for itself.

const WINDOW = 60_000
/** Callers that are told apart; all beyond share one count. */
const MOST_CALLERS = 10_000
const REMAINING = ''

export class CallerRate {
  readonly #counts = new Map<string, number>()
  #ends = 0

  /** `most` requests a minute; null: as many as they like. */
  constructor(private readonly most: number | null) {}

  /** Counts a request: 0 when it may go on, else the seconds after which the caller may come again. `now` in ms, monotonic. */
  take(caller: string, now: number): number {
    if (this.most === null) return 0
    if (now >= this.#ends) {
      this.#counts.clear()
      this.#ends = now + WINDOW
    }
    const key = this.#counts.has(caller) || this.#counts.size < MOST_CALLERS ? caller : REMAINING
    const count = (this.#counts.get(key) ?? 0) + 1
    if (count > this.most) return Math.ceil((this.#ends - now) / 1_000)
    this.#counts.set(key, count)
    return 0
  }
}
