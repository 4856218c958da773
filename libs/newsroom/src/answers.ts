// What readers and editors are answered: one definition each, from which the type, the OpenAPI schema and the tests derive.
import { type Static, Type } from '@sinclair/typebox'

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()])
const timestamp = () => Type.String({ format: 'date-time', description: 'RFC 3339, UTC' })

export const TermAnswer = Type.Object(
  {
    slug: Type.String(),
    name: Type.String(),
    scheme: Type.Optional(Type.String()),
    code: Type.Optional(Type.String()),
  },
  { $id: 'Term', additionalProperties: false },
)
export const SectionAnswer = Type.Object({ slug: Type.String(), name: Type.String() }, { additionalProperties: false })
export const AuthorAnswer = Type.Object(
  { slug: Type.String(), name: Type.String(), role: nullable(Type.String()) },
  { $id: 'Author', additionalProperties: false },
)
export const ImageAnswer = Type.Object(
  {
    url: Type.String(),
    width: nullable(Type.Integer()),
    height: nullable(Type.Integer()),
    alt: nullable(Type.String()),
    caption: nullable(Type.String()),
    credit: nullable(Type.String()),
  },
  { $id: 'Image', additionalProperties: false },
)
export const SourceAnswer = Type.Object(
  {
    outlet: Type.String(),
    contributors: Type.Array(
      Type.Object({ name: Type.String(), kind: nullable(Type.String()) }, { additionalProperties: false }),
    ),
    usageTerms: nullable(Type.String({ description: 'What the supplier allows' })),
    originalUrl: nullable(Type.String({ description: 'Where the report stood first' })),
  },
  { $id: 'Source', additionalProperties: false },
)
export const SeoAnswer = Type.Object(
  { title: nullable(Type.String()), description: nullable(Type.String()) },
  { additionalProperties: false },
)

/** An article as it stands in lists. */
export const CardAnswer = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    slug: Type.String(),
    url: Type.String(),
    label: nullable(Type.String({ description: 'Label of the first curated list it is featured in' })),
    section: SectionAnswer,
    headline: Type.String(),
    summary: nullable(Type.String()),
    image: nullable(ImageAnswer),
    publishedAt: timestamp(),
  },
  { $id: 'Card', additionalProperties: false },
)
export type CardAnswer = Static<typeof CardAnswer>

/** A card in a ranking. */
export const RankedCardAnswer = Type.Composite([CardAnswer, Type.Object({ rank: Type.Integer({ minimum: 1 }) })], {
  $id: 'RankedCard',
  additionalProperties: false,
})
export type RankedCardAnswer = Static<typeof RankedCardAnswer>

/** A related card says why it is there. */
export const RelatedCardAnswer = Type.Composite(
  [
    CardAnswer,
    Type.Object({
      why: Type.Object(
        {
          by: Type.Union([Type.Literal('editors'), Type.Literal('computed')]),
          terms: Type.Array(Type.String(), { description: 'Top shared terms' }),
          tags: Type.Array(Type.String(), { description: 'Shared tags' }),
        },
        { additionalProperties: false },
      ),
    }),
  ],
  { $id: 'RelatedCard', additionalProperties: false },
)
export type RelatedCardAnswer = Static<typeof RelatedCardAnswer>

export const CorrectionAnswer = Type.Object({ at: timestamp(), note: Type.String() }, { additionalProperties: false })

export const RetractionAnswer = Type.Object({ at: timestamp(), notice: Type.String() }, { additionalProperties: false })

export const ArticleAnswer = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    slug: Type.String(),
    url: Type.String(),
    canonicalUrl: Type.String(),
    headline: Type.String(),
    summary: nullable(Type.String()),
    keyPoints: Type.Array(Type.String()),
    bodyHtml: Type.String({ description: 'Sanitised; the allow list is in the docs' }),
    bodyText: Type.Array(Type.String(), { description: 'Paragraphs of the body' }),
    section: SectionAnswer,
    tags: Type.Array(TermAnswer),
    authors: Type.Array(AuthorAnswer),
    source: SourceAnswer,
    sourceLine: Type.String(),
    image: nullable(ImageAnswer),
    language: Type.String(),
    seo: SeoAnswer,
    corrections: Type.Array(CorrectionAnswer),
    retraction: nullable(RetractionAnswer),
    version: Type.Integer({ minimum: 1, description: 'Counts publications' }),
    firstPublishedAt: timestamp(),
    publishedAt: timestamp(),
    updatedAt: timestamp(),
  },
  { $id: 'Article', additionalProperties: false },
)
export type ArticleAnswer = Static<typeof ArticleAnswer>

export const PageAnswer = Type.Object(
  {
    article: ArticleAnswer,
    related: Type.Optional(Type.Array(RelatedCardAnswer)),
    popular: Type.Optional(Type.Array(RankedCardAnswer)),
  },
  { $id: 'ArticlePage', additionalProperties: false },
)
export type PageAnswer = Static<typeof PageAnswer>

export const RelatedAnswer = Type.Object(
  { items: Type.Array(RelatedCardAnswer), next: Type.Null() },
  { $id: 'Related', additionalProperties: false },
)
export type RelatedAnswer = Static<typeof RelatedAnswer>

export const CardsAnswer = Type.Object(
  { items: Type.Array(CardAnswer), next: nullable(Type.String()) },
  { $id: 'Cards', additionalProperties: false },
)
export type CardsAnswer = Static<typeof CardsAnswer>

export const POPULAR_WINDOWS = ['1h', '24h', '7d'] as const
export type PopularWindow = (typeof POPULAR_WINDOWS)[number]

export const PopularAnswer = Type.Object(
  {
    definition: Type.String({ description: 'What the ranking means, in one sentence' }),
    window: Type.Union([Type.Literal('1h'), Type.Literal('24h'), Type.Literal('7d')]),
    asOf: timestamp(),
    items: Type.Array(RankedCardAnswer),
    next: Type.Null(),
  },
  { $id: 'Popular', additionalProperties: false },
)
export type PopularAnswer = Static<typeof PopularAnswer>

const heading = {
  list: Type.String(),
  label: Type.String(),
  section: nullable(Type.String({ description: 'Slug of the section whose front it stands on' })),
}
export const ListAnswer = Type.Object(
  { ...heading, items: Type.Array(CardAnswer), next: nullable(Type.String()) },
  { $id: 'List', additionalProperties: false },
)
export type ListAnswer = Static<typeof ListAnswer>

export const ListsAnswer = Type.Object(
  {
    items: Type.Array(Type.Object(heading, { additionalProperties: false })),
    next: nullable(Type.String()),
  },
  { $id: 'Lists', additionalProperties: false },
)
export type ListsAnswer = Static<typeof ListsAnswer>
