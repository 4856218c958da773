// A histogram that costs an addition per observation: prom-client's own hashes its labels every time.
import { type Metric, type MetricValueWithName, type Registry } from 'prom-client'

/** Seconds. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const

export type Labels = Readonly<Record<string, string>>

/** One time series: counts per bucket, the last one being +Inf. */
export class Series {
  readonly #counts = new Float64Array(BOUNDS.length + 1)
  #sum = 0

  constructor(readonly labels: Labels) {}

  observe(seconds: number): void {
    let bucket = 0
    while (bucket < BOUNDS.length && seconds > (BOUNDS[bucket] as number)) bucket++
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#sum += seconds
  }

  values(name: string): MetricValueWithName<string>[] {
    let count = 0
    const buckets = [...this.#counts].map((inBucket, index) => {
      count += inBucket
      return {
        metricName: `${name}_bucket`,
        labels: { le: String(BOUNDS[index] ?? '+Inf'), ...this.labels },
        value: count,
      }
    })
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels: this.labels, value: this.#sum },
      { metricName: `${name}_count`, labels: this.labels, value: count },
    ]
  }
}

/** A histogram in a prom-client registry; whoever observes keeps its series. */
export class Histogram {
  readonly #series = new Map<string, Series>()

  constructor(
    registry: Registry,
    private readonly name: string,
    private readonly help: string,
  ) {
    // The registry asks a metric for its name and, when it is scraped, for its values; the type wants a whole class.
    registry.registerMetric({ name, get: async () => this.scraped() } as unknown as Metric)
  }

  /** The series of these labels; `key` names them and is all that is looked up. */
  series(key: string, labels: () => Labels): Series {
    let series = this.#series.get(key)
    if (!series) this.#series.set(key, (series = new Series(labels())))
    return series
  }

  private scraped() {
    const values = [...this.#series.values()].flatMap(series => series.values(this.name))
    return { name: this.name, help: this.help, type: 'histogram', aggregator: 'sum', values }
  }
}
