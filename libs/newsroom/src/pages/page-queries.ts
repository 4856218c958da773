// An article's page as readers get it: the article, what is related and what is popular, joined when it is asked for.
import {
  type ComputedProjection,
  type Document,
  Gone,
  Moved,
  NotFound,
  type QueryDefinition,
  type ReadModels,
} from '@stet/eventsourcing'
import { Transform } from 'class-transformer'
import { IsIn, IsOptional } from 'class-validator'
import { type PageAnswer, type PopularAnswer, type RelatedAnswer, type RelatedCardAnswer } from '../answers'
import { type wouldBePublished } from '../article/would-be'
import { articleCards, cardAnswers, liveCards } from '../cards/cards'
import { type NewsroomEvents } from '../newsroom'
import { curatedLists } from '../lists/curated-lists'
import { GetPopular } from '../popularity'
import { RELATED_SHOWN } from '../related'
import { type Site } from '../site'
import { looksLikeUuid } from '../text/slug'
import { primaryLanguage } from '../text/source-line'
import { IsShaped, nonBlank } from '../validation'
import { articleAnswer } from './article-answer'
import { articlePages, pageAt, publishedPage, type PageContent, type PageDocument } from './article-pages'

export const INCLUDABLE = ['related', 'popular'] as const
export type Includable = (typeof INCLUDABLE)[number]

/** A page by the article's id or any slug that it ever had. */
export class GetArticlePage {
  @IsShaped(nonBlank(200)) idOrSlug!: string
  /** Both when absent; in a query string joined by commas. */
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.split(',').filter(Boolean) : value))
  @IsIn(INCLUDABLE, { each: true })
  include?: Includable[]
}

/** What every page shows of what is popular. */
export const popularOnPage = (): GetPopular => Object.assign(new GetPopular(), { window: '24h', limit: POPULAR_SHOWN })

/** A page without what is popular, and whether that is wanted: it is the same on all pages. */
export const pageParts = (query: GetArticlePage): { readonly own: GetArticlePage; readonly popular: boolean } => {
  const include = query.include ?? INCLUDABLE
  const own = Object.assign(new GetArticlePage(), { ...query, include: include.filter(part => part !== 'popular') })
  return { own, popular: include.includes('popular') }
}

/** The related articles of a page alone. */
export class GetRelated {
  @IsShaped(nonBlank(200)) idOrSlug!: string
}

/** An article that is computed to be related, and why. */
export interface ComputedRelated {
  readonly id: string
  /** Top shared terms. */
  readonly terms: readonly string[]
  /** Shared tags. */
  readonly tags: readonly string[]
}

/** Where a page gets its neighbours from. */
export interface Neighbours<Doc extends Document> {
  readonly related: ComputedProjection<Doc, NewsroomEvents>
  /** What is computed to be related, best first. */
  readonly computedRelated: (document: Doc) => readonly ComputedRelated[]
  readonly popular: QueryDefinition<GetPopular, PopularAnswer>
}

const POPULAR_SHOWN = 5

export const pageQuery = <Doc extends Document>(
  site: Site,
  neighbours: Neighbours<Doc>,
): QueryDefinition<GetArticlePage, PageAnswer> => ({
  query: GetArticlePage,
  reads: READS,
  answer: async ({ idOrSlug, include = INCLUDABLE }, read, asOf) => {
    const { page, content } = await livePage(read, idOrSlug, slug => slug)
    const [related, popular] = await Promise.all([
      include.includes('related') ? relatedTo(page._id, content, { read, asOf }, site, neighbours) : undefined,
      include.includes('popular') ? read.ask(neighbours.popular, popularOnPage()) : undefined,
    ])
    return {
      article: articleAnswer(site, page, content),
      ...(related && { related }),
      ...(popular && { popular: popular.items }),
    }
  },
})

/** An article as publishing it now would show it. Internal: asked for editors, and for those whom they gave a link. */
export class GetPreview {
  constructor(
    readonly articleId: string,
    readonly wouldBe: ReturnType<typeof wouldBePublished>,
  ) {}
}

/** The page that readers would get, made by the code that makes theirs. */
export const previewQuery = <Doc extends Document>(
  site: Site,
  neighbours: Neighbours<Doc>,
): QueryDefinition<GetPreview, PageAnswer> => ({
  query: GetPreview,
  reads: READS,
  answer: async ({ articleId, wouldBe: { event, changes } }, read, asOf) => {
    const known = await read.of(articlePages).get(articleId)
    const page = !changes && known?.content ? known : publishedPage(known, event, articleId)
    if (!page.content) throw new NotFound(`there is no article ${articleId}`)
    const [related, popular] = await Promise.all([
      relatedTo(articleId, page.content, { read, asOf }, site, neighbours),
      read.ask(neighbours.popular, popularOnPage()),
    ])
    return { article: articleAnswer(site, page, page.content), related, popular: popular.items }
  },
})

export const relatedQuery = <Doc extends Document>(
  site: Site,
  neighbours: Neighbours<Doc>,
): QueryDefinition<GetRelated, RelatedAnswer> => ({
  query: GetRelated,
  reads: READS,
  answer: async ({ idOrSlug }, read, asOf) => {
    const { page, content } = await livePage(read, idOrSlug, slug => `../${slug}/related`)
    return { items: await relatedTo(page._id, content, { read, asOf }, site, neighbours), next: null }
  },
})

/** What a page must not be behind with; its neighbours may be a little. */
const READS = [articlePages, articleCards, curatedLists]

/** `at`: the address of this answer for another slug, relative to the one that was asked for. */
const livePage = async (
  read: ReadModels,
  idOrSlug: string,
  at: (slug: string) => string,
): Promise<{ page: PageDocument; content: PageContent }> => {
  const page = await pageAt(read, idOrSlug)
  if (!page) throw new NotFound(`there is no article ${idOrSlug}`)
  if (!page.content) throw new Gone(`article ${idOrSlug} was taken back`)
  const { slug } = page.content
  if (!looksLikeUuid(idOrSlug) && idOrSlug.normalize('NFC') !== slug) throw new Moved(at(slug))
  return { page, content: page.content }
}

/** The editors' list first, then computed; never itself, nor what is not live or in another language. */
const relatedTo = async <Doc extends Document>(
  id: string,
  content: PageContent,
  { read, asOf }: { readonly read: ReadModels; readonly asOf: Date },
  site: Site,
  { related, computedRelated }: Neighbours<Doc>,
): Promise<RelatedCardAnswer[]> => {
  const document = await read.of(related).get(id)
  const computed = new Map((document ? computedRelated(document) : []).map(found => [found.id, found]))
  const editors = new Set(content.relatedIds)
  const blocked = new Set(content.blockedIds)
  const ids = [...new Set([...editors, ...computed.keys()])].filter(other => other !== id && !blocked.has(other))
  const language = primaryLanguage(content.language)
  const live = await liveCards(read, ids)
  const shown = live.filter(({ card }) => primaryLanguage(card.language) === language).slice(0, RELATED_SHOWN)
  const cards = await cardAnswers(read, site, shown, asOf)
  return cards.map(card => ({
    ...card,
    why: {
      by: editors.has(card.id) ? 'editors' : 'computed',
      terms: [...(computed.get(card.id)?.terms ?? [])],
      tags: [...(computed.get(card.id)?.tags ?? [])],
    },
  }))
}
