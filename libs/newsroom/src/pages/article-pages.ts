// Read model: each article as readers see it, sanitised, found by its id or by any slug that it ever had.
import { type Document, type Projection, type ReadModels, type RecordedEvent } from '@stet/eventsourcing'
import { type Author, type Image, type LiveContent, type Seo, type Source, type Term } from '../article/content'
import { type ArticleEvents, ignoreWorking } from '../article/events'
import { ignoreDesk } from '../desk/events'
import { ignoreLists } from '../lists/events'
import { ignoreFounding, type NewsroomEvents } from '../newsroom'
import { ignoreSlugs } from '../slugs/events'
import { ignoreViews } from '../views/events'
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
  readonly keyPoints: readonly string[]
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
  /** Articles that never stand beside it. */
  readonly blockedIds: readonly string[]
}

/** What readers are told instead of the text. */
export interface Retraction {
  readonly at: string
  readonly notice: string
}

/** `_id` is the article's id. Without content it was unpublished or erased: readers get 410. */
export interface PageDocument extends Document {
  readonly stage: 'live' | 'retracted' | 'gone'
  /** Every slug that it was published under and has not yielded: old addresses keep working. */
  readonly slugs: readonly string[]
  /** Counts publications. */
  readonly version: number
  /** Of an erased one when it was erased. */
  readonly firstPublishedAt: string
  readonly corrections: readonly Correction[]
  readonly retraction: Retraction | null
  /** Of a retracted article what stands around the notice: no text and no picture. */
  readonly content: PageContent | null
}

export const articlePages: Projection<PageDocument, NewsroomEvents> = {
  name: 'article-pages',
  version: 2,
  group: 'newsroom',
  indexes: [{ key: { slugs: 1 } }],
  on: {
    ...ignoreFounding,
    ...ignoreWorking,
    ...ignoreDesk,
    ArticleSlugYielded: (page, { data }) => page && { ...page, slugs: page.slugs.filter(slug => slug !== data.slug) },
    ArticlePublished: (page, event, id) => publishedPage(page, event, id),
    ArticleCorrected: (page, { data, at }, id) => {
      const next = anotherVersion(shown(page, data, at, id))
      return { ...next, corrections: [...next.corrections, { at, note: data.note }] }
    },
    // A slip that was mended is no version of its own for readers.
    ArticleAmended: (page, { data, at }, id) => shown(page, data, at, id),
    ArticleUnpublished: page => page && gone(page),
    ArticleRetracted: (page, { data, at }) =>
      page && {
        ...page,
        stage: 'retracted',
        retraction: { at, notice: data.notice },
        content: page.content && withoutText(page.content),
      },
    // From the event alone: a rebuild has nothing else left of the article.
    ArticleRedacted: (_, { data, at }, id) => redacted(data, at, id),
    ArticleErased: (_, { data: { slugs }, at }, id) => (slugs.length === 0 ? null : goneFor({ slugs, at }, id)),
    ...ignoreLists,
    ...ignoreSlugs,
    ...ignoreViews,
  },
}

/** The page after a publication, that happened or would. */
export const publishedPage = (
  page: PageDocument | null,
  { data, at }: RecordedEvent<ArticleEvents, 'ArticlePublished'>,
  id: string,
): PageDocument => anotherVersion(shown(page, data, at, id))

/** The page of an article by its id or one of its slugs, null when it was never live; one read. */
export const pageAt = async (read: ReadModels, idOrSlug: string): Promise<PageDocument | null> => {
  const pages = read.of(articlePages)
  // An id has all its hyphens. Slugs that lack them are refused, and yet some log may hold one.
  if (idOrSlug.length === 36 && looksLikeUuid(idOrSlug)) return pages.get(idOrSlug.toLowerCase())
  return pages.having('slugs', idOrSlug.normalize('NFC'))
}

const shown = (page: PageDocument | null, live: LiveContent, at: string, _id: string): PageDocument => {
  const slugs = page?.slugs ?? []
  return {
    _id,
    stage: 'live',
    slugs: slugs.includes(live.slug) ? slugs : [...slugs, live.slug],
    version: page?.version ?? 0,
    firstPublishedAt: live.firstPublishedAt,
    corrections: page?.corrections ?? [],
    retraction: null,
    content: contentOf(live, at),
  }
}

const anotherVersion = (page: PageDocument): PageDocument => ({ ...page, version: page.version + 1 })

const gone = (page: PageDocument): PageDocument => ({ ...page, stage: 'gone', retraction: null, content: null })

const withoutText = (content: PageContent): PageContent => ({
  ...content,
  summary: null,
  keyPoints: [],
  bodyHtml: '',
  bodyText: [],
  image: null,
  seo: null,
  relatedIds: [],
})

/** What remains replaces everything that was known; versions count anew, as nothing is left to compare them with. */
const redacted = (
  { live, slugs, firstPublishedAt }: ArticleEvents['ArticleRedacted'],
  at: string,
  _id: string,
): PageDocument | null => {
  if (live) return { ...anotherVersion(shown(null, live, at, _id)), slugs }
  return firstPublishedAt === null ? null : goneFor({ slugs, at: firstPublishedAt }, _id)
}

const goneFor = (
  { slugs, at }: { readonly slugs: readonly string[]; readonly at: string },
  _id: string,
): PageDocument => ({
  _id,
  stage: 'gone',
  slugs,
  version: 1,
  firstPublishedAt: at,
  corrections: [],
  retraction: null,
  content: null,
})

const contentOf = (live: LiveContent, at: string): PageContent => {
  const body = shownOf(live.bodyHtml)
  return {
    slug: live.slug,
    canonicalUrl: live.canonicalUrl,
    headline: live.headline,
    summary: live.summary,
    keyPoints: live.keyPoints,
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
    blockedIds: live.blockedIds,
  }
}
