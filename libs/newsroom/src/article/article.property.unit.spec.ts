// Whatever is commanded in whatever order: never live without what readers need, never a second effect.
import { describe, expect, it } from '@jest/globals'
import { StetError } from '@stet/eventsourcing'
import fc from 'fast-check'
import { AT, recorded, type Recorded, send } from '../testing/scenario.fixture.spec'
import { paragraphsOf } from '../text/html'
import { looksLikeUuid } from '../text/slug'
import { article } from './article'
import { DraftArticle, RelateArticles, ReviseArticle, SourceArticle } from './drafting'
import { ImportArticle } from './importing'
import { PublishArticle, UnpublishArticle } from './publishing'
import { type Article } from './state'

const ID = '3f0c1f5e-8a5d-4d5e-9a53-0d8f6f1f2a01'
const text = fc.constantFrom('', 'Ice', 'Ferry', '<p></p>', '<p>Ice on the quay</p>', '☃', ID)
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null })
const as = <C extends object>(type: new () => C, fields: fc.Arbitrary<Partial<C>>) =>
  fields.map(given => Object.assign(new type(), given))
const draft = { headline: text, section: maybe(text), bodyHtml: text }
const slug = fc.constantFrom('ice', 'ferry')

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

const fold = (events: readonly Recorded[]): Article =>
  events.reduce<Article>(
    (state, event) =>
      (article.evolve as Record<string, (s: Article, e: Recorded) => Article>)[event.type]?.(state, event) ?? state,
    article.initial,
  )

describe('an article under any commands', () => {
  it('is never live without headline, body, section, source and a proper slug, and repeats change nothing', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 12 }), commands => {
        let history: Recorded[] = []
        for (const [index, next] of commands.entries()) {
          const before = fold(history)
          let events
          try {
            events = send(article, ID, history, next, { commandId: `c${index}` }).decide()
          } catch (error) {
            if (error instanceof StetError) continue
            throw error
          }
          const appended = recorded(`article-${ID}`, events, { from: history.length, commandId: `c${index}` })
          history = [...history, ...appended]
          expect(send(article, ID, history, next, { commandId: 'again' }).decide()).toEqual([])

          const state = fold(history)
          expect(state.revision).toBe(history.length - 1)
          expect(state.stage === 'live').toBe(state.live !== null)
          if (state.live) {
            const { headline, bodyHtml, section, source, slug: path, firstPublishedAt, revision } = state.live
            expect(headline && paragraphsOf(bodyHtml).length > 0 && section.slug && source.outlet).toBeTruthy()
            expect(looksLikeUuid(path)).toBe(false)
            expect(path).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
            expect(firstPublishedAt <= AT).toBe(true)
            if (before.live !== state.live) expect(revision).toBe(history.length - 2)
          }
          // Nothing but a publication changes what readers see.
          if (!events.some(({ type }) => type === 'ArticlePublished' || type === 'ArticleUnpublished'))
            expect(state.live).toEqual(before.live)
        }
      }),
      { numRuns: 300 },
    )
  })
})
