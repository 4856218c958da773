// Whatever happened to an article before it was redacted or erased and after: once that has left the log, a rebuild holds
// what the read models hold that saw it all, and neither holds a word of it.
import { expect, it } from '@jest/globals'
import { type Computation, StetError } from '@stet/eventsourcing'
import fc from 'fast-check'
import { AddNote, AssignArticle, ClaimArticle, desk, EraseDesk, ReleaseClaim, SetDue } from '../desk/desk'
import { FeatureArticle, UnfeatureArticle } from '../lists/commands'
import { curatedList } from '../lists/lists'
import { popularity, type PopularityDocument } from '../popularity'
import { type NewsroomEvents } from '../newsroom'
import { command, ID } from '../testing/article.fixture.spec'
import { FoldedReadModels } from '../testing/read-models.fixture.spec'
import { AT, type Event, recorded, type Recorded, send } from '../testing/scenario.fixture.spec'
import { article } from './article'
import { AmendArticle, CorrectArticle } from './correcting'
import { DraftArticle, ReviseArticle, SourceArticle } from './drafting'
import { confirmationFor, EraseArticle, RedactArticle } from './erasing'
import { PublishArticle, RetractArticle, UnpublishArticle } from './publishing'
import { SpikeArticle } from './reviewing'
import { ScheduleChange } from './scheduling'

const SECRET = 'Jane Doe'
const word = { authority: 'District Court', reason: 'A name must go.' }
const body = `<p>${SECRET} on the quay.</p>`

type Step = readonly ['article' | 'desk' | 'list' | 'views', object]
const to = (stream: 'article' | 'desk' | 'list', ...commands: object[]) =>
  fc.constantFrom(...commands.map((command): Step => [stream, command]))
const step = fc.oneof(
  to(
    'article',
    command(ReviseArticle, { headline: SECRET }),
    command(ReviseArticle, { summary: SECRET, headline: 'Quay' }),
    command(PublishArticle),
    command(PublishArticle, { slug: 'quay' }),
    command(CorrectArticle, { note: SECRET, headline: 'Quay' }),
    command(AmendArticle, { summary: SECRET }),
    command(UnpublishArticle, { reason: SECRET }),
    command(RetractArticle, { notice: SECRET }),
    command(SpikeArticle, { reason: SECRET }),
    command(ScheduleChange, { change: 'publish', at: '2026-03-01T13:00:00.000Z' }),
  ),
  to(
    'desk',
    command(AddNote, { text: SECRET }),
    command(AddNote, { text: 'Call them.' }),
    command(AssignArticle, { desk: 'night', assignee: null }),
    command(SetDue, { due: '2026-03-01T13:00:00.000Z' }),
    command(ClaimArticle),
    command(ReleaseClaim),
  ),
  to('list', command(FeatureArticle, { articleId: ID }), command(UnfeatureArticle, { articleId: ID })),
  fc.constant<Step>(['views', {}]),
)
const redaction = command(RedactArticle, {
  ...word,
  headline: 'Somebody',
  summary: null,
  bodyHtml: '<p>Somebody on the quay.</p>',
})
const ending = fc.constantFrom(redaction, command(EraseArticle, word))
const begun: readonly Step[] = [
  ['article', command(DraftArticle, { headline: 'Quay', section: 'News', bodyHtml: body })],
  ['article', command(SourceArticle, { outlet: 'Gazette' })],
]

const ON = { article: [article, ID], desk: [desk, ID], list: [curatedList, 'editors-choice'] } as const

/** A log of a few streams and the views, one position after the other. */
class Log {
  readonly events: Recorded[] = []

  of(stream: string): Recorded[] {
    return this.events.filter(event => event.stream === stream)
  }

  send([kind, sent]: Step): void {
    if (kind === 'views') return this.put('views-process', [viewed])
    const [decider, key] = ON[kind]
    const stream = `${decider.category}-${key}`
    const history = this.of(stream)
    const commandId = `00000000-0000-4000-8000-${String(this.events.length).padStart(12, '0')}`
    if (sent instanceof RedactArticle || sent instanceof EraseArticle) {
      const name = sent instanceof RedactArticle ? 'RedactArticle' : 'EraseArticle'
      const context = { key, revision: history.length - 1, actor: 'editor-1', at: AT }
      sent.confirmation = null
      sent.confirmation = confirmationFor(name, sent, context).confirmation
    }
    try {
      this.put(stream, send(decider, key, history, sent, { commandId }).decide(), commandId)
    } catch (error) {
      if (!(error instanceof StetError)) throw error
    }
  }

  private put(stream: string, events: readonly Event[], commandId = 'c'): void {
    const from = this.of(stream).length
    this.events.push(...recorded(stream, events, { from, commandId, position: 100 + this.events.length }))
  }
}
const viewed = { type: 'ArticlesViewed', data: { minute: AT, views: [[ID, 2, 'direct', 'mobile', '']] } } as Event

const counted = async (events: readonly Recorded[]): Promise<string> => {
  const documents = new Map<string, PopularityDocument>()
  const computation: Computation<PopularityDocument, NewsroomEvents> = await popularity.open(async function* () {})
  for (const event of events) {
    if (popularity.on[event.type] !== 'fold') continue
    const changed = await computation.fold([event], async () => new Map(documents))
    for (const [id, document] of changed)
      if (document) documents.set(id, JSON.parse(JSON.stringify(document)) as PopularityDocument)
      else documents.delete(id)
  }
  return JSON.stringify([...documents].sort(([a], [b]) => (a < b ? -1 : 1)))
}

it('a rebuild without what is gone gives the same bytes', async () => {
  let shown = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 12 }),
      ending,
      fc.array(step, { maxLength: 4 }),
      async (before, end, then) => {
        const log = new Log()
        for (const one of [...begun, ...before, ['article', end] as const]) log.send(one)
        // The desk's talk goes with the article.
        const isErased = end instanceof EraseArticle
        if (isErased) log.send(['desk', command(EraseDesk, { ...word, final: true })])
        const last = log.of(`article-${ID}`).at(-1)
        expect(last?.type).toMatch(/^Article(Redacted|Erased)$/)
        // Both as of the end, and after whatever followed.
        for (const following of [[], then]) {
          for (const one of following) log.send(one)
          const left = log.events.filter(
            ({ category, type, revision }) =>
              (category !== 'article' || revision >= last!.revision) &&
              (!isErased || category !== 'desk' || type === 'DeskErased'),
          )
          const models = new FoldedReadModels(log.events)
          expect(models.bytes()).toBe(new FoldedReadModels(left).bytes())
          expect(await counted(log.events)).toBe(await counted(left))
          if (following.length > 0) continue
          expect(models.bytes()).not.toContain(SECRET)
          expect(JSON.stringify(left.filter(({ category }) => category !== 'desk'))).not.toContain(SECRET)
          if (models.bytes().includes('Somebody')) shown++
        }
      },
    ),
    { numRuns: 300 },
  )
  // Not by showing nothing.
  expect(shown).toBeGreaterThan(0)
})
