// One command at a time per stream, in the order of arrival, with a bound on how many may wait.
import { Contended, Unavailable } from './errors'

/** Queues of tasks by key: one runs, the others wait. */
export class Lanes {
  readonly #tails = new Map<string, { last: Promise<void>; size: number }>()
  #total = 0

  constructor(
    private readonly perKey: number,
    private readonly all: number,
  ) {}

  /** Throws Contended when too many wait for this key, Unavailable when too many wait at all. */
  async run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const lane = this.#tails.get(key) ?? { last: Promise.resolve(), size: 0 }
    if (lane.size >= this.perKey) throw new Contended(`${lane.size} commands wait for ${key} already: try again later`)
    if (this.#total >= this.all) throw new Unavailable('event store', 'too many commands wait: try again later')
    this.#tails.set(key, lane)
    lane.size++
    this.#total++
    const result = lane.last.then(task)
    // The next one starts whatever became of this one.
    lane.last = result.then(
      () => undefined,
      () => undefined,
    )
    try {
      return await result
    } finally {
      this.#total--
      if (--lane.size === 0) this.#tails.delete(key)
    }
  }

  /** How many run or wait. */
  get size(): number {
    return this.#total
  }
}
