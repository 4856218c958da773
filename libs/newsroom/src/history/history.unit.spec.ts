// The history as a read model: what is told of each event, whatever the batches; and the questions to it.
import { describe, expect, it } from '@jest/globals'
import { type RecordedEvent } from '@stet/eventsourcing'
import * as fc from 'fast-check'
import { type NewsroomEvents } from '../newsroom'
import { FoldedReadModels } from '../testing/read-models.fixture.spec'
import { type Event, recorded, type Recorded } from '../testing/scenario.fixture.spec'
import { history, type HistoryDocument } from './history'
import {
  activityQuery,
  articleHistoryQuery,
  GetActivity,
  GetArticleHistory,
  GetListHistory,
  type HistoryAnswer,
  listHistoryQuery,
} from './history-queries'

const A = '3f0c1f5e-8a5d-4d5e-9a53-0d8f6f1f2a01'
const B = '3f0c1f5e-8a5d-4d5e-9a53-0d8f6f1f2a02'
const drafted: Event = {
  type: 'ArticleDrafted',
  data: {
    headline: 'Secret',
    section: null,
    bodyHtml: '<p>Secret.</p>',
    summary: null,
    keyPoints: [],
    tags: [],
    authors: [],
    image: null,
    language: 'en',
    seo: null,
    canonicalUrl: null,
    wantedSlug: null,
  },
}
const revised: Event = {
  type: 'ArticleRevised',
  data: { changes: { headline: 'Secret', summary: 's' }, mergedFrom: 0 },
}
const sentBack: Event = { type: 'ArticleSentBack', data: { note: 'Check the name.' } }
const assigned = (desk: string | null): Event => ({ type: 'ArticleAssigned', data: { desk, assignee: null } })
const featured = (articleId: string): Event => ({
  type: 'ArticleFeatured',
  data: { articleId, place: 0, from: null, until: null, zone: null, reason: null },
})
const erased: Event = {
  type: 'ArticleErased',
  data: { authority: 'court', reason: 'order 7', scheduleIds: [], slugs: [] },
}

/** The log of a morning: one event a minute, streams interleaved. */
const log = (): Recorded[] => {
  const revisions = new Map<string, number>()
  const steps: readonly [string, Event][] = [
    [`article-${A}`, drafted],
    [`desk-${A}`, assigned('sport')],
    [`article-${A}`, revised],
    [`article-${B}`, drafted],
    ['list-editors-choice', featured(A)],
    [`desk-${A}`, assigned('news')],
    [`article-${A}`, sentBack],
    [`desk-${A}`, { type: 'DeskNoteAdded', data: { noteId: B, text: 'Secret talk' } }],
    [`article-${B}`, revised],
    [`desk-${A}`, assigned(null)],
    [`article-${A}`, revised],
  ]
  return steps.flatMap(([stream, event], minute) => {
    const from = (revisions.get(stream) ?? -1) + 1
    revisions.set(stream, from)
    const at = new Date(Date.UTC(2026, 2, 1, 8, minute)).toISOString()
    return recorded(stream, [event], { from, at, position: 90 + minute * 10, commandId: `c${minute}` })
  })
}

const fold = async (events: readonly Recorded[], batches: readonly number[] = [events.length]) => {
  const documents = new Map<string, HistoryDocument>()
  const computation = await history.open(async function* () {})
  let start = 0
  for (const size of [...batches, events.length]) {
    const batch = events.slice(start, (start += size)) as RecordedEvent<NewsroomEvents>[]
    if (batch.length === 0) continue
    const load = async (ids: readonly string[]) =>
      new Map(ids.flatMap(id => (documents.has(id) ? [[id, documents.get(id)!] as const] : [])))
    for (const [id, document] of await computation.fold(batch, load))
      if (document) documents.set(id, JSON.parse(JSON.stringify(document)) as HistoryDocument)
      else documents.delete(id)
  }
  return documents
}

const models = async (events: readonly Recorded[] = log()) =>
  new FoldedReadModels([]).put(history, ...(await fold(events)).values())
const as = <C extends object>(type: new () => C, fields: Partial<C>): C => Object.assign(new type(), fields)
const articleHistory = async (fields: Partial<GetArticleHistory>, events?: readonly Recorded[]) =>
  articleHistoryQuery.answer(as(GetArticleHistory, { id: A, ...fields }), await models(events), new Date(0))
const activity = async (fields: Partial<GetActivity>, events?: readonly Recorded[]) =>
  activityQuery.answer(as(GetActivity, fields), await models(events), new Date(0))
const told = ({ items }: HistoryAnswer) => items.map(({ what, revision }) => `${what} ${revision}`)

describe('the read model', () => {
  it('gives the same documents whatever the batches', async () => {
    const whole = [...(await fold(log()))].sort()
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 12 }), async batches => {
        expect([...(await fold(log(), batches))].sort()).toEqual(whole)
      }),
      { numRuns: 30 },
    )
  })

  it('holds no content and no talk', async () => {
    expect(JSON.stringify([...(await fold(log())).values()])).not.toContain('Secret')
  })

  it('of an erased article begins anew with that, and says on whose word', async () => {
    const events = [...log(), ...recorded(`article-${A}`, [erased], { from: 4, position: 500 })]
    const { items } = await articleHistory({}, events)
    expect(items).toMatchObject([{ what: 'ArticleErased', why: 'order 7', details: { authority: 'court' } }])
  })

  it('survives data of other shapes, and tells what it understands', async () => {
    const odd = { type: 'ArticleAssigned', data: { desk: 7, change: 'x', reason: 5, changes: [] } } as unknown as Event
    const documents = await fold(recorded(`desk-${A}`, [odd]))
    expect(documents.get(`desk-${A}@0`)).toMatchObject({ why: null, fields: [], desks: [], details: { desk: 7 } })
  })
})

describe('the history of an article', () => {
  it('is its own stream, the newest first, with who, what, from which revision, through which client, why', async () => {
    const events = log()
    const last = events.at(-1)!
    const sent = { ...last, metadata: { ...last.metadata, client: 'desk-tool', expected: 1 } }
    const answer = await articleHistory({}, [...events.slice(0, -1), sent])
    expect(told(answer)).toEqual(['ArticleRevised 3', 'ArticleSentBack 2', 'ArticleRevised 1', 'ArticleDrafted 0'])
    expect(answer.items[0]).toEqual({
      about: 'article',
      id: A,
      revision: 3,
      what: 'ArticleRevised',
      at: '2026-03-01T08:10:00.000Z',
      actor: 'editor-1',
      client: 'desk-tool',
      seen: 1,
      fields: ['headline', 'summary'],
      why: null,
      details: { mergedFrom: 0 },
      desks: [],
      commandId: 'c10',
    })
    expect(answer.items[1]).toMatchObject({ why: 'Check the name.', desks: ['news'], client: null, seen: null })
    expect(answer.items[2]).toMatchObject({ desks: ['sport'] })
    expect(answer.next).toBeNull()
  })

  it('is paged, and what comes meanwhile moves nothing', async () => {
    const first = await articleHistory({ limit: 2 }, log().slice(0, -1))
    expect(told(first)).toEqual(['ArticleSentBack 2', 'ArticleRevised 1'])
    const second = await articleHistory({ limit: 2, cursor: first.next! })
    expect([told(second), second.next]).toEqual([['ArticleDrafted 0'], null])
  })

  it('of an unknown one is not found; a strange cursor is refused', async () => {
    await expect(articleHistory({ id: B.replace('2a02', 'ffff') })).rejects.toMatchObject({ code: 'not-found' })
    await expect(articleHistory({ cursor: 'WyJ4Il0' })).rejects.toMatchObject({ code: 'invalid' })
  })
})

describe('the history of a list', () => {
  const listHistory = async (list: string, events?: readonly Recorded[]) =>
    listHistoryQuery.answer(as(GetListHistory, { list }), await models(events), new Date(0))

  it('says which article', async () => {
    const { items } = await listHistory('editors-choice')
    expect(items).toMatchObject([{ about: 'list', id: 'editors-choice', details: { articleId: A }, desks: [] }])
  })

  it('is empty for a list that is there from the start, and not found for another', async () => {
    expect(await listHistory('editors-choice', [])).toEqual({ items: [], next: null })
    await expect(listHistory('unknown')).rejects.toMatchObject({ code: 'not-found' })
    await expect(listHistory('Not A Name')).rejects.toMatchObject({ code: 'not-found' })
  })
})

describe('activity', () => {
  it('is everything, the newest first, and paged', async () => {
    const whole = await activity({ limit: 100 })
    expect(whole.items).toHaveLength(log().length)
    const paged: string[] = []
    let cursor: string | null = null
    do {
      const page: HistoryAnswer = await activity({ limit: 3, ...(cursor && { cursor }) })
      paged.push(...page.items.map(({ commandId }) => commandId))
      cursor = page.next
    } while (cursor)
    expect(paged).toEqual(whole.items.map(({ commandId }) => commandId))
    expect(paged.slice(0, 2)).toEqual(['c10', 'c9'])
  })

  it('is told by desk as the article was then, on both desks when it moved', async () => {
    expect(told(await activity({ desk: 'sport' }))).toEqual([
      'ArticleAssigned 1',
      'ArticleRevised 1',
      'ArticleAssigned 0',
    ])
    expect(told(await activity({ desk: 'news' }))).toEqual([
      'ArticleAssigned 3',
      'DeskNoteAdded 2',
      'ArticleSentBack 2',
      'ArticleAssigned 1',
    ])
  })

  it('is filtered by kind, actor and time, all at once', async () => {
    expect(told(await activity({ what: 'ArticleRevised' }))).toHaveLength(3)
    expect((await activity({ actor: 'nobody' })).items).toEqual([])
    const between = { from: '2026-03-01T09:02:00+01:00', until: '2026-03-01T08:09:00Z' }
    expect(told(await activity({ ...between, what: 'ArticleRevised', actor: 'editor-1' }))).toEqual([
      'ArticleRevised 1',
      'ArticleRevised 1',
    ])
  })
})
