// The whole history as an analyst reads it, counted the way the load counted what was acknowledged.
import { type Newsroom } from './newsroom'

export interface Recorded {
  readonly position: string
  readonly stream: string
  readonly revision: number
  readonly id: string
  readonly type: string
  readonly metadata: { readonly commandId: string }
  readonly data: Record<string, unknown>
}

/** Every event, in log order. */
export const history = async (newsroom: Newsroom): Promise<Recorded[]> => {
  const events: Recorded[] = []
  for (let from = ''; ;) {
    const response = await fetch(`${newsroom.url}/analyst/v1/events?limit=10000${from && `&from=${from}`}`, {
      headers: { authorization: `Bearer ${await newsroom.token('analyst')}` },
    })
    if (!response.ok) throw new Error(`analyst: ${response.status} ${await response.text()}`)
    const lines = (await response.text()).split('\n').filter(line => line !== '')
    const page = lines.map(line => JSON.parse(line) as Recorded)
    // `from` is inclusive or exclusive: an event that is known already is left out either way.
    const fresh = page.filter(event => events.at(-1)?.position !== event.position)
    events.push(...fresh)
    if (fresh.length === 0) return events
    from = fresh.at(-1)!.position
  }
}

/** Events caused by commands about an article, and its views, as the log holds them. */
export const tally = (events: readonly Recorded[]) => {
  const commands = new Map<string, number>()
  const views = new Map<string, number>()
  const add = (counts: Map<string, number>, key: string, n: number) => counts.set(key, (counts.get(key) ?? 0) + n)
  for (const { type, stream, data } of events) {
    if (type === 'ArticlesViewed') for (const [id, n] of data.views as [string, number][]) add(views, id, n)
    else if (stream.startsWith('article-')) add(commands, stream.slice('article-'.length), 1)
    else if (stream.startsWith('list-')) add(commands, data.articleId as string, 1)
  }
  return { commands, views }
}
