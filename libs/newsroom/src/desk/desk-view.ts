// The editors' view of an article's desk: the folded stream itself, so that an ETag is never behind its own command.
import { type Static, Type } from '@sinclair/typebox'
import { type Desk } from './desk'

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()])
const timestamp = () => Type.String({ format: 'date-time', description: 'RFC 3339, UTC' })
const subject = () => Type.String({ description: 'Opaque subject id' })
const closed = { additionalProperties: false } as const

export const ClaimAnswer = Type.Object({ by: subject(), until: timestamp() }, closed)

export const DeskAnswer = Type.Object(
  {
    id: Type.String({ format: 'uuid', description: "The article's" }),
    revision: Type.Integer({ minimum: -1, description: 'Of the desk stream; the same as the ETag' }),
    desk: nullable(Type.String({ description: 'Slug' })),
    assignee: nullable(subject()),
    due: nullable(timestamp()),
    zone: nullable(Type.String({ description: 'The IANA zone that the time was given in' })),
    notes: Type.Array(
      Type.Object(
        { noteId: Type.String({ format: 'uuid' }), text: Type.String(), by: subject(), at: timestamp() },
        closed,
      ),
      { description: 'Open ones, the oldest first' },
    ),
    claims: Type.Array(ClaimAnswer, { description: 'Who is editing it now' }),
  },
  { $id: 'Desk', ...closed },
)
export type DeskAnswer = Static<typeof DeskAnswer>

/** The answer for a folded stream as of `now`. */
export const deskView = (
  key: string,
  { state, revision }: { readonly state: Desk; readonly revision: number },
  now: Date,
): DeskAnswer => ({
  id: key,
  revision,
  desk: state.desk,
  assignee: state.assignee,
  due: state.due,
  zone: state.zone,
  notes: Object.entries(state.notes)
    .map(([noteId, { text, by, at }]) => ({ noteId, text, by, at }))
    .sort((a, b) => (a.at === b.at ? (a.noteId < b.noteId ? -1 : 1) : a.at < b.at ? -1 : 1)),
  claims: claimedNow(
    Object.entries(state.claims).map(([by, until]) => ({ by, until })),
    now,
  ),
})

/** Those of the claims that have not ended, by who made them. */
export const claimedNow = (
  claims: readonly { readonly by: string; readonly until: string }[],
  now: Date,
): Static<typeof ClaimAnswer>[] =>
  claims
    .filter(({ until }) => until > now.toISOString())
    .map(({ by, until }) => ({ by, until }))
    .sort((a, b) => (a.by < b.by ? -1 : 1))
