// Answers readers' queries: waits where it is asked to, tags, caches and keeps what many ask for at once.
import { Injectable } from '@nestjs/common'
import { QueryBus } from '@nestjs/cqrs'
import { type Answered, awaiting, Invalid } from '@stet/eventsourcing'
import { contentTag, HotAnswers, matches, Metrics } from '@stet/platform'
import { type Exchange } from '../editorial/address'
import { type FastifyRequest } from 'fastify'
import { CACHE, type CacheKind } from './cache-table'

export interface Reading<Answer> {
  readonly cache: CacheKind
  /** What the answer shows, for purging: `article:{id}`, `list:{name}`. */
  readonly shows: (answer: Answer) => readonly string[]
}

@Injectable()
export class Reads {
  readonly #running = new Map<string, Promise<Made>>()

  constructor(
    private readonly bus: QueryBus,
    private readonly hot: HotAnswers,
    private readonly metrics: Metrics,
  ) {}

  /** Bytes of the answer, or nothing after a 304. */
  async answer<Answer>(
    query: object,
    { request, reply }: Exchange,
    reading: Reading<Answer>,
  ): Promise<Buffer | undefined> {
    const position = awaitedPosition(request.query)
    const { bytes, etag, headers } =
      position === undefined
        ? await this.shared(query, request, reading)
        : await this.made(awaiting(query, { position }), request.url, 'no-store', reading)
    void reply.headers({ ...headers, etag })
    if (!matches(request.headers['if-none-match'], etag)) return bytes
    void reply.code(304)
    return undefined
  }

  /** Requests for one url at the same time share one query, and for a moment its bytes. */
  private shared<Answer>(query: object, request: FastifyRequest, reading: Reading<Answer>): Promise<Made> {
    const { url } = request
    const { generation } = this.hot
    // What began before a change is not for those who ask after it.
    const key = `${generation} ${url}`
    const running = this.#running.get(key)
    if (running) return running
    const route = `${request.routeOptions.url ?? ''} (kept)`
    const series = (status: 200 | 304) => this.metrics.requests('GET', route, status)
    const making = this.made(query, url, CACHE[reading.cache], reading).then(made => {
      this.hot.keep(url, { ...made, series }, generation)
      return made
    })
    this.#running.set(key, making)
    const done = () => this.#running.delete(key)
    making.then(done, done)
    return making
  }

  private async made<Answer>(query: object, url: string, cache: string, { shows }: Reading<Answer>): Promise<Made> {
    const { answer, position } = await this.bus.execute<object, Answered<Answer>>(query)
    const bytes = Buffer.from(JSON.stringify(answer))
    const next = nextOf(answer)
    const headers = {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': cache,
      'surrogate-key': [...new Set(shows(answer))].slice(0, MOST_KEYS).join(' '),
      'stet-position': position,
      vary: 'Accept-Encoding, Origin',
      ...(next !== null && { link: `<${nextUrl(url, next)}>; rel="next"` }),
    }
    return { bytes, etag: contentTag(bytes), headers }
  }
}

interface Made {
  readonly bytes: Buffer
  readonly etag: string
  readonly headers: Readonly<Record<string, string>>
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
