// From writing to publication: submitted for review, sent back, approved; spiked and restored; held under embargo.
import { type DecideContext, Invalid, type NewEvent, RuleBroken } from '@stet/eventsourcing'
import { IsOptional } from 'class-validator'
import { IsNonBlank, IsText, IsTimestamp } from '../validation'
import { type ArticleEvents } from './events'
import { type Policy } from './policy'
import { type Article, differs, drafted, workedOn } from './state'

type Decided = readonly NewEvent<ArticleEvents>[]

/** Puts the working copy up for review. */
export class SubmitArticle {
  @IsOptional() @IsText(2000) note?: string | null
}

/** Ends the review without approval: there is something to mend. */
export class SendBackArticle {
  @IsNonBlank(2000) note!: string
}

/** Approves the working copy as it stands; the next change of it ends the approval. */
export class ApproveArticle {
  @IsOptional() @IsText(2000) note?: string | null
}

/** Puts the article away; nothing is done to it until it is restored. */
export class SpikeArticle {
  @IsOptional() @IsText(1000) reason?: string | null
}

/** Takes a spiked article back to work. */
export class RestoreArticle {
  @IsOptional() @IsText(1000) reason?: string | null
}

/** Nothing publishes the article before the time; null ends the embargo. */
export class EmbargoArticle {
  @IsOptional() @IsTimestamp() until!: string | null
  @IsOptional() @IsText(1000) reason?: string | null
}

export const reviewing = (policy: Policy) => ({
  SubmitArticle({ note }: SubmitArticle, article: Article, { key }: DecideContext): Decided {
    workedOn(article, key)
    assertUnpublishedWork(article, key, 'review')
    const status = article.review?.status
    if (status === 'submitted' || status === 'approved') return []
    return [{ type: 'ArticleSubmitted', data: { note: note?.trim() || null } }]
  },

  SendBackArticle({ note: given }: SendBackArticle, article: Article, { key }: DecideContext): Decided {
    workedOn(article, key)
    const note = given.trim()
    const { review } = article
    if (review?.status === 'sent-back' && review.note === note) return []
    if (!review) throw new RuleBroken('not-submitted', `article ${key} is not under review: it was not submitted`)
    return [{ type: 'ArticleSentBack', data: { note } }]
  },

  ApproveArticle({ note }: ApproveArticle, article: Article, { key, actor, revision }: DecideContext): Decided {
    workedOn(article, key)
    if (article.review?.status === 'approved') return []
    assertUnpublishedWork(article, key, 'approve')
    if (policy.approval === 'four-eyes' && article.writers.includes(actor))
      throw new RuleBroken('own-work', `article ${key} was written by whoever approves it: another editor has to`)
    return [{ type: 'ArticleApproved', data: { revision, note: note?.trim() || null } }]
  },

  SpikeArticle({ reason }: SpikeArticle, article: Article, { key }: DecideContext): Decided {
    drafted(article, key)
    if (article.stage === 'spiked') return []
    if (article.stage === 'live' || article.stage === 'retracted')
      throw new RuleBroken(
        'live',
        `article ${key} is ${article.stage}: readers see it; unpublish it before it is spiked`,
      )
    return [{ type: 'ArticleSpiked', data: { reason: reason?.trim() || null } }]
  },

  RestoreArticle({ reason }: RestoreArticle, article: Article, { key }: DecideContext): Decided {
    drafted(article, key)
    return article.stage === 'spiked' ? [{ type: 'ArticleRestored', data: { reason: reason?.trim() || null } }] : []
  },

  EmbargoArticle({ until, reason }: EmbargoArticle, article: Article, { key, at }: DecideContext): Decided {
    workedOn(article, key)
    const end = until ? new Date(until).toISOString() : null
    if (end === article.embargo) return []
    if (end !== null) {
      if (article.stage === 'live')
        throw new RuleBroken('live', `article ${key} is live: unpublish it before it goes under embargo`)
      if (Date.parse(end) <= Date.parse(at))
        throw new Invalid([{ pointer: '#/until', detail: `${until} has passed: an embargo ends in the future` }])
    }
    return [{ type: 'ArticleEmbargoed', data: { until: end, reason: reason?.trim() || null } }]
  },
})

const assertUnpublishedWork = (article: Article, key: string, what: string): void => {
  if (!differs(article))
    throw new RuleBroken('nothing-to-review', `article ${key} is live as it stands: nothing to ${what}`)
}
