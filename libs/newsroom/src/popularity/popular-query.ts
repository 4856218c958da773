// What is popular: candidates by score, then ranked exactly by the views of the window as of now.
import { type AnyProjection, type QueryDefinition, type ReadModels } from '@stet/eventsourcing'
import { Type as Typed } from 'class-transformer'
import { IsIn, IsInt, IsOptional, IsString, Length, Max, Min } from 'class-validator'
import { POPULAR_WINDOWS, type PopularAnswer, type PopularWindow, type RankedCardAnswer } from '../answers'
import { articleCards, cardsOf, type Site } from '../cards'
import { canonicalLanguage, IsLanguage } from '../validation'
import { minuteOf, viewsWithin } from './buckets'
import { bucketsOf, isArticle, popularity, TOTALS, type ViewTotals } from './popularity'

/** The articles that are read most, in a window that ends now. */
export class GetPopular {
  @IsIn(POPULAR_WINDOWS)
  window: PopularWindow = '24h'

  /** Slug of a section; all sections when absent. */
  @IsOptional()
  @IsString()
  @Length(1, 200)
  section?: string

  /** BCP 47; all languages when absent. */
  @IsOptional()
  @IsLanguage()
  language?: string

  @Typed(() => Number)
  @IsInt()
  @Min(1)
  @Max(100)
  limit: number = 10
}

/** By the score alone too few of the exact top ten are found; among a hundred they all were. */
const CANDIDATES = 100
const SCORE = { '1h': 'score1h', '24h': 'score24h', '7d': 'score7d' } as const satisfies Record<PopularWindow, string>
const SPAN: Readonly<Record<PopularWindow, string>> = {
  '1h': 'in the current minute and the 59 minutes before it',
  '24h': 'in the current hour and the 24 hours before it',
  '7d': 'in the current hour and the 168 hours before it',
}

/** What the ranking means, in one sentence that readers can be shown. */
export const popularDefinition = (window: PopularWindow): string =>
  `Live articles by the number of times they were viewed ${SPAN[window]} (UTC), most viewed first, equals by id; ` +
  'bots, prefetches, repeats and a second view by the same visitor within 30 minutes are not counted.'

/** Ids of the articles that are popular as of a time, most viewed first; at most 100. */
export const popularIds = async (
  { window, section, language }: Pick<GetPopular, 'window' | 'section' | 'language'>,
  read: ReadModels,
  asOf: Date,
): Promise<string[]> => {
  const now = minuteOf(asOf) ?? 0
  const candidates = await read.of(popularity).find(
    {
      live: true,
      ...(section !== undefined && { section }),
      ...(language !== undefined && { language: canonicalLanguage(language) ?? language }),
    },
    { sort: { [SCORE[window]]: -1, _id: 1 }, limit: CANDIDATES },
  )
  return candidates
    .filter(isArticle)
    .map(article => ({ id: article._id, views: viewsWithin(bucketsOf(article), window, now) }))
    .filter(({ views }) => views > 0)
    .sort((a, b) => b.views - a.views || (a.id < b.id ? -1 : 1))
    .map(({ id }) => id)
}

/** One definition per site: an equal query within half a second is answered from memory, unless a card of it has changed. */
export const popularQuery = (site: Site): QueryDefinition<GetPopular, PopularAnswer> => ({
  query: GetPopular,
  reads: [popularity, articleCards] as readonly AnyProjection[],
  keep: 500,
  drifting: [popularity] as readonly AnyProjection[],
  answer: async (query, read, asOf) => {
    const { window, limit } = query
    const items: RankedCardAnswer[] = []
    const ids = await popularIds(query, read, asOf)
    // An article can be gone from the cards before its popularity knows: the next ones take the place.
    for (let i = 0; i < ids.length && items.length < limit; i += limit) {
      const portion = ids.slice(i, i + limit)
      const cards = await cardsOf(read, site, portion, asOf)
      for (const id of portion) {
        const card = cards.get(id)
        if (card && items.length < limit) items.push({ ...card, rank: items.length + 1 })
      }
    }
    return { definition: popularDefinition(window), window, asOf: asOf.toISOString(), items, next: null }
  },
})

/** How many views the log holds, by what became of them: for operators. */
export class GetViewTotals {}

export const viewTotalsQuery: QueryDefinition<GetViewTotals, Omit<ViewTotals, '_id'>> = {
  query: GetViewTotals,
  reads: [popularity] as readonly AnyProjection[],
  answer: (_, read) => viewTotals(read),
}

export const viewTotals = async (read: ReadModels): Promise<Omit<ViewTotals, '_id'>> => {
  const totals = await read.of(popularity).get(TOTALS)
  if (!totals || isArticle(totals)) return { counted: 0, notLive: 0, unknown: 0, malformed: 0 }
  const { counted, notLive, unknown, malformed } = totals
  return { counted, notLive, unknown, malformed }
}
