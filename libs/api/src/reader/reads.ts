// Answers readers' queries: waits where it is asked to, tags, caches and keeps what many ask for at once.
import { Injectable } from '@nestjs/common'
import { QueryBus } from '@nestjs/cqrs'
import { type Answered, awaiting, Invalid } from '@stet/eventsourcing'
import { contentTag, HotAnswers, matches, Metrics } from '@stet/platform'
import { type Exchange } from '../editorial/address'
import { CACHE, type CacheKind } from './cache-table'

export interface Reading<Answer> {
  readonly cache: CacheKind
  /** What the answer shows, for purging: `article:{id}`, `list:{name}`. */
  readonly shows: (answer: Answer) => readonly string[]
}

@Injectable()
export class Reads {
  constructor(
    private readonly bus: QueryBus,
    private readonly hot: HotAnswers,
    private readonly metrics: Metrics,
  ) {}

  /** Bytes of the answer, or nothing after a 304. */
  async answer<Answer>(
    query: object,
    { request, reply }: Exchange,
    { cache, shows }: Reading<Answer>,
  ): Promise<Buffer | undefined> {
    const position = awaitedPosition(request.query)
    const { generation } = this.hot
    const { answer, position: seen } = await this.bus.execute<object, Answered<Answer>>(
      position === undefined ? query : awaiting(query, { position }),
    )
    const bytes = Buffer.from(JSON.stringify(answer))
    const etag = contentTag(bytes)
    const next = nextOf(answer)
    const headers: Record<string, string> = {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': position === undefined ? CACHE[cache] : 'no-store',
      'surrogate-key': [...new Set(shows(answer))].slice(0, MOST_KEYS).join(' '),
      'stet-position': seen,
      vary: 'Accept-Encoding, Origin',
      ...(next !== null && { link: `<${nextUrl(request.url, next)}>; rel="next"` }),
    }
    void reply.headers({ ...headers, etag })
    if (position === undefined) {
      const route = request.routeOptions.url ?? ''
      const series = (status: 200 | 304) => this.metrics.requests('GET', `${route} (kept)`, status)
      this.hot.keep(request.url, { bytes, etag, headers, series }, generation)
    }
    if (!matches(request.headers['if-none-match'], etag)) return bytes
    void reply.code(304)
    return undefined
  }
}

/** The header must fit into what proxies accept. */
const MOST_KEYS = 120

/** The position that the query waits for; a decimal string, or Invalid. */
const awaitedPosition = (query: unknown): string | undefined => {
  const { position } = query as { readonly position?: unknown }
  if (position === undefined) return undefined
  if (typeof position !== 'string' || !/^(0|[1-9]\d{0,19})$/.test(position))
    throw new Invalid([{ pointer: '?position', detail: 'must be a position that a command answered' }])
  return position
}

const nextOf = (answer: unknown): string | null => {
  const { next } = answer as { readonly next?: unknown }
  return typeof next === 'string' ? next : null
}

const nextUrl = (url: string, cursor: string): string => {
  const [path = '', query = ''] = url.split('?', 2)
  const parameters = new URLSearchParams(query)
  parameters.delete('position')
  parameters.set('cursor', cursor)
  return `${path}?${parameters.toString()}`
}
