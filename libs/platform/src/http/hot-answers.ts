// The bytes of answers that many readers ask for at once, served before any framework sees the request.
import { type IncomingMessage, type ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { LRUCache } from 'lru-cache'
import { type Series } from '../observability/histogram'
import { matches } from './conditional'
import { CORRELATION_HEADER, newCorrelationId } from './correlation'
import { SECURITY_HEADERS } from './headers'

/** The bytes of an answer with status 200. */
export interface HotBody {
  /** The bytes as a Latin-1 string: Node sends such a body with the head in one write, a Buffer in a second one. */
  readonly text: string
  /** Strong tag of the bytes. */
  readonly etag: string
  /** All headers but those of security, length, tag, encoding, date and position. */
  readonly headers: Readonly<Record<string, string>>
}

/** An answer that is kept. */
export interface HotAnswer {
  /** What is served now: the same object for as long as it is the same; null: this request has to renew it. */
  readonly current: () => HotBody | null
  /** How far what is served now goes. */
  readonly position: () => string
  /** Where its requests are counted, by status. */
  readonly series: (status: 200 | 304) => Series
}

interface Entry {
  readonly answer: HotAnswer
  readonly body: HotBody
  readonly flat: readonly string[]
  /** Requests that would have taken each encoding before it was made. */
  readonly wanted: Record<Encoding, number>
  /** The body compressed, also as Latin-1. */
  readonly encoded: Readonly<Partial<Record<Encoding, string>>>
}

type Encoding = 'br' | 'gzip'

/**
 * Milliseconds that answers are served after it was last known what has changed. The read side looks about every fifty; the
 * rest is for a busy machine.
 */
const TRUSTED = 250
/** Position in the log up to which an answer holds. */
export const POSITION_HEADER = 'stet-position'
const MAX_BYTES = 128 * 1024 * 1024
/** Below this, compression saves less than a packet. */
const WORTH_COMPRESSING = 1_400

/** Answers by url. Only answers of open routes that ask for nothing about the caller may be kept here. */
export class HotAnswers {
  readonly #answers = new LRUCache<string, Entry>({
    maxSize: MAX_BYTES,
    sizeCalculation: ({ body, encoded }) =>
      body.text.length + (encoded.br?.length ?? 0) + (encoded.gzip?.length ?? 0) + 2_000,
  })
  #until = 0
  #served = false

  /** `cors` gives the Access-Control-Allow-Origin of a reader's origin. */
  constructor(private readonly cors: (url: string, origin: string | undefined) => string | null) {}

  /** What answers say of themselves was true at `at` (performance.now()). True when answers were served lately. */
  confirm(at: number): boolean {
    this.#until = Math.max(this.#until, at + TRUSTED)
    const served = this.#served
    this.#served = false
    return served
  }

  /** Keeps an answer, unless it has to be renewed already. */
  keep(url: string, answer: HotAnswer): void {
    const body = answer.current()
    if (body) this.#answers.set(url, entryOf(answer, body))
  }

  /** Answers the request when its answer is here; false: somebody else has to. */
  serve(request: IncomingMessage, response: ServerResponse): boolean {
    const { method, headers } = request
    if (method !== 'GET' && method !== 'HEAD') return false
    const url = request.url ?? ''
    const known = this.#answers.get(url)
    if (!known) return false
    const started = performance.now()
    if (started > this.#until) return false
    // A body would have to be read before the connection can be used again: not here.
    if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined) return false
    const body = known.answer.current()
    if (!body) return false
    const entry = body === known.body ? known : this.#renewed(url, known.answer, body)
    this.#served = true
    const origin = this.cors(url, headers.origin)
    const flat = [
      ...entry.flat,
      POSITION_HEADER,
      entry.answer.position(),
      CORRELATION_HEADER,
      newCorrelationId(headers),
    ]
    if (origin !== null) flat.push('access-control-allow-origin', origin)
    if (matches(headers['if-none-match'], body.etag)) {
      response.writeHead(304, [...flat, 'etag', body.etag]).end()
      entry.answer.series(304).observe((performance.now() - started) / 1_000)
      return true
    }
    const encoding = this.#encoding(url, entry, headers['accept-encoding'])
    const text = (encoding && entry.encoded[encoding]) ?? body.text
    flat.push('content-length', String(text.length), 'etag', encoding ? `W/${body.etag}` : body.etag)
    if (encoding) flat.push('content-encoding', encoding)
    response.writeHead(200, flat)
    if (method === 'HEAD') response.end()
    else response.end(text, 'latin1')
    entry.answer.series(200).observe((performance.now() - started) / 1_000)
    return true
  }

  #renewed(url: string, answer: HotAnswer, body: HotBody): Entry {
    const entry = entryOf(answer, body)
    this.#answers.set(url, entry)
    return entry
  }

  /** The encoding to send: one that is accepted and was made off this thread because the answer proved hot. */
  #encoding(url: string, entry: Entry, accepted: string | undefined): Encoding | null {
    if (accepted === undefined || entry.body.text.length < WORTH_COMPRESSING) return null
    const encoding = accepts(accepted, 'br') ? 'br' : accepts(accepted, 'gzip') ? 'gzip' : null
    if (encoding === null) return null
    if (entry.encoded[encoding] !== undefined) return encoding
    if (++entry.wanted[encoding] === 2)
      void compressed(encoding, Buffer.from(entry.body.text, 'latin1')).then(
        bytes => {
          const { encoded } = this.#answers.peek(url) ?? entry
          if (this.#answers.peek(url)?.body === entry.body)
            this.#answers.set(url, { ...entry, encoded: { ...encoded, [encoding]: bytes.toString('latin1') } })
        },
        () => undefined,
      )
    return null
  }
}

const entryOf = (answer: HotAnswer, body: HotBody): Entry => ({
  answer,
  body,
  flat: Object.entries({ ...SECURITY_HEADERS, ...body.headers }).flat(),
  wanted: { br: 0, gzip: 0 },
  encoded: {},
})

const accepts = (header: string, encoding: Encoding): boolean =>
  new RegExp(`(?:^|,)\\s*${encoding}\\s*(?:$|,|;(?!\\s*q=0(?:\\.0*)?\\s*(?:,|$)))`, 'i').test(header)

const brotli = promisify(brotliCompress)
const gzipped = promisify(gzip)
const compressed = (encoding: Encoding, bytes: Buffer): Promise<Buffer> =>
  encoding === 'br'
    ? brotli(bytes, {
        params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
      })
    : gzipped(bytes, { level: 5 })
