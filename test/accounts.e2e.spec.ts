// Every change accounted for: history, revisions, differences, restoring, merging, batches, and repeats for ever.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { findRunningStores } from '@stet/embedded'
import { connectEventLog, type EventToAppend } from '@stet/eventsourcing'
import { type Answer, type CallOptions, Client, type Outcome } from './support/client'
import { type Newsroom, startNewsroom } from './support/newsroom'

interface Entry {
  readonly about: string
  readonly revision: number
  readonly what: string
  readonly actor: string
  readonly fields: string[]
  readonly why: string | null
  readonly details: Record<string, unknown>
  readonly desks: string[]
}
interface Page {
  readonly items: Entry[]
  readonly next: string | null
}
interface View {
  readonly revision: number
  readonly stage: string
  readonly working: Record<string, unknown>
  readonly source: { outlet: string } | null
  readonly relatedIds: string[]
}
interface Stale {
  readonly expected: number
  readonly current: number
  readonly changes?: { field: string; from?: unknown; to?: unknown; large?: boolean }[]
  readonly conflicts?: string[]
}
interface Batch {
  readonly results: { status: number; etag: string | null; replayed: boolean; merged: boolean; body: unknown }[]
}

let newsroom: Newsroom
let client: Client
beforeAll(async () => {
  newsroom = await startNewsroom()
  client = new Client(newsroom)
})
afterAll(async () => {
  await newsroom?.stop()
  await newsroom?.dispose()
})

const draft = (fields: Record<string, unknown> = {}) =>
  client.command('/articles', { headline: 'Bridge shut', section: 'News', bodyHtml: '<p>It is shut.</p>', ...fields })
const at = (id: string) => `/editorial/v1/articles/${id}`
const revise = <T = Outcome>(id: string, match: number | '*', body: unknown, headers: Record<string, string> = {}) =>
  client.post<T>(`${at(id)}/revise`, body, {
    headers: { 'if-match': match === '*' ? '*' : `"${match}"`, 'idempotency-key': randomUUID(), ...headers },
  })
const view = async (id: string) => (await client.get<View>(at(id))).body
const merge = { prefer: 'merge' }

describe('history', () => {
  it('of an article says who, what and why, newest first and by pages; it can be waited for', async () => {
    const { id } = await draft()
    await revise(id, 0, { headline: 'Bridge closes', summary: 'For weeks.' })
    await client.command(`/articles/${id}/submit`, { note: 'Please look.' })
    const last = await client.command(`/articles/${id}/send-back`, { note: 'Which bridge?' })
    const path = `${at(id)}/history?position=${last.position}`
    const { body, headers } = await client.get<Page>(`${path}&limit=3`)
    expect(body.items.map(({ what, revision, why }) => [what, revision, why])).toEqual([
      ['ArticleSentBack', 3, 'Which bridge?'],
      ['ArticleSubmitted', 2, 'Please look.'],
      ['ArticleRevised', 1, null],
    ])
    expect(body.items[2]!.fields).toEqual(['headline', 'summary'])
    expect(headers.get('link')).toContain(`cursor=${body.next}`)
    const rest = await client.get<Page>(`${path}&limit=3&cursor=${body.next}`)
    expect(rest.body).toMatchObject({ items: [{ what: 'ArticleDrafted', revision: 0 }], next: null })
    expect(body.items[0]!.actor).toBe(rest.body.items[0]!.actor)
  })

  it('of a list says which article', async () => {
    const { id } = await draft()
    const { position } = await client.command('/lists/editors-choice/feature', { articleId: id })
    const { body } = await client.get<Page>(`/editorial/v1/lists/editors-choice/history?limit=1&position=${position}`)
    expect(body.items).toMatchObject([{ about: 'list', what: 'ArticleFeatured', details: { articleId: id } }])
  })

  it('of the newsroom is filtered by kind, actor and time', async () => {
    const before = new Date().toISOString()
    const { id } = await draft()
    const { position } = await client.command(`/articles/${id}/source`, { outlet: 'Harbour Post' }, { role: 'chief' })
    const chief = (await client.get<Page>(`${at(id)}/history?position=${position}`)).body.items[0]!.actor
    const activity = async (query: string) =>
      (await client.get<Page>(`/editorial/v1/activity?limit=100&from=${before}&${query}`)).body.items
    expect((await activity('')).length).toBeGreaterThanOrEqual(2)
    expect((await activity('what=ArticleDrafted')).map(({ what }) => what)).toEqual(['ArticleDrafted'])
    expect((await activity(`actor=${chief}`)).map(({ what }) => what)).toEqual(['ArticleSourced'])
    expect(await activity(`until=${before}`)).toEqual([])
    expect(await activity('desk=sport')).toEqual([])
    for (const bad of ['what=Nothing', 'from=today', 'cursor=x', 'who=me'])
      expect((await client.get(`/editorial/v1/activity?${bad}`)).status).toBe(422)
  })

  it('is for editors, and of what is not there not found', async () => {
    const { id } = await draft()
    for (const path of [
      `${at(id)}/history`,
      '/editorial/v1/activity',
      `${at(id)}/revisions/0`,
      `${at(id)}/diff?from=0`,
    ]) {
      expect((await client.get(path, { role: null })).status).toBe(401)
      expect((await client.get(path, { role: 'analyst' })).status).toBe(403)
    }
    expect((await client.get(`${at(randomUUID())}/history`)).status).toBe(404)
    expect((await client.get('/editorial/v1/lists/nowhere/history')).status).toBe(404)
  })
})

describe('a revision', () => {
  it('is as it was, is compared in words, and comes back as a new one', async () => {
    const other = await draft()
    const { id } = await draft({ tags: ['Roads', 'Rivers'] })
    await client.command(`/articles/${id}/source`, { outlet: 'Harbour Post' })
    await revise(id, 1, { bodyHtml: '<p>It is <b>open</b>.</p>', tags: ['Rivers', 'Boats'], summary: 'Open.' })
    await client.command(`/articles/${id}/source`, { outlet: 'Coastal Wire' })
    await client.command(`/articles/${id}/relate`, { articleIds: [other.id] }, { headers: { 'if-match': '"3"' } })
    const then = await client.get<View>(`${at(id)}/revisions/1`)
    expect(then.body).toMatchObject({ revision: 1, working: { bodyHtml: '<p>It is shut.</p>', summary: null } })
    expect(then.headers.get('etag')).toBe('"1"')

    const { body: diff } = await client.get<{ from: number; to: number; fields: unknown[] }>(`${at(id)}/diff?from=1`)
    expect([diff.from, diff.to]).toEqual([1, 4])
    expect(diff.fields).toMatchObject([
      {
        field: 'bodyHtml',
        kind: 'html',
        parts: [
          { op: 'same', text: 'It is ' },
          { op: 'removed', text: 'shut' },
          { op: 'added', text: 'open' },
          { op: 'same', text: '.\n' },
        ],
        markup: [
          { op: 'added', markup: '<b>', before: 'open.' },
          { op: 'added', markup: '</b>' },
        ],
      },
      { field: 'summary', kind: 'text', parts: [{ op: 'added', text: 'Open.' }] },
      { field: 'tags', kind: 'items', removed: [{ slug: 'roads' }], added: [{ slug: 'boats' }] },
      { field: 'source', kind: 'value', from: { outlet: 'Harbour Post' }, to: { outlet: 'Coastal Wire' } },
      { field: 'relatedIds', kind: 'items', added: [other.id] },
    ])

    const restore = (match: string | null, headers: Record<string, string> = {}) =>
      client.post(
        `${at(id)}/restore-revision`,
        { revision: 1 },
        { headers: { ...(match && { 'if-match': match }), ...headers } },
      )
    expect((await restore(null)).status).toBe(428)
    expect((await restore('"3"')).status).toBe(412)
    const key = { 'idempotency-key': randomUUID() }
    const restored = await restore('"4"', key)
    expect(restored.body).toMatchObject({ id, revision: 7 })
    const replayed = await restore('"4"', key)
    expect([replayed.body, replayed.headers.get('idempotent-replayed')]).toEqual([restored.body, 'true'])
    const now = await view(id)
    expect(now).toMatchObject({ ...then.body, revision: 7, writers: expect.anything() })
    expect((await restore('"7"')).body).toMatchObject({ revision: 7 })
    const history = await client.get<Page>(`${at(id)}/history?limit=3&position=${restored.body.position}`)
    expect(history.body.items.map(({ what }) => what)).toEqual(['ArticleRelated', 'ArticleSourced', 'ArticleRevised'])
    expect(history.body.items[2]!.details).toEqual({ restoredFrom: 1 })
  })

  it('that is not there, or no number, is refused', async () => {
    const { id } = await draft()
    for (const [path, status] of [
      [`${at(id)}/revisions/1`, 404],
      [`${at(id)}/revisions/999999999999999`, 404],
      [`${at(id)}/revisions/-1`, 422],
      [`${at(id)}/revisions/x`, 422],
      [`${at(id)}/revisions/9999999999999999`, 422],
      [`${at(id)}/diff`, 422],
      [`${at(id)}/diff?from=0&to=2`, 404],
      [`${at(randomUUID())}/revisions/0`, 404],
      [`${at(randomUUID())}/diff?from=0`, 404],
      ['/editorial/v1/lists/nowhere/revisions/0', 404],
    ] as const)
      expect([path, (await client.get(path)).status]).toEqual([path, status])
    const restore = await client.post(`${at(id)}/restore-revision`, { revision: 5 }, { headers: { 'if-match': '*' } })
    expect(restore.status).toBe(404)
  })

  it('of a list is as it was, and compared', async () => {
    const [a, b] = [await draft(), await draft()]
    await client.command('/lists/front/create', { label: 'Front' })
    await client.command('/lists/front/feature', { articleId: a.id })
    await client.command('/lists/front/feature', { articleId: b.id })
    await client.command('/lists/front/unfeature', { articleId: a.id })
    const lists = '/editorial/v1/lists/front'
    const placed = (articleId: string, place: number) => ({
      ...{ articleId, place, pinned: null, from: null, until: null, zone: null, reason: null },
    })
    expect((await client.get(`${lists}/revisions/2`)).body).toEqual({
      list: 'front',
      label: 'Front',
      ...{ section: null, capacity: null },
      revision: 2,
      entries: [placed(a.id, 0), placed(b.id, 1)],
    })
    const item = (articleId: string) => ({ articleId, from: null, until: null, zone: null, reason: null, pin: null })
    expect((await client.get(`${lists}/diff?from=1&to=3`)).body).toMatchObject({
      fields: [{ field: 'entries', kind: 'items', removed: [item(a.id)], added: [item(b.id)] }],
    })
  })

  it('of a list comes back whole, as a new revision', async () => {
    const [a, b] = [await draft(), await draft()]
    const list = '/editorial/v1/lists/weekend'
    await client.command('/lists/weekend/create', { label: 'Weekend', capacity: 2 })
    await client.command('/lists/weekend/feature', { articleId: a.id, until: inADay(), reason: 'Big' })
    await client.command('/lists/weekend/feature', { articleId: b.id })
    await client.command('/lists/weekend/pin', { articleId: b.id, place: 0 })
    const { body: then } = await client.get<object>(`${list}/revisions/3`)
    await client.command('/lists/weekend/change', { label: 'Sunday', capacity: 1 })
    const restore = (match: string | null, revision = 3, headers: Record<string, string> = {}) =>
      client.post<{ revision: number; position: string }>(
        `${list}/restore-revision`,
        { revision },
        { headers: { ...(match && { 'if-match': match }), ...headers } },
      )
    expect((await restore(null)).status).toBe(428)
    expect((await restore('"3"')).status).toBe(412)
    expect((await restore('*', 6)).status).toBe(404)
    expect((await restore('*', -1)).status).toBe(422)
    const { body: changed } = await client.get<{ revision: number }>(list)
    const key = { 'idempotency-key': randomUUID() }
    const restored = await restore(`"${changed.revision}"`, 3, key)
    expect(restored.body).toMatchObject({ id: 'weekend', revision: changed.revision + 1 })
    const replayed = await restore(`"${changed.revision}"`, 3, key)
    expect([replayed.body, replayed.headers.get('idempotent-replayed')]).toEqual([restored.body, 'true'])
    const { revision, position } = restored.body
    expect((await client.get(`${list}/revisions/${revision}`)).body).toEqual({ ...then, revision })
    expect((await restore('*')).body).toEqual(restored.body)
    const history = await client.get<Page>(`${list}/history?limit=1&position=${position}`)
    expect(history.body.items).toMatchObject([
      { what: 'ListRestored', details: { restoredFrom: 3, label: 'Weekend', capacity: 2 } },
    ])
    const shown = await client.get<{ label: string }>(`/reader/v1/lists/weekend?position=${position}`)
    expect(shown.body.label).toBe('Weekend')
  })

  it('before an erasure is gone, for every way to it', async () => {
    const { id } = await draft()
    await revise(id, 0, { summary: 'Private.' })
    await append(`article-${id}`, 1, [
      { type: 'ArticleErased', data: { authority: 'court', reason: 'order', scheduleIds: [], slugs: [] } },
    ])
    for (const path of [`${at(id)}/revisions/1`, `${at(id)}/diff?from=0&to=1`, `${at(id)}/diff?from=1`])
      expect((await client.get(path)).status).toBe(410)
    const stale = await revise<Stale>(id, 1, { summary: 'x' }, merge)
    expect(stale.status).toBe(412)
    const current = await revise(id, 2, { summary: 'x' })
    expect(current.status).toBe(409)
    const answers = [stale.body, current.body, (await client.get(`${at(id)}/history`)).body]
    expect(JSON.stringify(answers)).not.toContain('Private')
  })
})

const inADay = () => new Date(Date.now() + 86_400_000).toISOString()

/** Events that this version's routes do not make, and many at once. */
const append = async (stream: string, after: number, events: readonly { type: string; data: object }[]) => {
  const log = connectEventLog({ url: (await findRunningStores(newsroom.dataDir))!.eventStoreUrl })
  try {
    const recorded = events.map(({ type, data }): EventToAppend => {
      const id = randomUUID()
      const meta = { $correlationId: id, $causationId: id, commandId: id, fingerprint: 'f', actor: 'somebody' }
      return { id, type, data, metadata: { ...meta, at: new Date().toISOString() } }
    })
    for (let done = 0; done < recorded.length; done += 500) {
      const result = await log.append(stream, after + done, recorded.slice(done, done + 500))
      if (!result.ok) throw new Error(`${stream} is at ${result.current}`)
    }
  } finally {
    await log.close()
  }
}

describe('a stale revision', () => {
  it('is told both revisions and what changed between them', async () => {
    const { id } = await draft()
    await revise(id, 0, { headline: 'Bridge closes', bodyHtml: `<p>${'long '.repeat(5_000)}</p>` })
    const { status, body } = await revise<Stale>(id, 0, { summary: 'Mine.' })
    expect(status).toBe(412)
    expect(body).toMatchObject({
      expected: 0,
      current: 1,
      changes: [
        { field: 'headline', from: 'Bridge shut', to: 'Bridge closes' },
        { field: 'bodyHtml', large: true },
      ],
    })
    expect(body).not.toHaveProperty('conflicts')
    expect((await revise<Stale>(id, 7, { summary: 'x' })).body).toMatchObject({ expected: 7, current: 1, changes: [] })
  })

  it('is merged where asked for, when others changed other fields; a repeat answers the same', async () => {
    const { id } = await draft()
    await revise(id, 0, { headline: 'Bridge closes' })
    const key = { 'idempotency-key': randomUUID() }
    const merged = await revise(id, 0, { summary: 'Mine.' }, { ...merge, ...key })
    expect([merged.status, merged.body.revision]).toEqual([200, 2])
    expect(merged.headers.get('preference-applied')).toBe('merge')
    expect((await view(id)).working).toMatchObject({ headline: 'Bridge closes', summary: 'Mine.' })
    await revise(id, 2, { summary: 'Theirs.' })
    await newsroom.stop()
    newsroom = await newsroom.restart()
    client = new Client(newsroom)
    const repeat = await revise(id, 0, { summary: 'Mine.' }, { ...merge, ...key })
    expect(repeat.body).toEqual(merged.body)
    for (const header of ['preference-applied', 'etag'])
      expect(repeat.headers.get(header)).toBe(merged.headers.get(header))
    expect(repeat.headers.get('idempotent-replayed')).toBe('true')
    expect((await view(id)).working).toMatchObject({ summary: 'Theirs.' })
    const { body } = await client.get<Page>(`${at(id)}/history?position=${repeat.body.position}`)
    expect(body.items.find(({ revision }) => revision === 2)).toMatchObject({ details: { mergedFrom: 0 }, seen: 0 })
    // What is not stale needs no merge.
    expect((await revise(id, 3, { summary: 'Now.' }, merge)).headers.get('preference-applied')).toBeNull()
  })

  it('names the fields that both changed, and changes nothing', async () => {
    const { id } = await draft()
    await revise(id, 0, { headline: 'Theirs', summary: 'Theirs.' })
    const { status, body } = await revise<Stale>(id, 0, { headline: 'Mine', keyPoints: ['Mine'] }, merge)
    expect(status).toBe(412)
    expect(body).toMatchObject({ conflicts: ['headline'], changes: [{ field: 'headline' }, { field: 'summary' }] })
    expect((await view(id)).revision).toBe(1)
  })

  it('in a race of twelve, each on a field of their own: all are kept', async () => {
    const { id } = await draft()
    const fields: Record<string, unknown>[] = [
      { headline: 'Raced' },
      { section: 'Sport' },
      { bodyHtml: '<p>Raced.</p>' },
      { summary: 'Raced.' },
      { keyPoints: ['Raced'] },
      { tags: ['Raced'] },
      { authors: ['Raced'] },
      { image: { url: 'https://example.org/raced.jpg' } },
      { language: 'de' },
      { slug: 'raced' },
      { seo: { title: 'Raced' } },
      { canonicalUrl: 'https://example.org/raced' },
    ]
    const answers = await Promise.all(fields.map(field => revise(id, 0, field, merge)))
    expect(answers.map(({ status }) => status)).toEqual(fields.map(() => 200))
    expect(answers.filter(({ headers }) => headers.get('preference-applied') === 'merge')).toHaveLength(11)
    const { working, revision } = await view(id)
    expect(revision).toBe(12)
    expect(working).toMatchObject({ headline: 'Raced', language: 'de', wantedSlug: 'raced', keyPoints: ['Raced'] })
    expect(JSON.stringify(working).match(/[Rr]aced/g)!.length).toBeGreaterThanOrEqual(10)
  })
})

describe('an Idempotency-Key', () => {
  it('holds after 5,000 events and a restart', async () => {
    const { id } = await draft()
    const key = { 'idempotency-key': randomUUID() }
    const first = await revise(id, 0, { summary: 'First.' }, key)
    const events = Array.from({ length: 5_000 }, (_, i) => ({
      type: 'ArticleRevised',
      data: { changes: { summary: `${i}` } },
    }))
    await append(`article-${id}`, 1, events)
    await newsroom.stop()
    newsroom = await newsroom.restart()
    client = new Client(newsroom)
    const again = await revise(id, 0, { summary: 'First.' }, key)
    expect(again.body).toEqual(first.body)
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect((await revise(id, 0, { summary: 'Other.' }, key)).status).toBe(422)
    expect(await view(id)).toMatchObject({ revision: 5_001, working: { summary: '4999' } })
    expect((await client.get<View>(`${at(id)}/revisions/2501`)).body.working.summary).toBe('2499')
  })
})

describe('a batch', () => {
  const send = (commands: unknown, options: CallOptions = {}) =>
    client.post<Batch>('/editorial/v1/batch', { commands }, options)
  const good = { headline: 'In a batch', section: 'News', bodyHtml: '<p>Batch.</p>' }

  it('answers each command as it would have been answered alone, in order per article', async () => {
    const ids = Array.from({ length: 5 }, () => randomUUID())
    const commands = ids.flatMap(id => [
      { path: '/editorial/v1/articles', body: { ...good, id } },
      { path: `${at(id)}/source`, body: { outlet: 'Harbour Post' } },
      { path: `${at(id)}/revise`, body: { summary: 'First.' }, ifMatch: '"1"' },
      { path: `${at(id)}/revise`, body: { summary: 'Second.' }, ifMatch: '"1"' },
      { path: `${at(id)}/revise`, body: { keyPoints: ['Third'] }, ifMatch: '"1"', prefer: 'merge' },
      { path: `${at(id)}/publish` },
    ])
    const { status, body } = await send(commands)
    expect(status).toBe(200)
    expect(body.results.map(({ status }) => status)).toEqual(ids.flatMap(() => [201, 200, 200, 412, 200, 200]))
    expect(body.results[3]!.body).toMatchObject({ type: '/problems/stale-revision', current: 2 })
    expect(body.results[4]).toMatchObject({ merged: true, etag: '"3"' })
    expect(body.results[5]).toMatchObject({ etag: '"4"', body: { id: ids[0], revision: 4 } })
    for (const id of ids) expect(await view(id)).toMatchObject({ stage: 'live', working: { summary: 'First.' } })
  })

  it('sent again with keys has no second effect', async () => {
    const { id } = await draft()
    const commands = Array.from({ length: 20 }, (_, i) => ({
      path: `${at(id)}/revise`,
      body: { summary: `${i}` },
      ifMatch: '*',
      idempotencyKey: randomUUID(),
    }))
    const first = (await send(commands)).body.results
    const second = (await send(commands)).body.results
    expect(second.map(({ body }) => body)).toEqual(first.map(({ body }) => body))
    expect([first.some(({ replayed }) => replayed), second.every(({ replayed }) => replayed)]).toEqual([false, true])
    expect((await view(id)).revision).toBe(20)
  })

  it('gives nobody more than single commands do', async () => {
    const { id } = await draft()
    const { body } = await send(
      [
        { path: `${at(id)}/amend`, body: {}, ifMatch: '*' },
        { path: '/editorial/v1/imports/ninjs', body: {} },
        { path: '/editorial/v1/nothing' },
        { path: at(id) },
      ],
      { role: 'service' },
    )
    expect(body.results.map(({ status }) => status)).toEqual([403, 422, 404, 405])
    expect((await send([{ path: at(id) }], { role: null })).status).toBe(401)
    expect((await send([{ path: at(id) }], { role: 'analyst' })).status).toBe(403)
  })

  it.each([
    ['no commands', [], '#/commands'],
    ['more than a hundred', Array.from({ length: 101 }, () => ({ path: '/editorial/v1/articles' })), '#/commands'],
    ['a batch in a batch', [{ path: '/editorial/v1/batch', body: { commands: [] } }], '#/commands/0/path'],
    ['a batch in a batch, with a question', [{ path: '/editorial/v1/batch?a=b' }], '#/commands/0/path'],
    ['another path', [{ path: '/analyst/v1/events' }], '#/commands/0/path'],
    ['a way out', [{ path: '/editorial/v1/../../metrics' }], '#/commands/0/path'],
    ['an escaped way out', [{ path: '/editorial/v1/%2e%2e/metrics' }], '#/commands/0/path'],
    ['another host', [{ path: 'http://example.org/editorial/v1/articles' }], '#/commands/0/path'],
    ['a header in a header', [{ path: '/editorial/v1/articles', ifMatch: '"1"\r\nx: y' }], '#/commands/0/ifMatch'],
    ['a body that is no object', [{ path: '/editorial/v1/articles', body: 'x' }], '#/commands/0/body'],
    ['an unknown field', [{ path: '/editorial/v1/articles', method: 'GET' }], '#/commands/0'],
  ])('with %s is refused as a whole', async (_what, commands, pointer) => {
    const answer = (await send(commands)) as unknown as Answer<{ errors: { pointer: string }[] }>
    expect(answer.status).toBe(422)
    expect(answer.body.errors[0]!.pointer).toMatch(new RegExp(`^${pointer}`))
  })

  it('of more than 1 MiB is refused', async () => {
    const body = { ...good, bodyHtml: 'x'.repeat(300_000) }
    expect((await send(Array.from({ length: 4 }, () => ({ path: '/editorial/v1/articles', body })))).status).toBe(413)
  })
})
