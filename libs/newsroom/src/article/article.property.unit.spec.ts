// Whatever several people command in whatever order at whatever time: what is refused changes nothing, nothing is live that
// must not be, nothing happens twice.
import { describe, expect, it } from '@jest/globals'
import { StetError } from '@stet/eventsourcing'
import fc from 'fast-check'
import { type DeskArticle, deskArticles, differs as listedDiffers } from '../desk/desk-articles'
import { AT, recorded, type Recorded, send } from '../testing/scenario.fixture.spec'
import { paragraphsOf } from '../text/html'
import { looksLikeUuid } from '../text/slug'
import { articleOf } from './article'
import { AmendArticle, CorrectArticle } from './correcting'
import { DraftArticle, RelateArticles, ReviseArticle, SourceArticle } from './drafting'
import { ImportArticle } from './importing'
import { PublishArticle, RetractArticle, UnpublishArticle } from './publishing'
import {
  ApproveArticle,
  EmbargoArticle,
  RestoreArticle,
  SendBackArticle,
  SpikeArticle,
  SubmitArticle,
} from './reviewing'
import { CancelScheduledChange, PerformScheduledChange, RescheduleChange, ScheduleChange } from './scheduling'
import { type Article, differs, heldBack } from './state'
import { YieldSlug } from './yielding'

const ID = '3f0c1f5e-8a5d-4d5e-9a53-0d8f6f1f2a01'
const text = fc.constantFrom('', 'Ice', 'Ferry', '<p></p>', '<p>Ice on the quay</p>', '☃', ID)
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null })
const as = <C extends object>(type: new () => C, fields: fc.Arbitrary<Partial<C>>) =>
  fields.map(given => Object.assign(new type(), given))
const draft = { headline: text, section: maybe(text), bodyHtml: text }
const slug = fc.constantFrom('ice', 'ferry')

/** Hours after AT; the clocks of those who command jump about. */
const timeAt = (hours: number): string => new Date(Date.parse(AT) + hours * 3_600_000).toISOString()
/** Commands are numbered, and a schedule has the id of the command that made it. */
const commandIdOf = (index: number): string => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`
const scheduleId = fc.nat({ max: 15 }).map(commandIdOf)
const content = fc.constantFrom('frozen' as const, 'current' as const)

const command: fc.Arbitrary<object> = fc.oneof(
  as(DraftArticle, fc.record(draft)),
  as(
    ReviseArticle,
    fc.record({ headline: maybe(text), section: maybe(text), bodyHtml: maybe(text), slug }, { requiredKeys: [] }),
  ),
  as(SourceArticle, fc.record({ outlet: fc.constantFrom('Gazette', 'Post') })),
  as(RelateArticles, fc.record({ articleIds: fc.uniqueArray(fc.uuid(), { maxLength: 2 }) })),
  as(PublishArticle, fc.record({ slug }, { requiredKeys: [] })),
  as(UnpublishArticle, fc.constant({})),
  as(RetractArticle, fc.record({ notice: fc.constantFrom('Untrue.', 'Wrong.') })),
  as(CorrectArticle, fc.record({ note: fc.constantFrom('a', 'b'), headline: text, slug }, { requiredKeys: ['note'] })),
  as(AmendArticle, fc.record({ headline: text, bodyHtml: text }, { requiredKeys: [] })),
  as(SubmitArticle, fc.constant({})),
  as(SendBackArticle, fc.record({ note: fc.constant('Who?') })),
  as(ApproveArticle, fc.constant({})),
  as(EmbargoArticle, fc.record({ until: maybe(fc.integer({ min: 0, max: 12 }).map(timeAt)) })),
  as(SpikeArticle, fc.constant({})),
  as(RestoreArticle, fc.constant({})),
  as(
    ScheduleChange,
    fc.record(
      {
        change: fc.constantFrom('publish' as const, 'correct' as const, 'unpublish' as const),
        at: fc.integer({ min: 0, max: 12 }).map(timeAt),
        note: fc.constant('Corrected by time.'),
        slug,
      },
      { requiredKeys: ['change', 'at'] },
    ),
  ),
  as(
    RescheduleChange,
    fc.record(
      { scheduleId, at: fc.integer({ min: 0, max: 12 }).map(timeAt), content },
      { requiredKeys: ['scheduleId', 'at'] },
    ),
  ),
  as(CancelScheduledChange, fc.record({ scheduleId })),
  as(PerformScheduledChange, fc.record({ scheduleId })),
  as(YieldSlug, fc.record({ slug })),
  as(
    ImportArticle,
    fc.record({
      origin: fc.record({
        uri: fc.constant('urn:x'),
        profile: fc.constant('superdesk' as const),
        version: maybe(fc.constantFrom('1', '2', '3')),
        versionCreated: maybe(fc.constantFrom('2025-01-01T00:00:00Z', '2025-02-01T00:00:00Z')),
      }),
      content: fc.record({
        headline: text,
        section: maybe(fc.constant('News')),
        bodyHtml: text,
        summary: fc.constant(null),
        keyPoints: fc.constant([]),
        tags: fc.constant([]),
        authors: fc.constant([]),
        image: fc.constant(null),
        language: fc.constant('en'),
        seo: fc.constant(null),
        canonicalUrl: fc.constant(null),
      }),
      source: maybe(fc.constant({ outlet: 'Wire', contributors: [] })),
      relatedIds: fc.constant([]),
      held: maybe(fc.constant('embargoed')),
      canceled: fc.boolean(),
      publish: fc.boolean(),
      notUnderstood: fc.constant([]),
    }),
  ),
)

const POLICIES = ['none', 'four-eyes'] as const
const READERS_SIDE = /^Article(Published|Corrected|Amended|Unpublished|Retracted)$/

const fold = (events: readonly Recorded[]): Article =>
  events.reduce<Article>(
    (state, event) =>
      (evolve as Record<string, (s: Article, e: Recorded) => Article>)[event.type]?.(state, event) ?? state,
    noArticle,
  )
const { evolve, initial: noArticle } = articleOf({ approval: 'none' })

const actor = fc.constantFrom('reporter', 'editor', 'chief')
const told = fc.record({ next: command, actor, hours: fc.nat({ max: 12 }) })
/** What leads somewhere comes more often than chance brings it. */
const likely = fc.record({
  next: fc.oneof(
    as(PublishArticle, fc.constant({})),
    as(ApproveArticle, fc.constant({})),
    as(
      ScheduleChange,
      fc.record({ change: fc.constantFrom('publish' as const, 'unpublish' as const), at: fc.constant(timeAt(6)) }),
    ),
    as(PerformScheduledChange, fc.record({ scheduleId })),
    as(ReviseArticle, fc.record({ headline: fc.constantFrom('Ferry', 'Ice') })),
  ),
  actor,
  hours: fc.nat({ max: 12 }),
})
const begun = [
  {
    next: Object.assign(new DraftArticle(), { headline: 'Ice', section: 'News', bodyHtml: '<p>Ice.</p>' }),
    actor: 'reporter',
    hours: 0,
  },
  { next: Object.assign(new SourceArticle(), { outlet: 'Gazette' }), actor: 'reporter', hours: 0 },
]
const approved = { next: new ApproveArticle(), actor: 'chief', hours: 0 }
const soon = Object.assign(new ScheduleChange(), { change: 'publish' as const, at: timeAt(6) })
const scheduled = { next: soon, actor: 'editor', hours: 0 }
const commands = fc
  .tuple(
    fc.constantFrom([], begun, [...begun, approved], [...begun, approved, scheduled]),
    fc.array(fc.oneof(told, likely), { maxLength: 16 }),
  )
  .map(([before, then]) => [...before, ...then])

describe('an article under any commands', () => {
  it.each(POLICIES)('keeps every rule (%s)', approval => {
    const article = articleOf({ approval })
    let published = 0
    let performed = 0
    fc.assert(
      fc.property(commands, commands => {
        let history: Recorded[] = []
        for (const [index, { next, actor, hours }] of commands.entries()) {
          const before = fold(history)
          // Of the schedules that there are, where there are any.
          const [known] = Object.keys(before.schedules)
          if ('scheduleId' in next && known !== undefined) next.scheduleId = known
          const at = timeAt(hours)
          const commandId = commandIdOf(index)
          let events
          try {
            events = send(article, ID, history, next, { commandId, actor, at }).decide()
          } catch (error) {
            if (error instanceof StetError) continue
            throw error
          }
          const recordedNow = recorded(`article-${ID}`, events, { from: history.length, commandId, at, actor })
          history = [...history, ...recordedNow]
          const state = fold(history)
          // The same again has no effect: what is scheduled by another command is another schedule, of the same content.
          expect(again(article, history, next, { actor, at })).toEqual([])
          holds(before, state, events, at, history.length)

          if (events.some(({ type }) => type === 'ArticlePublished')) {
            published++
            if (approval === 'four-eyes' && next instanceof PublishArticle && differs(before))
              expect(before.review?.status).toBe('approved')
          }
          if (events.some(({ type }) => type === 'ArticleChangePerformed')) performed++
        }
        // What was scheduled was done at most once for each time that it was set.
        const done = history.flatMap(event => (event.type === 'ArticleChangePerformed' ? [event.data.scheduleId] : []))
        expect(new Set(done).size).toBe(done.length)
        listedAsItIs(history, fold(history))
        // From the log alone comes the same state, whatever was in memory.
        expect(fold(JSON.parse(JSON.stringify(history)) as Recorded[])).toEqual(fold(history))
      }),
      { numRuns: 800 },
    )
    // Not by never getting anywhere.
    expect(published).toBeGreaterThan(0)
    expect(performed).toBeGreaterThan(0)
  })
})

const again = (article: ReturnType<typeof articleOf>, history: readonly Recorded[], next: object, meta: object) => {
  try {
    return send(article, ID, history, next, { commandId: 'again', ...meta }).decide()
  } catch (error) {
    // It may be refused now (restored and approved by the same person): that is no effect either.
    if (error instanceof StetError) return []
    throw error
  }
}

/** Editors find it in their lists just as they see it when they open it. */
const listedAsItIs = (history: readonly Recorded[], state: Article) => {
  const listed = history.reduce<DeskArticle | null>((known, event) => {
    const next = deskArticles.on[event.type]
    return typeof next === 'function' ? next(known, event as never, ID) : known
  }, null)
  expect(listed === null).toBe(state.working === null)
  if (!listed || !state.working) return
  const pending = Object.entries(state.schedules).filter(([, { state }]) => state === 'pending')
  expect({
    ...listed,
    differs: listedDiffers(listed),
    scheduled: listed.scheduled.map(({ scheduleId }) => scheduleId).sort(),
  }).toMatchObject({
    stage: state.stage,
    review: state.review?.status ?? 'none',
    revision: state.revision,
    headline: state.working.headline,
    section: state.working.section && { slug: state.working.section.slug },
    slug: state.slug,
    wantedSlug: state.working.wantedSlug,
    embargo: state.embargo,
    differs: differs(state),
    scheduled: pending.map(([id]) => id).sort(),
    isScheduled: pending.length > 0,
  })
}

const holds = (before: Article, state: Article, events: readonly { type: string }[], at: string, length: number) => {
  expect(state.revision).toBe(length - 1)
  expect(state.stage === 'live').toBe(state.live !== null)
  if (state.live) {
    const { headline, bodyHtml, section, source, slug: path, firstPublishedAt, revision } = state.live
    expect(headline && paragraphsOf(bodyHtml).length > 0 && section.slug && source.outlet).toBeTruthy()
    expect(looksLikeUuid(path)).toBe(false)
    expect(path).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
    expect(state.slugs).toContain(path)
    expect(Number.isNaN(Date.parse(firstPublishedAt))).toBe(false)
    expect(revision).toBeLessThan(length)
    // Nothing comes out under an embargo, nor out of what was put away.
    if (events.some(({ type }) => READERS_SIDE.test(type))) {
      expect(heldBack(state, { at })).toBeNull()
      expect(before.stage).not.toBe('spiked')
      expect(before.stage).not.toBe('retracted')
    }
  }
  // Nothing but what is told to readers changes what they see.
  if (!events.some(({ type }) => READERS_SIDE.test(type))) expect(state.live).toEqual(before.live)
}
