// What is counted and measured, in Prometheus' text format at /metrics.
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { Histogram, type Series } from './histogram'

/** A group of projections as /metrics shows it. */
export interface GroupLag {
  readonly group: string
  readonly events: number
  readonly seconds: number
  readonly parked: number
}

type Counts = Readonly<Record<string, number>>

/** One per process. */
export class Metrics {
  readonly registry = new Registry()
  readonly #requests = new Histogram(this.registry, 'stet_http_request_seconds', 'Time of HTTP requests')
  readonly #appends = new Histogram(this.registry, 'stet_append_seconds', 'Time of appends to the event store')

  constructor({ app }: { readonly app: string }) {
    this.registry.setDefaultLabels({ app })
    collectDefaultMetrics({ register: this.registry })
  }

  /** Series of a route's requests; `route` is the pattern, never the path. */
  requests(method: string, route: string, status: number): Series {
    return this.#requests.series(`${method} ${route} ${status}`, () => ({ method, route, status: String(status) }))
  }

  appends(outcome: 'appended' | 'refused' | 'unavailable'): Series {
    return this.#appends.series(outcome, () => ({ outcome }))
  }

  /** Shows the lag of groups of projections, asked for at every scrape; nothing of it, and that, when it cannot be had. */
  showLag(groups: () => Promise<readonly GroupLag[]>): void {
    const asked = shared(groups)
    const gauge = (name: string, help: string, value: (group: GroupLag) => number) => {
      new Gauge({
        name,
        help,
        labelNames: ['group'],
        registers: [this.registry],
        async collect() {
          const known = await asked()
          // A gauge keeps what it was set to: an old value would pass for a new one.
          this.reset()
          for (const group of known ?? []) this.set({ group: group.group }, value(group))
        },
      })
    }
    new Gauge({
      name: 'stet_projection_status_known',
      help: '0 when the lag of the groups could not be asked for',
      registers: [this.registry],
      async collect() {
        this.set((await asked()) ? 1 : 0)
      },
    })
    gauge('stet_projection_lag_events', 'Events that a group has not processed', ({ events }) => events)
    gauge('stet_projection_lag_seconds', 'Age of the first event that a group has not processed', lag => lag.seconds)
    gauge('stet_projection_parked_events', 'Events parked because a document could not take them', lag => lag.parked)
  }

  /** Shows counters that somebody else keeps, by one label; nothing when they cannot be had. */
  showCounts(name: string, help: string, label: string, counts: () => Counts | Promise<Counts>): void {
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [this.registry],
      async collect() {
        const known = await Promise.resolve()
          .then(counts)
          .catch(() => ({}))
        this.reset()
        for (const [key, value] of Object.entries(known)) this.set({ [label]: key }, value)
      },
    })
  }
}

/** The gauges of one scrape share one question; null when it fails: that must not fail the scrape. */
const shared = <T>(question: () => Promise<T>): (() => Promise<T | null>) => {
  let asking: Promise<T | null> | null = null
  return () =>
    (asking ??= question()
      .catch(() => null)
      .finally(() => (asking = null)))
}
