// Read model: each article as it stands in lists. Everything that shows cards joins them from here, so that a revised or
// retracted article is right everywhere at once.
import { type Document, type Projection, type ReadModels } from '@stet/eventsourcing'
import { type CardAnswer } from '../answers'
import { type Image, type LiveContent } from '../article/content'
import { ignoreWorking } from '../article/events'
import { ignoreDesk } from '../desk/events'
import { ignoreFounding, type NewsroomEvents } from '../newsroom'
import { type ListDocument, listsNamed } from '../lists/curated-lists'
import { nextTurn, phaseOf } from '../lists/entries'
import { ignoreLists, type Period } from '../lists/events'
import { type Site, urlOf } from '../site'
import { ignoreSlugs } from '../slugs/events'
import { ignoreViews } from '../views/events'

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

/** A curated list that an article is featured in, and when. */
export interface Featured extends Pick<Period, 'from' | 'until'> {
  /** Name of the list. */
  readonly list: string
}

/** `_id` is the article's id. A card that is null is not live; its lists are kept for when it is. */
export interface CardDocument extends Document {
  readonly card: Card | null
  readonly lists: readonly Featured[]
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
  keys: {
    ArticleFeatured: ({ data }) => [data.articleId],
    ArticleFeatureTimed: ({ data }) => [data.articleId],
    ArticleUnfeatured: ({ data }) => [data.articleId],
  },
  on: {
    ...ignoreFounding,
    ...ignoreWorking,
    ...ignoreDesk,
    ArticlePublished: (document, { data }, id) => shown(document, data, id),
    ArticleCorrected: (document, { data }, id) => shown(document, data, id),
    ArticleAmended: (document, { data }, id) => shown(document, data, id),
    ArticleUnpublished: (document, _, id) => hidden(document, id),
    ArticleRetracted: (document, _, id) => hidden(document, id),
    ArticleRedacted: (document, { data: { live } }, id) => (live ? shown(document, live, id) : hidden(document, id)),
    ArticleErased: (document, _, id) => hidden(document, id),
    ...ignoreLists,
    ArticleFeatured: (document, { key, data }, id) => featured(document, key, data, id),
    ArticleFeatureTimed: (document, { key, data }, id) => featured(document, key, data, id),
    ArticleUnfeatured: (document, { key }, id) => {
      const lists = (document?.lists ?? []).filter(({ list }) => list !== key)
      return lists.length === 0 && !document?.card ? null : { _id: id, card: document?.card ?? null, lists }
    },
    ...ignoreSlugs,
    ...ignoreViews,
  },
}

const shown = (document: CardDocument | null, live: LiveContent, _id: string): CardDocument => ({
  _id,
  card: {
    slug: live.slug,
    section: { slug: live.section.slug, name: live.section.name },
    headline: live.headline,
    summary: live.summary,
    image: live.image,
    publishedAt: live.publishedAt,
    language: live.language,
    tags: live.tags.map(({ slug }) => slug),
    authors: live.authors.map(({ slug }) => slug),
  },
  lists: document?.lists ?? [],
})

const featured = (document: CardDocument | null, list: string, { from, until }: Period, _id: string): CardDocument => ({
  _id,
  card: document?.card ?? null,
  lists: [...(document?.lists ?? []).filter(known => known.list !== list), { list, from, until }],
})

/** Its lists are kept: it returns to its place when it is shown again. */
const hidden = (document: CardDocument | null, _id: string): CardDocument | null =>
  document && document.lists.length > 0 ? { _id, card: null, lists: document.lists } : null

/** The live ones among the ids, in their order. */
export const liveCards = async (read: ReadModels, ids: readonly string[]): Promise<LiveCard[]> =>
  ids.length === 0 ? [] : (await read.of(articleCards).many(ids)).filter(isLive)

/** Cards as readers get them, each with the label of the first curated list that it is shown in as of now. */
export const cardAnswers = async (
  read: ReadModels,
  site: Site,
  documents: readonly LiveCard[],
  asOf: Date,
): Promise<CardAnswer[]> => {
  const now = asOf.toISOString()
  const features = documents.flatMap(document => document.lists)
  const turn = nextTurn(features, now)
  if (turn !== null) read.holdsUntil(turn)
  const current = features.filter(feature => phaseOf(feature, now) === 'now')
  const lists = await listsNamed(read, [...new Set(current.map(({ list }) => list))])
  return documents.map(document => cardAnswer(site, document, lists, now))
}

/** Cards of the live ones among the ids, by id. */
export const cardsOf = async (
  read: ReadModels,
  site: Site,
  ids: readonly string[],
  asOf: Date,
): Promise<Map<string, CardAnswer>> => {
  const answers = await cardAnswers(read, site, await liveCards(read, ids), asOf)
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

const cardAnswer = (
  site: Site,
  { _id, card, lists: features }: LiveCard,
  lists: readonly ListDocument[],
  now: string,
): CardAnswer => ({
  id: _id,
  slug: card.slug,
  url: urlOf(site, card.slug),
  label:
    lists.find(({ _id: name }) => features.some(each => each.list === name && phaseOf(each, now) === 'now'))?.label ??
    null,
  section: card.section,
  headline: card.headline,
  summary: card.summary,
  image: imageAnswer(card.image),
  publishedAt: card.publishedAt,
})
