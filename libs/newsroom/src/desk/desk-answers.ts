// What editors are answered of the desk's articles: schemas, and how documents become them.
import { type Static, Type } from '@sinclair/typebox'
import { DESK_STAGES, type DeskArticle, differs, REVIEW_STATUSES } from './desk-articles'
import { ClaimAnswer, claimedNow } from './desk-view'

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()])
const timestamp = () => Type.String({ format: 'date-time', description: 'RFC 3339, UTC' })
const oneOf = <T extends string>(names: readonly T[]) => Type.Union(names.map(name => Type.Literal(name)))
const closed = { additionalProperties: false } as const

export const DeskArticleAnswer = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    stage: oneOf(DESK_STAGES),
    review: oneOf(REVIEW_STATUSES),
    revision: Type.Integer({ minimum: 0, description: "Of the article's stream" }),
    updatedAt: timestamp(),
    updatedBy: Type.String({ description: 'Opaque subject id' }),
    headline: Type.String(),
    summary: nullable(Type.String()),
    section: nullable(Type.Object({ slug: Type.String(), name: Type.String() }, closed)),
    language: Type.String(),
    authors: Type.Array(Type.String(), { description: 'Slugs of the byline' }),
    slug: nullable(Type.String({ description: 'Of the latest publication' })),
    differs: Type.Boolean({ description: 'Publishing now would change what readers see' }),
    embargo: nullable(timestamp()),
    scheduled: Type.Array(Type.Object({ scheduleId: Type.String({ format: 'uuid' }), at: timestamp() }, closed), {
      description: 'What will happen by itself, the earliest first',
    }),
    desk: nullable(Type.String({ description: 'Slug' })),
    assignee: nullable(Type.String({ description: 'Opaque subject id' })),
    due: nullable(timestamp()),
    zone: nullable(Type.String({ description: 'The IANA zone that the due time was given in' })),
    openNotes: Type.Integer({ minimum: 0 }),
    claims: Type.Array(ClaimAnswer, { description: 'Who is editing it now' }),
  },
  { $id: 'DeskArticle', ...closed },
)
export const DeskArticlesAnswer = Type.Object(
  { items: Type.Array(DeskArticleAnswer), next: nullable(Type.String()) },
  { $id: 'DeskArticles', ...closed },
)
export type DeskArticlesAnswer = Static<typeof DeskArticlesAnswer>

const counts = <T extends string>(names: readonly T[]) =>
  Type.Record(oneOf(names), Type.Integer({ minimum: 0 }), { ...closed })
export const DeskCountsAnswer = Type.Object(
  { total: Type.Integer({ minimum: 0 }), stages: counts(DESK_STAGES), reviews: counts(REVIEW_STATUSES) },
  { $id: 'DeskCounts', ...closed },
)
export type DeskCountsAnswer = Static<typeof DeskCountsAnswer>

/** The answer for a document as of `now`. */
export const deskArticleAnswer = (article: DeskArticle, now: Date): DeskArticlesAnswer['items'][number] => ({
  id: article._id,
  stage: article.stage,
  review: article.review,
  revision: article.revision,
  updatedAt: article.updatedAt,
  updatedBy: article.updatedBy,
  headline: article.headline,
  summary: article.summary,
  section: article.section && { slug: article.section.slug, name: article.section.name },
  language: article.language,
  authors: [...article.authors],
  slug: article.slug,
  differs: differs(article),
  embargo: article.embargo,
  scheduled: article.scheduled.map(({ scheduleId, at }) => ({ scheduleId, at })),
  desk: article.desk,
  assignee: article.assignee,
  due: article.due,
  zone: article.zone,
  openNotes: article.openNotes,
  claims: claimedNow(article.claims, now),
})
