// An item of a wire becomes an article, or a new version of one: one command, one append.
import { createHash } from 'node:crypto'
import { Type } from '@sinclair/typebox'
import { type DecideContext, Invalid, type NewEvent, type Reservation } from '@stet/eventsourcing'
import { IsBoolean, IsOptional } from 'class-validator'
import {
  assertValid,
  httpUrl,
  IsShaped,
  IsTimestamp,
  nonBlank,
  nullable,
  shape,
  text,
  timestampText,
  uuid,
} from '../validation'
import { distinctIds, revised } from './drafting'
import { type ArticleEvents, type WireOrigin } from './events'
import { type OriginalTimes, published, slugReservation } from './publishing'
import { type Article, drafted, evolveArticle, heldBack, same } from './state'
import {
  AuthorsShape,
  contentOf,
  ContributorsShape,
  ImageShape,
  KeyPointsShape,
  MAX_RELATED,
  SeoShape,
  sourceOf,
  TermShape,
  TermsShape,
  type SubmittedAuthor,
  type SubmittedContributor,
  type SubmittedImage,
  type SubmittedSeo,
  type SubmittedTerm,
} from './submitted'

/** An item's content: the fields of Content, where a term may still be a plain name. */
export interface ImportedContent {
  headline: string
  section: SubmittedTerm | null
  bodyHtml: string
  summary: string | null
  keyPoints: string[]
  tags: SubmittedTerm[]
  authors: SubmittedAuthor[]
  image: SubmittedImage | null
  /** BCP 47. */
  language: string
  seo: SubmittedSeo | null
  canonicalUrl: string | null
}

/**
 * A normalised wire item. The stream's key is derived from `origin.uri`, so that a second import updates. Versions that are
 * older than what is known change nothing. Internal: made from an item by the importer, never a body of its own.
 */
export class ImportArticle {
  @IsShaped(
    shape({
      uri: nonBlank(2048),
      profile: Type.Union([Type.Literal('ninjs-1'), Type.Literal('ninjs-3'), Type.Literal('superdesk')]),
      version: nullable(text(100)),
      versionCreated: nullable(timestampText()),
    }),
  )
  origin!: WireOrigin
  @IsShaped(
    shape({
      headline: text(500, 'text of at most 500 characters'),
      section: nullable(TermShape),
      bodyHtml: text(524_288),
      summary: nullable(text(5000, 'text of at most 5000 characters')),
      keyPoints: KeyPointsShape,
      tags: TermsShape,
      authors: AuthorsShape,
      image: nullable(ImageShape),
      language: text(35),
      seo: nullable(SeoShape),
      canonicalUrl: nullable(httpUrl()),
    }),
  )
  content!: ImportedContent
  @IsShaped(
    nullable(
      shape({
        outlet: nonBlank(300),
        contributors: ContributorsShape,
        usageTerms: Type.Optional(text(2000)),
        originalUrl: Type.Optional(httpUrl()),
      }),
    ),
  )
  source!: {
    outlet: string
    contributors: SubmittedContributor[]
    usageTerms?: string
    originalUrl?: string
  } | null
  /** Ids of the related articles in order, whether they have arrived or not. Empty: the editors' own list stays. */
  @IsShaped(Type.Array(uuid(), { maxItems: MAX_RELATED, description: `at most ${MAX_RELATED} ids` }))
  relatedIds!: string[]
  /** Why it must not be published (withheld, embargoed), null when it may be. */
  @IsShaped(nullable(nonBlank(500))) held!: string | null
  /** End of an embargo, RFC 3339: from then on `held` holds nothing back. Absent: held until a later version says otherwise. */
  @IsOptional() @IsTimestamp() heldUntil?: string | null
  /** The wire withdraws the item: what is live is unpublished. */
  @IsBoolean() canceled!: boolean
  /** Publish it at once when it may be published. */
  @IsBoolean() publish!: boolean
  /** What of the item was not understood: JSON pointers with a reason. */
  @IsShaped(Type.Array(text(1000), { maxItems: 1000 })) notUnderstood!: string[]
  /** First publication by the wire, RFC 3339. */
  @IsOptional() @IsTimestamp() firstPublishedAt?: string | null
  /** When the wire made this version, RFC 3339. */
  @IsOptional() @IsTimestamp() publishedAt?: string | null
}

type Decided = readonly NewEvent<ArticleEvents>[]
type Context = Omit<DecideContext, 'reserved'>

export const importing = {
  ImportArticle(command: ImportArticle, article: Article, context: DecideContext): Decided {
    const { events, next, publishes, isNew } = received(command, article, context)
    const times = isNew || article.stage !== 'live' ? originalTimes(command, context) : {}
    return publishes ? [...events, ...published(next, context, { times })] : events
  },
}

/** The slug that an import which publishes at once reserves first, by the rules of PublishArticle. */
export const importReservation = (command: ImportArticle, article: Article, context: Context): Reservation | null => {
  const { next, publishes } = received(command, article, context)
  return publishes ? slugReservation(next, context) : null
}

interface Received {
  /** All but the publication. */
  readonly events: Decided
  /** The article after them. */
  readonly next: Article
  readonly publishes: boolean
  /** It is a version that was not known. */
  readonly isNew: boolean
}

const received = (command: ImportArticle, article: Article, context: Context): Received => {
  assertValid(command)
  if (article.stage === 'erased') drafted(article, context.key)
  const known = article.wire?.received
  if (known && isOlder(command.origin, known)) return { events: [], next: article, publishes: false, isNew: false }
  const digest = createHash('sha256')
    .update(JSON.stringify(digested(command)))
    .digest('base64url')
  const isNew = digest !== known?.digest
  const events = isNew ? recorded(command, digest, article, context) : []
  const next = { ...events.reduce((state, event) => after(state, event, context), article) }
  next.revision = context.revision + events.length
  // What editors took back stays away until editors publish it again, whatever the wire sends.
  const takenBack =
    article.stage === 'retracted' ||
    article.stage === 'spiked' ||
    (article.stage === 'unpublished' && article.unpublishedBy === 'editors')
  const publishes = command.publish && !takenBack && heldBack(next, context) === null
  assertFits(events, publishes ? next : null)
  return { events, next, isNew, publishes }
}

/**
 * Bytes of what one import may record: it is one append, of which the event store takes 1 MiB, metadata included. The
 * content stands in it twice when it is published at once.
 */
const MAX_IMPORT = 1_000_000

const assertFits = (events: Decided, published: Article | null): void => {
  const seen = published && [published.working, published.source, published.relatedIds]
  const bytes = [...events.map(({ data }) => data), ...(seen ?? [])].reduce<number>(
    (sum, recorded) => sum + Buffer.byteLength(JSON.stringify(recorded)),
    0,
  )
  if (bytes <= MAX_IMPORT) return
  const instead = published ? ': import it without publishing, then publish it' : ''
  throw new Invalid([
    { pointer: '', detail: `the import would record ${bytes} bytes, at most ${MAX_IMPORT} are possible${instead}` },
  ])
}

const recorded = (command: ImportArticle, digest: string, article: Article, context: Context): Decided => {
  const { origin, held, heldUntil, canceled } = command
  const reason = canceled ? (held ?? 'canceled by the wire') : held
  const item: ArticleEvents['WireItemReceived'] = {
    uri: origin.uri,
    profile: origin.profile,
    version: origin.version,
    versionCreated: origin.versionCreated,
    held: reason,
    ...(heldUntil && !canceled && { heldUntil: utc(heldUntil) }),
    digest,
    ...originalTimes(command, context),
    notUnderstood: command.notUnderstood,
  }
  const withdrawn = reason !== null && item.heldUntil === undefined && article.stage === 'live'
  // An embargo of a new version leaves the old one where it is; what is withheld or canceled must not be seen any more.
  const takenBack = withdrawn ? [{ type: 'ArticleUnpublished', data: { reason } } as const] : []
  // A bare cancellation says nothing about the content: what is known of it stays.
  if (canceled && article.working && !command.content.headline)
    return [{ type: 'WireItemReceived', data: item }, ...takenBack]
  const content = contentOf(command.content, article.working ?? undefined)
  const source = command.source && sourceOf(command.source)
  const ids = distinctIds(command.relatedIds).filter(id => id !== context.key)
  const related = ids.length > 0 || article.relatedBy === 'wire' ? ids : article.relatedIds
  return [
    { type: 'WireItemReceived', data: item },
    ...(article.working
      ? revised(article.working, content)
      : [{ type: 'ArticleDrafted', data: content } as const satisfies NewEvent<ArticleEvents>]),
    ...(source && !same(source, article.source) ? [{ type: 'ArticleSourced', data: source } as const] : []),
    ...(same(related, article.relatedIds) ? [] : [relatedTo(related, article)]),
    ...takenBack,
  ]
}

const relatedTo = (ids: readonly string[], { blockedIds }: Article): NewEvent<ArticleEvents> => ({
  type: 'ArticleRelated',
  data: { articleIds: ids.filter(id => !blockedIds.includes(id)), blockedIds },
})

/** The state after an event that is not recorded yet: all that evolve reads of it is here. */
const after = (state: Article, event: NewEvent<ArticleEvents>, { commandId, actor }: Context): Article => {
  const evolve = evolveArticle[event.type] as (state: Article, event: unknown) => Article
  return evolve(state, { ...event, revision: state.revision + 1, metadata: { commandId, actor } })
}

/** Later versions win, by version where both have a number, else by the time they were made. */
const isOlder = (a: WireOrigin, b: WireOrigin): boolean => {
  const [versionA, versionB] = [numberOf(a.version), numberOf(b.version)]
  if (versionA !== null && versionB !== null && versionA !== versionB) return versionA < versionB
  if (a.versionCreated === null || b.versionCreated === null) return false
  return Date.parse(a.versionCreated) < Date.parse(b.versionCreated)
}

const numberOf = (version: string | null): number | null =>
  version !== null && /^\d{1,15}(\.\d{1,6})?$/.test(version) ? Number(version) : null

/** All of a command that says what the item is; `publish` says only what to do with it. */
const digested = ({ publish: _, ...item }: ImportArticle) => Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))

const originalTimes = (command: ImportArticle, { at }: Context): OriginalTimes => {
  const time = (field: 'firstPublishedAt' | 'publishedAt'): OriginalTimes => {
    const given = command[field]
    if (given === undefined || given === null) return {}
    if (Date.parse(given) > Date.parse(at) + MAX_AHEAD)
      throw new Invalid([{ pointer: `#/${field}`, detail: `${given} lies in the future` }])
    return { [field]: utc(given) }
  }
  return { ...time('firstPublishedAt'), ...time('publishedAt') }
}

/** A wire's clock may be ahead of ours by this much, in milliseconds. */
const MAX_AHEAD = 24 * 3600 * 1000

const utc = (time: string): string => new Date(time).toISOString()
