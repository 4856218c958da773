// What readers see: publishing the working copy under a slug that no other article has, and taking it back.
import { type DecideContext, type NewEvent, type Reservation, RuleBroken } from '@stet/eventsourcing'
import { IsOptional } from 'class-validator'
import { hasText } from '../text/html'
import { slugCandidates, slugOf } from '../text/slug'
import { IsSlug, IsText } from '../validation'
import { type LiveContent, type Source, type Term } from './content'
import { type ArticleEvents } from './events'
import { type Article, drafted, heldBack, same } from './state'
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

/** Times of a publication that are not its own: those of an imported item, RFC 3339 UTC. */
export interface OriginalTimes {
  readonly firstPublishedAt?: string | null
  readonly publishedAt?: string | null
}

export const publishing = {
  PublishArticle({ slug }: PublishArticle, article: Article, context: DecideContext): Decided {
    const held = heldBack(article, context)
    if (held) throw new RuleBroken('held', `article ${context.key} may not be published: ${held}`)
    return published(article, context, { slug })
  },

  UnpublishArticle({ reason }: UnpublishArticle, article: Article, { key }: DecideContext): Decided {
    drafted(article, key)
    if (article.stage === 'draft')
      throw new RuleBroken('never-published', `article ${key} was never published: there is nothing to take back`)
    return article.stage === 'unpublished' ? [] : [{ type: 'ArticleUnpublished', data: { reason: reason || null } }]
  },
}

/** The event that makes the working copy live; none when readers see just that. */
export const published = (
  article: Article,
  context: DecideContext,
  { slug: wanted, ...times }: OriginalTimes & { slug?: string | null },
): Decided => {
  const content = publishable(article, context.key)
  const slug = context.reserved ?? wantedSlug(article, wanted) ?? article.slug
  if (slug === null) throw new RuleBroken('slug-missing', `no slug was reserved for article ${context.key}`)
  const seen = { ...content, relatedIds: article.relatedIds, slug }
  if (article.live && same(seen, readersView(article.live))) return []
  const at = times.publishedAt ?? context.at
  const data: LiveContent = {
    ...seen,
    revision: article.revision,
    firstPublishedAt: article.firstPublishedAt ?? times.firstPublishedAt ?? at,
    // A better headline does not make it news again: while it stays live, editors' changes keep the date.
    publishedAt: times.publishedAt ?? article.live?.publishedAt ?? at,
    updatedAt: at,
  }
  return [{ type: 'ArticlePublished', data }]
}

/** What a publication reserves first; null when the article has its slug already, or nothing would change. */
export const slugReservation = (article: Article, { key }: Context, wanted?: string | null): Reservation | null => {
  const { headline } = publishable(article, key)
  const slug = wantedSlug(article, wanted)
  if (article.slug !== null && (slug === null || slug === article.slug)) return null
  const derived = slugOf(headline) || `article-${key.slice(0, 8)}`
  return {
    category: 'slug',
    candidates: slug === null ? slugCandidates(derived) : [slug],
    event: { type: 'SlugReserved', data: { articleId: key } },
    taken: () =>
      new RuleBroken('slug-taken', `the slug ${slug ?? derived} belongs to another article: publish with another slug`),
  }
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

/** Of a publication, what readers see and editors can change; in the order in which `published` builds it. */
export const readersView = (live: LiveContent) => {
  const { revision: _r, firstPublishedAt: _f, publishedAt: _p, updatedAt: _u, ...seen } = live
  return seen
}
