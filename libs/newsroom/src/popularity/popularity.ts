// The read model of popularity: views per live article in time buckets, and a score for each window.
import { type Computation, type ComputedProjection, type RecordedEvent } from '@stet/eventsourcing'
import { type LiveContent } from '../article/content'
import { ignoreWorking } from '../article/events'
import { shownBy } from '../article/shown'
import { ignoreDesk } from '../desk/events'
import { ignoreLists } from '../lists/events'
import { ignoreFounding, type NewsroomEvents } from '../newsroom'
import { ignoreSlugs } from '../slugs/events'
import { addViews, type Buckets, decodeCounts, encodeCounts, minuteOf, noViews, scoreOf } from './buckets'

/** One article that was live at some time. */
export interface ArticlePopularity {
  readonly _id: string
  readonly live: boolean
  readonly section: string
  readonly language: string
  /** Minutes since 1970 of the newest view; -1 when there is none. */
  readonly newest: number
  /** Views a minute and an hour back from `newest`, as encodeCounts writes them. */
  readonly minutes: string
  readonly hours: string
  /** Half-life scores; null without views. */
  readonly score1h: number | null
  readonly score24h: number | null
  readonly score7d: number | null
  /** Views that came while the article was not live: not counted. */
  readonly notLive: number
  /** All views that were counted. */
  readonly counted: number
}

/** How many views the log holds, by what became of them. One document, `_id: 'totals'`. */
export interface ViewTotals {
  readonly _id: typeof TOTALS
  readonly counted: number
  /** Of articles that had been live before. */
  readonly notLive: number
  /** Of articles that were never live, or do not exist: kept as a number only, whatever ids are sent. */
  readonly unknown: number
  /** Entries without a valid minute or number. */
  readonly malformed: number
}

export type PopularityDocument = ArticlePopularity | ViewTotals
export const TOTALS = 'totals'

/**
 * A view counts when its article is live at the event's place in the log. Folded by whole batches, so that a flood costs
 * one score and one write per article and batch, not per event. Never throws for what an event holds.
 */
export const popularity: ComputedProjection<PopularityDocument, NewsroomEvents> = {
  kind: 'computed',
  name: 'popularity',
  version: 2,
  group: 'readership',
  indexes: (['score1h', 'score24h', 'score7d'] as const).flatMap(score => [
    { key: { live: 1, [score]: -1, _id: 1 } },
    { key: { live: 1, section: 1, [score]: -1, _id: 1 } },
    { key: { live: 1, language: 1, [score]: -1, _id: 1 } },
  ]),
  on: {
    ...ignoreFounding,
    ...ignoreWorking,
    ...ignoreDesk,
    ArticlePublished: 'fold',
    ArticleCorrected: 'fold',
    ArticleAmended: 'fold',
    ArticleUnpublished: 'fold',
    ArticleRetracted: 'fold',
    ArticleRedacted: 'fold',
    ArticleErased: 'fold',
    ...ignoreLists,
    ...ignoreSlugs,
    ArticlesViewed: 'fold',
  },
  open: async () => counting,
}

/** Nothing is kept between batches: whoever runs it keeps the documents that a flood touches again and again. */
const counting: Computation<PopularityDocument, NewsroomEvents> = {
  fold: async (events, load) => {
    const batch = new Batch(await load([...idsIn(events)]))
    for (const event of events) batch.fold(event)
    return batch.changed()
  },
}

const idsIn = (events: readonly RecordedEvent<NewsroomEvents>[]): ReadonlySet<string> => {
  const ids = new Set<string>([TOTALS])
  for (const event of events) {
    if (event.type === 'ArticlesViewed') for (const [id] of event.data.views) ids.add(id)
    else if (shownBy(event) !== undefined) ids.add(event.key)
  }
  return ids
}

type Article = Pick<ArticlePopularity, 'live' | 'section' | 'language' | 'notLive' | 'counted'> & {
  readonly buckets: Buckets
}
type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** The documents of one batch while they change. */
class Batch {
  /** null: nothing is known of it any more. */
  private readonly articles = new Map<string, Mutable<Article> | null>()
  private totals: Mutable<ViewTotals> | null = null

  constructor(private readonly documents: ReadonlyMap<string, PopularityDocument>) {}

  fold(event: RecordedEvent<NewsroomEvents>): void {
    if (event.type === 'ArticlesViewed') this.view(event)
    else {
      if (event.type === 'ArticleRedacted' || event.type === 'ArticleErased') this.forget(event.key)
      this.show(event.key, shownBy(event))
    }
  }

  changed(): ReadonlyMap<string, PopularityDocument | null> {
    const changed = new Map<string, PopularityDocument | null>()
    for (const [id, article] of this.articles) changed.set(id, article && documentOf(id, article))
    if (this.totals) changed.set(TOTALS, this.totals)
    return changed
  }

  private view({ data }: RecordedEvent<NewsroomEvents, 'ArticlesViewed'>): void {
    const totals = (this.totals ??= { ...this.totalsBefore() })
    const minute = minuteOf(data.minute)
    for (const [id, views] of data.views) {
      if (minute === null || !(Number.isSafeInteger(views) && views > 0)) {
        totals.malformed += 1
        continue
      }
      const article = this.article(id)
      if (!article) totals.unknown += views
      else if (article.live) {
        addViews(article.buckets, minute, views)
        article.counted += views
        totals.counted += views
      } else {
        article.notLive += views
        totals.notLive += views
      }
    }
  }

  private show(key: string, content: LiveContent | null | undefined): void {
    const article = this.article(key)
    if (!content) {
      if (article && content === null) article.live = false
      return
    }
    const now = { live: true, section: content.section.slug, language: content.language }
    if (article) Object.assign(article, now)
    else this.articles.set(key, { ...now, notLive: 0, counted: 0, buckets: noViews() })
  }

  /** Its publications are gone from the log: as for whoever reads the log from now on, its views are of something unknown. */
  private forget(key: string): void {
    const article = this.article(key)
    if (!article) return
    if (article.counted + article.notLive > 0) {
      const totals = (this.totals ??= { ...this.totalsBefore() })
      totals.counted -= article.counted
      totals.notLive -= article.notLive
      totals.unknown += article.counted + article.notLive
    }
    this.articles.set(key, null)
  }

  private article(id: string): Mutable<Article> | undefined {
    const known = this.articles.get(id)
    if (known !== undefined) return known ?? undefined
    const document = this.documents.get(id)
    if (!document || !isArticle(document)) return undefined
    const { live, section, language, notLive, counted } = document
    const article = { live, section, language, notLive, counted, buckets: bucketsOf(document) }
    this.articles.set(id, article)
    return article
  }

  private totalsBefore(): ViewTotals {
    const before = this.documents.get(TOTALS)
    return before && !isArticle(before) ? before : { _id: TOTALS, counted: 0, notLive: 0, unknown: 0, malformed: 0 }
  }
}

const documentOf = (
  _id: string,
  { live, section, language, notLive, counted, buckets }: Article,
): ArticlePopularity => ({
  _id,
  live,
  section,
  language,
  newest: buckets.newest,
  minutes: encodeCounts(buckets.minutes),
  hours: encodeCounts(buckets.hours),
  score1h: scoreOf(buckets, '1h'),
  score24h: scoreOf(buckets, '24h'),
  score7d: scoreOf(buckets, '7d'),
  notLive,
  counted,
})

/** Tells an article's document from the totals. */
export const isArticle = (document: PopularityDocument): document is ArticlePopularity => document._id !== TOTALS

/** The counts that a document holds. */
export const bucketsOf = ({ newest, minutes, hours }: Pick<ArticlePopularity, 'newest' | 'minutes' | 'hours'>) => ({
  newest,
  minutes: decodeCounts(minutes),
  hours: decodeCounts(hours),
})

/** Trending: what is read now more than it was over the day. null without views. */
export const trendingScore = ({ score1h, score24h }: Pick<ArticlePopularity, 'score1h' | 'score24h'>) =>
  score1h === null || score24h === null ? null : Math.round((score1h - 0.5 * score24h) * 1e6) / 1e6
