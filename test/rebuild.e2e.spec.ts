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
  CreateList,
  curatedList,
  DraftArticle,
  FeatureArticle,
  GROUPS,
  importOf,
  MoveArticle,
  PinArticle,
  projections,
  PublishArticle,
  readNinjs,
  RelateArticles,
  ReviseArticle,
  SourceArticle,
  TimeFeature,
  UnfeatureArticle,
  UnpublishArticle,
} from '@stet/newsroom'
import * as fc from 'fast-check'
import { v5 as uuidv5 } from 'uuid'
import { articleIdOf, wireItem } from './support/items'
import { eventually } from './support/newsroom'

const NAMESPACE = 'b7a2f0b4-3a7e-4f0e-8d3c-2d8a3f6f9d55'
/** Articles of the newsroom's own, then those that a wire sends. */
const OWN = 6
const ARTICLES = 9
const uriOf = (n: number): string => `urn:wire:${n}`
const idOf = (n: number): string => (n < OWN ? uuidv5(`article ${n}`, NAMESPACE) : articleIdOf(uriOf(n)))

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

const WORDS = ['harbour', 'budget', 'bridge', 'storm', 'railway', 'theatre', 'school', 'energy', 'election', 'council']
const any = {
  article: fc.nat(ARTICLES - 1),
  text: fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 12 }).map(words => words.join(' ')),
  own: fc.nat(OWN - 1),
  wire: fc.integer({ min: OWN, max: ARTICLES - 1 }),
  list: fc.constantFrom('editors-choice', 'front', 'sport'),
}

/** One thing that happens in a newsroom: a command to somebody, or views. */
const happening = fc.oneof(
  fc.record({
    kind: fc.constant('draft' as const),
    n: any.own,
    text: any.text,
    section: fc.constantFrom('News', 'Sport'),
    language: fc.constantFrom('en', 'de'),
  }),
  fc.record({
    kind: fc.constant('import' as const),
    n: any.wire,
    text: any.text,
    version: fc.integer({ min: 1, max: 9 }),
    related: fc.array(any.wire, { maxLength: 2 }),
    status: fc.constantFrom('usable', 'usable', 'usable', 'withheld', 'canceled'),
  }),
  fc.record({ kind: fc.constant('create' as const), list: any.list }),
  fc.record({ kind: fc.constant('revise' as const), n: any.article, text: any.text }),
  fc.record({ kind: fc.constant('relate' as const), n: any.article, other: any.article }),
  fc.record({ kind: fc.constant('publish' as const), n: any.article }),
  fc.record({ kind: fc.constant('publish' as const), n: any.article }),
  fc.record({ kind: fc.constant('unpublish' as const), n: any.article }),
  fc.record({
    kind: fc.constant('feature' as const),
    n: any.article,
    list: any.list,
    place: fc.nat(ARTICLES),
    until: fc.option(fc.constant('2027-01-01T00:00:00Z'), { nil: undefined }),
  }),
  fc.record({ kind: fc.constant('move' as const), n: any.article, list: any.list, place: fc.nat(ARTICLES) }),
  fc.record({ kind: fc.constant('pin' as const), n: any.article, list: any.list, place: fc.nat(ARTICLES) }),
  fc.record({ kind: fc.constant('time' as const), n: any.article, list: any.list }),
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
    const id = 'n' in happening ? idOf(happening.n) : ''
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
      case 'import': {
        const { n, text, version, related, status } = happening
        const parts = { headline: text, version: String(version), related: related.map(uriOf) }
        const read = readNinjs({ ...wireItem(uriOf(n), parts), pubStatus: status })
        await send(article, importOf(read, { publish: true }).command, id)
        break
      }
      case 'create':
        await send(curatedList, Object.assign(new CreateList(), { label: `List ${happening.list}` }), happening.list)
        break
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
        await send(
          curatedList,
          Object.assign(new FeatureArticle(), {
            articleId: id,
            place: happening.place,
            ...(happening.until && { until: happening.until }),
          }),
          happening.list,
        )
        break
      case 'move':
      case 'pin': {
        const moving = happening.kind === 'move' ? new MoveArticle() : new PinArticle()
        await send(curatedList, Object.assign(moving, { articleId: id, place: happening.place }), happening.list)
        break
      }
      case 'time':
        await send(
          curatedList,
          Object.assign(new TimeFeature(), { articleId: id, from: '2026-06-01T00:00:00Z' }),
          happening.list,
        )
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

/** What every history begins with, whatever is generated: an article of each kind, and a list of the newsroom's own. */
const ALWAYS: readonly Happening[] = [
  { kind: 'draft', n: 0, text: 'harbour bridge storm', section: 'News', language: 'en' },
  { kind: 'import', n: OWN, text: 'harbour storm railway', version: 1, related: [OWN + 1], status: 'usable' },
  { kind: 'create', list: 'front' },
  { kind: 'feature', n: OWN, list: 'front', place: 0, until: undefined },
  { kind: 'feature', n: 0, list: 'editors-choice', place: 0, until: undefined },
  { kind: 'view', n: OWN, views: 3, minute: 10 },
]
/** Documents that the read models then hold at least; a card goes with the last list of an article that is not live. */
const LEAST = { 'article-pages': 2, 'curated-lists': 2, popularity: 3 }

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
    let mostCards = 0
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { minLength: 20, maxLength: 80 }), async happenings => {
        const log = connectEventLog({ url, prefix: `property${run++}.` })
        try {
          await record(log, [...ALWAYS, ...happenings])
          const [one, seven, many] = [await folded(log, 1), await folded(log, 7), await folded(log, 500)]
          for (const [name, least] of Object.entries(LEAST)) expect(one.get(name)!.length).toBeGreaterThanOrEqual(least)
          mostCards = Math.max(mostCards, one.get('article-cards')!.length)
          expect(seven).toEqual(one)
          expect(many).toEqual(one)
        } finally {
          await log.close()
        }
      }),
      { numRuns: 15, endOnFailure: true },
    )
    expect(mostCards).toBeGreaterThanOrEqual(2)
  }, 300_000)

  it('gives the same rankings whatever the order of the views', async () => {
    const publish: Happening[] = Array.from({ length: OWN }, (_, n) => ({
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
          expect((rankings[0] as string[]).length).toBeGreaterThanOrEqual(OWN)
          expect(rankings[1]).toEqual(rankings[0])
        },
      ),
      { numRuns: 10, endOnFailure: true },
    )
  }, 300_000)
})
