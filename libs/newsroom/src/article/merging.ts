// Two editors at once: what one wrote on an older revision is kept beside what others wrote since, where that is elsewhere.
import { type MergeContext, type NewEvent, StaleRevision } from '@stet/eventsourcing'
import { changedFields, type ReviseArticle, revised } from './drafting'
import { type ArticleEvents } from './events'
import { type Article, same, workedOn } from './state'
import { contentOf, type WorkingCopy } from './submitted'

export const merging = {
  /** A field that both sides changed, and not to the same, is a conflict. */
  ReviseArticle(
    submitted: ReviseArticle,
    seen: Article,
    article: Article,
    { key, expected, revision }: MergeContext,
  ): readonly NewEvent<ArticleEvents>[] {
    const now = workedOn(article, key)
    // What was erased meanwhile must not come back, not even by way of a difference from it.
    if (!seen.working || article.since > expected) throw new StaleRevision(expected, revision)
    const before = seen.working
    const mine = changedFields(before, contentOf(submitted, before))
    const theirs = changedFields(before, now)
    const conflicts = (Object.keys(mine) as (keyof WorkingCopy)[]).filter(
      field => field in theirs && !same(mine[field], theirs[field]),
    )
    if (conflicts.length > 0) throw new StaleRevision(expected, revision, conflicts)
    const merged = contentOf({}, { ...now, ...mine })
    return revised(now, merged).map(event => ({ ...event, data: { ...event.data, mergedFrom: expected } }))
  },
}
