// Erasing and redacting: given events, when a command with its confirmation, then what remains.
import { describe, expect, it } from '@jest/globals'
import { RuleBroken } from '@stet/eventsourcing'
import { command, copy, drafted, ID, LATER, live, published, revised, sourced } from '../testing/article.fixture.spec'
import { AT, type Event, given, recorded, type Recorded, send } from '../testing/scenario.fixture.spec'
import { article } from './article'
import { confirmationFor, EraseArticle, RedactArticle } from './erasing'
import { ImportArticle } from './importing'
import { ReviseArticle } from './drafting'
import { type Article, differs } from './state'

const word = { authority: 'District Court, 12 O 34/26', reason: 'A name must go.' }
const scheduleId = '00000000-0000-4000-8000-000000000001'
const scheduled: Event = {
  type: 'ArticleChangeScheduled',
  data: { scheduleId, at: LATER, zone: null, change: { kind: 'unpublish', reason: null } },
}
const historyOf = (...events: Event[]): Recorded[] => recorded(`article-${ID}`, events)
const context = (history: readonly Recorded[], meta = {}) => ({
  key: ID,
  revision: history.length - 1,
  actor: 'editor-1',
  at: AT,
  ...meta,
})
const confirmed = <C extends RedactArticle | EraseArticle>(
  type: new () => C,
  history: Recorded[],
  fields: Partial<C>,
) => {
  const asked = command<C>(type, { ...word, ...fields })
  const name = asked instanceof RedactArticle ? 'RedactArticle' : 'EraseArticle'
  asked.confirmation = confirmationFor(name, asked, context(history)).confirmation
  return asked
}
const decide = (history: Recorded[], sent: object, meta = {}) => send(article, ID, history, sent, meta).decide()
const after = (history: Recorded[], events: readonly Event[]): Article =>
  given(article, ID, [...history, ...recorded(`article-${ID}`, events, { from: history.length })]).state() as Article

describe('redact', () => {
  const history = historyOf(drafted, sourced, published, scheduled)

  it('replaces fields of the working copy and of the live one, and keeps the rest live', () => {
    const sent = confirmed(RedactArticle, history, { bodyHtml: '<p>Somebody said so.</p>', summary: null })
    const events = decide(history, sent, { at: LATER.replace('13:00', '12:05') })
    expect(events).toEqual([
      {
        type: 'ArticleRedacted',
        data: {
          ...word,
          scheduleIds: [scheduleId],
          stage: 'live',
          working: { ...copy, bodyHtml: '<p>Somebody said so.</p>', summary: null },
          source: live.source,
          relatedIds: [],
          blockedIds: [],
          live: { ...live, bodyHtml: '<p>Somebody said so.</p>', updatedAt: '2026-03-01T12:05:00.000Z' },
          slugs: ['harbour-shut-by-ice'],
          yielded: {},
          firstPublishedAt: AT,
          embargo: null,
          drafter: 'editor-1',
          writers: [],
          wire: null,
        },
      },
    ])
    const state = after(history, events)
    expect(state).toMatchObject({ stage: 'live', schedules: {}, slug: 'harbour-shut-by-ice' })
    expect(differs(state)).toBe(false)
  })

  it('takes back what was retracted, and keeps an embargo', () => {
    const retracted = historyOf(drafted, sourced, published, {
      type: 'ArticleRetracted',
      data: { notice: 'Jane Doe was wrong.', reason: null },
    })
    const state = after(retracted, decide(retracted, confirmed(RedactArticle, retracted, {})))
    expect(state).toMatchObject({ stage: 'unpublished', live: null, notice: null, unpublishedBy: 'editors' })
    const held = historyOf(drafted, { type: 'ArticleEmbargoed', data: { until: LATER, reason: 'Jane Doe' } })
    expect(after(held, decide(held, confirmed(RedactArticle, held, {})))).toMatchObject({ embargo: LATER })
  })

  it('does not let the same version of a wire bring anything back', () => {
    const { wantedSlug: _, ...content } = copy
    const item = command(ImportArticle, {
      origin: { uri: 'urn:x', profile: 'ninjs-3', version: '1', versionCreated: null },
      content: { ...content, bodyHtml: '<p>Jane Doe.</p>', section: 'News', tags: [], authors: [], keyPoints: [] },
      source: null,
      relatedIds: [],
      held: null,
      canceled: false,
      publish: false,
      notUnderstood: ['/jane is not kept'],
    })
    const imported = recorded(`article-${ID}`, decide([], item))
    const events = decide(imported, confirmed(RedactArticle, imported, { bodyHtml: '<p>Somebody.</p>' }))
    expect(JSON.stringify(events)).not.toMatch(/jane/i)
    const then = [...imported, ...recorded(`article-${ID}`, events, { from: imported.length })]
    expect(decide(then, item)).toEqual([])
  })

  it.each(['headline', 'source'])('a live article keeps a %s', field => {
    const sent = confirmed(RedactArticle, history, { [field]: null })
    expect(() => decide(history, sent)).toThrow(`#/${field} is needed`)
    const unpublished = historyOf(drafted, sourced)
    expect(decide(unpublished, confirmed(RedactArticle, unpublished, { [field]: null }))).toHaveLength(1)
  })
})

describe('erase', () => {
  const history = historyOf(drafted, sourced, published, scheduled)
  const events = decide(history, confirmed(EraseArticle, history, {}))

  it('leaves that there was one, and its addresses', () => {
    expect(events).toEqual([
      { type: 'ArticleErased', data: { ...word, scheduleIds: [scheduleId], slugs: ['harbour-shut-by-ice'] } },
    ])
    expect(after(history, events)).toMatchObject({ stage: 'erased', working: null, live: null, schedules: {} })
  })

  it('is final: nothing brings it back, and erasing it again does nothing', () => {
    const erased = [...history, ...recorded(`article-${ID}`, events, { from: history.length })]
    expect(() => decide(erased, command(ReviseArticle, { headline: 'Back' }))).toThrow('erased')
    expect(() => decide(erased, confirmed(RedactArticle, erased, {}))).toThrow('erased')
    expect(decide(erased, command(EraseArticle, word))).toEqual([])
  })
})

describe('the confirmation', () => {
  const history = historyOf(drafted, sourced, published)
  const asked = () => confirmed(RedactArticle, history, { headline: 'Someone' })
  const ruleOf = (sent: object, meta = {}, past = history) => {
    try {
      decide(past, sent, meta)
      return null
    } catch (error) {
      return error instanceof RuleBroken ? error.code : String(error)
    }
  }

  it('is good for this request, this actor, this revision and ten minutes', () => {
    const other = Object.assign(asked(), { headline: 'Somebody' })
    const longer = Object.assign(asked(), { confirmation: asked().confirmation?.replace(/^\d+/, '99999999999') })
    const erase = Object.assign(command(EraseArticle, word), { confirmation: asked().confirmation })
    const revisedSince = historyOf(drafted, sourced, published, revised({ headline: 'New' }))
    expect({
      good: ruleOf(asked()),
      inTime: ruleOf(asked(), { at: '2026-03-01T12:10:00.000Z' }),
      late: ruleOf(asked(), { at: '2026-03-01T12:10:01.000Z' }),
      none: ruleOf(command(RedactArticle, { ...word, headline: 'Someone' })),
      other: ruleOf(other),
      longer: ruleOf(longer),
      erase: ruleOf(erase),
      somebodyElse: ruleOf(asked(), { actor: 'editor-2' }),
      changed: ruleOf(asked(), {}, revisedSince),
      nonsense: ruleOf(Object.assign(asked(), { confirmation: 'x' })),
    }).toEqual({
      good: null,
      inTime: null,
      late: 'confirmation-expired',
      none: 'unconfirmed',
      other: 'confirmation-mismatch',
      longer: 'confirmation-mismatch',
      erase: 'confirmation-mismatch',
      somebodyElse: 'confirmation-mismatch',
      changed: 'confirmation-mismatch',
      nonsense: 'confirmation-mismatch',
    })
  })
})
