// Articles at any stage, for editors: found by what they are and whose work they are, and counted.
import { Invalid, type QueryDefinition } from '@stet/eventsourcing'
import { IsIn, IsOptional } from 'class-validator'
import { cursorOf, readCursor } from '../latest/cursor'
import { DEFAULT_LIMIT, Paged } from '../latest/latest'
import { headOf, wordsOf } from '../text/words'
import {
  canonicalLanguage,
  IsLanguage,
  IsNonBlank,
  IsShaped,
  IsSlug,
  IsTimestamp,
  nonBlank,
  subjectId,
} from '../validation'
import {
  DESK_STAGES,
  type DeskArticle,
  deskArticles,
  type DeskStage,
  REVIEW_STATUSES,
  type ReviewStatus,
  scopeOf,
  tallyOf,
} from './desk-articles'
import { deskArticleAnswer, type DeskArticlesAnswer, type DeskCountsAnswer } from './desk-answers'

const SORTS = ['updated', 'due'] as const

/** Articles for editors; what is given must all hold. */
export class GetDeskArticles extends Paged {
  /** Spiked ones are shown only when they are asked for. */
  @IsOptional() @IsIn(DESK_STAGES) stage?: DeskStage
  @IsOptional() @IsIn(REVIEW_STATUSES) review?: ReviewStatus
  /** Slug of a desk. */
  @IsOptional() @IsSlug() desk?: string
  /** Opaque subject id. */
  @IsOptional() @IsShaped(subjectId()) assignee?: string
  /** Slug of a section. */
  @IsOptional() @IsShaped(nonBlank(80)) section?: string
  /** Slug of a byline author. */
  @IsOptional() @IsShaped(nonBlank(80)) author?: string
  /** BCP 47, as the articles have it. */
  @IsOptional() @IsLanguage() language?: string
  /** Something is scheduled at this time or later. */
  @IsOptional() @IsTimestamp() scheduledFrom?: string
  /** Something is scheduled before this time. */
  @IsOptional() @IsTimestamp() scheduledTo?: string
  /** Due at this time or later. */
  @IsOptional() @IsTimestamp() dueFrom?: string
  /** Due before this time. */
  @IsOptional() @IsTimestamp() dueTo?: string
  /** Words of headline, slug and summary: all must be there, and the last one may be the beginning of a word. */
  @IsOptional() @IsNonBlank(200) q?: string
  /** Newest change first when absent; `due`: the earliest first, those without a due time left out. */
  @IsOptional() @IsIn(SORTS) sort?: (typeof SORTS)[number]
}

/** How many articles there are at each stage and review status, of a section, of a desk, of both or in all. */
export class GetDeskCounts {
  @IsOptional() @IsSlug() section?: string
  @IsOptional() @IsSlug() desk?: string
}

/** Documents that one answer looks at: a page that would cost more is shorter, and `next` goes on. */
export const MOST_LOOKED_AT = 1_000
/** Documents that are read at once. */
const PIECE = 200

export const deskArticlesQuery: QueryDefinition<GetDeskArticles, DeskArticlesAnswer> = {
  query: GetDeskArticles,
  reads: [deskArticles],
  answer: async (query, read, asOf) => {
    const { sort = 'updated', limit = DEFAULT_LIMIT, cursor } = query
    const wanted = wantedBy(query)
    const { order, timeOf, from } = ORDERS[sort]
    const base = { ...driverOf(query, wanted), ...from(wanted) }
    const items: DeskArticle[] = []
    let after: readonly [string, string] | null = cursor === undefined ? null : placeOf(cursor)
    for (let looked = 0; looked < MOST_LOOKED_AT;) {
      // The first look is all that is needed where the index answers the whole question.
      const piece = Math.min(looked === 0 ? limit + 1 : PIECE, MOST_LOOKED_AT - looked)
      const filter = after ? afterPlace(base, sort, after) : base
      const found = await read.of(deskArticles).find(filter, { sort: order, limit: piece, fields: SHOWN })
      for (const article of found) {
        if (matches(article, query, wanted)) {
          // One more than asked for tells that there is more.
          if (items.length === limit) return page(items, items.at(-1), timeOf, asOf)
          items.push(article)
        }
        after = [timeOf(article), article._id]
      }
      looked += found.length
      if (found.length < piece) return page(items, undefined, timeOf, asOf)
    }
    return { ...page(items, undefined, timeOf, asOf), next: after && cursorOf(after) }
  },
}

export const deskCountsQuery: QueryDefinition<GetDeskCounts, DeskCountsAnswer> = {
  query: GetDeskCounts,
  reads: [deskArticles],
  answer: async ({ section, desk }, read) => {
    const scope = scopeOf(section ?? null, desk ?? null)
    const cells = DESK_STAGES.flatMap(stage => REVIEW_STATUSES.map(review => ({ stage, review })))
    const numbers = await read.of(deskArticles).tallies(cells.map(({ stage, review }) => tallyOf(scope, stage, review)))
    const sum = (counted: (cell: (typeof cells)[number]) => boolean) =>
      cells.reduce((total, cell, index) => (counted(cell) ? total + (numbers[index] ?? 0) : total), 0)
    return {
      total: sum(() => true),
      stages: byName(DESK_STAGES, name => sum(({ stage }) => stage === name)),
      reviews: byName(REVIEW_STATUSES, name => sum(({ review }) => review === name)),
    }
  },
}

const byName = <T extends string>(names: readonly T[], value: (name: T) => number) =>
  Object.fromEntries(names.map(name => [name, value(name)])) as Record<T, number>

/** What the query means, in the words of the documents. */
interface Wanted {
  readonly language: string | undefined
  readonly due: Range
  readonly scheduled: Range
  /** The last one may be the beginning of a word. */
  readonly words: readonly string[]
}
interface Range {
  readonly from: string | null
  readonly to: string | null
}

const MAX_QUERY_WORDS = 10

const wantedBy = ({ language, dueFrom, dueTo, scheduledFrom, scheduledTo, q }: GetDeskArticles): Wanted => {
  const words = q === undefined ? [] : wordsOf([q], MAX_QUERY_WORDS + 1)
  if (q !== undefined && (words.length === 0 || words.length > MAX_QUERY_WORDS))
    throw new Invalid([{ pointer: '?q', detail: `must have 1 to ${MAX_QUERY_WORDS} words of letters and digits` }])
  return {
    language: language === undefined ? undefined : (canonicalLanguage(language) ?? language),
    due: rangeOf(dueFrom, dueTo),
    scheduled: rangeOf(scheduledFrom, scheduledTo),
    words,
  }
}

const rangeOf = (from: string | undefined, to: string | undefined): Range => ({
  from: from === undefined ? null : new Date(from).toISOString(),
  to: to === undefined ? null : new Date(to).toISOString(),
})
const isOpen = ({ from, to }: Range): boolean => from === null && to === null
const holds = ({ from, to }: Range, time: string): boolean =>
  (from === null || time >= from) && (to === null || time < to)

/**
 * The index that is walked: by what few articles have, first. Whatever else is asked for is looked at on the way, so that
 * no combination of filters needs an index of its own and none can cost more than MOST_LOOKED_AT.
 */
const driverOf = (query: GetDeskArticles, { words, scheduled }: Wanted): Readonly<Record<string, unknown>> => {
  const { stage, review, desk, assignee, section, author } = query
  const bySort = query.sort ?? 'updated'
  if (assignee !== undefined) return { assignee }
  if (bySort === 'due') return desk !== undefined ? { desk } : section !== undefined ? { 'section.slug': section } : {}
  // The longest word is the rarest, as a rule.
  const [head] = [...words].sort((a, b) => b.length - a.length).flatMap(word => headOf(word) ?? [])
  const atStage = stage === undefined ? {} : { stage }
  if (head !== undefined) return { heads: head }
  if (!isOpen(scheduled)) return { isScheduled: true }
  if (review !== undefined && review !== 'none') return { review }
  if (author !== undefined) return { authors: author }
  if (desk !== undefined) return { desk, ...atStage }
  if (section !== undefined) return { 'section.slug': section, ...atStage }
  if (stage !== undefined) return { stage }
  return query.language === undefined ? {} : { language: canonicalLanguage(query.language) }
}

const matches = (article: DeskArticle, query: GetDeskArticles, wanted: Wanted): boolean => {
  const { stage, review, desk, assignee, section, author } = query
  const { words, language, due, scheduled } = wanted
  const last = words.at(-1)
  return (
    (stage === undefined ? article.stage !== 'spiked' : article.stage === stage) &&
    (review === undefined || article.review === review) &&
    (desk === undefined || article.desk === desk) &&
    (assignee === undefined || article.assignee === assignee) &&
    (section === undefined || article.section?.slug === section) &&
    (author === undefined || article.authors.includes(author)) &&
    (language === undefined || article.language === language) &&
    (isOpen(due) || (article.due !== null && holds(due, article.due))) &&
    (isOpen(scheduled) || article.scheduled.some(({ at }) => holds(scheduled, at))) &&
    words.slice(0, -1).every(word => article.words.includes(word)) &&
    (last === undefined || article.words.some(word => word.startsWith(last)))
  )
}

interface Order {
  readonly order: Readonly<Record<string, 1 | -1>>
  readonly timeOf: (article: DeskArticle) => string
  /** Where the walk begins and ends; documents that are not in this order have no time. */
  readonly from: (wanted: Wanted) => Readonly<Record<string, unknown>>
}
const ORDERS: Readonly<Record<(typeof SORTS)[number], Order>> = {
  updated: {
    order: { updatedAt: -1, _id: -1 },
    timeOf: ({ updatedAt }) => updatedAt,
    from: () => ({ updatedAt: { $gt: '' } }),
  },
  due: {
    order: { due: 1, _id: 1 },
    timeOf: ({ due }) => due ?? '',
    from: ({ due }) => ({
      updatedAt: { $gt: '' },
      due: { $gte: due.from ?? '', ...(due.to !== null && { $lt: due.to }) },
    }),
  },
}

const afterPlace = (
  base: Readonly<Record<string, unknown>>,
  sort: (typeof SORTS)[number],
  [time, id]: readonly [string, string],
): Readonly<Record<string, unknown>> =>
  sort === 'updated'
    ? { ...base, updatedAt: { $lte: time }, $or: [{ updatedAt: { $lt: time } }, { updatedAt: time, _id: { $lt: id } }] }
    : {
        ...base,
        due: { ...(base.due as object), $gte: time },
        $or: [{ due: { $gt: time } }, { due: time, _id: { $gt: id } }],
      }

const placeOf = (cursor: string): readonly [string, string] => {
  const [time = '', id = ''] = readCursor(cursor, [/^\d{4}-\d\d-\d\dT[\d:.]+Z$/, /^[0-9a-f-]{36}$/])
  return [time, id]
}

const page = (
  found: readonly DeskArticle[],
  last: DeskArticle | undefined,
  timeOf: Order['timeOf'],
  asOf: Date,
): DeskArticlesAnswer => ({
  items: found.map(article => deskArticleAnswer(article, asOf)),
  next: last ? cursorOf([timeOf(last), last._id]) : null,
})

/** Everything but `heads`, which is for the index alone. */
const SHOWN: readonly (keyof DeskArticle)[] = [
  ...(['stage', 'review', 'revision', 'updatedAt', 'updatedBy', 'headline', 'summary', 'section', 'language'] as const),
  ...(['authors', 'slug', 'wantedSlug', 'embargo', 'scheduled', 'desk', 'assignee', 'due', 'zone'] as const),
  ...(['openNotes', 'claims', 'words', 'working', 'live'] as const),
]
