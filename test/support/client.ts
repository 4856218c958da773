// An HTTP client as an editor's tool has it: every answer it gets is checked against the served OpenAPI document.
import { randomUUID } from 'node:crypto'
import { type Newsroom, type Role } from './newsroom'
import { type AnswerCheck, answerCheck } from './openapi'

export interface Answer<T = unknown> {
  readonly status: number
  readonly headers: Headers
  readonly body: T
}

export interface CallOptions {
  readonly role?: Role | null
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON; a string or bytes are sent as they are. */
  readonly body?: unknown
  readonly signal?: AbortSignal
}

export interface Outcome {
  readonly id: string
  readonly revision: number
  readonly position: string
}

/** Calls one newsroom, as an editor unless said otherwise. */
export class Client {
  readonly #newsroom: Newsroom
  #check: Promise<AnswerCheck> | undefined

  constructor(newsroom: Newsroom) {
    this.#newsroom = newsroom
  }

  async call<T = Record<string, unknown>>(method: string, path: string, options: CallOptions = {}): Promise<Answer<T>> {
    const { role = path.startsWith('/editorial') ? 'editor' : path.startsWith('/analyst') ? 'analyst' : null } = options
    const headers: Record<string, string> = { ...options.headers }
    if (options.token ?? role)
      headers.authorization ??= `Bearer ${options.token ?? (await this.#newsroom.token(role!))}`
    const raw = typeof options.body === 'string' || options.body instanceof Uint8Array
    if (options.body !== undefined && !raw) headers['content-type'] ??= 'application/json'
    const response = await fetch(this.#newsroom.url + path, {
      method,
      headers,
      redirect: 'manual',
      signal: options.signal ?? AbortSignal.timeout(30_000),
      ...(options.body === undefined ? {} : { body: raw ? (options.body as string) : JSON.stringify(options.body) }),
    })
    const text = await response.text()
    const type = response.headers.get('content-type') ?? ''
    const body: unknown = /[/+]json/.test(type) ? JSON.parse(text) : text
    const check = await (this.#check ??= answerCheck(this.#newsroom.url))
    check(method, path.split('?')[0]!, response.status, type, body)
    return { status: response.status, headers: response.headers, body: body as T }
  }

  get<T = Record<string, unknown>>(path: string, options?: CallOptions): Promise<Answer<T>> {
    return this.call<T>('GET', path, options)
  }

  post<T = Outcome>(path: string, body?: unknown, options?: CallOptions): Promise<Answer<T>> {
    return this.call<T>('POST', path, { ...options, ...(body === undefined ? {} : { body }) })
  }

  /** A command that must succeed; a random idempotency key unless given. */
  async command(path: string, body?: unknown, options: CallOptions = {}): Promise<Outcome> {
    const headers = { 'idempotency-key': randomUUID(), ...options.headers }
    const answer = await this.post(`/editorial/v1${path}`, body ?? {}, { ...options, headers })
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  /** Drafts, sources and publishes an article; answers its id, slug's base and the last outcome. */
  async publish(headline: string, fields: Record<string, unknown> = {}, options: CallOptions = {}): Promise<Outcome> {
    const draft = { headline, section: 'News', bodyHtml: `<p>${headline}: the whole story.</p>`, ...fields }
    const { id } = await this.command('/articles', draft, options)
    await this.command(`/articles/${id}/source`, { outlet: 'The Stet Gazette', contributors: [] }, options)
    return this.command(`/articles/${id}/publish`, {}, options)
  }
}
