// Every question of the desk walks an index in its order: no scan, no sort, no more documents than it reads. On the embedded
// store, or on the one that MONGODB_URL names.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { startDocumentStore } from '@stet/embedded'
import {
  connectDocumentStore,
  type Document,
  type Documents,
  type DocumentStore,
  type ReadModels,
} from '@stet/eventsourcing'
import { type DeskArticle, deskArticles, deskArticlesQuery, GetDeskArticles } from '@stet/newsroom'

const ARTICLES = 3_000
let documents: DocumentStore
const closing: (() => Promise<unknown>)[] = []
/** What was asked of the store for one question. */
let asked: { filter: Readonly<Record<string, unknown>>; sort: Readonly<Record<string, 1 | -1>>; limit: number }[] = []

const collection = () => documents.db.collection<Document>('desk-articles')
beforeAll(async () => {
  let url = process.env.MONGODB_URL
  if (!url) {
    const folder = mkdtempSync(join(tmpdir(), 'stet-'))
    const store = await startDocumentStore({ socketPath: join(folder, 'd.sock'), directory: join(folder, 'documents') })
    closing.push(async () => rmSync(folder, { recursive: true, force: true }))
    closing.push(() => store.close())
    url = `mongodb://${encodeURIComponent(join(folder, 'd.sock'))}/?directConnection=true`
  }
  documents = connectDocumentStore({ url, database: `test${randomUUID().slice(0, 8)}` })
  closing.push(() => documents.close())
  await collection().createIndexes((deskArticles.indexes ?? []).map(({ key }) => ({ key })))
  await collection().insertMany(Array.from({ length: ARTICLES }, (_, n) => article(n)))
}, 60_000)
afterAll(async () => {
  for (const close of closing.reverse()) await close()
})

const at = (n: number) => new Date(Date.parse('2026-03-01T00:00:00Z') + n * 1_000).toISOString()
const id = (n: number) => `3f0c1f5e-8a5d-4d5e-9a53-${String(n).padStart(12, '0')}`

/** Every thirtieth article is what the questions are about. */
const article = (n: number): DeskArticle => ({
  ...{ _id: id(n), stage: n % 30 === 0 ? 'draft' : 'live', review: n % 30 === 0 ? 'submitted' : 'none', revision: 0 },
  ...{ updatedAt: at(n), updatedBy: 'x', headline: 'Ice', summary: null, language: n % 30 === 0 ? 'de' : 'en' },
  section: { slug: n % 30 === 0 ? 'sport' : 'news', name: 'x' },
  authors: n % 30 === 0 ? ['ann', 'ben'] : ['ben'],
  ...{ slug: null, wantedSlug: null, embargo: null },
  scheduled: n % 30 === 0 ? [{ scheduleId: id(n), at: at(n) }] : [],
  isScheduled: n % 30 === 0,
  desk: n % 30 === 0 ? 'night' : null,
  assignee: n % 30 === 0 ? 'ann' : null,
  due: n % 30 === 0 ? at(n) : null,
  ...{ zone: null, openNotes: 0, claims: [] },
  words: ['ice', n % 30 === 0 ? 'harbour' : 'street'],
  heads: n % 30 === 0 ? ['ice', 'har', 'harbo'] : ['ice', 'str', 'stree'],
  ...{ everPublished: false, working: {}, live: null },
})

const reading: ReadModels = {
  ask: () => Promise.reject(new Error('nothing else is asked')),
  holdsUntil: () => undefined,
  of: <Doc extends Document>() =>
    ({
      find: (filter, { sort = {}, limit }) => {
        asked.push({ filter, sort, limit })
        return collection().find(filter, { sort, limit }).toArray() as Promise<unknown> as Promise<Doc[]>
      },
    }) as Documents<Doc>,
}

const stagesOf = (plan: unknown): string[] => {
  if (typeof plan !== 'object' || plan === null) return []
  if (Array.isArray(plan)) return plan.flatMap(stagesOf)
  const { stage, ...rest } = plan as Record<string, unknown>
  const inner = ['inputStage', 'inputStages', 'queryPlan', 'winningPlan'].flatMap(name => stagesOf(rest[name]))
  return [...(typeof stage === 'string' ? [stage] : []), ...inner]
}

const QUESTIONS: readonly Partial<GetDeskArticles>[] = [
  {},
  { stage: 'draft' },
  { review: 'submitted' },
  { desk: 'night' },
  { desk: 'night', stage: 'draft' },
  { assignee: 'ann' },
  { section: 'sport' },
  { section: 'sport', stage: 'draft' },
  { author: 'ann' },
  { language: 'de' },
  { q: 'harbour' },
  { q: 'ice harb' },
  { scheduledFrom: at(0) },
  { sort: 'due' },
  { sort: 'due', dueFrom: at(60), dueTo: at(2_000) },
  { sort: 'due', desk: 'night' },
  { sort: 'due', assignee: 'ann', dueTo: at(2_000) },
  { sort: 'due', section: 'sport' },
]

it.each(QUESTIONS.map(question => [JSON.stringify(question), question] as const))(
  '%s reads a page from an index and goes on after it',
  async (_, question) => {
    const limit = 10
    let cursor: string | null = null
    for (let pages = 0; pages < 3; pages++) {
      asked = []
      const query = Object.assign(new GetDeskArticles(), { limit, ...question, ...(cursor !== null && { cursor }) })
      const { items, next } = await deskArticlesQuery.answer(query, reading, new Date())
      expect(items).toHaveLength(limit)
      // Where the index answers the whole question, one look is enough.
      expect(asked).toHaveLength(1)
      for (const { filter, sort, limit: read } of asked) {
        const explained = await collection().find(filter, { sort, limit: read }).explain('executionStats')
        const { executionStats, queryPlanner } = explained as {
          executionStats: { totalDocsExamined: number; totalKeysExamined: number }
          queryPlanner: { winningPlan: unknown }
        }
        const stages = stagesOf(queryPlanner)
        expect(stages.length).toBeGreaterThan(0)
        expect(stages.filter(stage => /COLLSCAN|SORT/.test(stage) && stage !== 'SORT_MERGE')).toEqual([])
        // One or two more for where the page before ended.
        expect(executionStats.totalDocsExamined).toBeLessThanOrEqual(read + 2)
        expect(executionStats.totalKeysExamined).toBeLessThanOrEqual(read + 4)
      }
      expect(next).not.toBeNull()
      cursor = next
    }
  },
)

it('what no index answers is looked for in pieces, and given up for the next page', async () => {
  asked = []
  const query = Object.assign(new GetDeskArticles(), { language: 'en', author: 'ben', q: 'ic', section: 'sport' })
  const { items, next } = await deskArticlesQuery.answer(query, reading, new Date())
  expect(items).toEqual([])
  expect(next).not.toBeNull()
  expect(asked.reduce((sum, { limit }) => sum + limit, 0)).toBeLessThanOrEqual(1_000)
})
