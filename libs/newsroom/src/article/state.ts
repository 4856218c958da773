// The life of an article as its stream tells it: what every command is decided on.
import { type CommandMeta, type Decider, type EventMetadata, NotFound } from '@stet/eventsourcing'
import { type LiveContent, type Source } from './content'
import { type ArticleEvents } from './events'
import { type WorkingCopy } from './submitted'

/** What is known of the wire item that an article came from. */
export interface Wire {
  readonly received: ArticleEvents['WireItemReceived']
  /** The command that brought it: what it recorded beside it is the wire's, not the editors'. */
  readonly commandId: string
}

export interface Article {
  /** `unpublished`: was live once; readers get 410. */
  readonly stage: 'none' | 'draft' | 'live' | 'unpublished'
  /** Revision of the stream, -1 when there is none. */
  readonly revision: number
  readonly working: WorkingCopy | null
  readonly source: Source | null
  readonly relatedIds: readonly string[]
  readonly relatedBy: 'editors' | 'wire'
  /** What readers see now. */
  readonly live: LiveContent | null
  /** The slug of the latest publication; it is kept when the article is published again. */
  readonly slug: string | null
  readonly firstPublishedAt: string | null
  readonly unpublishedBy: 'editors' | 'wire' | null
  readonly wire: Wire | null
}

export const noArticle: Article = {
  stage: 'none',
  revision: -1,
  working: null,
  source: null,
  relatedIds: [],
  relatedBy: 'editors',
  live: null,
  slug: null,
  firstPublishedAt: null,
  unpublishedBy: null,
  wire: null,
}

export const evolveArticle: Decider<Article, ArticleEvents, Record<string, never>>['evolve'] = {
  ArticleDrafted: (article, { data, revision }) => ({ ...article, revision, stage: 'draft', working: data }),
  ArticleRevised: (article, { data, revision }) => ({
    ...article,
    revision,
    working: article.working && { ...article.working, ...data.changes },
  }),
  ArticleSourced: (article, { data, revision }) => ({ ...article, revision, source: data }),
  ArticleRelated: (article, { data, revision, metadata }) => ({
    ...article,
    revision,
    relatedIds: data.articleIds,
    relatedBy: byWire(article, metadata) ? 'wire' : 'editors',
  }),
  WireItemReceived: (article, { data, revision, metadata }) => ({
    ...article,
    revision,
    wire: { received: data, commandId: metadata.commandId },
  }),
  ArticlePublished: (article, { data, revision }) => ({
    ...article,
    revision,
    stage: 'live',
    live: data,
    slug: data.slug,
    firstPublishedAt: data.firstPublishedAt,
    unpublishedBy: null,
  }),
  ArticleUnpublished: (article, { revision, metadata }) => ({
    ...article,
    revision,
    stage: 'unpublished',
    live: null,
    unpublishedBy: byWire(article, metadata) ? 'wire' : 'editors',
  }),
}

/** An event was recorded beside the wire item that brought it. */
const byWire = ({ wire }: Article, { commandId }: Pick<EventMetadata, 'commandId'>): boolean =>
  wire?.commandId === commandId

/** The article's working copy; throws NotFound when nothing was ever drafted. */
export const drafted = (article: Article, key: string): WorkingCopy => {
  if (!article.working) throw new NotFound(`there is no article ${key}: draft it first`)
  return article.working
}

/** Why it may not be published as of `at`, null when it may: an embargo ends by itself, everything else by a new version. */
export const heldBack = ({ wire }: Article, { at }: Pick<CommandMeta, 'at'>): string | null => {
  if (!wire?.received.held) return null
  const until = wire.received.heldUntil
  return until && Date.parse(until) <= Date.parse(at) ? null : wire.received.held
}

/** Equal as JSON is; both sides are built in the same order of keys. */
export const same = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b)
