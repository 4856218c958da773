// Mixed load that remembers what was acknowledged: editors write articles, readers view them, and whoever gets no answer
// asks again with the same key, as a good client does.
import { createHash, randomUUID } from 'node:crypto'
import { type Newsroom } from './newsroom'

export interface Acknowledged {
  /** Commands acknowledged, by article; each of them records exactly one event. */
  readonly commands: ReadonlyMap<string, number>
  /** Views acknowledged, by article. */
  readonly views: ReadonlyMap<string, number>
  /** Refusals that were asked again, by status: 503 with Retry-After, or 0 for a connection that was refused or cut. */
  readonly refused: ReadonlyMap<number, number>
}

export interface Load {
  /** The newsroom that is called from now on. */
  aim(newsroom: Newsroom): void
  /** Lets everybody finish what they began (asking again until acknowledged) and says what was acknowledged. */
  finish(): Promise<Acknowledged>
}

const count = (counts: Map<string, number>, key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1)

/** Starts editors and readers; every reader comes from an address of its own (the server must trust the proxy). */
export const startLoad = (first: Newsroom, { editors = 4, readers = 4 } = {}): Load => {
  let newsroom = first
  let ending = false
  const commands = new Map<string, number>()
  const views = new Map<string, number>()
  const refused = new Map<number, number>()
  const live: string[] = []

  /**
   * Asks until there is a 2xx. Only two refusals are part of the bargain: a connection that was refused or cut, and a 503
   * that says when to come back. Anything else, an answer that never comes too, is a defect and fails the load.
   */
  const insist = async <T>(path: string, headers: Record<string, string>, body: unknown): Promise<T> => {
    for (;;) {
      let status = 0
      try {
        const response = await fetch(newsroom.url + path, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify(body),
          signal: AbortSignal.timeout(15_000),
        })
        const text = await response.text()
        if (response.ok) return (text === '' ? {} : JSON.parse(text)) as T
        status = response.status
        if (status !== 503 || !(Number(response.headers.get('retry-after')) > 0))
          throw new Refused(`${path}: ${status} ${text}`)
      } catch (error) {
        if (!isDisconnection(error)) throw error
      }
      refused.set(status, (refused.get(status) ?? 0) + 1)
      await new Promise(resolve => setTimeout(resolve, 25))
    }
  }

  const command = async (article: string, path: string, body: unknown, headers: Record<string, string> = {}) => {
    const authorization = `Bearer ${await newsroom.token('editor')}`
    await insist(`/editorial/v1${path}`, { authorization, 'idempotency-key': randomUUID(), ...headers }, body)
    count(commands, article)
  }

  const edit = async (editor: number): Promise<void> => {
    for (let n = 0; !ending; n++) {
      const id = randomUUID()
      const text = `Story ${n} of desk ${editor} about ${createHash('sha256').update(id).digest('hex').slice(0, 12)}`
      await command(id, '/articles', { id, headline: text, section: 'News', bodyHtml: `<p>${text}.</p>` })
      await command(id, `/articles/${id}/source`, { outlet: 'Harbour Post', contributors: ['agencies'] })
      await command(id, `/articles/${id}/publish`, {})
      live.push(id)
      await command(id, '/lists/editors-choice/feature', { articleId: id })
      for (let i = 0; i < 2 && !ending; i++) {
        await command(id, `/articles/${id}/revise`, { summary: `Update ${i}` }, { 'if-match': '*' })
        await command(id, `/articles/${id}/publish`, {})
      }
      // A list has a capacity.
      await command(id, '/lists/editors-choice/unfeature', { articleId: id })
    }
  }

  const read = async (reader: number): Promise<void> => {
    for (let n = 0; !ending; n++) {
      const articleId = live[(n * 7 + reader) % Math.max(1, live.length)]
      if (articleId === undefined) {
        await new Promise(resolve => setTimeout(resolve, 20))
        continue
      }
      const address = `10.${reader}.${(n >> 8) & 255}.${n & 255}`
      const headers = { 'user-agent': BROWSER, 'x-forwarded-for': address }
      await insist('/reader/v1/views', headers, { articleId, viewId: randomUUID() })
      count(views, articleId)
    }
  }

  const everybody = [
    ...Array.from({ length: editors }, (_, i) => edit(i)),
    ...Array.from({ length: readers }, (_, i) => read(i)),
  ]
  // Looked at in finish(); until then a refusal must not end the process.
  for (const one of everybody) one.catch(() => undefined)
  return {
    aim: next => (newsroom = next),
    finish: async () => {
      ending = true
      await Promise.all(everybody)
      return { commands, views, refused }
    },
  }
}

class Refused extends Error {}

/** fetch rejects with a TypeError whose cause has the code; a connection that ends amid an answer is `UND_ERR_SOCKET`. */
const isDisconnection = (error: unknown): boolean => {
  const { code } = ((error as Error).cause ?? {}) as { readonly code?: string }
  return ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(code ?? '')
}

const BROWSER = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/26.0 Safari/605.1.15'
