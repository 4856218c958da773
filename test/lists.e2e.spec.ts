// Curated lists as editors keep them and readers see them: order, pins, capacity, times, and whose change counts.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Client, type Outcome } from './support/client'
import { history } from './support/history'
import { eventually, type Newsroom, startNewsroom } from './support/newsroom'

interface ListBody {
  readonly list: string
  readonly label: string
  readonly section: string | null
  readonly items: readonly { readonly id: string; readonly label: string | null }[]
}
interface EditorsList {
  readonly revision: number
  readonly entries: readonly { readonly articleId: string; readonly place: number; readonly why: string | null }[]
}

let newsroom: Newsroom
let client: Client
let ids: string[]

beforeAll(async () => {
  newsroom = await startNewsroom()
  client = new Client(newsroom)
  ids = []
  for (const headline of ['One', 'Two', 'Three', 'Four']) ids.push((await client.publish(`${headline} of four`)).id)
})
afterAll(async () => {
  await newsroom?.stop()
  await newsroom?.dispose()
})

const command = (list: string, name: string, body: object, match?: string) =>
  client.command(`/lists/${list}/${name}`, body, match === undefined ? {} : { headers: { 'if-match': match } })
const refused = async (list: string, name: string, body: object, match?: string) => {
  const options = match === undefined ? {} : { headers: { 'if-match': match } }
  return (await client.post(`/editorial/v1/lists/${list}/${name}`, body, options)).status
}
const shown = async (list: string, position?: string) => {
  const { body } = await client.get<ListBody>(`/reader/v1/lists/${list}${position ? `?position=${position}` : ''}`)
  return body.items.map(({ id }) => ids.indexOf(id))
}
const labelOf = async (id: string): Promise<string | null | undefined> => {
  const { body } = await client.get<ListBody>('/reader/v1/articles?limit=100')
  return body.items.find(item => item.id === id)?.label
}

describe('a front', () => {
  it('keeps its order, its pins and its capacity', async () => {
    const [one, two, three, four] = ids
    await command('news-front', 'create', { label: 'Top of news', section: 'News', capacity: 3 })
    await command('news-front', 'feature', { articleId: one })
    await command('news-front', 'feature', { articleId: two, place: 0, reason: 'The vote' })
    await command('news-front', 'pin', { articleId: two })
    let last = await command('news-front', 'feature', { articleId: three, place: 0 })
    expect(await shown('news-front', last.position)).toEqual([1, 2, 0])
    last = await command('news-front', 'feature', { articleId: four, place: 2 })
    expect(await shown('news-front', last.position)).toEqual([1, 2, 3])
    const events = await history(newsroom)
    const fell = events.filter(({ type, stream }) => type === 'ArticleUnfeatured' && stream === 'list-news-front')
    expect(fell.map(({ data }) => data)).toEqual([{ articleId: one, cause: 'capacity', reason: null }])
    last = await command('news-front', 'move', { articleId: four, place: 1 })
    expect(await shown('news-front', last.position)).toEqual([1, 3, 2])
    const lists = await client.get<{ items: object[] }>(`/reader/v1/lists?section=news&position=${last.position}`)
    expect(lists.body.items).toEqual([{ list: 'news-front', label: 'Top of news', section: 'news' }])
  })

  it('is changed only by whoever has seen it as it is', async () => {
    const view = await client.get<EditorsList>('/editorial/v1/lists/news-front')
    const tag = view.headers.get('etag') ?? ''
    expect(tag).toBe(`"${view.body.revision}"`)
    const articleIds = view.body.entries.map(({ articleId }) => articleId).reverse()
    expect(await refused('news-front', 'reorder', { articleIds })).toBe(428)
    const { revision } = await command('news-front', 'reorder', { articleIds }, tag)
    const stale: [string, object][] = [
      ['reorder', { articleIds: [...articleIds].reverse() }],
      ['feature', { articleId: ids[0], place: 0 }],
      ['move', { articleId: articleIds[0], place: 2 }],
      ['pin', { articleId: articleIds[1] }],
      ['unpin', { articleId: ids[1] }],
      ['time', { articleId: ids[1], until: '2099-01-01T00:00:00Z' }],
      ['unfeature', { articleId: ids[1] }],
      ['change', { label: 'Other' }],
    ]
    for (const [name, body] of stale) expect([name, await refused('news-front', name, body, tag)]).toEqual([name, 412])
    const now = await client.get<EditorsList>('/editorial/v1/lists/news-front')
    expect(now.body).toMatchObject({ revision, entries: articleIds.map((articleId, place) => ({ articleId, place })) })
  })

  it('refuses what is unknown', async () => {
    const nobody = '00000000-0000-4000-8000-000000000000'
    for (const name of ['feature', 'pin', 'unpin', 'time'])
      expect([name, await refused('news-front', name, { articleId: nobody })]).toEqual([name, 404])
    expect(await refused('no-front', 'feature', { articleId: ids[0] })).toBe(404)
    expect((await client.get('/editorial/v1/lists/no-front')).status).toBe(404)
    expect(await refused('news-front', 'feature', { articleId: ids[0], until: '2001-01-01T00:00:00Z' })).toBe(422)
  })

  it('lets go of what is retracted at once, and has it back at its place', async () => {
    const before = await shown('news-front')
    const id = ids[before[1] ?? -1] ?? ''
    const gone = await client.command(`/articles/${id}/unpublish`, {})
    expect(await shown('news-front', gone.position)).toEqual([before[0], before[2]])
    const view = await client.get<EditorsList>('/editorial/v1/lists/news-front')
    expect(view.body.entries[1]).toMatchObject({ articleId: id, why: 'not-live' })
    const back = await client.command(`/articles/${id}/publish`)
    expect(await shown('news-front', back.position)).toEqual(before)
  })
})

describe('an entry with a time', () => {
  /** Asks without pause, one question after the other; each answer with the times between which it was given. */
  const watch = async (id: string, enough: (label: string | null | undefined) => boolean) => {
    const seen: { began: number; ended: number; listed: boolean }[] = []
    await eventually('the entry has had its time', async () => {
      const began = Date.now()
      const listed = (await shown('editors-choice')).includes(ids.indexOf(id))
      seen.push({ began, ended: Date.now(), listed })
      return enough(await labelOf(id))
    })
    return seen
  }

  it('is shown from that very time on and until that very time, although nothing happens then', async () => {
    const id = ids[0] ?? ''
    const from = Date.now() + 1_500
    const until = from + 2_000
    const times = { from: new Date(from).toISOString(), until: new Date(until).toISOString() }
    const { position } = await command('editors-choice', 'feature', { articleId: id, ...times })
    expect(await shown('editors-choice', position)).toEqual(Date.now() < from ? [] : expect.anything())
    const scheduled = async (query: string) =>
      (await client.get<{ items: object[]; next: string | null }>(`/editorial/v1/schedule?articleId=${id}${query}`))
        .body
    const first = await scheduled('&limit=1')
    const rest = await scheduled(`&cursor=${first.next ?? ''}`)
    if (Date.now() < from)
      expect([...first.items, ...rest.items]).toMatchObject([
        { change: 'feature', list: 'editors-choice', articleId: id, at: times.from, headline: 'One of four' },
        { change: 'unfeature', list: 'editors-choice', articleId: id, at: times.until },
      ])
    let labelled = false
    const seen = await watch(id, label => {
      labelled ||= label === "Editor's choice"
      return labelled && label === null && Date.now() > until
    })
    for (const { began, ended, listed } of seen) {
      if (ended < from || began >= until) expect(listed).toBe(false)
      if (began >= from && ended < until) expect(listed).toBe(true)
    }
    expect(seen.some(({ listed }) => listed)).toBe(true)
    expect((await scheduled('')).items).toEqual([])
    const view = await client.get<EditorsList>('/editorial/v1/lists/editors-choice')
    expect(view.body.entries).toMatchObject([{ articleId: id, why: 'expired' }])
    // Nothing was written by the passing of time.
    const written = (await history(newsroom)).filter(({ stream }) => stream === 'list-editors-choice')
    expect(written.map(({ type }) => type)).toEqual(['ArticleFeatured'])
  })

  it('is over after a restart too, and can be featured anew', async () => {
    const before = await shown('news-front')
    expect(await newsroom.stop()).toBe(0)
    newsroom = await newsroom.restart()
    client = new Client(newsroom)
    expect(await shown('editors-choice')).toEqual([])
    expect(await shown('news-front')).toEqual(before)
    const again: Outcome = await command('editors-choice', 'feature', { articleId: ids[0] })
    expect(await shown('editors-choice', again.position)).toEqual([0])
  })
})
