// The same log gives the same bytes: read models folded in batches of 1, 7 and 500 are equal document by document, over
// generated histories; views shuffled in order and batches give the same rankings.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startDocumentStore, startEventStore } from '@stet/embedded'
import {
  addressed,
  Aggregates,
  connectDocumentStore,
  connectEventLog,
  type DocumentStore,
  type EventLog,
  StetError,
  startProjections,
} from '@stet/eventsourcing'
import {
  article,
  curatedList,
  DraftArticle,
  FeatureArticle,
  GROUPS,
  projections,
  PublishArticle,
  RelateArticles,
  ReviseArticle,
  SourceArticle,
  UnfeatureArticle,
  UnpublishArticle,
} from '@stet/newsroom'
import * as fc from 'fast-check'
import { v5 as uuidv5 } from 'uuid'
import { eventually } from './support/newsroom'

const NAMESPACE = 'b7a2f0b4-3a7e-4f0e-8d3c-2d8a3f6f9d55'
const idOf = (n: number): string => uuidv5(`article ${n}`, NAMESPACE)

let folder = ''
let url = ''
let databaseUrl = ''
let closing: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stet-'))
  const events = { socketPath: join(folder, 'e.sock'), directory: join(folder, 'e') }
  const documents = { socketPath: join(folder, 'd.sock'), directory: join(folder, 'd') }
  const stores = await Promise.all([startEventStore(events), startDocumentStore(documents)])
  url = `unix:${events.socketPath}`
  databaseUrl = `mongodb://${encodeURIComponent(documents.socketPath)}/?directConnection=true`
  closing = stores.map(store => () => store.close())
})
afterAll(async () => {
  for (const close of closing) await close()
  await rm(folder, { recursive: true, force: true })
})

const ARTICLES = 6
const WORDS = ['harbour', 'budget', 'bridge', 'storm', 'railway', 'theatre', 'school', 'energy', 'election', 'council']
const any = {
  article: fc.nat(ARTICLES - 1),
  text: fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 12 }).map(words => words.join(' ')),
  list: fc.constantFrom('editors-choice'),
}

/** One thing that happens in a newsroom: a command to somebody, or views. */
const happening = fc.oneof(
  fc.record({
    kind: fc.constant('draft' as const),
    n: any.article,
    text: any.text,
    section: fc.constantFrom('News', 'Sport'),
    language: fc.constantFrom('en', 'de'),
  }),
  fc.record({ kind: fc.constant('revise' as const), n: any.article, text: any.text }),
  fc.record({ kind: fc.constant('relate' as const), n: any.article, other: any.article }),
  fc.record({ kind: fc.constant('publish' as const), n: any.article }),
  fc.record({ kind: fc.constant('publish' as const), n: any.article }),
  fc.record({ kind: fc.constant('unpublish' as const), n: any.article }),
  fc.record({ kind: fc.constant('feature' as const), n: any.article, list: any.list }),
  fc.record({ kind: fc.constant('unfeature' as const), n: any.article, list: any.list }),
  fc.record({
    kind: fc.constant('view' as const),
    n: any.article,
    views: fc.integer({ min: 1, max: 9 }),
    minute: fc.nat(20_000),
  }),
)
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never

/** Records a history through the deciders; what a rule refuses leaves no event. */
const record = async (log: EventLog, happenings: readonly Happening[]): Promise<void> => {
  const aggregates = new Aggregates(log)
  let step = 0
  const send = async (decider: typeof article | typeof curatedList, command: object, key: string) => {
    const at = new Date(Date.UTC(2026, 2, 1) + step * 60_000).toISOString()
    const commandId = uuidv5(`command ${step} ${command.constructor.name}`, NAMESPACE)
    const envelope = { key, commandId, actor: 'desk', at, correlationId: commandId }
    await aggregates
      .execute(decider, command.constructor.name, addressed(command, envelope), envelope)
      .catch((error: unknown) => {
        if (!(error instanceof StetError)) throw error
      })
  }
  for (const happening of happenings) {
    step++
    const id = idOf(happening.n)
    switch (happening.kind) {
      case 'draft': {
        const { text, section, language } = happening
        await send(
          article,
          Object.assign(new DraftArticle(), {
            headline: text,
            section,
            bodyHtml: `<p>${text}</p>`,
            language,
            tags: [text.split(' ')[0]],
          }),
          id,
        )
        await send(article, Object.assign(new SourceArticle(), { outlet: 'Harbour Post', contributors: [] }), id)
        await send(article, new PublishArticle(), id)
        break
      }
      case 'revise':
        await send(article, Object.assign(new ReviseArticle(), { bodyHtml: `<p>${happening.text}</p>` }), id)
        break
      case 'relate':
        await send(article, Object.assign(new RelateArticles(), { articleIds: [idOf(happening.other)] }), id)
        break
      case 'publish':
        await send(article, new PublishArticle(), id)
        break
      case 'unpublish':
        await send(article, new UnpublishArticle(), id)
        break
      case 'feature':
        await send(curatedList, Object.assign(new FeatureArticle(), { articleId: id }), happening.list)
        break
      case 'unfeature':
        await send(curatedList, Object.assign(new UnfeatureArticle(), { articleId: id }), happening.list)
        break
      case 'view':
        await appendViews(log, [happening], step)
        break
    }
  }
}

const appendViews = async (log: EventLog, views: readonly Happening[], step: number): Promise<void> => {
  for (const [i, view] of views.entries()) {
    if (view.kind !== 'view') continue
    const minute = new Date(Date.UTC(2026, 1, 20) + view.minute * 60_000).toISOString()
    const id = uuidv5(`views ${step} ${i}`, NAMESPACE)
    const metadata = {
      $correlationId: id,
      $causationId: id,
      commandId: id,
      fingerprint: '',
      actor: 'counter',
      at: minute,
    }
    const data = { minute, views: [[idOf(view.n), view.views, 'direct', 'desktop', '']] }
    await log.append(`views-${id}`, -1, [{ id, type: 'ArticlesViewed', data, metadata }])
  }
}

let databases = 0

/** Folds a whole log into a new database in batches of one size, and gives every document of every read model. */
const folded = async (log: EventLog, batch: number): Promise<Map<string, string[]>> => {
  const documents: DocumentStore = connectDocumentStore({ url: databaseUrl, database: `folded${databases++}` })
  const running = startProjections({ log, documents, projections, groups: GROUPS, limits: { events: batch } })
  await eventually('caught up', () => running.ready())
  await running.stop()
  const all = new Map<string, string[]>()
  for (const { name, version } of projections) {
    const raw = documents.db.collection(`${name}-v${version}-g1`).find({}, { raw: true }).sort({ _id: 1 })
    const bytes: string[] = []
    for await (const document of raw) bytes.push(Buffer.from(document as unknown as Uint8Array).toString('base64'))
    all.set(name, bytes)
  }
  await documents.db.dropDatabase()
  await documents.close()
  return all
}

describe('the same log', () => {
  it('gives the same bytes in batches of 1, 7 and 500', async () => {
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { minLength: 20, maxLength: 60 }), async happenings => {
        const log = connectEventLog({ url, prefix: `property${run++}.` })
        try {
          // Something is live in every history, whatever is generated.
          const first: Happening = {
            kind: 'draft',
            n: 0,
            text: 'harbour bridge storm',
            section: 'News',
            language: 'en',
          }
          await record(log, [first, ...happenings])
          const [one, seven, many] = [await folded(log, 1), await folded(log, 7), await folded(log, 500)]
          expect(one.get('article-pages')!.length).toBeGreaterThan(0)
          expect(seven).toEqual(one)
          expect(many).toEqual(one)
        } finally {
          await log.close()
        }
      }),
      { numRuns: 8, endOnFailure: true },
    )
  }, 300_000)

  it('gives the same rankings whatever the order of the views', async () => {
    const publish: Happening[] = Array.from({ length: ARTICLES }, (_, n) => ({
      kind: 'draft',
      n,
      text: `${WORDS[n]} ${WORDS[n + 1]}`,
      section: 'News',
      language: 'en',
    }))
    const views = fc.array(
      fc.record({
        kind: fc.constant('view' as const),
        n: any.article,
        views: fc.integer({ min: 1, max: 9 }),
        minute: fc.nat(20_000),
      }),
      { minLength: 10, maxLength: 60 },
    )
    let run = 0
    await fc.assert(
      fc.asyncProperty(
        views.chain(list => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        async ([ordered, shuffled]) => {
          const rankings: unknown[] = []
          for (const [views, batch] of [
            [ordered, 500],
            [shuffled, 3],
          ] as const) {
            const log = connectEventLog({ url, prefix: `shuffled${run++}.` })
            await record(log, publish)
            await appendViews(log, views, 0)
            rankings.push((await folded(log, batch)).get('popularity'))
            await log.close()
          }
          expect((rankings[0] as string[]).length).toBeGreaterThanOrEqual(ARTICLES)
          expect(rankings[1]).toEqual(rankings[0])
        },
      ),
      { numRuns: 6, endOnFailure: true },
    )
  }, 300_000)
})
