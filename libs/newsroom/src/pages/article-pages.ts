// Read model: each article as readers see it, sanitised, found by its id or by any slug that it ever had.
import { type Document, type Projection, type ReadModels } from '@stet/eventsourcing'
import { type Author, type Image, type LiveContent, type Seo, type Source, type Term } from '../article/content'
import { type NewsroomEvents } from '../newsroom'
import { shownOf } from '../text/html'
import { looksLikeUuid } from '../text/slug'

/** A note on what was corrected. */
export interface Correction {
  readonly at: string
  readonly note: string
}

/** What readers see; what is derived from the site's address or the reader's language is added when it is asked for. */
export interface PageContent {
  readonly slug: string
  readonly canonicalUrl: string | null
  readonly headline: string
  readonly summary: string | null
  readonly bodyHtml: string
  readonly bodyText: readonly string[]
  readonly section: { readonly slug: string; readonly name: string }
  readonly tags: readonly Term[]
  readonly authors: readonly Author[]
  readonly source: Source
  readonly image: Image | null
  readonly language: string
  readonly seo: Seo | null
  readonly publishedAt: string
  readonly updatedAt: string
  /** The editors' related articles, in order. */
  readonly relatedIds: readonly string[]
}

/** `_id` is the article's id. Without content it was unpublished: readers get 410. */
export interface PageDocument extends Document {
  readonly stage: 'live' | 'gone'
  /** Every slug that it was published under: old addresses keep working. */
  readonly slugs: readonly string[]
  /** Counts publications. */
  readonly version: number
  readonly firstPublishedAt: string
  readonly corrections: readonly Correction[]
  readonly content: PageContent | null
}

export const articlePages: Projection<PageDocument, NewsroomEvents> = {
  name: 'article-pages',
  version: 1,
  group: 'newsroom',
  indexes: [{ key: { slugs: 1 } }],
  on: {
    NewsroomFounded: 'ignore',
    ArticleDrafted: 'ignore',
    ArticleRevised: 'ignore',
    ArticleSourced: 'ignore',
    ArticleRelated: 'ignore',
    WireItemReceived: 'ignore',
    ArticlePublished: (page, { data, at }, id) => {
      const slugs = page?.slugs ?? []
      return {
        _id: id,
        stage: 'live',
        slugs: slugs.includes(data.slug) ? slugs : [...slugs, data.slug],
        version: (page?.version ?? 0) + 1,
        firstPublishedAt: data.firstPublishedAt,
        corrections: page?.corrections ?? [],
        content: contentOf(data, at),
      }
    },
    ArticleUnpublished: page => page && { ...page, stage: 'gone', content: null },
    ListCreated: 'ignore',
    ArticleFeatured: 'ignore',
    ArticleUnfeatured: 'ignore',
    SlugReserved: 'ignore',
    SlugReleased: 'ignore',
    ArticlesViewed: 'ignore',
  },
}

/** The page of an article by its id or one of its slugs, null when it was never live; one read. */
export const pageAt = async (read: ReadModels, idOrSlug: string): Promise<PageDocument | null> => {
  const pages = read.of(articlePages)
  if (looksLikeUuid(idOrSlug)) return pages.get(idOrSlug.toLowerCase())
  return pages.having('slugs', idOrSlug.normalize('NFC'))
}

const contentOf = (live: LiveContent, at: string): PageContent => {
  const body = shownOf(live.bodyHtml)
  return {
    slug: live.slug,
    canonicalUrl: live.canonicalUrl,
    headline: live.headline,
    summary: live.summary,
    bodyHtml: body.html,
    bodyText: body.paragraphs,
    section: { slug: live.section.slug, name: live.section.name },
    tags: live.tags,
    authors: live.authors,
    source: live.source,
    image: live.image,
    language: live.language,
    seo: live.seo,
    publishedAt: live.publishedAt,
    updatedAt: live.updatedAt ?? at,
    relatedIds: live.relatedIds,
  }
}
