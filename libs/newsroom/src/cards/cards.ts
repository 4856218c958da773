// Read model: each article as it stands in lists. Everything that shows cards joins them from here, so that a revised or
// retracted article is right everywhere at once.
import { type Document, type Projection, type ReadModels } from '@stet/eventsourcing'
import { type CardAnswer } from '../answers'
import { type Image } from '../article/content'
import { type NewsroomEvents } from '../newsroom'
import { type ListDocument, listsNamed } from '../lists/curated-lists'
import { type Site, urlOf } from '../site'

/** What readers see of a live article in lists, and by what it is found. */
export interface Card {
  readonly slug: string
  readonly section: { readonly slug: string; readonly name: string }
  readonly headline: string
  readonly summary: string | null
  readonly image: Image | null
  readonly publishedAt: string
  readonly language: string
  /** Slugs of the tags. */
  readonly tags: readonly string[]
  /** Slugs of the authors. */
  readonly authors: readonly string[]
}

/** `_id` is the article's id. A card that is null is not live; its lists are kept for when it is. */
export interface CardDocument extends Document {
  readonly card: Card | null
  /** Names of the curated lists that it is featured in. */
  readonly lists: readonly string[]
}

export type LiveCard = CardDocument & { readonly card: Card }

export const articleCards: Projection<CardDocument, NewsroomEvents> = {
  name: 'article-cards',
  version: 1,
  group: 'newsroom',
  cached: 10_000,
  // Latest first, ties by id; one index for each way to ask.
  indexes: ['', 'section.slug', 'tags', 'authors', 'language'].map(field => ({
    key: { ...(field && { [`card.${field}`]: 1 as const }), 'card.publishedAt': -1 as const, _id: -1 as const },
  })),
  keys: event =>
    event.type === 'ArticleFeatured' || event.type === 'ArticleUnfeatured' ? [event.data.articleId] : [event.key],
  on: {
    NewsroomFounded: 'ignore',
    ArticleDrafted: 'ignore',
    ArticleRevised: 'ignore',
    ArticleSourced: 'ignore',
    ArticleRelated: 'ignore',
    WireItemReceived: 'ignore',
    ArticlePublished: (document, { data }, id) => ({
      _id: id,
      card: {
        slug: data.slug,
        section: { slug: data.section.slug, name: data.section.name },
        headline: data.headline,
        summary: data.summary,
        image: data.image,
        publishedAt: data.publishedAt,
        language: data.language,
        tags: data.tags.map(({ slug }) => slug),
        authors: data.authors.map(({ slug }) => slug),
      },
      lists: document?.lists ?? [],
    }),
    ArticleUnpublished: (document, _, id) =>
      document && document.lists.length > 0 ? { _id: id, card: null, lists: document.lists } : null,
    ListCreated: 'ignore',
    ArticleFeatured: (document, { key }, id) => ({
      _id: id,
      card: document?.card ?? null,
      lists: [...(document?.lists ?? []), key],
    }),
    ArticleUnfeatured: (document, { key }, id) => {
      const lists = (document?.lists ?? []).filter(name => name !== key)
      return lists.length === 0 && !document?.card ? null : { _id: id, card: document?.card ?? null, lists }
    },
    SlugReserved: 'ignore',
    SlugReleased: 'ignore',
    ArticlesViewed: 'ignore',
  },
}

/** The live ones among the ids, in their order. */
export const liveCards = async (read: ReadModels, ids: readonly string[]): Promise<LiveCard[]> =>
  ids.length === 0 ? [] : (await read.of(articleCards).many(ids)).filter(isLive)

/** Cards as readers get them, each with the label of the first curated list that it is featured in. */
export const cardAnswers = async (
  read: ReadModels,
  site: Site,
  documents: readonly LiveCard[],
): Promise<CardAnswer[]> => {
  const lists = await listsNamed(read, [...new Set(documents.flatMap(document => document.lists))])
  return documents.map(document => cardAnswer(site, document, lists))
}

/** Cards of the live ones among the ids, by id. */
export const cardsOf = async (
  read: ReadModels,
  site: Site,
  ids: readonly string[],
): Promise<Map<string, CardAnswer>> => {
  const answers = await cardAnswers(read, site, await liveCards(read, ids))
  return new Map(answers.map(answer => [answer.id, answer]))
}

export const isLive = (document: CardDocument): document is LiveCard => document.card !== null

/** A picture as readers get it: what is unknown of it is null. */
export const imageAnswer = (image: Image | null): CardAnswer['image'] =>
  image && {
    url: image.url,
    width: image.width ?? null,
    height: image.height ?? null,
    alt: image.alt ?? null,
    caption: image.caption ?? null,
    credit: image.credit ?? null,
  }

const cardAnswer = (site: Site, { _id, card, lists: names }: LiveCard, lists: readonly ListDocument[]): CardAnswer => ({
  id: _id,
  slug: card.slug,
  url: urlOf(site, card.slug),
  label: lists.find(list => names.includes(list._id))?.label ?? null,
  section: card.section,
  headline: card.headline,
  summary: card.summary,
  image: imageAnswer(card.image),
  publishedAt: card.publishedAt,
})
