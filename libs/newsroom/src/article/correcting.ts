// Changing what readers see of a live article: with a note to them, or silently where only a slip was mended.
import { type DecideContext, type NewEvent, type Reservation, RuleBroken } from '@stet/eventsourcing'
import { IsOptional } from 'class-validator'
import { IsNonBlank, IsShaped, IsText } from '../validation'
import { type PublishableContent } from './content'
import { revised } from './drafting'
import { type ArticleEvents } from './events'
import { type Policy } from './policy'
import { assertPublishable, liveOf, notLive, publishableOf, seenOf, slugReservation } from './publishing'
import { type Article, readersView, same } from './state'
import { contentOf, MAX_CONTENT, SubmittedFields, type SubmittedTerm, TermShape, type WorkingCopy } from './submitted'

type Decided = readonly NewEvent<ArticleEvents>[]
type Context = Omit<DecideContext, 'reserved'>

/**
 * Fields to change in what is live; the working copy is changed alike, and what else differs in it stays unpublished.
 * Without any field the working copy as a whole goes out.
 */
abstract class ChangeLive extends SubmittedFields {
  @IsOptional() @IsNonBlank(500) headline?: string
  @IsOptional() @IsShaped(TermShape) section?: SubmittedTerm
  @IsOptional() @IsText(MAX_CONTENT) bodyHtml?: string
}

/** Corrects a live article: readers see the note beside the new text. */
export class CorrectArticle extends ChangeLive {
  /** What was wrong, for readers. */
  @IsNonBlank(2000) note!: string
}

/** Mends a slip in a live article: the history shows it, readers are not told. */
export class AmendArticle extends ChangeLive {}

export const correcting = (policy: Policy) => ({
  CorrectArticle({ note: given, ...fields }: CorrectArticle, article: Article, context: DecideContext): Decided {
    const { events, next, content } = changed(fields, article, context, policy, 'correct')
    const note = given.trim()
    if (article.lastNote === note && isShown(content, article)) return events
    return [...events, { type: 'ArticleCorrected', data: { ...liveOf(content, next, context), note } }]
  },

  AmendArticle(fields: AmendArticle, article: Article, context: DecideContext): Decided {
    const { events, next, content } = changed(fields, article, context, policy, 'amend')
    if (isShown(content, article)) return events
    const live = liveOf(content, next, context)
    // Nothing that readers should look at again: the time of the last visible change stays.
    const updatedAt = article.live?.updatedAt ?? live.updatedAt
    return [...events, { type: 'ArticleAmended', data: { ...live, ...(updatedAt !== undefined && { updatedAt }) } }]
  },
})

/** The slug that a correction reserves first, where it names another one. */
export const correctionReservation =
  (policy: Policy) =>
  (command: CorrectArticle | AmendArticle, article: Article, context: Context): Reservation | null => {
    const { note: _, ...fields } = command as CorrectArticle
    const { next } = basis(fields, article, context, policy, 'correct')
    return slugReservation(next, context)
  }

interface Changed {
  /** What happens to the working copy. */
  readonly events: Decided
  /** The article after that, with what is to be shown as its working copy. */
  readonly next: Article
}

const changed = (
  fields: ChangeLive,
  article: Article,
  context: DecideContext,
  policy: Policy,
  what: string,
): Changed & { readonly content: PublishableContent } => {
  const { events, next } = basis(fields, article, context, policy, what)
  return { events, next, content: publishableOf(next, context) }
}

const basis = (
  { ...fields }: ChangeLive,
  article: Article,
  context: Context,
  policy: Policy,
  what: string,
): Changed => {
  const { live } = article
  if (!Object.values(fields).some(value => value !== undefined)) {
    assertPublishable(article, context, policy)
    if (!live) throw notLive(context.key, what)
    return { events: [], next: article }
  }
  if (policy.approval === 'four-eyes')
    throw new RuleBroken(
      'approval-missing',
      `under four eyes article ${context.key} is revised and approved first, and then goes out as a whole: ${what} it without fields`,
    )
  assertPublishable(article, context, policy)
  if (!live || !article.working) throw notLive(context.key, what)
  const { source, relatedIds, blockedIds } = live
  const shown = contentOf(fields, workingCopyOf(article))
  const events = revised(article.working, contentOf(fields, article.working))
  const next = {
    ...article,
    working: shown,
    source,
    relatedIds,
    blockedIds,
    revision: article.revision + events.length,
  }
  return { events, next }
}

/** What is live, as a working copy. */
const workingCopyOf = ({ live, working }: Article): WorkingCopy | undefined => {
  if (!live || !working) return undefined
  // In the order of the working copy's fields, so that equal content is equal as JSON.
  const fields = Object.keys(working).filter(field => field !== 'wantedSlug') as (keyof WorkingCopy &
    keyof typeof live)[]
  return { ...Object.fromEntries(fields.map(field => [field, live[field]])), wantedSlug: live.slug } as WorkingCopy
}

const isShown = (content: PublishableContent, { live }: Article): boolean =>
  live !== null && same(seenOf(content), readersView(live))
