// An item of a wire becomes an article, or a new version of one: one command, one append.
import { Type } from '@sinclair/typebox'
import { IsBoolean, IsOptional } from 'class-validator'
import { IsShaped, IsTimestamp, nonBlank, nullable, shape, text, timestampText, uuid } from '../validation'
import {
  AuthorsShape,
  ContributorsShape,
  ImageShape,
  MAX_RELATED,
  SeoShape,
  TermShape,
  TermsShape,
  type SubmittedAuthor,
  type SubmittedContributor,
  type SubmittedImage,
  type SubmittedSeo,
  type SubmittedTerm,
} from './submitted'
import { type WireOrigin } from './events'

/** An item's content: the fields of Content, where a term may still be a plain name. */
export interface ImportedContent {
  headline: string
  section: SubmittedTerm | null
  bodyHtml: string
  summary: string | null
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
      tags: TermsShape,
      authors: AuthorsShape,
      image: nullable(ImageShape),
      language: text(35),
      seo: nullable(SeoShape),
      canonicalUrl: nullable(text(2048)),
    }),
  )
  content!: ImportedContent
  @IsShaped(nullable(shape({ outlet: nonBlank(200), contributors: ContributorsShape })))
  source!: { outlet: string; contributors: SubmittedContributor[] } | null
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
