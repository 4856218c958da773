// The life of an article as its stream tells it: what every command is decided on.
import { type CommandMeta, type Decider, type EventMetadata, NotFound, RuleBroken } from '@stet/eventsourcing'
import { type LiveContent, type Source } from './content'
import { type ArticleEvents, type ScheduledChange } from './events'
import { type WorkingCopy } from './submitted'

/** What is known of the wire item that an article came from. */
export interface Wire {
  readonly received: ArticleEvents['WireItemReceived']
  /** The command that brought it: what it recorded beside it is the wire's, not the editors'. */
  readonly commandId: string
}

/** How far the working copy has come towards publication. */
export interface Review {
  readonly status: 'submitted' | 'sent-back' | 'approved'
  /** Opaque subject id of who brought it there. */
  readonly by: string
  readonly note: string | null
}

/** A change that will happen by itself, or that could not when it was due. */
export interface Schedule {
  /** RFC 3339 UTC. */
  readonly at: string
  readonly zone: string | null
  readonly change: ScheduledChange
  readonly state: 'pending' | 'failed'
}

export interface Article {
  /**
   * `unpublished`: was live once; readers get 410. `retracted`: readers see the notice. `spiked`: nobody works on it.
   * `erased`: there is nothing left to work on.
   */
  readonly stage: 'none' | 'draft' | 'live' | 'unpublished' | 'retracted' | 'spiked' | 'erased'
  /** Revision of the stream, -1 when there is none. */
  readonly revision: number
  /** Revision at which its history begins: a redaction or an erasure begins it anew, and nothing before it is shown. */
  readonly since: number
  readonly working: WorkingCopy | null
  /** Opaque subject id of who began it. */
  readonly drafter: string | null
  readonly source: Source | null
  readonly relatedIds: readonly string[]
  readonly blockedIds: readonly string[]
  readonly relatedBy: 'editors' | 'wire'
  readonly review: Review | null
  /** Who wrote what is not live yet: under four eyes none of them approves it. */
  readonly writers: readonly string[]
  /** RFC 3339 UTC; nothing publishes the article before it. */
  readonly embargo: string | null
  /** By schedule id: pending ones, and failed ones that nobody has seen. */
  readonly schedules: Readonly<Record<string, Schedule>>
  /** What readers see now. */
  readonly live: LiveContent | null
  /** The note of the last correction, while nothing followed it. */
  readonly lastNote: string | null
  /** The slug of the latest publication; it is kept when the article is published again. */
  readonly slug: string | null
  /** Every address that it had and has not yielded: they lead to it for ever. */
  readonly slugs: readonly string[]
  /** Addresses that it gave up, with the revision at which it did. */
  readonly yielded: Readonly<Record<string, number>>
  readonly firstPublishedAt: string | null
  readonly notice: string | null
  readonly unpublishedBy: 'editors' | 'wire' | null
  readonly wire: Wire | null
}

export const noArticle: Article = {
  stage: 'none',
  revision: -1,
  since: 0,
  working: null,
  drafter: null,
  source: null,
  relatedIds: [],
  blockedIds: [],
  relatedBy: 'editors',
  review: null,
  writers: [],
  embargo: null,
  schedules: {},
  live: null,
  lastNote: null,
  slug: null,
  slugs: [],
  yielded: {},
  firstPublishedAt: null,
  notice: null,
  unpublishedBy: null,
  wire: null,
}

export const evolveArticle: Decider<Article, ArticleEvents, Record<string, never>>['evolve'] = {
  ArticleDrafted: (article, { data, revision, metadata }) => ({
    ...article,
    revision,
    stage: 'draft',
    working: data,
    drafter: metadata.actor,
    writers: [metadata.actor],
  }),
  ArticleRevised: (article, { data, revision, metadata }) => ({
    ...written(article, metadata),
    revision,
    working: article.working && { ...article.working, ...data.changes },
  }),
  ArticleSourced: (article, { data, revision, metadata }) => ({
    ...written(article, metadata),
    revision,
    source: data,
  }),
  ArticleRelated: (article, { data, revision, metadata }) => ({
    ...written(article, metadata),
    revision,
    relatedIds: data.articleIds,
    blockedIds: data.blockedIds,
    relatedBy: byWire(article, metadata) ? 'wire' : 'editors',
  }),
  WireItemReceived: (article, { data, revision, metadata }) => ({
    ...article,
    revision,
    wire: { received: data, commandId: metadata.commandId },
  }),
  ArticleSubmitted: (article, { data, revision, metadata }) => ({
    ...article,
    revision,
    review: { status: 'submitted', by: metadata.actor, note: data.note },
  }),
  ArticleSentBack: (article, { data, revision, metadata }) => ({
    ...article,
    revision,
    review: { status: 'sent-back', by: metadata.actor, note: data.note },
  }),
  ArticleApproved: (article, { data, revision, metadata }) => ({
    ...article,
    revision,
    review: { status: 'approved', by: metadata.actor, note: data.note },
  }),
  ArticleEmbargoed: (article, { data, revision }) => ({ ...article, revision, embargo: data.until }),
  ArticleSpiked: (article, { revision }) => ({ ...article, revision, stage: 'spiked' }),
  ArticleRestored: (article, { revision }) => ({
    ...article,
    revision,
    stage: article.firstPublishedAt === null ? 'draft' : 'unpublished',
  }),
  ArticleChangeScheduled: (article, { data: { scheduleId, at, zone, change }, revision }) => ({
    ...article,
    revision,
    schedules: { ...article.schedules, [scheduleId]: { at, zone, change, state: 'pending' } },
  }),
  ArticleChangeRescheduled: (article, { data: { scheduleId, at, zone, change }, revision }) => ({
    ...article,
    revision,
    schedules: { ...article.schedules, [scheduleId]: { at, zone, change, state: 'pending' } },
  }),
  ArticleChangeCancelled: (article, { data, revision }) => ({ ...without(article, data.scheduleId), revision }),
  ArticleChangePerformed: (article, { data, revision }) => ({ ...without(article, data.scheduleId), revision }),
  ArticleChangeFailed: (article, { data, revision }) => {
    const failed = article.schedules[data.scheduleId]
    return {
      ...article,
      revision,
      schedules: failed
        ? { ...article.schedules, [data.scheduleId]: { ...failed, state: 'failed' } }
        : article.schedules,
    }
  },
  ArticleSlugYielded: (article, { data, revision }) => ({
    ...article,
    revision,
    slugs: article.slugs.filter(slug => slug !== data.slug),
    yielded: { ...article.yielded, [data.slug]: revision },
  }),
  ArticlePublished: (article, { data, revision }) => ({ ...shown(article, data), revision }),
  ArticleCorrected: (article, { data: { note, ...live }, revision }) => ({
    ...shown(article, live),
    revision,
    lastNote: note,
  }),
  ArticleAmended: (article, { data, revision }) => ({ ...shown(article, data), revision }),
  ArticleUnpublished: (article, { revision, metadata }) => ({
    ...article,
    revision,
    stage: 'unpublished',
    live: null,
    notice: null,
    unpublishedBy: byWire(article, metadata) ? 'wire' : 'editors',
  }),
  ArticleRetracted: (article, { data, revision }) => ({
    ...article,
    revision,
    stage: 'retracted',
    live: null,
    notice: data.notice,
  }),
  ArticleRedacted: (_, { data, revision }) => ({
    ...noArticle,
    revision,
    since: revision,
    stage: data.stage,
    working: data.working,
    source: data.source,
    relatedIds: data.relatedIds,
    blockedIds: data.blockedIds,
    live: data.live,
    slug: data.live?.slug ?? data.slugs.at(-1) ?? null,
    slugs: data.slugs,
    yielded: data.yielded,
    firstPublishedAt: data.firstPublishedAt,
    embargo: data.embargo,
    drafter: data.drafter,
    writers: data.writers,
    // A wire that sends on must not bring back what was taken back.
    unpublishedBy: data.stage === 'unpublished' ? 'editors' : null,
    wire: data.wire && { received: data.wire, commandId: '' },
  }),
  ArticleErased: (_, { data, revision }) => ({
    ...noArticle,
    revision,
    since: revision,
    stage: 'erased',
    slugs: data.slugs,
  }),
}

/** Somebody wrote: what was approved is no longer what there is. */
const written = (article: Article, { actor }: Pick<EventMetadata, 'actor'>): Article => ({
  ...article,
  review: article.review?.status === 'approved' ? null : article.review,
  writers: article.writers.includes(actor) ? article.writers : [...article.writers, actor],
})

/** Readers see the content; where that is the working copy, its review is over. */
const shown = (article: Article, live: LiveContent): Article => {
  const next: Article = {
    ...article,
    stage: 'live',
    live,
    lastNote: null,
    slug: live.slug,
    slugs: article.slugs.includes(live.slug) ? article.slugs : [...article.slugs, live.slug],
    firstPublishedAt: live.firstPublishedAt,
    notice: null,
    unpublishedBy: null,
  }
  // What was frozen and comes out later may be older than the working copy, which is still under review then.
  return differs(next) ? next : { ...next, review: null, writers: [] }
}

const without = (article: Article, scheduleId: string): Article => {
  const { [scheduleId]: _, ...schedules } = article.schedules
  return { ...article, schedules }
}

/** An event was recorded beside the wire item that brought it. */
const byWire = ({ wire }: Article, { commandId }: Pick<EventMetadata, 'commandId'>): boolean =>
  wire?.commandId === commandId

/** The article's working copy; throws NotFound when nothing was ever drafted. */
export const drafted = (article: Article, key: string): WorkingCopy => {
  if (article.stage === 'erased') throw new RuleBroken('erased', `article ${key} was erased: it cannot come back`)
  if (!article.working) throw new NotFound(`there is no article ${key}: draft it first`)
  return article.working
}

/** As `drafted`, for what nobody does to a spiked article. */
export const workedOn = (article: Article, key: string): WorkingCopy => {
  const working = drafted(article, key)
  if (article.stage === 'spiked') throw new RuleBroken('spiked', `article ${key} is spiked: restore it first`)
  return working
}

/** Why it may not be published as of `at`, null when it may: an embargo ends by itself, everything else by a new version. */
export const heldBack = ({ wire, embargo }: Article, { at }: Pick<CommandMeta, 'at'>): string | null => {
  const now = Date.parse(at)
  if (embargo !== null && Date.parse(embargo) > now) return `under embargo until ${embargo}`
  if (!wire?.received.held) return null
  const until = wire.received.heldUntil
  return until && Date.parse(until) <= now ? null : wire.received.held
}

/** Publishing now would change what readers see. */
export const differs = ({ working, live, source, relatedIds, blockedIds, slug }: Article): boolean => {
  if (!working || !live) return true
  const { wantedSlug, ...content } = working
  return !same({ ...content, source, relatedIds, blockedIds, slug: wantedSlug ?? slug }, readersView(live))
}

/** Of a publication, what readers see and editors can change; in the order in which publications are built. */
export const readersView = (live: LiveContent) => {
  const { revision: _r, firstPublishedAt: _f, publishedAt: _p, updatedAt: _u, ...seen } = live
  return seen
}

/** Equal as JSON is; both sides are built in the same order of keys. */
export const same = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b)
