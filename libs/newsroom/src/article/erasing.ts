// Taking out of the history what law or a court demands: an event with what may remain, before which the stream is cut.
// Asked twice: nothing is recorded without the confirmation that the same request got when it was asked without one.
import { Type } from '@sinclair/typebox'
import { type DecideContext, fingerprintOf, Gone, Invalid, type NewEvent, RuleBroken } from '@stet/eventsourcing'
import { IsBoolean, IsOptional } from 'class-validator'
import { httpUrl, IsHttpUrl, IsNonBlank, IsShaped, IsText, nonBlank, nullable, shape, text } from '../validation'
import { type LiveContent } from './content'
import { type ArticleEvents, type Remains } from './events'
import { type Article, drafted } from './state'
import {
  AuthorsShape,
  contentOf,
  ContributorsShape,
  ImageShape,
  KeyPointsShape,
  MAX_CONTENT,
  SeoShape,
  sourceOf,
  type SubmittedAuthor,
  type SubmittedImage,
  type SubmittedSeo,
  type SubmittedSource,
  type SubmittedTerm,
  TermsShape,
  type WorkingCopy,
} from './submitted'

type Decided = readonly NewEvent<ArticleEvents>[]
type Context = Pick<DecideContext, 'key' | 'revision' | 'actor' | 'at'>

/** On whose word; both are kept for ever, so neither may say what is erased. */
export abstract class Demanded {
  /** The court and its decision, or the law: `District Court, 12 O 34/26`. */
  @IsNonBlank(500) authority!: string
  @IsNonBlank(2000) reason!: string
}

abstract class AskedTwice extends Demanded {
  /** What the same request was answered without it; absent: nothing is done, the answer says what would be. */
  @IsOptional() @IsText(100) confirmation?: string | null
}

const SourceShape = shape({
  outlet: nonBlank(300),
  contributors: ContributorsShape,
  usageTerms: Type.Optional(nullable(text(2000))),
  originalUrl: Type.Optional(nullable(httpUrl())),
})

/**
 * Erases the article's history, and replaces fields of the working copy and of the live one alike: absent = remains, null
 * = cleared. Whatever else stands in them remains, and what is live stays live. Scheduled changes go; a retracted article
 * is unpublished by it; what was approved has to be approved again.
 */
export class RedactArticle extends AskedTwice {
  @IsOptional() @IsNonBlank(500) headline?: string | null
  @IsOptional() @IsText(5000) summary?: string | null
  @IsOptional() @IsText(MAX_CONTENT) bodyHtml?: string | null
  @IsOptional() @IsShaped(KeyPointsShape) keyPoints?: string[] | null
  @IsOptional() @IsShaped(TermsShape) tags?: SubmittedTerm[] | null
  @IsOptional() @IsShaped(AuthorsShape) authors?: SubmittedAuthor[] | null
  @IsOptional() @IsShaped(ImageShape) image?: SubmittedImage | null
  @IsOptional() @IsShaped(SeoShape) seo?: SubmittedSeo | null
  @IsOptional() @IsHttpUrl() canonicalUrl?: string | null
  @IsOptional() @IsShaped(SourceShape) source?: SubmittedSource | null
  /** The desk's talk about the article is erased as well. */
  @IsOptional() @IsBoolean() desk?: boolean
}

/** Erases the article: what remains is that there was one, and its addresses, which answer 410. It cannot come back. */
export class EraseArticle extends AskedTwice {}

export const erasing = {
  RedactArticle(command: RedactArticle, article: Article, context: DecideContext): Decided {
    drafted(article, context.key)
    assertConfirmed('RedactArticle', command, context)
    return [redacted(command, article, context)]
  },

  EraseArticle(command: EraseArticle, article: Article, context: DecideContext): Decided {
    if (article.stage === 'erased') return []
    drafted(article, context.key)
    assertConfirmed('EraseArticle', command, context)
    const { authority, reason } = command
    const scheduleIds = Object.keys(article.schedules)
    return [{ type: 'ArticleErased', data: { authority, reason, scheduleIds, slugs: article.slugs } }]
  },
}

/** What the article would be: throws what would forbid to redact it. */
export const redacted = (
  command: RedactArticle,
  article: Article,
  { key, at }: Pick<Context, 'key' | 'at'>,
): { readonly type: 'ArticleRedacted'; readonly data: ArticleEvents['ArticleRedacted'] } => {
  const { authority, reason } = command
  const scheduleIds = Object.keys(article.schedules)
  return { type: 'ArticleRedacted', data: { authority, reason, scheduleIds, ...remainsOf(command, article, key, at) } }
}

/** Throws Gone for what was erased already, and as `drafted`. */
export const erasable = (article: Article, key: string): void => {
  if (article.stage === 'erased') throw new Gone(`article ${key} was erased`)
  drafted(article, key)
}

/** Seconds that a confirmation is good for. */
const VALID = 600

export interface Confirmation {
  readonly confirmation: string
  /** RFC 3339 UTC. */
  readonly expires: string
}

/** What confirms this very request: for the article at this revision, by this actor, for ten minutes. */
export const confirmationFor = (name: keyof typeof erasing, command: AskedTwice, context: Context): Confirmation => {
  const expires = Math.floor(Date.parse(context.at) / 1000) + VALID
  return {
    confirmation: confirmationUntil(expires, name, command, context),
    expires: new Date(expires * 1000).toISOString(),
  }
}

/**
 * It guards against mistakes, not against a chief who wants to do without: whoever computes it knows what they ask for.
 * So nothing has to be kept or shared between processes.
 */
const confirmationUntil = (
  expires: number,
  name: string,
  { confirmation: _, ...asked }: AskedTwice,
  { key, revision, actor }: Context,
): string => `${expires}.${fingerprintOf(name, `article-${key}`, { asked, revision, actor, expires })}`

const assertConfirmed = (name: string, command: AskedTwice, context: Context): void => {
  const { confirmation } = command
  if (!confirmation)
    throw new RuleBroken(
      'unconfirmed',
      'it cannot be undone: ask without a confirmation first, then with the one given',
    )
  const expires = Number(confirmation.split('.', 1)[0])
  if (confirmation !== confirmationUntil(expires, name, command, context))
    throw new RuleBroken(
      'confirmation-mismatch',
      `the confirmation is another request's, another person's, or article ${context.key} has changed since: ask again`,
    )
  if (expires * 1000 < Date.parse(context.at))
    throw new RuleBroken('confirmation-expired', `the confirmation was good until ${isoOf(expires)}: ask again`)
}

const isoOf = (seconds: number): string => new Date(seconds * 1000).toISOString()

const remainsOf = (command: RedactArticle, article: Article, key: string, at: string): Remains => {
  const working = contentOf(replacements(command), drafted(article, key))
  const source = command.source === undefined ? article.source : command.source && sourceOf(command.source)
  const { relatedIds, blockedIds, slugs, yielded, firstPublishedAt, embargo, drafter, writers, wire } = article
  return {
    // Its notice may say what must not be said: it is taken back instead.
    stage: article.stage === 'retracted' ? 'unpublished' : (article.stage as Remains['stage']),
    working,
    source,
    relatedIds,
    blockedIds,
    live: article.live && liveRemains(article.live, command, working, at),
    slugs,
    yielded,
    firstPublishedAt,
    embargo,
    drafter,
    writers,
    // Without its digest the same version, sent once more, would bring everything back.
    wire: wire && { ...wire.received, notUnderstood: [] },
  }
}

/** Fields of Content that can be replaced. */
const FIELDS = [
  'headline',
  'summary',
  'bodyHtml',
  'keyPoints',
  'tags',
  'authors',
  'image',
  'seo',
  'canonicalUrl',
] as const

const replacements = (command: RedactArticle) =>
  Object.fromEntries(FIELDS.flatMap(field => (command[field] === undefined ? [] : [[field, command[field]]])))

const liveRemains = (live: LiveContent, command: RedactArticle, working: WorkingCopy, at: string): LiveContent => {
  const replaced = Object.fromEntries(
    FIELDS.flatMap(field => (command[field] === undefined ? [] : [[field, working[field]]])),
  )
  const missing = command.headline === null ? 'headline' : command.source === null ? 'source' : null
  if (missing !== null)
    throw new Invalid([
      { pointer: `#/${missing}`, detail: `is needed while readers see the article: replace it, or unpublish it first` },
    ])
  // In the order of a publication's keys, so that it equals the working copy where that does.
  return {
    ...live,
    ...(replaced as Partial<LiveContent>),
    source: command.source ? sourceOf(command.source) : live.source,
    updatedAt: at,
  }
}
