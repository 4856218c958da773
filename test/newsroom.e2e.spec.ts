// Whatever several people command at whatever time, to several articles and lists, through two processes: what was refused
// changed nothing, every state on the way keeps the rules of the newsroom, and replaying the log gives what is in memory.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { startEventStore } from '@stet/embedded'
import {
  addressed,
  Aggregates,
  connectEventLog,
  decoded,
  type EventLog,
  type LogEvent,
  StaleRevision,
  StetError,
} from '@stet/eventsourcing'
import {
  AmendArticle,
  ApproveArticle,
  type Article,
  article,
  CorrectArticle,
  curatedList,
  type CuratedList,
  DraftArticle,
  EmbargoArticle,
  FeatureArticle,
  GetArticlePage,
  GetLatest,
  GetList,
  GetPopular,
  latestQuery,
  listQuery,
  pageQuery,
  PerformScheduledChange,
  popularity,
  popularQuery,
  PublishArticle,
  RelateArticles,
  related,
  computedRelated,
  RescheduleChange,
  RestoreArticle,
  RetractArticle,
  ReviseArticle,
  ScheduleChange,
  SourceArticle,
  SpikeArticle,
  SubmitArticle,
  UnfeatureArticle,
  UnpublishArticle,
  YieldSlug,
} from '@stet/newsroom'
import fc from 'fast-check'
import { v4, v5 as uuidv5 } from 'uuid'
import { FoldedReadModels } from '../libs/newsroom/src/testing/read-models.fixture.spec'

const ARTICLES = 3
const LIST = 'editors-choice'
const NAMESPACE = '2a3b1c5e-6a0f-4f0e-9d55-0c2d4f1f7b21'
const idOf = (n: number): string => uuidv5(`article ${n}`, NAMESPACE)
const ids = Array.from({ length: ARTICLES }, (_, n) => idOf(n))
const START = Date.UTC(2026, 2, 1)
/** The clocks of those who command jump about. */
const timeAt = (hours: number): string => new Date(START + hours * 3_600_000).toISOString()

let folder = ''
let url = ''
let close: () => Promise<void>
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stet-'))
  const options = { socketPath: join(folder, 'e.sock'), directory: join(folder, 'e') }
  const store = await startEventStore(options)
  close = () => store.close()
  url = `unix:${options.socketPath}`
})
afterAll(async () => {
  await close?.()
  await rm(folder, { recursive: true, force: true })
})

const as = <C extends object>(type: new () => C, fields: fc.Arbitrary<Partial<C>> = fc.constant({})) =>
  fields.map(given => () => Object.assign(new type(), given))
const text = fc.constantFrom('Ice', 'Ferry', 'Quay')
const slug = fc.constantFrom('ice', 'ferry')
const hours = fc.nat({ max: 12 })
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const articleId = fc.constantFrom(...ids)

/** To articles. */
const change = fc.oneof(
  as(ReviseArticle, fc.record({ headline: text, slug }, { requiredKeys: [] })),
  as(RelateArticles, fc.record({ articleIds: fc.uniqueArray(articleId, { maxLength: 3 }) })),
  { weight: 6, arbitrary: as(PublishArticle, fc.record({ slug }, { requiredKeys: [] })) },
  { weight: 3, arbitrary: as(UnpublishArticle) },
  as(RetractArticle, fc.constant({ notice: 'Untrue.' })),
  as(CorrectArticle, fc.record({ note: fc.constant('Wrong.'), headline: text, slug }, { requiredKeys: ['note'] })),
  as(AmendArticle, fc.record({ headline: text })),
  as(SubmitArticle),
  as(ApproveArticle),
  {
    weight: 4,
    arbitrary: as(
      EmbargoArticle,
      hours.map(until => ({ until: timeAt(until) })),
    ),
  },
  as(SpikeArticle),
  as(RestoreArticle),
  {
    weight: 2,
    arbitrary: as(
      ScheduleChange,
      fc.record({
        change: fc.constantFrom('publish' as const, 'unpublish' as const),
        at: hours.map(timeAt),
      }),
    ),
  },
  as(YieldSlug, fc.record({ slug })),
)
/** To what is scheduled, whichever that is when its turn comes. */
const timed = fc.oneof(
  { weight: 3, arbitrary: as(PerformScheduledChange) },
  as(RescheduleChange, fc.record({ at: hours.map(timeAt) })),
)
const placing = fc.oneof(
  { weight: 2, arbitrary: as(FeatureArticle, fc.record({ articleId, place: fc.nat(3) })) },
  as(UnfeatureArticle, fc.record({ articleId })),
)
const step = fc.record({
  what: fc.oneof(
    { weight: 5, arbitrary: fc.record({ to: fc.constant('article' as const), make: change }) },
    { weight: 3, arbitrary: fc.record({ to: fc.constant('schedule' as const), make: timed }) },
    { weight: 2, arbitrary: fc.record({ to: fc.constant('list' as const), make: placing }) },
  ),
  n: fc.nat(ARTICLES - 1),
  actor: fc.constantFrom('reporter', 'editor', 'chief'),
  process: fc.nat(1),
  hours,
  /** The revision that it is written on, behind the current one; none: it overrides. */
  behind: maybe(fc.constantFrom(0, 0, 0, 1)),
  /** Sent at the same time as the one before. */
  together: fc.boolean(),
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

const site = { url: 'https://news.example/' }
const popular = popularQuery(site)
const queries = {
  page: pageQuery(site, { related, computedRelated, popular }),
  latest: latestQuery(site),
  list: listQuery(site),
  popular,
}

interface Sent {
  readonly commandId: string
  readonly outcome: 'changed' | 'unchanged' | 'refused'
  readonly refusal?: StetError
}

/** Sends a history through two processes; what they hold in memory in the end is handed over. */
const play = async (log: EventLog, steps: readonly Step[]) => {
  const processes = [new Aggregates(log), new Aggregates(log)] as const
  const sent: Sent[] = []
  const send = async (
    process: number,
    command: object,
    envelope: { key: string; actor: string; at: string; expected?: number },
  ) => {
    const commandId = v4()
    const decider = command instanceof FeatureArticle || command instanceof UnfeatureArticle ? curatedList : article
    const whole = { ...envelope, commandId, correlationId: commandId }
    try {
      const { changed } = await processes[process]!.execute(
        decider,
        command.constructor.name,
        addressed(command, whole),
        whole,
      )
      sent.push({ commandId, outcome: changed ? 'changed' : 'unchanged' })
    } catch (error) {
      if (!(error instanceof StetError)) throw error
      if (error instanceof StaleRevision && envelope.expected === undefined) throw error
      sent.push({ commandId, outcome: 'refused', refusal: error })
    }
  }
  for (const [n, key] of ids.entries()) {
    const begun = { key, actor: 'reporter', at: timeAt(0) }
    const draft = { headline: ['Ice', 'Ferry'][n % 2], section: 'News', bodyHtml: '<p>Text.</p>' }
    await send(0, Object.assign(new DraftArticle(), draft), begun)
    await send(0, Object.assign(new SourceArticle(), { outlet: 'Gazette' }), begun)
    const begins = n > 0 ? new PublishArticle() : Object.assign(new EmbargoArticle(), { until: timeAt(6) })
    await send(0, begins, begun)
    await send(0, Object.assign(new FeatureArticle(), { articleId: key }), { ...begun, key: LIST })
  }
  const underway: Promise<void>[] = []
  for (const { what, n, actor, process, hours, behind, together } of steps) {
    if (!together) await Promise.all(underway.splice(0))
    const command = what.make()
    const of = (key: string) => processes[process]!.load<Article>(article, key)
    const key = what.to === 'list' ? LIST : what.to === 'article' ? ids[n]! : await scheduledFrom(n, of)
    const known = what.to === 'list' ? await processes[process]!.load<CuratedList>(curatedList, key) : await of(key)
    if (what.to === 'schedule') Object.assign(command, { scheduleId: pendingIn(known?.state as Article) ?? v4() })
    const expected = behind === undefined ? {} : { expected: (known?.revision ?? -1) - behind }
    underway.push(
      send(process, command, { key, actor, at: timeAt(what.to === 'schedule' ? hours + 6 : hours), ...expected }),
    )
  }
  await Promise.all(underway)
  return { processes, sent }
}

const pendingIn = ({ schedules }: Article): string | undefined =>
  Object.keys(schedules).find(id => schedules[id]?.state === 'pending')

/** The next article, from the n-th on, that has something scheduled; the n-th where none has. */
const scheduledFrom = async (n: number, of: (key: string) => Promise<{ state: Article } | null>): Promise<string> => {
  for (const key of [...ids.slice(n), ...ids.slice(0, n)]) {
    const known = await of(key)
    if (known && pendingIn(known.state) !== undefined) return key
  }
  return ids[n]!
}

const evolved = (before: Article, event: LogEvent): Article => {
  const evolve = article.evolve as Record<string, ((state: Article, event: LogEvent) => Article) | undefined>
  return evolve[event.type]?.(before, event) ?? before
}

/** Whoever asks for anything at all sees nothing that is not live. */
const shown = async (events: readonly LogEvent[]): Promise<Set<string>> => {
  const models = new FoldedReadModels(events as never)
  // The rankings follow later than the cards do: they may believe that everything is live still, and just read.
  const views = { newest: START / 60_000, minutes: '5', hours: '5', score1h: 5, score24h: 5, score7d: 5 }
  const counts = { section: 'news', language: 'en', notLive: 0, counted: 5, live: true }
  models.put(popularity, ...ids.map(_id => ({ _id, ...counts, ...views })))
  const asOf = new Date(START)
  const cards = [
    ...(await queries.latest.answer(new GetLatest(), models, asOf)).items,
    ...(await queries.list.answer(Object.assign(new GetList(), { list: LIST, limit: 100 }), models, asOf)).items,
    ...(await queries.popular.answer(new GetPopular(), models, asOf)).items,
  ]
  for (const id of ids)
    try {
      const page = await queries.page.answer(Object.assign(new GetArticlePage(), { idOrSlug: id }), models, asOf)
      cards.push(...(page.related ?? []), ...(page.popular ?? []))
    } catch (error) {
      if (!(error instanceof StetError)) throw error
    }
  return new Set(cards.map(({ id }) => id))
}

it('keeps the rules of the newsroom', async () => {
  let run = 0
  const met = { live: 0, refused: 0, held: 0, performed: 0, gone: 0 }
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }), async steps => {
      const log = connectEventLog({ url, prefix: `invariants${run++}.` })
      try {
        const { processes, sent } = await play(log, steps)
        const events: LogEvent[] = []
        for await (const event of log.readAll({})) events.push(decoded(event))

        // What was refused or changed nothing left nothing but an address that is kept for its article; the rest is there.
        const recorded = new Set(
          events.filter(({ category }) => category !== 'slug').map(({ metadata }) => metadata.commandId),
        )
        for (const { commandId, outcome } of sent)
          expect([outcome, recorded.has(commandId)]).toEqual([outcome, outcome === 'changed'])
        met.refused += sent.filter(({ outcome }) => outcome === 'refused').length
        met.held += sent.filter(({ refusal }) => refusal?.code === 'held').length

        const states = new Map<string, Article>()
        const done: string[] = []
        for (const [index, event] of events.entries()) {
          if (event.category === 'article') {
            const before = states.get(event.key) ?? article.initial
            const after = evolved(before, event)
            states.set(event.key, after)
            // Nothing comes out under an embargo, by whatever way.
            if (after.live !== before.live && after.live !== null)
              expect(before.embargo === null || before.embargo <= event.metadata.at).toBe(true)
            if (event.type === 'ArticleChangePerformed') done.push((event.data as { scheduleId: string }).scheduleId)
          }
          const live = [...states].filter(([, { stage }]) => stage === 'live')
          const slugs = live.map(([, { slug }]) => slug)
          expect(new Set(slugs).size).toBe(slugs.length)
          const cards = await shown(events.slice(0, index + 1))
          const liveIds = new Set(live.map(([id]) => id))
          expect([...cards].filter(id => !liveIds.has(id))).toEqual([])
          // What is live is somewhere: the latest at least.
          expect(cards.size).toBe(liveIds.size)
          met.live += cards.size
        }
        expect(new Set(done).size).toBe(done.length)
        met.performed += done.length
        met.gone += events.filter(({ type }) => /^Article(Unpublished|Retracted)$/.test(type)).length

        for (const aggregates of processes)
          for (const id of ids)
            expect((await aggregates.load<Article>(article, id))?.state).toEqual(
              JSON.parse(JSON.stringify(states.get(id))),
            )
      } finally {
        await log.close()
      }
    }),
    { numRuns: 60, endOnFailure: true },
  )
  // Not by never getting anywhere.
  for (const [what, times] of Object.entries(met)) expect([what, times > 0]).toEqual([what, true])
}, 300_000)
