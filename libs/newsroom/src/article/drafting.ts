// Writing: the working copy, its source and its related articles. Readers see nothing of it before it is published.
import { type DecideContext, Invalid, type NewEvent, RuleBroken } from '@stet/eventsourcing'
import { IsOptional } from 'class-validator'
import { Type } from '@sinclair/typebox'
import { IsHttpUrl, IsId, IsNonBlank, IsShaped, IsText, nullable, uuid } from '../validation'
import { type ArticleEvents } from './events'
import { type Article, drafted, same, workedOn } from './state'
import {
  contentOf,
  ContributorsShape,
  MAX_CONTENT,
  MAX_RELATED,
  sourceOf,
  type SubmittedContributor,
  SubmittedFields,
  type SubmittedTerm,
  TermShape,
  type WorkingCopy,
} from './submitted'

type Decided = readonly NewEvent<ArticleEvents>[]

/** Begins an article. */
export class DraftArticle extends SubmittedFields {
  @IsNonBlank(500) headline!: string
  /** Null: not decided yet; nothing is published without one. */
  @IsShaped(nullable(TermShape)) section!: SubmittedTerm | null
  /** HTML as written; readers are shown what the allow list leaves of it. */
  @IsText(MAX_CONTENT) bodyHtml!: string
  /** Id of the new article; one is made when absent. */
  @IsOptional() @IsId() id?: string
}

/** Changes the working copy: absent = unchanged, null = cleared. */
export class ReviseArticle extends SubmittedFields {
  @IsOptional() @IsNonBlank(500) headline?: string | null
  @IsOptional() @IsShaped(TermShape) section?: SubmittedTerm | null
  @IsOptional() @IsText(MAX_CONTENT) bodyHtml?: string | null
}

/** Says where the report comes from. */
export class SourceArticle {
  @IsNonBlank(300) outlet!: string
  @IsOptional() @IsShaped(ContributorsShape) contributors?: SubmittedContributor[] | null
  /** What the supplier allows. */
  @IsOptional() @IsText(2000) usageTerms?: string | null
  /** Where the report stood first. */
  @IsOptional() @IsHttpUrl() originalUrl?: string | null
}

/** The editors' related articles, in order; they may be unknown yet and are shown once they are live. */
export class RelateArticles {
  @IsShaped(Type.Array(uuid(), { maxItems: MAX_RELATED, description: `at most ${MAX_RELATED} UUIDs` }))
  articleIds!: string[]
  /** Articles that never stand beside it; absent: as before. */
  @IsOptional()
  @IsShaped(Type.Array(uuid(), { maxItems: MAX_RELATED, description: `at most ${MAX_RELATED} UUIDs` }))
  blockedIds?: string[] | null
}

export const drafting = {
  DraftArticle({ id, ...submitted }: DraftArticle, article: Article, { key }: DecideContext): Decided {
    if (id !== undefined && id !== null && id.toLowerCase() !== key)
      throw new Invalid([{ pointer: '#/id', detail: `must be ${key}, the article that the command is addressed to` }])
    const content = contentOf(submitted)
    if (article.stage === 'none') return [{ type: 'ArticleDrafted', data: content }]
    drafted(article, key)
    if (same(content, article.working)) return []
    throw new RuleBroken('article-exists', `article ${key} exists with another content: revise it instead`)
  },

  ReviseArticle(submitted: ReviseArticle, article: Article, { key }: DecideContext): Decided {
    const working = workedOn(article, key)
    return revised(working, contentOf(submitted, working))
  },

  SourceArticle(submitted: SourceArticle, article: Article, { key }: DecideContext): Decided {
    workedOn(article, key)
    const source = sourceOf({ ...submitted, contributors: submitted.contributors ?? [] })
    return same(source, article.source) ? [] : [{ type: 'ArticleSourced', data: source }]
  },

  RelateArticles({ articleIds, blockedIds }: RelateArticles, article: Article, { key }: DecideContext): Decided {
    workedOn(article, key)
    const related = { articleIds: distinctIds(articleIds), blockedIds: blocked(blockedIds, article) }
    if (related.articleIds.includes(key))
      throw new Invalid([{ pointer: '#/articleIds', detail: 'an article cannot be related to itself: leave it out' }])
    const both = related.articleIds.find(id => related.blockedIds.includes(id))
    if (both !== undefined)
      throw new Invalid([{ pointer: '#/blockedIds', detail: `${both} cannot be both related and blocked` }])
    return same(related, { articleIds: article.relatedIds, blockedIds: article.blockedIds })
      ? []
      : [{ type: 'ArticleRelated', data: related }]
  },
}

const blocked = (given: string[] | null | undefined, article: Article): readonly string[] =>
  given === undefined ? article.blockedIds : distinctIds(given ?? [])

/** The event that turns one working copy into another, none when they are equal. */
export const revised = (before: WorkingCopy, after: WorkingCopy): readonly NewEvent<Revision>[] => {
  const changes = changedFields(before, after)
  return Object.keys(changes).length === 0 ? [] : [{ type: 'ArticleRevised', data: { changes } }]
}
type Revision = Pick<ArticleEvents, 'ArticleRevised'>

/** The fields of the later working copy that differ. */
export const changedFields = (before: WorkingCopy, after: WorkingCopy): Partial<WorkingCopy> =>
  Object.fromEntries(Object.entries(after).filter(([field, value]) => !same(value, before[field as keyof WorkingCopy])))

/** Lower case, the first of equal ones. */
export const distinctIds = (ids: readonly string[]): string[] => [...new Set(ids.map(id => id.toLowerCase()))]
