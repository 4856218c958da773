// The latest articles, newest first, by section, tag, author and language.
import { type QueryDefinition } from '@stet/eventsourcing'
import { Type } from 'class-transformer'
import { IsInt, IsOptional, Max, Min } from 'class-validator'
import { type CardsAnswer } from '../answers'
import { articleCards, cardAnswers, isLive } from '../cards/cards'
import { type Site } from '../site'
import { canonicalLanguage, IsLanguage, IsShaped, IsText, nonBlank } from '../validation'
import { cursorOf, readCursor } from './cursor'

export const DEFAULT_LIMIT = 20
export const MAX_LIMIT = 100

/** A page of a list: at most `limit` items after what `cursor` stands for. */
export abstract class Paged {
  @IsOptional() @Type(() => Number) @IsInt() @Min(1) @Max(MAX_LIMIT) limit?: number
  /** `next` of the answer before. */
  @IsOptional() @IsText(1000) cursor?: string
}

/** Latest first; what is given must all hold. */
export class GetLatest extends Paged {
  /** Slug of a section. */
  @IsOptional() @IsShaped(nonBlank(80)) section?: string
  /** Slug of a tag. */
  @IsOptional() @IsShaped(nonBlank(80)) tag?: string
  /** Slug of an author. */
  @IsOptional() @IsShaped(nonBlank(80)) author?: string
  /** BCP 47, as the articles have it. */
  @IsOptional() @IsLanguage() language?: string
}

export const latestQuery = (site: Site): QueryDefinition<GetLatest, CardsAnswer> => ({
  query: GetLatest,
  reads: [articleCards],
  answer: async ({ section, tag, author, language, limit = DEFAULT_LIMIT, cursor }, read, asOf) => {
    const filter = {
      // With every filter and without: documents of articles that are not live have no time.
      'card.publishedAt': { $gt: '' },
      ...(section !== undefined && { 'card.section.slug': section }),
      ...(tag !== undefined && { 'card.tags': tag }),
      ...(author !== undefined && { 'card.authors': author }),
      ...(language !== undefined && { 'card.language': canonicalLanguage(language) ?? language }),
      ...(cursor !== undefined && afterCursor(cursor)),
    }
    // One more than asked for tells whether there is more.
    const found = await read.of(articleCards).find(filter, { sort: NEWEST_FIRST, limit: limit + 1 })
    const shown = found.slice(0, limit).filter(isLive)
    const last = shown.at(-1)
    const items = await cardAnswers(read, site, shown, asOf)
    return { items, next: found.length > limit && last ? cursorOf([last.card.publishedAt, last._id]) : null }
  },
})

const NEWEST_FIRST = { 'card.publishedAt': -1, _id: -1 } as const

const afterCursor = (cursor: string) => {
  const [publishedAt, id] = readCursor(cursor, [/^\d{4}-\d\d-\d\dT[\d:.]+Z$/, /^[0-9a-f-]{36}$/])
  return {
    'card.publishedAt': { $lte: publishedAt },
    $or: [{ 'card.publishedAt': { $lt: publishedAt } }, { 'card.publishedAt': publishedAt, _id: { $lt: id } }],
  }
}
