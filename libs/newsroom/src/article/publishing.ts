// What readers see: publishing the working copy under a slug that no other article has, and taking it back.
import { type DecideContext, type NewEvent, type Reservation, RuleBroken } from '@stet/eventsourcing'
import { IsOptional } from 'class-validator'
import { hasText } from '../text/html'
import { slugCandidates, slugOf } from '../text/slug'
import { IsNonBlank, IsSlug, IsText } from '../validation'
import { type LiveContent, type PublishableContent, type Source, type Term } from './content'
import { type ArticleEvents } from './events'
import { type Policy } from './policy'
import { type Article, differs, drafted, heldBack, readersView, same, workedOn } from './state'
import { type WorkingCopy } from './submitted'

type Decided = readonly NewEvent<ArticleEvents>[]
type Context = Omit<DecideContext, 'reserved'>

/** Shows the working copy to readers. */
export class PublishArticle {
  /** Path of the article's page; when absent the one it has, the one wanted by the draft, or one from the headline. */
  @IsOptional() @IsSlug() slug?: string | null
}

/** Takes the article back: readers get 410, no list shows it any more. */
export class UnpublishArticle {
  @IsOptional() @IsText(1000) reason?: string | null
}

/** Withdraws what was said: the page stays with a notice and without the text, no list shows the article any more. */
export class RetractArticle {
  /** What readers are told on the page. */
  @IsNonBlank(2000) notice!: string
  /** For the history. */
  @IsOptional() @IsText(1000) reason?: string | null
}

/** Times of a publication that are not its own: those of an imported item, RFC 3339 UTC. */
export interface OriginalTimes {
  readonly firstPublishedAt?: string
  readonly publishedAt?: string
}

/** The dates that an imported item brought, for the article's first publication. */
const originalTimesOf = ({ firstPublishedAt, wire }: Article): OriginalTimes =>
  firstPublishedAt === null && wire ? wire.received : {}

export const publishing = (policy: Policy) => ({
  PublishArticle({ slug }: PublishArticle, article: Article, context: DecideContext): Decided {
    assertPublishable(article, context, policy)
    return published(article, context, { slug })
  },

  UnpublishArticle({ reason }: UnpublishArticle, article: Article, { key }: DecideContext): Decided {
    drafted(article, key)
    if (article.firstPublishedAt === null)
      throw new RuleBroken('never-published', `article ${key} was never published: there is nothing to take back`)
    // A spiked article is out of readers' sight already.
    if (article.stage === 'unpublished' || article.stage === 'spiked') return []
    return [{ type: 'ArticleUnpublished', data: { reason: reason || null } }]
  },

  RetractArticle({ notice, reason }: RetractArticle, article: Article, { key }: DecideContext): Decided {
    drafted(article, key)
    const told = notice.trim()
    if (article.stage === 'retracted' && article.notice === told) return []
    if (article.stage !== 'live' && article.stage !== 'retracted') throw notLive(key, 'retract')
    return [{ type: 'ArticleRetracted', data: { notice: told, reason: reason || null } }]
  },
})

/** Throws the rule that forbids the article's publication as of the command. */
export const assertPublishable = (article: Article, context: Context, policy: Policy): void => {
  assertNotWithdrawn(article, context)
  // What readers see as it stands has been approved.
  if (policy.approval === 'four-eyes' && article.review?.status !== 'approved' && differs(article))
    throw new RuleBroken(
      'approval-missing',
      `article ${context.key} is not approved as it stands: submit it, and have another editor approve it`,
    )
}

/** Throws what forbids any content of the article to be shown now, whoever approved it. */
export const assertNotWithdrawn = (article: Article, context: Context): void => {
  const { key } = context
  workedOn(article, key)
  if (article.stage === 'retracted')
    throw new RuleBroken('retracted', `article ${key} is retracted: unpublish it before it is published again`)
  const held = heldBack(article, context)
  if (held) throw new RuleBroken('held', `article ${key} may not be published: ${held}`)
}

export const notLive = (key: string, what: string): RuleBroken =>
  new RuleBroken('not-live', `article ${key} is not live: there is nothing to ${what}`)

/** The event that makes the working copy live; none when readers see just that. */
export const published = (
  article: Article,
  context: DecideContext,
  { slug, times }: { readonly slug?: string | null; readonly times?: OriginalTimes },
): Decided => {
  const content = publishableOf(article, context, slug)
  if (article.live && same(seenOf(content), readersView(article.live))) return []
  return [{ type: 'ArticlePublished', data: liveOf(content, article, context, times) }]
}

/** What would be published of the article now, under the slug that it was given; throws the rule of the domain it breaks. */
export const publishableOf = (article: Article, context: DecideContext, wanted?: string | null): PublishableContent => {
  const content = publishable(article, context.key)
  const slug = context.reserved ?? wantedSlug(article, wanted) ?? article.slug
  if (slug === null) throw new RuleBroken('slug-missing', `no slug was reserved for article ${context.key}`)
  const { relatedIds, blockedIds, revision } = article
  return { ...content, relatedIds, blockedIds, slug, revision }
}

/** Content with the dates of its publication. */
export const liveOf = (
  content: PublishableContent,
  article: Article,
  { at }: Pick<Context, 'at'>,
  times: OriginalTimes = originalTimesOf(article),
): LiveContent => {
  const publishedAt = times.publishedAt ?? at
  return {
    ...content,
    firstPublishedAt: article.firstPublishedAt ?? times.firstPublishedAt ?? publishedAt,
    // A better headline does not make it news again: while it stays live, editors' changes keep the date.
    publishedAt: times.publishedAt ?? article.live?.publishedAt ?? at,
    updatedAt: publishedAt,
  }
}

/** What a publication reserves first; null when the article has its slug already. */
export const slugReservation = (article: Article, { key }: Context, wanted?: string | null): Reservation | null => {
  const { headline } = publishable(article, key)
  const slug = wantedSlug(article, wanted)
  if (article.slug !== null && (slug === null || slug === article.slug)) return null
  const derived = derivedSlug(headline, key)
  const candidates = slug === null ? slugCandidates(derived) : [slug]
  return {
    category: 'slug',
    candidates,
    event: slugReserved(article, key, candidates),
    taken: () =>
      new RuleBroken('slug-taken', `the slug ${slug ?? derived} belongs to another article: publish with another slug`),
  }
}

/** The address of an article that nobody has wanted another one for. */
export const derivedSlug = (headline: string, key: string): string => slugOf(headline) || `article-${key.slice(0, 8)}`

/** A slug that the article once yielded is reserved anew: what it had before does not count. */
const slugReserved = ({ yielded }: Article, articleId: string, candidates: readonly string[]) => {
  const since = Math.max(...candidates.map(slug => yielded[slug] ?? -1))
  return { type: 'SlugReserved', data: { articleId, ...(since >= 0 && { since }) } }
}

/** What may be published of the working copy, or the rule of the domain that it breaks. */
const publishable = (article: Article, key: string): WorkingContent => {
  const { wantedSlug: _, ...content } = drafted(article, key)
  const missing = (what: string, command: string): never => {
    throw new RuleBroken(`${what}-missing`, `nothing is published without ${what}: ${command} article ${key} first`)
  }
  if (!content.headline) missing('headline', 'revise')
  if (!hasText(content.bodyHtml)) missing('body', 'revise')
  const section = content.section ?? missing('section', 'revise')
  const source = article.source ?? missing('source', 'source')
  return { ...content, section, source }
}

type WorkingContent = Omit<WorkingCopy, 'wantedSlug' | 'section'> & { readonly section: Term; readonly source: Source }

const wantedSlug = (article: Article, wanted: string | null | undefined): string | null =>
  wanted ?? article.working?.wantedSlug ?? null

/** Content as `readersView` shows it of what is live. */
export const seenOf = ({ revision: _, ...seen }: PublishableContent) => seen
