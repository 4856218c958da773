// The bytes of answers that many readers ask for at once, served before any framework sees the request.
import { type IncomingMessage, type ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { LRUCache } from 'lru-cache'
import { type Series } from '../observability/histogram'
import { matches } from './conditional'
import { CORRELATION_HEADER, newCorrelationId } from './correlation'
import { SECURITY_HEADERS } from './headers'

/** An answer with status 200, as it is sent. */
export interface HotAnswer {
  readonly bytes: Buffer
  /** Strong tag of the bytes. */
  readonly etag: string
  /** All headers but those of security, length, tag, encoding and date. */
  readonly headers: Readonly<Record<string, string>>
  /** Where its requests are counted, by status. */
  readonly series: (status: 200 | 304) => Series
}

interface Entry extends HotAnswer {
  /** performance.now() at which it may not be served any more. */
  readonly until: number
  /** performance.now() from which the next request renews it. */
  renewal: number
  readonly flat: readonly string[]
  /** The bytes as a Latin-1 string: Node sends such a body with the head in one write, a Buffer in a second one. */
  readonly text: string
  hits: number
  readonly encoded: Map<'br' | 'gzip', string>
}

/** Milliseconds: how much later than its documents an answer may be. */
const KEPT = 250
/** Milliseconds after which one request goes through and renews the answer while the others are still served. */
const RENEWED = 150
const MAX_BYTES = 64 * 1024 * 1024
/** Below this, compression saves less than a packet. */
const WORTH_COMPRESSING = 1_400

/** Answers by url. Only answers of open routes that ask for nothing about the caller may be kept here. */
export class HotAnswers {
  readonly #answers = new LRUCache<string, Entry>({
    maxSize: MAX_BYTES,
    sizeCalculation: ({ bytes }) => bytes.length * 3 + 1_000,
  })

  /** `cors` gives the Access-Control-Allow-Origin of a reader's origin. */
  constructor(private readonly cors: (url: string, origin: string | undefined) => string | null) {}

  /** Rises whenever something that answers show has changed; see `keep`. */
  generation = 0

  /** Forgets all answers: their documents have changed. */
  clear(): void {
    this.generation++
    this.#answers.clear()
  }

  /** Keeps an answer whose documents were read at `generation`; one that was overtaken by a change is not kept. */
  keep(url: string, answer: HotAnswer, generation: number): void {
    if (generation !== this.generation) return
    const flat = Object.entries({ ...SECURITY_HEADERS, ...answer.headers }).flat()
    const now = performance.now()
    const text = answer.bytes.toString('latin1')
    const entry = { ...answer, flat, text, until: now + KEPT, renewal: now + RENEWED, hits: 0, encoded: new Map() }
    this.#answers.set(url, entry)
  }

  /** Answers the request when its answer is here; false: somebody else has to. */
  serve(request: IncomingMessage, response: ServerResponse): boolean {
    const { method, headers } = request
    if (method !== 'GET' && method !== 'HEAD') return false
    const url = request.url ?? ''
    const entry = this.#answers.get(url)
    if (!entry) return false
    const started = performance.now()
    if (started > entry.until) {
      this.#answers.delete(url)
      return false
    }
    if (started > entry.renewal) {
      entry.renewal = entry.until
      return false
    }
    // A body would have to be read before the connection can be used again: not here.
    if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined) return false
    const origin = this.cors(url, headers.origin)
    const flat = [...entry.flat, CORRELATION_HEADER, newCorrelationId(headers)]
    if (origin !== null) flat.push('access-control-allow-origin', origin)
    if (matches(headers['if-none-match'], entry.etag)) {
      response.writeHead(304, [...flat, 'etag', entry.etag]).end()
      entry.series(304).observe((performance.now() - started) / 1_000)
      return true
    }
    const encoding = this.#encoding(entry, headers['accept-encoding'])
    const text = (encoding ? entry.encoded.get(encoding) : null) ?? entry.text
    flat.push('content-length', String(text.length), 'etag', encoding ? `W/${entry.etag}` : entry.etag)
    if (encoding) flat.push('content-encoding', encoding)
    response.writeHead(200, flat)
    if (method === 'HEAD') response.end()
    else response.end(text, 'latin1')
    entry.series(200).observe((performance.now() - started) / 1_000)
    return true
  }

  /** The encoding to send: one that is accepted and was compressed off this thread because the page proved hot. */
  #encoding(entry: Entry, accepted: string | undefined): 'br' | 'gzip' | null {
    if (accepted === undefined || entry.bytes.length < WORTH_COMPRESSING) return null
    const encoding = accepts(accepted, 'br') ? 'br' : accepts(accepted, 'gzip') ? 'gzip' : null
    if (encoding === null) return null
    if (entry.encoded.has(encoding)) return encoding
    if (++entry.hits === 2)
      void compressed(encoding, entry.bytes).then(
        bytes => entry.encoded.set(encoding, bytes.toString('latin1')),
        () => undefined,
      )
    return null
  }
}

const accepts = (header: string, encoding: string): boolean =>
  new RegExp(`(?:^|,)\\s*${encoding}\\s*(?:$|,|;(?!\\s*q=0(?:\\.0*)?\\s*(?:,|$)))`, 'i').test(header)

const brotli = promisify(brotliCompress)
const gzipped = promisify(gzip)
const compressed = (encoding: 'br' | 'gzip', bytes: Buffer): Promise<Buffer> =>
  encoding === 'br'
    ? brotli(bytes, {
        params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
      })
    : gzipped(bytes, { level: 5 })
