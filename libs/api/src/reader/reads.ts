// Answers readers' queries: waits where it is asked to, tags, caches and keeps what many ask for at once.
import { Injectable } from '@nestjs/common'
import { QueryBus } from '@nestjs/cqrs'
import { type Answered, awaiting, type Standing } from '@stet/eventsourcing'
import { curatedLists } from '@stet/newsroom'
import { type HotAnswer, HotAnswers, type HotBody, matches, Metrics, POSITION_HEADER } from '@stet/platform'
import { type Exchange } from '../editorial/address'
import { type FastifyRequest } from 'fastify'
import { awaitedPosition, nextOf, nextUrl } from '../paging'
import { CACHE, type CacheKind } from './cache-table'
import { EndedAnswer, fading, lasting, latin1, SharedEnding, tagOf } from './kept'

export interface Reading<Answer> {
  readonly cache: CacheKind
  /** What the answer shows, for purging: `article:{id}`, `list:{name}`; the lists that label its cards are added. */
  readonly shows: (answer: Answer) => readonly string[]
  /** True for an answer that changes as time passes, although no read model moves. */
  readonly fades?: boolean
  /** The answer is that of `own` with one more member, its last one, that it shares with others. */
  readonly parts?: { readonly own: object; readonly member: string; readonly ending: SharedEnding }
}

interface Made {
  readonly body: HotBody
  readonly position: string
  readonly standing: Pick<Standing, 'holds'>
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
    const made =
      position === undefined
        ? await this.shared(query, request, reading)
        : await this.made(awaiting(query, { position }), request.url, 'no-store', reading)
    const { text, etag, headers } = made.body
    void reply.headers({ ...headers, etag, [POSITION_HEADER]: made.position })
    if (!matches(request.headers['if-none-match'], etag)) return Buffer.from(text, 'latin1')
    void reply.code(304)
    return undefined
  }

  /** The members of an answer that others end with, renewed by itself. */
  ending<Answer>(
    query: () => object,
    shown: (answer: Answer) => { readonly value: unknown; readonly keys: readonly string[] },
  ): SharedEnding {
    return new SharedEnding(async () => {
      const { answer, standing } = await this.bus.execute<object, Answered<Answer>>(query())
      const { value, keys } = shown(answer)
      const text = latin1(JSON.stringify(value))
      return { shown: { text, keys: [...keys, ...listsIn(standing)] }, stands: standing }
    })
  }

  /** Requests for one url at the same time share one query, and its bytes for as long as they may be kept. */
  private async shared<Answer>(query: object, request: FastifyRequest, reading: Reading<Answer>): Promise<Made> {
    const { url } = request
    for (;;) {
      const running = this.#running.get(url)
      if (!running) break
      const made = await running
      // What began before a change is not for those who ask after it.
      if (made.standing.holds() !== null) return made
      if (this.#running.get(url) === running) this.#running.delete(url)
    }
    const route = `${request.routeOptions.url ?? ''} (kept)`
    const making = this.keeping(query, url, reading, status => this.metrics.requests('GET', route, status))
    this.#running.set(url, making)
    const done = () => {
      if (this.#running.get(url) === making) this.#running.delete(url)
    }
    making.then(done, done)
    return making
  }

  private async keeping<Answer>(
    query: object,
    url: string,
    reading: Reading<Answer>,
    series: HotAnswer['series'],
  ): Promise<Made> {
    const cache = CACHE[reading.cache]
    const { fades = false, parts } = reading
    if (!parts) {
      const made = await this.made(query, url, cache, reading)
      this.hot.keep(url, (fades ? fading : lasting)(made.body, made.standing, series))
      return made
    }
    const [{ answer, position, standing }, ending] = await Promise.all([
      this.bus.execute<object, Answered<Answer>>(parts.own),
      parts.ending.get(),
    ])
    const text = `${latin1(JSON.stringify(answer)).slice(0, -1)},"${parts.member}":`
    const keys = [...reading.shows(answer), ...listsIn(standing)]
    const ended = new EndedAnswer({ text, stands: standing }, ending, parts.ending, headersWith(cache, keys), series)
    this.hot.keep(url, ended)
    const whole = { holds: () => (ending.stands.holds() === null ? null : standing.holds()) }
    return { body: ended.body, position, standing: whole }
  }

  private async made<Answer>(query: object, url: string, cache: string, { shows }: Reading<Answer>): Promise<Made> {
    const { answer, position, standing } = await this.bus.execute<object, Answered<Answer>>(query)
    const text = latin1(JSON.stringify(answer))
    const next = nextOf(answer)
    const headers = {
      ...headersOf(cache, [...shows(answer), ...listsIn(standing)]),
      ...(next !== null && { link: `<${nextUrl(url, next)}>; rel="next"` }),
    }
    return { body: { text, etag: tagOf(text), headers }, position, standing }
  }
}

/** The lists that an answer was made of: the labels of its cards are theirs. */
const listsIn = (standing: Standing): string[] => standing.read(curatedLists).map(name => `list:${name}`)

const headersOf = (cache: string, keys: readonly string[]) => ({
  'content-type': 'application/json; charset=utf-8',
  'cache-control': cache,
  'surrogate-key': [...new Set(keys)].slice(0, MOST_KEYS).join(' '),
  vary: 'Accept-Encoding, Origin',
})

/** Made apart from the answer, which the function would keep as well. */
const headersWith = (cache: string, keys: readonly string[]) => (more: readonly string[]) =>
  headersOf(cache, [...keys, ...more])

/** The header must fit into what proxies accept. */
const MOST_KEYS = 120

/** The position that the query waits for; a decimal string, or Invalid. */
