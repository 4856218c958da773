// What is counted and measured, in Prometheus' text format at /metrics.
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { Histogram, type Series } from './histogram'

/** A group of projections as /metrics shows it. */
export interface GroupLag {
  readonly group: string
  readonly events: number
  readonly seconds: number
  readonly parked: number
  /** Halted by an event that it cannot fold. */
  readonly halted: boolean
}

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

  /** Shows the lag of groups of projections, asked for at every scrape. */
  showLag(groups: () => Promise<readonly GroupLag[]>): void {
    const gauge = (name: string, help: string, value: (group: GroupLag) => number) => {
      new Gauge({
        name,
        help,
        labelNames: ['group'],
        registers: [this.registry],
        async collect() {
          for (const group of await asked()) this.set({ group: group.group }, value(group))
        },
      })
    }
    const asked = shared(groups)
    gauge('stet_projection_lag_events', 'Events that a group has not processed', ({ events }) => events)
    gauge('stet_projection_lag_seconds', 'Age of the first event that a group has not processed', lag => lag.seconds)
    gauge('stet_projection_parked_events', 'Events parked because a document could not take them', lag => lag.parked)
    gauge('stet_projection_halted', '1 when an event stopped the group', ({ halted }) => (halted ? 1 : 0))
  }

  /** Shows counters that somebody else keeps, by one label. */
  showCounts(name: string, help: string, label: string, counts: () => Readonly<Record<string, number>>): void {
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [this.registry],
      collect() {
        for (const [key, value] of Object.entries(counts())) this.set({ [label]: key }, value)
      },
    })
  }
}

/** The gauges of one scrape share one question; a question that fails shows nothing rather than failing the scrape. */
const shared = (groups: () => Promise<readonly GroupLag[]>): (() => Promise<readonly GroupLag[]>) => {
  let asking: Promise<readonly GroupLag[]> | null = null
  return () =>
    (asking ??= groups()
      .catch(() => [])
      .finally(() => setImmediate(() => (asking = null))))
}
