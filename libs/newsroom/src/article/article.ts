// The life of an article: drafted, sourced, reviewed, published, corrected, taken back, scheduled, imported, erased. Pure:
// no framework, clock or I/O.
import { decider } from '@stet/eventsourcing'
import { AmendArticle, CorrectArticle, correcting, correctionReservation } from './correcting'
import { drafting, DraftArticle, RelateArticles, ReviseArticle, SourceArticle } from './drafting'
import { EraseArticle, erasing, RedactArticle } from './erasing'
import { type ArticleEvents } from './events'
import { ImportArticle, importing, importReservation } from './importing'
import { merging } from './merging'
import { DEFAULT_POLICY, type Policy } from './policy'
import {
  assertPublishable,
  PublishArticle,
  publishing,
  RetractArticle,
  slugReservation,
  UnpublishArticle,
} from './publishing'
import {
  ApproveArticle,
  EmbargoArticle,
  RestoreArticle,
  reviewing,
  SendBackArticle,
  SpikeArticle,
  SubmitArticle,
} from './reviewing'
import { BringBackRevision, restoring } from './restoring'
import {
  CancelScheduledChange,
  PerformScheduledChange,
  RescheduleChange,
  ScheduleChange,
  scheduleReservation,
  scheduling,
} from './scheduling'
import { type Article, evolveArticle, noArticle } from './state'
import { YieldSlug, yielding } from './yielding'

/** The decider of a newsroom with this policy; folding does not depend on it. */
export const articleOf = (policy: Policy) =>
  decider<Article, ArticleEvents>()({
    category: 'article',
    commands: {
      DraftArticle,
      ReviseArticle,
      SourceArticle,
      RelateArticles,
      BringBackRevision,
      SubmitArticle,
      SendBackArticle,
      ApproveArticle,
      EmbargoArticle,
      SpikeArticle,
      RestoreArticle,
      PublishArticle,
      CorrectArticle,
      AmendArticle,
      UnpublishArticle,
      RetractArticle,
      ScheduleChange,
      RescheduleChange,
      CancelScheduledChange,
      PerformScheduledChange,
      YieldSlug,
      ImportArticle,
      RedactArticle,
      EraseArticle,
    },
    initial: noArticle,
    decide: {
      ...drafting,
      ...restoring,
      ...reviewing(policy),
      ...publishing(policy),
      ...correcting(policy),
      ...scheduling(policy),
      ...yielding,
      ...importing,
      ...erasing,
    },
    evolve: evolveArticle,
    merge: merging,
    // A redacted article answers repeats as before; an erased one has nothing left, and refuses whatever they ask.
    anew: { ArticleRedacted: 'remember', ArticleErased: 'forget' },
    reserve: {
      PublishArticle: ({ slug }, state, context) => {
        // What may not be published reserves nothing.
        assertPublishable(state, context, policy)
        return slugReservation(state, context, slug)
      },
      CorrectArticle: correctionReservation(policy),
      AmendArticle: correctionReservation(policy),
      ScheduleChange: scheduleReservation(policy),
      ImportArticle: importReservation,
    },
  })

/** For whoever only folds, and where people publish without a second pair of eyes. */
export const article = articleOf(DEFAULT_POLICY)
