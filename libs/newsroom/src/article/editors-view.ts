// The editors' view of one article: the folded stream itself, so that an ETag is never behind its own command.
import { type Static, Type } from '@sinclair/typebox'
import { NotFound } from '@stet/eventsourcing'
import { CONTRIBUTOR_KINDS, type LiveContent } from './content'
import { readersView } from './publishing'
import { type Article, same } from './state'
import { type WorkingCopy } from './submitted'

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
  },
  closed,
)

/** One article at any stage, as editors see it. */
export const EditorsArticleAnswer = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    stage: Type.Union([Type.Literal('draft'), Type.Literal('live'), Type.Literal('unpublished')]),
    revision: Type.Integer({ minimum: 0, description: 'Of the stream; the same as the ETag' }),
    slug: nullable(Type.String({ description: 'Of the latest publication' })),
    working: Type.Object({ ...content, wantedSlug: nullable(Type.String()) }, closed),
    live: nullable(
      Type.Object(
        {
          ...content,
          section: Type.Object(term, closed),
          source,
          relatedIds: Type.Array(Type.String()),
          slug: Type.String(),
          revision: Type.Integer({ description: 'Of the stream before the publication' }),
          firstPublishedAt: timestamp(),
          publishedAt: timestamp(),
          updatedAt: Type.Optional(timestamp()),
        },
        closed,
      ),
    ),
    differs: Type.Boolean({ description: 'Publishing now would change what readers see' }),
    source: nullable(source),
    relatedIds: Type.Array(Type.String(), { description: "The editors' related articles, in order" }),
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

/** The answer for a folded stream; throws NotFound when nothing was ever drafted. */
export const editorsView = (
  key: string,
  { state, revision }: { readonly state: Article; readonly revision: number },
): EditorsArticleAnswer => {
  const { working, live, source, wire } = state
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
    differs: differs(state, working, live),
    source: source && answer(source),
    relatedIds: [...state.relatedIds],
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

const differs = ({ source, relatedIds, slug }: Article, working: WorkingCopy, live: LiveContent | null): boolean => {
  if (!live) return true
  const { wantedSlug, ...content } = working
  return !same({ ...content, source, relatedIds, slug: wantedSlug ?? slug }, readersView(live))
}
