// What editors and wires submit of an article, bounded, and how it becomes the content that events carry.
import { type Static, Type } from '@sinclair/typebox'
import { Invalid } from '@stet/eventsourcing'
import { IsOptional } from 'class-validator'
import { collapsed, slugOfName } from '../text/slug'
import {
  canonicalLanguage,
  httpUrl,
  IsHttpUrl,
  IsLanguage,
  IsShaped,
  IsSlug,
  IsText,
  nonBlank,
  nullable,
  shape,
  slugText,
  text,
} from '../validation'
import {
  type Author,
  type Content,
  type Contributor,
  CONTRIBUTOR_KINDS,
  type Image,
  type Seo,
  type Source,
  type Term,
} from './content'

/** Bytes of an article's content as JSON. */
export const MAX_CONTENT = 512 * 1024
export const MAX_RELATED = 100
/** The language of an article that names none. */
export const DEFAULT_LANGUAGE = 'en'

const termFields = {
  slug: Type.Optional(slugText()),
  name: nonBlank(200),
  scheme: Type.Optional(nonBlank(2048)),
  code: Type.Optional(nonBlank(200)),
}
export const TermShape = Type.Union([nonBlank(200), shape(termFields)], {
  description: 'a name or {name, slug?, scheme?, code?}',
})
export const AuthorShape = Type.Union([nonBlank(200), shape({ ...termFields, role: Type.Optional(nonBlank(100)) })], {
  description: 'a name or {name, slug?, role?, scheme?, code?}',
})
export const ContributorShape = Type.Union(
  [
    nonBlank(300),
    shape({
      name: nonBlank(300),
      kind: Type.Optional(Type.Union([...CONTRIBUTOR_KINDS.map(kind => Type.Literal(kind)), Type.Null()])),
    }),
  ],
  { description: `a name or {name, kind?}, kind one of ${CONTRIBUTOR_KINDS.join(', ')}` },
)
const pixels = () =>
  Type.Optional(nullable(Type.Integer({ minimum: 1, maximum: 100_000, description: 'a size in pixels' })))
const optionalText = (max: number) => Type.Optional(nullable(text(max, `text of at most ${max} characters`)))
export const ImageShape = shape({
  url: httpUrl(),
  width: pixels(),
  height: pixels(),
  alt: optionalText(1000),
  caption: optionalText(2000),
  credit: optionalText(500),
})
export const SeoShape = shape({ title: optionalText(300), description: optionalText(1000) })
export const TermsShape = Type.Array(TermShape, { maxItems: 100, description: 'at most 100 terms' })
export const AuthorsShape = Type.Array(AuthorShape, { maxItems: 100, description: 'at most 100 authors' })
export const ContributorsShape = Type.Array(ContributorShape, { maxItems: 50, description: 'at most 50 contributors' })

export type SubmittedTerm = Static<typeof TermShape>
export type SubmittedAuthor = Static<typeof AuthorShape>
export type SubmittedContributor = Static<typeof ContributorShape>
export type SubmittedImage = Static<typeof ImageShape>
export type SubmittedSeo = Static<typeof SeoShape>

export const KeyPointsShape = Type.Array(nonBlank(500), { maxItems: 20, description: 'at most 20 texts' })

/** The fields that a draft may leave out: absent when drafting = empty; when revising absent = unchanged, null = cleared. */
export abstract class SubmittedFields {
  /** Standfirst. */
  @IsOptional() @IsText(5000) summary?: string | null
  @IsOptional() @IsShaped(KeyPointsShape) keyPoints?: string[] | null
  @IsOptional() @IsShaped(TermsShape) tags?: SubmittedTerm[] | null
  @IsOptional() @IsShaped(AuthorsShape) authors?: SubmittedAuthor[] | null
  @IsOptional() @IsShaped(ImageShape) image?: SubmittedImage | null
  @IsOptional() @IsLanguage() language?: string | null
  /** Wanted path of the article's page; reserved when the article is published. */
  @IsOptional() @IsSlug() slug?: string | null
  @IsOptional() @IsShaped(SeoShape) seo?: SubmittedSeo | null
  @IsOptional() @IsHttpUrl() canonicalUrl?: string | null
}

/** Content as submitted, by whichever way: fields that are null are cleared. */
export interface SubmittedContent extends SubmittedFields {
  headline?: string | null
  section?: SubmittedTerm | null
  bodyHtml?: string | null
}

export type WorkingCopy = Content & { readonly wantedSlug: string | null }

/** The working copy that a submission gives on top of `base`; throws Invalid when it is larger than MAX_CONTENT. */
export const contentOf = (submitted: SubmittedContent, base: WorkingCopy = EMPTY): WorkingCopy => {
  const given = <In, Out>(value: In | null | undefined, now: Out, cleared: Out, read: (value: In) => Out): Out =>
    value === undefined ? now : value === null ? cleared : read(value)
  const content: WorkingCopy = {
    headline: given(submitted.headline, base.headline, '', collapsed),
    section: given(submitted.section, base.section, null, termOf),
    bodyHtml: given(submitted.bodyHtml, base.bodyHtml, '', html => html),
    summary: given(submitted.summary, base.summary, null, summary => summary.trim() || null),
    keyPoints: given(submitted.keyPoints, base.keyPoints, [], points => points.map(collapsed)),
    tags: given(submitted.tags, base.tags, [], tags => distinct(tags.map(termOf))),
    authors: given(submitted.authors, base.authors, [], authors => distinct(authors.map(authorOf))),
    image: given(submitted.image, base.image, null, imageOf),
    language: given(
      submitted.language,
      base.language,
      DEFAULT_LANGUAGE,
      tag => canonicalLanguage(tag) ?? DEFAULT_LANGUAGE,
    ),
    seo: given(submitted.seo, base.seo, null, seoOf),
    canonicalUrl: given(submitted.canonicalUrl, base.canonicalUrl, null, url => url),
    wantedSlug: given(submitted.slug, base.wantedSlug, null, slug => slug),
  }
  const bytes = Buffer.byteLength(JSON.stringify(content))
  if (bytes > MAX_CONTENT)
    throw new Invalid([
      {
        pointer: '#/bodyHtml',
        detail: `the article's content has ${bytes} bytes of JSON, at most ${MAX_CONTENT} are possible`,
      },
    ])
  return content
}

export interface SubmittedSource {
  readonly outlet: string
  readonly contributors: readonly SubmittedContributor[]
  readonly usageTerms?: string | null
  readonly originalUrl?: string | null
}

/** Source as recorded: a plain name becomes a contributor without a kind. */
export const sourceOf = ({ outlet, contributors, usageTerms, originalUrl }: SubmittedSource): Source => ({
  outlet: collapsed(outlet),
  contributors: contributors.map((contributor): Contributor => {
    if (typeof contributor === 'string') return { name: collapsed(contributor) }
    return { name: collapsed(contributor.name), ...(contributor.kind && { kind: contributor.kind }) }
  }),
  ...(usageTerms && { usageTerms: usageTerms.trim() }),
  ...(originalUrl && { originalUrl }),
})

const EMPTY: WorkingCopy = {
  headline: '',
  section: null,
  bodyHtml: '',
  summary: null,
  keyPoints: [],
  tags: [],
  authors: [],
  image: null,
  language: DEFAULT_LANGUAGE,
  seo: null,
  canonicalUrl: null,
  wantedSlug: null,
}

const termOf = (submitted: SubmittedTerm): Term => {
  const { name, slug, scheme, code } = typeof submitted === 'string' ? ({ name: submitted } as Term) : submitted
  const term = { slug: slug ?? slugOfName(name), name: collapsed(name) }
  return { ...term, ...(scheme && { scheme }), ...(code && { code }) }
}

const authorOf = (submitted: SubmittedAuthor): Author => {
  const role = typeof submitted === 'string' ? undefined : submitted.role
  return { ...termOf(submitted), ...(role && { role: collapsed(role) }) }
}

const imageOf = ({ url, width, height, alt, caption, credit }: SubmittedImage): Image => ({
  url,
  ...(width && { width }),
  ...(height && { height }),
  ...(alt && { alt }),
  ...(caption && { caption }),
  ...(credit && { credit }),
})

const seoOf = ({ title, description }: SubmittedSeo): Seo | null =>
  title || description ? { ...(title && { title }), ...(description && { description }) } : null

/** The slug is a term's identity: the first one of a slug stays. */
const distinct = <T extends Term>(terms: readonly T[]): T[] => {
  const bySlug = new Map<string, T>()
  for (const term of terms) if (!bySlug.has(term.slug)) bySlug.set(term.slug, term)
  return [...bySlug.values()]
}
