// Answers that belong to HTTP and not to the newsroom: what a command did, what an import understood, one event as a record.
import { type Static, Type } from '@sinclair/typebox'
import { EditorsArticleAnswer } from '@stet/newsroom'

const position = () => Type.String({ pattern: '^(-1|\\d+)$', description: 'Opaque; for ?position=' })

export const CommandAnswer = Type.Object(
  {
    id: Type.String({ description: "The article's id, or the list's name" }),
    revision: Type.Integer({ minimum: -1, description: 'Of the stream after the command, from 0; also the ETag' }),
    position: position(),
  },
  { $id: 'CommandOutcome', additionalProperties: false },
)
export type CommandAnswer = Static<typeof CommandAnswer>

/** What became of a request to erase or redact, or what would. */
export const ErasureAnswer = Type.Composite(
  [
    CommandAnswer,
    Type.Object({
      done: Type.Boolean({ description: 'False: nothing was done, and the preview says what would be' }),
      preview: Type.Union([
        Type.Object(
          {
            confirmation: Type.String({ description: 'Sent with the same request, it is done' }),
            expires: Type.String({ format: 'date-time' }),
            events: Type.Integer({ minimum: 0, description: "Events of the article's history that would go" }),
            deskEvents: Type.Integer({ minimum: 0, description: "Events of the desk's talk that would go" }),
            remains: Type.Union([EditorsArticleAnswer, Type.Null()], { description: 'The article as it would be' }),
          },
          { additionalProperties: false },
        ),
        Type.Null(),
      ]),
    }),
  ],
  { $id: 'Erasure', additionalProperties: false },
)
export type ErasureAnswer = Static<typeof ErasureAnswer>

export const ImportAnswer = Type.Composite(
  [
    CommandAnswer,
    Type.Object({
      profile: Type.Union([Type.Literal('ninjs-1'), Type.Literal('ninjs-3'), Type.Literal('superdesk')]),
      held: Type.Union([Type.String(), Type.Null()], { description: 'Why it stays a draft' }),
      notUnderstood: Type.Array(Type.String(), { description: 'JSON pointers into the item, with a reason each' }),
    }),
  ],
  { $id: 'ImportOutcome', additionalProperties: false },
)
export type ImportAnswer = Static<typeof ImportAnswer>

export const PreviewLinkAnswer = Type.Object(
  {
    token: Type.String(),
    path: Type.String({ description: "Where the readers' API opens it" }),
    until: Type.String({ format: 'date-time', description: 'RFC 3339, UTC: from then on it opens nothing' }),
  },
  { $id: 'PreviewLink', additionalProperties: false },
)
export type PreviewLinkAnswer = Static<typeof PreviewLinkAnswer>

/** One line of the history. */
export const EventRecordAnswer = Type.Object(
  {
    position: position(),
    stream: Type.String(),
    revision: Type.Integer({ minimum: 0 }),
    id: Type.String({ format: 'uuid' }),
    type: Type.String(),
    schemaVersion: Type.Integer({ minimum: 1 }),
    time: Type.String({ format: 'date-time', description: 'When the command was accepted' }),
    actor: Type.String({ description: 'Opaque subject id' }),
    metadata: Type.Object({}, { additionalProperties: true }),
    data: Type.Unknown({ description: 'An object, but for an event that is undecodable' }),
    undecodable: Type.Optional(
      Type.Object(
        {
          reason: Type.String(),
          base64: Type.Optional(Type.String({ description: 'What was recorded, where that is no JSON' })),
        },
        { additionalProperties: false, description: 'Only where this event could not be decoded' },
      ),
    ),
  },
  { $id: 'EventRecord', additionalProperties: false },
)
export type EventRecordAnswer = Static<typeof EventRecordAnswer>
