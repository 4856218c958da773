// Headers that every answer carries, and who may read answers from other origins.
import { type FastifyReply, type FastifyRequest } from 'fastify'

/** Security headers of an API: nothing of it is a page, so nothing may be loaded, framed or guessed. */
export const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'cross-origin',
  'strict-transport-security': 'max-age=31536000',
} as const

/** The API's own documentation is a page: its scripts and styles come from here. */
export const DOCS_POLICY =
  "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'"

const EXPOSED = 'etag, location, link, retry-after, stet-position, idempotent-replayed, x-correlation-id'
const PREFLIGHT = {
  'access-control-allow-methods': 'GET, HEAD, POST',
  'access-control-allow-headers':
    'authorization, content-type, idempotency-key, if-match, if-none-match, x-correlation-id',
  'access-control-max-age': '600',
} as const

/** Answers CORS: readers' routes are open to everybody unless origins are configured, the others only to those. */
export class Cors {
  readonly #any: boolean
  readonly #origins: ReadonlySet<string>

  constructor(origins: readonly string[]) {
    this.#any = origins.includes('*')
    this.#origins = new Set(origins)
  }

  /** Value of Access-Control-Allow-Origin, null for none. */
  allowed(url: string, origin: string | undefined): string | null {
    if (this.#any || (this.#origins.size === 0 && url.startsWith('/reader/'))) return '*'
    return origin !== undefined && this.#origins.has(origin) ? origin : null
  }

  /** Sets the headers; true when the request was a preflight and is answered. */
  answer(request: FastifyRequest, reply: FastifyReply): boolean {
    const { origin } = request.headers
    const allowed = this.allowed(request.url, origin)
    if (this.#origins.size > 0 && !this.#any) void reply.header('vary', 'Origin')
    const preflight = request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined
    if (allowed !== null)
      void reply.headers({
        'access-control-allow-origin': allowed,
        ...(origin !== undefined && { 'access-control-expose-headers': EXPOSED }),
        ...(preflight && PREFLIGHT),
      })
    if (preflight) void reply.code(204).send()
    return preflight
  }
}
