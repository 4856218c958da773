// Answers readers' queries: waits where it is asked to, tags, caches and keeps what many ask for at once.
import { Injectable } from '@nestjs/common'
import { QueryBus } from '@nestjs/cqrs'
import { type Answered, awaiting } from '@stet/eventsourcing'
import { type HotAnswer, HotAnswers, type HotBody, matches, Metrics } from '@stet/platform'
import { type Exchange } from '../editorial/address'
import { type FastifyRequest } from 'fastify'
import { awaitedPosition, nextOf, nextUrl } from '../paging'
import { CACHE, type CacheKind } from './cache-table'
import { EndedAnswer, fading, lasting, latin1, SharedEnding, tagOf } from './kept'

export interface Reading<Answer> {
  readonly cache: CacheKind
  /** What the answer shows, for purging: `article:{id}`, `list:{name}`. */
  readonly shows: (answer: Answer) => readonly string[]
  /** True for an answer that changes as time passes, although no read model moves. */
  readonly fades?: boolean
  /** The answer is that of `own` with one more member, its last one, that it shares with others. */
  readonly parts?: { readonly own: object; readonly member: string; readonly ending: SharedEnding }
}

@Injectable()
export class Reads {
  readonly #running = new Map<string, Promise<HotBody>>()

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
    const { text, etag, headers } =
      position === undefined
        ? await this.shared(query, request, reading)
        : await this.made(awaiting(query, { position }), request.url, 'no-store', reading)
    void reply.headers({ ...headers, etag })
    if (!matches(request.headers['if-none-match'], etag)) return Buffer.from(text, 'latin1')
    void reply.code(304)
    return undefined
  }

  /** The members of an answer that others end with, renewed by itself. */
  ending<Answer>(query: () => object, shown: (answer: Answer) => Shown): SharedEnding {
    return new SharedEnding(this.hot, async () => {
      const { answer } = await this.bus.execute<object, Answered<Answer>>(query())
      const { value, keys } = shown(answer)
      return { text: Buffer.from(JSON.stringify(value)).toString('latin1'), keys }
    })
  }

  /** Requests for one url at the same time share one query, and its bytes for as long as they may be kept. */
  private shared<Answer>(query: object, request: FastifyRequest, reading: Reading<Answer>): Promise<HotBody> {
    const { url } = request
    const { generation } = this.hot
    // What began before a change is not for those who ask after it.
    const key = `${generation} ${url}`
    const running = this.#running.get(key)
    if (running) return running
    const route = `${request.routeOptions.url ?? ''} (kept)`
    const series = (status: 200 | 304) => this.metrics.requests('GET', route, status)
    const making = this.answered(query, url, reading, series).then(({ answer, body }) => {
      this.hot.keep(url, answer, generation)
      return body
    })
    this.#running.set(key, making)
    const done = () => this.#running.delete(key)
    making.then(done, done)
    return making
  }

  private async answered<Answer>(
    query: object,
    url: string,
    reading: Reading<Answer>,
    series: HotAnswer['series'],
  ): Promise<{ readonly answer: HotAnswer; readonly body: HotBody }> {
    const cache = CACHE[reading.cache]
    const { fades = false, parts } = reading
    if (!parts) {
      const body = await this.made(query, url, cache, reading)
      return { answer: fades ? fading(body, series) : lasting(body, series), body }
    }
    const [{ answer, position }, ending] = await Promise.all([
      this.bus.execute<object, Answered<Answer>>(parts.own),
      parts.ending.get(),
    ])
    const own = `${latin1(JSON.stringify(answer)).slice(0, -1)},"${parts.member}":`
    const keys = reading.shows(answer)
    const ended = new EndedAnswer(
      own,
      ending,
      parts.ending,
      more => headersOf(cache, position, [...keys, ...more]),
      series,
    )
    return { answer: ended, body: ended.body }
  }

  private async made<Answer>(query: object, url: string, cache: string, { shows }: Reading<Answer>): Promise<HotBody> {
    const { answer, position } = await this.bus.execute<object, Answered<Answer>>(query)
    const text = latin1(JSON.stringify(answer))
    const next = nextOf(answer)
    const headers = {
      ...headersOf(cache, position, shows(answer)),
      ...(next !== null && { link: `<${nextUrl(url, next)}>; rel="next"` }),
    }
    return { text, etag: tagOf(text), headers }
  }
}

/** What a shared ending shows: a value, and the keys to purge it by. */
export interface Shown {
  readonly value: unknown
  readonly keys: readonly string[]
}

const headersOf = (cache: string, position: string, keys: readonly string[]) => ({
  'content-type': 'application/json; charset=utf-8',
  'cache-control': cache,
  'surrogate-key': [...new Set(keys)].slice(0, MOST_KEYS).join(' '),
  'stet-position': position,
  vary: 'Accept-Encoding, Origin',
})

/** The header must fit into what proxies accept. */
const MOST_KEYS = 120

/** The position that the query waits for; a decimal string, or Invalid. */
