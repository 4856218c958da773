// Decides which views count and gathers them into events. In memory, bounded, without a clock: every call brings its time.
import { hash } from 'node:crypto'
import { classifyDevice, classifyReferrer, isBot, isPrefetch, networkOf } from './classify'
import { type Device, type ViewCount, type ViewEvents } from './events'
import { RecentHashes } from './recent'
import { NOT_COUNTED, type NotCounted, type ViewContext, type ViewDto } from './view'

/** Milliseconds in which one visitor counts once per article, and for which ids of views are known at least. */
export const VISITOR_WINDOW = 30 * 60_000
/** Entries of one event at most. */
export const MOST_ENTRIES = 1_000
/** Views of one batch at most: its events then stay below the 1 MiB that one append may have. */
export const MOST_VIEWS = 8_000

export interface ViewCounterOptions {
  /** What the site's own addresses begin with. */
  readonly siteUrl: string
  /** A new secret of at least 16 random bytes; asked for once a day. */
  readonly newSalt: () => Uint8Array
  /** Views counted per minute and network (/24, /48); default 600. */
  readonly ratePerNetwork?: number
  /** Tells addresses of data centres, where servers live and not readers; default: none is known. */
  readonly isDatacentre?: (ip: string) => boolean
  /** Hashes (two a view) remembered for half an hour; default 360,000: 100 views a second, at most 13 MB. */
  readonly capacity?: number
}

/** Views that are counted together: taken at once, recorded at once, durable or lost together. */
export interface ViewBatch {
  /** Views in it. */
  readonly size: number
  /** Data of the events, by minute, at most 1,000 entries each. */
  readonly events: () => ViewEvents['ArticlesViewed'][]
}

/** `batch`: what the view, or the one that it repeats, is recorded with; null when that is durable or never will be. */
export type Accepted =
  | { readonly outcome: 'counted'; readonly batch: ViewBatch }
  | { readonly outcome: NotCounted; readonly batch: ViewBatch | null }

interface Visit {
  readonly viewHash: number | null
  readonly visitorHashes: readonly number[]
}

/**
 * Counts views. A view is known for good only once its batch is settled as durable: a lost one may come again and counts
 * then. Not shared between processes.
 */
export class ViewCounter {
  /** Views not counted by reason since the start. */
  readonly notCounted: Record<NotCounted, number> = zeros()
  /** Views that were accepted since the start, lost ones included. */
  accepted = 0

  /** Of views and of visitors. */
  private readonly recent: RecentHashes
  private readonly salts: Salts
  private readonly rates: Rates
  private readonly agents = new Agents()
  /** Batches that are not settled; the last one is being filled. */
  private readonly open: Batch[] = []
  private readonly isDatacentre: (ip: string) => boolean

  constructor(private readonly options: ViewCounterOptions) {
    this.recent = new RecentHashes(options.capacity ?? 360_000, VISITOR_WINDOW)
    this.salts = new Salts(options.newSalt)
    this.rates = new Rates(options.ratePerNetwork ?? 600)
    this.isDatacentre = options.isDatacentre ?? (() => false)
  }

  /** Decides about one view. `now`: milliseconds since 1970. */
  accept(view: ViewDto, context: ViewContext, now: number): Accepted {
    const agent = this.agents.of(context.userAgent)
    if (isPrefetch(context.purpose)) return this.refused('prefetch')
    if (agent.bot) return this.refused('bot')
    if (this.isDatacentre(context.ip)) return this.refused('datacentre')
    const articleId = view.articleId.toLowerCase()
    const viewId = view.viewId === undefined ? null : seenHashOf(view.viewId)
    const viewHash = viewId === null ? null : numberOf(viewId)
    if (viewHash !== null) {
      const batch = this.open.find(({ viewHashes }) => viewHashes.has(viewHash))
      if (batch || this.recent.at(viewHash) !== undefined) return this.refused('repeat', batch)
    }
    const visitorHashes = context.unhashed ? [] : this.salts.hashes(context, articleId, now)
    for (const hash of visitorHashes) {
      const batch = this.open.find(({ visitorHashes }) => visitorHashes.has(hash))
      const before = batch ? now : this.recent.at(hash)
      if (before !== undefined && now - before < VISITOR_WINDOW) return this.refused('visitor', batch)
    }
    if (!this.rates.allows(networkOf(context.ip), now)) return this.refused('rate')
    this.accepted++
    const batch = this.filling()
    batch.add({ viewHash, visitorHashes: visitorHashes.slice(0, 1) }, now)
    batch.count(
      [articleId, classifyReferrer(view.referrer, this.options.siteUrl), agent.device, countryOf(context.country)],
      viewId,
      now,
    )
    return { outcome: 'counted', batch }
  }

  /** Views in the batch that is being filled: at MOST_VIEWS, no more are to be brought until it is taken. */
  get waiting(): number {
    const last = this.open.at(-1)
    return last && !last.taken ? last.size : 0
  }

  /** Closes the batch that is being filled and hands it over; null when nothing waits. It stays known until settled. */
  take(): ViewBatch | null {
    const batch = this.open.at(-1)
    if (!batch || batch.taken) return null
    batch.taken = true
    return batch
  }

  /** What became of a batch. Durable: its views are known and do not count again. Lost: it never was. */
  settle(batch: ViewBatch, outcome: 'durable' | 'lost'): void {
    const index = this.open.findIndex(open => open === batch)
    const settled = this.open[index]
    if (!settled) return
    this.open.splice(index, 1)
    if (outcome === 'lost') return
    for (const [hash, at] of settled.viewHashes) this.recent.remember(hash, at)
    for (const [hash, at] of settled.visitorHashes) this.recent.remember(hash, at)
  }

  /** Learns the ids of views from an event of the log, so that a repeat after a restart is not counted. */
  learn(seen: string, at: number): void {
    for (let i = 0; i + SEEN_LENGTH <= seen.length; i += SEEN_LENGTH) {
      this.recent.remember(numberOf(seen.slice(i, i + SEEN_LENGTH)), at)
    }
  }

  private filling(): Batch {
    const last = this.open.at(-1)
    if (last && !last.taken) return last
    const batch = new Batch()
    this.open.push(batch)
    return batch
  }

  private refused(outcome: NotCounted, batch: ViewBatch | null = null): Accepted {
    this.notCounted[outcome]++
    return { outcome, batch }
  }
}

class Batch implements ViewBatch {
  taken = false
  size = 0
  readonly viewHashes = new Map<number, number>()
  readonly visitorHashes = new Map<number, number>()
  private readonly minutes = new Map<number, Minute>()

  add({ viewHash, visitorHashes }: Visit, now: number): void {
    this.size++
    if (viewHash !== null) this.viewHashes.set(viewHash, now)
    for (const hash of visitorHashes) this.visitorHashes.set(hash, now)
  }

  count([articleId, referrer, device, country]: Dimensions, seen: string | null, now: number): void {
    const start = Math.floor(now / 60_000)
    let minute = this.minutes.get(start)
    if (!minute) this.minutes.set(start, (minute = { entries: new Map(), seen: [] }))
    const key = `${articleId} ${referrer} ${device} ${country}`
    const entry = minute.entries.get(key)
    if (entry) entry[1]++
    else minute.entries.set(key, [articleId, 1, referrer, device, country])
    if (seen !== null) minute.seen.push(seen)
  }

  events(): ViewEvents['ArticlesViewed'][] {
    const events: ViewEvents['ArticlesViewed'][] = []
    for (const [start, { entries, seen }] of this.minutes) {
      const minute = new Date(start * 60_000).toISOString()
      const views = [...entries.values()]
      for (let i = 0; i < views.length; i += MOST_ENTRIES) {
        const portion = views.slice(i, i + MOST_ENTRIES)
        events.push({ minute, views: portion, ...(i === 0 && seen.length > 0 && { seen: seen.join('') }) })
      }
    }
    return events
  }
}

type Dimensions = readonly [articleId: string, referrer: ViewCount[2], device: Device, country: string]
interface Minute {
  readonly entries: Map<string, [string, number, ViewCount[2], Device, string]>
  readonly seen: string[]
}

const SEEN_LENGTH = 11
/** First 8 bytes of SHA-256 of a view id in base64url: what the log holds of it. */
export const seenHashOf = (viewId: string): string =>
  hash('sha256', viewId.toLowerCase(), 'base64url').slice(0, SEEN_LENGTH)

/** The first 48 bits of a base64url text as a number that is never 0. */
const numberOf = (text: string): number => {
  let number = 0
  for (let i = 0; i < 8; i++) number = number * 64 + (SIXTH_OF[text.charCodeAt(i)] ?? 0)
  return number + 1
}
const SIXTH_OF = new Uint8Array(128)
for (const [value, character] of [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'].entries()) {
  SIXTH_OF[character.charCodeAt(0)] = value
}

/** A new salt each day of UTC; the former one is kept for one day, so that midnight makes nobody a new visitor. */
class Salts {
  private current: { readonly day: number; readonly salt: string } | null = null
  private former: { readonly day: number; readonly salt: string } | null = null

  constructor(private readonly newSalt: () => Uint8Array) {}

  /** Hashes of a visitor and an article: with today's salt, and with yesterday's while that can still matter. */
  hashes({ ip, userAgent = '' }: ViewContext, articleId: string, now: number): number[] {
    const day = Math.floor(now / DAY)
    if (!this.current || day > this.current.day) {
      this.former = this.current
      this.current = { day, salt: Buffer.from(this.newSalt()).toString('base64') }
    }
    if (this.former && day > this.former.day + 1) this.former = null
    const visitor = `${ip}\n${userAgent}\n${articleId}`
    const hashes = [hashOf(this.current.salt, visitor)]
    if (this.former && now - day * DAY < VISITOR_WINDOW) hashes.push(hashOf(this.former.salt, visitor))
    return hashes
  }
}
const DAY = 86_400_000
const hashOf = (salt: string, visitor: string): number => numberOf(hash('sha256', salt + visitor, 'base64url'))

/** Views per network and minute. A minute's counts are dropped with it; at most 50,000 networks are told apart. */
class Rates {
  private minute = -1
  private readonly counts = new Map<string, number>()

  constructor(private readonly most: number) {}

  allows(network: string | null, now: number): boolean {
    if (network === null) return true
    const minute = Math.floor(now / 60_000)
    if (minute !== this.minute) {
      this.counts.clear()
      this.minute = minute
    }
    const key = this.counts.has(network) || this.counts.size < MOST_NETWORKS ? network : REMAINING
    const count = this.counts.get(key) ?? 0
    if (count >= this.most) return false
    this.counts.set(key, count + 1)
    return true
  }
}
const MOST_NETWORKS = 50_000
/** All networks beyond those share one rate: a flood from everywhere is bounded too. */
const REMAINING = ''

interface Agent {
  readonly bot: boolean
  readonly device: Device
}

/** User agents repeat: what they are is worked out once while they do. */
class Agents {
  private known = new Map<string, Agent>()

  of(userAgent: string | undefined): Agent {
    const key = (userAgent ?? '').slice(0, 512)
    const known = this.known.get(key)
    if (known) return known
    if (this.known.size >= 5_000) this.known = new Map()
    const agent = { bot: isBot(key), device: classifyDevice(key) }
    this.known.set(key, agent)
    return agent
  }
}

const countryOf = (country: string | undefined): string => (country && /^[A-Z]{2}$/.test(country) ? country : '')

const zeros = (): Record<NotCounted, number> => {
  const counts = Object.fromEntries(NOT_COUNTED.map(reason => [reason, 0]))
  return counts as Record<NotCounted, number>
}
