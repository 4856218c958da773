// An earlier revision's working copy comes back, as a new revision: nothing of what was written since is lost.
import { type DecideContext, type NewEvent } from '@stet/eventsourcing'
import { IsInt, Max, Min } from 'class-validator'
import { changedFields } from './drafting'
import { type ArticleEvents } from './events'
import { type Article, same, workedOn } from './state'

/** Brings a revision's working copy, source and related articles back. */
export class RestoreRevision {
  /** Of the article's stream, from 0. */
  @IsInt() @Min(0) @Max(Number.MAX_SAFE_INTEGER) revision!: number
}

/** What a revision held of what editors write. */
export type Remembered = Pick<Article, 'working' | 'source' | 'relatedIds' | 'blockedIds'>

/** The same with what the revision held. Internal: the decider reads no log. */
export class BringBackRevision extends RestoreRevision {
  remembered!: Remembered
}

export const rememberedOf = ({ working, source, relatedIds, blockedIds }: Article): Remembered => ({
  working,
  source,
  relatedIds,
  blockedIds,
})

export const restoring = {
  BringBackRevision(
    { revision, remembered }: BringBackRevision,
    article: Article,
    { key }: DecideContext,
  ): readonly NewEvent<ArticleEvents>[] {
    const working = workedOn(article, key)
    const { source, relatedIds, blockedIds } = remembered
    const changes = remembered.working ? changedFields(working, remembered.working) : {}
    // An article that has a source keeps one.
    const sourced = source && !same(source, article.source) ? [{ type: 'ArticleSourced', data: source } as const] : []
    const related = same([relatedIds, blockedIds], [article.relatedIds, article.blockedIds])
      ? []
      : [{ type: 'ArticleRelated', data: { articleIds: relatedIds, blockedIds } } as const]
    if (Object.keys(changes).length + sourced.length + related.length === 0) return []
    // Also where only the source or the related articles come back: the history says from which revision.
    return [{ type: 'ArticleRevised', data: { changes, restoredFrom: revision } }, ...sourced, ...related]
  },
}
