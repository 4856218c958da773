// What a caller is told when something is refused: RFC 9457, with types that are documented and can be fetched.
import { type Static, Type } from '@sinclair/typebox'
import { type Violation } from '@stet/eventsourcing'

/** Every type of problem: its status, title and what to do about it. `/problems/{name}` shows the same. */
export const PROBLEMS = {
  moved: { status: 308, title: 'Moved', advice: 'Follow Location and remember it.' },
  malformed: { status: 400, title: 'Malformed request', advice: 'Mend the syntax of the request; see the detail.' },
  unauthenticated: { status: 401, title: 'Token needed', advice: 'Send a valid token: Authorization: Bearer TOKEN.' },
  forbidden: {
    status: 403,
    title: 'Not allowed',
    advice: 'Use a token of one of the roles that the route names, and of the section in question.',
  },
  'not-found': { status: 404, title: 'Not found', advice: 'Check the path and the id.' },
  'method-not-allowed': {
    status: 405,
    title: 'Method not allowed',
    advice: 'Use one of the methods of the Allow header.',
  },
  'request-timeout': { status: 408, title: 'Request too slow', advice: 'Send the whole request faster.' },
  'rule-broken': { status: 409, title: 'A rule of the newsroom forbids it', advice: 'The rule is named in `rule`.' },
  gone: { status: 410, title: 'Gone', advice: 'It was unpublished; remove links to it.' },
  'stale-revision': {
    status: 412,
    title: 'Changed in the meantime',
    advice: 'Load it again, repeat the change on the current revision and send that revision in If-Match.',
  },
  'too-large': { status: 413, title: 'Body too large', advice: 'A body may have at most 1 MiB.' },
  'uri-too-long': { status: 414, title: 'Path too long', advice: 'Shorten the path.' },
  'unsupported-media-type': { status: 415, title: 'Content type not supported', advice: 'Send application/json.' },
  invalid: { status: 422, title: 'Not acceptable', advice: '`errors` names every place that was refused.' },
  'idempotency-key-reused': {
    status: 422,
    title: 'Idempotency key used before',
    advice: 'Use a new key for a new command; repeat a command with exactly the same body.',
  },
  'precondition-required': {
    status: 428,
    title: 'If-Match needed',
    advice: 'Send the ETag you have seen in If-Match, or `*` to override on purpose.',
  },
  'too-many-requests': { status: 429, title: 'Too many requests', advice: 'Wait as long as Retry-After says.' },
  'headers-too-large': { status: 431, title: 'Headers too large', advice: 'Headers may have at most 16 KiB.' },
  internal: { status: 500, title: 'Internal error', advice: 'Report it with the correlation id.' },
  'undecodable-event': {
    status: 500,
    title: 'An event cannot be read',
    advice: 'Nothing was changed. Its operators must mend the event or the code that reads it.',
  },
  contended: { status: 503, title: 'Too many writers at once', advice: 'Repeat it with the same Idempotency-Key.' },
  unavailable: { status: 503, title: 'Temporarily unavailable', advice: 'Repeat it after Retry-After seconds.' },
} as const satisfies Record<string, { status: number; title: string; advice: string }>
export type ProblemName = keyof typeof PROBLEMS

export const ProblemAnswer = Type.Object(
  {
    type: Type.String({ format: 'uri-reference', description: 'Documents the problem; can be fetched' }),
    title: Type.String(),
    status: Type.Integer({ minimum: 300, maximum: 599 }),
    detail: Type.Optional(Type.String()),
    instance: Type.Optional(Type.String({ description: 'Correlation id of the request' })),
    rule: Type.Optional(Type.String({ description: 'Of a 409: the rule of the domain' })),
    expected: Type.Optional(Type.Integer({ description: 'Of a 412: the revision that was sent' })),
    current: Type.Optional(Type.Integer({ description: 'Of a 412: the revision that is current' })),
    changes: Type.Optional(
      Type.Array(
        Type.Object(
          {
            field: Type.String(),
            from: Type.Optional(Type.Unknown({ description: 'At the revision that was sent' })),
            to: Type.Optional(Type.Unknown({ description: 'At the current one' })),
            large: Type.Optional(
              Type.Literal(true, { description: 'The values are left out: the revisions themselves have them' }),
            ),
          },
          { additionalProperties: false },
        ),
        { description: 'Of a 412: what changed between the two revisions' },
      ),
    ),
    conflicts: Type.Optional(
      Type.Array(Type.String(), { description: 'Of a 412: fields that both sides changed, where a merge was wanted' }),
    ),
    errors: Type.Optional(
      Type.Array(
        Type.Object(
          { pointer: Type.String({ description: 'JSON pointer into the body' }), detail: Type.String() },
          { additionalProperties: false },
        ),
      ),
    ),
  },
  { $id: 'Problem', additionalProperties: false },
)
export type ProblemAnswer = Static<typeof ProblemAnswer>

type More = {
  readonly headers?: Readonly<Record<string, string>>
  readonly rule?: string
  readonly expected?: number
  readonly current?: number
} & Readonly<Pick<ProblemAnswer, 'changes' | 'conflicts'>> & { readonly errors?: readonly Violation[] }

/** A refusal that belongs to HTTP itself; everything else throws the errors of the engine. */
export class Problem extends Error {
  override readonly name = 'Problem'
  constructor(
    readonly problem: ProblemName,
    readonly detail?: string,
    readonly more: More = {},
  ) {
    super(detail ?? PROBLEMS[problem].title)
  }

  /** The same with more to tell. */
  with(more: More): Problem {
    return new Problem(this.problem, this.detail, { ...this.more, ...more })
  }

  get status(): number {
    return PROBLEMS[this.problem].status
  }
}

/** The body of a problem. Ids of correlation are the only thing of ours that it holds. */
export const bodyOf = ({ problem, detail, more }: Problem, correlationId?: string): ProblemAnswer => {
  const { rule, expected, current, changes, conflicts, errors } = more
  return {
    type: `/problems/${problem}`,
    title: PROBLEMS[problem].title,
    status: PROBLEMS[problem].status,
    ...(detail !== undefined && { detail }),
    ...(correlationId !== undefined && { instance: `urn:correlation:${encodeURIComponent(correlationId)}` }),
    ...(rule !== undefined && { rule }),
    ...(expected !== undefined && { expected }),
    ...(current !== undefined && { current }),
    ...(changes && { changes }),
    ...(conflicts && { conflicts }),
    ...(errors && { errors: [...errors] }),
  }
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'
