// The editors' view of one article: the folded stream itself, so that an ETag is never behind its own command.
import { type Static, Type } from '@sinclair/typebox'
import { Gone, NotFound } from '@stet/eventsourcing'
import { CONTRIBUTOR_KINDS } from './content'
import { SCHEDULABLE } from './scheduling'
import { type Article, differs } from './state'

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()])
const optional = () => Type.Optional(Type.String())
const timestamp = () => Type.String({ format: 'date-time', description: 'RFC 3339, UTC' })
const closed = { additionalProperties: false } as const

const term = { slug: Type.String(), name: Type.String(), scheme: optional(), code: optional() }
const content = {
  headline: Type.String(),
  section: nullable(Type.Object(term, closed)),
  bodyHtml: Type.String({ description: 'As submitted' }),
  summary: nullable(Type.String()),
  keyPoints: Type.Array(Type.String()),
  tags: Type.Array(Type.Object(term, closed)),
  authors: Type.Array(Type.Object({ ...term, role: optional() }, closed)),
  image: nullable(
    Type.Object(
      {
        url: Type.String(),
        width: Type.Optional(Type.Integer()),
        height: Type.Optional(Type.Integer()),
        alt: optional(),
        caption: optional(),
        credit: optional(),
      },
      closed,
    ),
  ),
  language: Type.String({ description: 'BCP 47' }),
  seo: nullable(Type.Object({ title: optional(), description: optional() }, closed)),
  canonicalUrl: nullable(Type.String()),
}
const source = Type.Object(
  {
    outlet: Type.String(),
    contributors: Type.Array(
      Type.Object(
        { name: Type.String(), kind: Type.Optional(Type.Union(CONTRIBUTOR_KINDS.map(kind => Type.Literal(kind)))) },
        closed,
      ),
    ),
    usageTerms: optional(),
    originalUrl: optional(),
  },
  closed,
)
const live = Type.Object(
  {
    ...content,
    section: Type.Object(term, closed),
    source,
    relatedIds: Type.Array(Type.String()),
    blockedIds: Type.Array(Type.String()),
    slug: Type.String(),
    revision: Type.Integer({ description: 'Of the stream before the publication' }),
    firstPublishedAt: timestamp(),
    publishedAt: timestamp(),
    updatedAt: Type.Optional(timestamp()),
  },
  closed,
)
const REVIEWS = ['submitted', 'sent-back', 'approved'] as const
const STAGES = ['draft', 'live', 'unpublished', 'retracted', 'spiked'] as const

/** One article at any stage, as editors see it. */
export const EditorsArticleAnswer = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    stage: Type.Union(STAGES.map(stage => Type.Literal(stage))),
    revision: Type.Integer({ minimum: 0, description: 'Of the stream; the same as the ETag' }),
    slug: nullable(Type.String({ description: 'Of the latest publication' })),
    working: Type.Object({ ...content, wantedSlug: nullable(Type.String()) }, closed),
    live: nullable(live),
    differs: Type.Boolean({ description: 'Publishing now would change what readers see' }),
    source: nullable(source),
    relatedIds: Type.Array(Type.String(), { description: "The editors' related articles, in order" }),
    blockedIds: Type.Array(Type.String(), { description: 'Articles that never stand beside it' }),
    review: nullable(
      Type.Object(
        {
          status: Type.Union(REVIEWS.map(status => Type.Literal(status))),
          by: Type.String({ description: 'Opaque subject id' }),
          note: nullable(Type.String()),
        },
        closed,
      ),
    ),
    writers: Type.Array(Type.String(), { description: 'Who wrote what is not live yet, by opaque subject id' }),
    embargo: nullable(timestamp()),
    schedules: Type.Array(
      Type.Object(
        {
          scheduleId: Type.String({ format: 'uuid' }),
          change: Type.Union(SCHEDULABLE.map(kind => Type.Literal(kind))),
          at: timestamp(),
          zone: nullable(Type.String({ description: 'The IANA zone that the time was given in' })),
          state: Type.Union([Type.Literal('pending'), Type.Literal('failed')]),
          revision: nullable(Type.Integer({ description: 'Whose content is frozen' })),
        },
        closed,
      ),
      { description: 'By time' },
    ),
    slugs: Type.Array(Type.String(), { description: 'Every address that leads to it' }),
    retractionNotice: nullable(Type.String()),
    wire: nullable(
      Type.Object(
        {
          uri: Type.String(),
          profile: Type.String(),
          version: nullable(Type.String()),
          versionCreated: nullable(Type.String()),
          held: nullable(Type.String({ description: 'Why the item may not be published' })),
          heldUntil: nullable(timestamp()),
          notUnderstood: Type.Array(Type.String(), { description: 'What of the item was not understood' }),
        },
        closed,
      ),
    ),
  },
  { $id: 'EditorsArticle', ...closed },
)
export type EditorsArticleAnswer = Static<typeof EditorsArticleAnswer>

/** The answer for a folded stream; throws NotFound when nothing was ever drafted, Gone when it was erased. */
export const editorsView = (
  key: string,
  { state, revision }: { readonly state: Article; readonly revision: number },
): EditorsArticleAnswer => {
  if (state.stage === 'erased') throw new Gone(`article ${key} was erased`)
  const { working, live, source, wire, review } = state
  if (!working || state.stage === 'none') throw new NotFound(`there is no article ${key}`)
  // What is recorded is what is shown; the answer's type only drops `readonly`, which JSON does not have.
  type Answered<T> = { -readonly [K in keyof T]: Answered<T[K]> }
  const answer = <T>(recorded: T): Answered<T> => recorded
  return {
    id: key,
    stage: state.stage,
    revision,
    slug: state.slug,
    working: answer(working),
    live: live && answer(live),
    differs: differs(state),
    source: source && answer(source),
    relatedIds: [...state.relatedIds],
    blockedIds: [...state.blockedIds],
    review: review && { ...review },
    writers: [...state.writers],
    embargo: state.embargo,
    schedules: schedulesOf(state),
    slugs: [...state.slugs],
    retractionNotice: state.notice,
    wire: wire && {
      uri: wire.received.uri,
      profile: wire.received.profile,
      version: wire.received.version,
      versionCreated: wire.received.versionCreated,
      held: wire.received.held,
      heldUntil: wire.received.heldUntil ?? null,
      notUnderstood: [...wire.received.notUnderstood],
    },
  }
}

/** By time, then by id: the order in which they will happen. */
const schedulesOf = ({ schedules }: Article): EditorsArticleAnswer['schedules'] =>
  Object.entries(schedules)
    .map(([scheduleId, { at, zone, change, state }]) => ({
      scheduleId,
      change: change.kind,
      at,
      zone,
      state,
      revision: 'content' in change ? change.content.revision : null,
    }))
    .sort((a, b) => (a.at === b.at ? (a.scheduleId < b.scheduleId ? -1 : 1) : a.at < b.at ? -1 : 1))
