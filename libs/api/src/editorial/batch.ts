// Many commands in one request: each goes the way of a single one, with its own checks, in the same caller's name.
import { Injectable } from '@nestjs/common'
import { HttpAdapterHost } from '@nestjs/core'
import { type Static, Type } from '@sinclair/typebox'
import { Invalid } from '@stet/eventsourcing'
import { IsShaped, nullable, shape } from '@stet/newsroom'
import { correlationOf } from '@stet/platform'
import { type FastifyInstance, type FastifyRequest } from 'fastify'

export const MOST_COMMANDS = 100
/** Streams that are written to beside each other. */
const BESIDE = 8

const printable = (max: number) =>
  Type.String({ maxLength: max, pattern: '^[\\x20-\\x7e]*$', description: `at most ${max} printable characters` })
const CommandShape = shape({
  // Nothing but letters, digits and hyphens between slashes: no way out of the editors' routes.
  path: Type.String({
    maxLength: 500,
    pattern: '^/editorial/v1(/[A-Za-z0-9_-]+)+(\\?[A-Za-z0-9_=&-]*)?$',
    description: 'the path of a command, /editorial/v1/...',
  }),
  body: Type.Optional(Type.Object({}, { additionalProperties: true, description: 'an object' })),
  ifMatch: Type.Optional(printable(100)),
  idempotencyKey: Type.Optional(printable(100)),
  prefer: Type.Optional(Type.Literal('merge', { description: 'merge' })),
})
type BatchedCommand = Static<typeof CommandShape>

/** Commands, each as it would be sent alone. */
export class SendBatch {
  /** In order per article and per list; what depends on another one's command belongs in a later batch. */
  @IsShaped(
    Type.Array(CommandShape, {
      minItems: 1,
      maxItems: MOST_COMMANDS,
      description: `1 to ${MOST_COMMANDS} commands`,
    }),
  )
  commands!: BatchedCommand[]
}

export const BatchAnswer = Type.Object(
  {
    results: Type.Array(
      Type.Object(
        {
          status: Type.Integer({ minimum: 200, maximum: 599 }),
          etag: nullable(Type.String()),
          replayed: Type.Boolean({ description: 'It was answered as the first time' }),
          merged: Type.Boolean({ description: 'It was merged with what others did since' }),
          body: Type.Unknown({ description: 'What the command alone would have answered' }),
        },
        { additionalProperties: false },
      ),
      { description: 'One for each command, in the same order' },
    ),
  },
  { $id: 'BatchOutcome', additionalProperties: false },
)
export type BatchAnswer = Static<typeof BatchAnswer>
type Result = BatchAnswer['results'][number]

@Injectable()
export class Batches {
  constructor(private readonly host: HttpAdapterHost) {}

  /** One result per command, whatever became of it. @throws Invalid for a batch in a batch */
  async run({ commands }: SendBatch, request: FastifyRequest): Promise<BatchAnswer> {
    commands.forEach(({ path }, index) => {
      if (BATCH.test(path))
        throw new Invalid([{ pointer: `#/commands/${index}/path`, detail: 'must not be a batch itself' }])
    })
    const lanes = new Map<string, number[]>()
    commands.forEach((command, index) => {
      const lane = laneOf(command, index)
      lanes.set(lane, [...(lanes.get(lane) ?? []), index])
    })
    const results: Result[] = []
    const waiting = [...lanes.values()]
    const work = async () => {
      for (let lane = waiting.shift(); lane; lane = waiting.shift())
        for (const index of lane) results[index] = await this.#send(commands[index]!, request)
    }
    await Promise.all(Array.from({ length: BESIDE }, work))
    return { results }
  }

  async #send({ path, body, ifMatch, idempotencyKey, prefer }: BatchedCommand, request: FastifyRequest) {
    const fastify = this.host.httpAdapter.getInstance<FastifyInstance>()
    const { authorization, 'user-agent': agent } = request.headers
    const response = await fastify.inject({
      method: 'POST',
      url: path,
      remoteAddress: request.ip,
      headers: {
        'content-type': 'application/json',
        'x-correlation-id': correlationOf(request),
        ...(authorization !== undefined && { authorization }),
        ...(agent !== undefined && { 'user-agent': agent }),
        ...(ifMatch !== undefined && { 'if-match': ifMatch }),
        ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
        ...(prefer !== undefined && { prefer }),
      },
      payload: JSON.stringify(body ?? {}),
    })
    const { etag, 'idempotent-replayed': replayed, 'preference-applied': applied } = response.headers
    return {
      status: response.statusCode,
      etag: typeof etag === 'string' ? etag : null,
      replayed: replayed === 'true',
      merged: applied === 'merge',
      body: response.payload === '' ? null : response.json<unknown>(),
    }
  }
}

const BATCH = /^\/editorial\/v1\/batch(\/|\?|$)/

/** Commands of one stream go one after the other: the article's, its desk's, the list's. */
const laneOf = ({ path, body }: BatchedCommand, index: number): string => {
  const [, , , room = '', key] = path.split(/[/?]/)
  if (room === 'imports') return room
  if (key !== undefined) return `${room} ${key.toLowerCase()}`
  const id = body && 'id' in body ? body.id : undefined
  return typeof id === 'string' ? `${room} ${id.toLowerCase()}` : `${room} ${index}`
}
