// Where a command goes, by whom and on what condition: from path, token and headers, never from the body.
import { randomUUID } from 'node:crypto'
import { createParamDecorator, type ExecutionContext } from '@nestjs/common'
import { type Envelope, Invalid, NotFound, streamOf } from '@stet/eventsourcing'
import { isListName, type Limits, within } from '@stet/newsroom'
import { type Caller, correlationOf, expectedRevision, idempotencyKey, prefers, Problem } from '@stet/platform'
import { type FastifyReply, type FastifyRequest } from 'fastify'
import { v5 as uuidv5 } from 'uuid'

/** A command's envelope, and the reply that learns what became of it. */
export interface Address {
  readonly category: Category
  readonly envelope: Envelope
  readonly reply: FastifyReply
}

export type Category = 'article' | 'desk' | 'list'

/** The preference (RFC 7240) to keep what others did since to other fields, instead of a 412. */
export const MERGE = 'merge'

/** Addresses a stream in a request's name. `replaces`: the command replaces content, so If-Match is needed. */
export const addressOf = (
  request: FastifyRequest,
  reply: FastifyReply,
  category: Category,
  key: string,
  replaces = false,
): Address => {
  const { caller, headers } = request
  if (!caller) throw new Problem('unauthenticated')
  const given = idempotencyKey(one(headers['idempotency-key']))
  const expected = expectedRevision(one(headers['if-match']), replaces)
  return {
    category,
    reply,
    envelope: {
      key,
      actor: caller.actor,
      client: caller.client,
      // The scope of a key is the actor and the stream: the same key elsewhere is another command.
      commandId: given ? uuidv5(`${caller.actor} ${streamOf(category, key)} ${given}`, COMMANDS) : randomUUID(),
      at: new Date().toISOString(),
      correlationId: correlationOf(request),
      ...(given === undefined && { fresh: true as const }),
      ...(expected !== undefined && { expected }),
      ...permitOf(caller),
      ...(prefers(one(headers.prefer), MERGE) && { merge: true as const }),
    },
  }
}

/** Desks and sections limit who is here as a reporter; any other role that the operation is for lifts them. */
const permitOf = ({ roles, sections, desks }: Caller): Pick<Envelope, 'permit'> => {
  const limits: Limits = { sections, desks }
  const limited = roles.every(role => role === 'reporter') && (sections !== null || desks !== null)
  return limited ? { permit: within(limits) } : {}
}

/** The article of the path. */
export const ToArticle = createParamDecorator(
  (options: { replaces?: boolean } | undefined, context: ExecutionContext) => {
    const { request, reply } = exchangeOf(context)
    return addressOf(request, reply, 'article', articleIdIn(request), options?.replaces)
  },
)

/** The desk of the article of the path. */
export const ToDesk = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const { request, reply } = exchangeOf(context)
  return addressOf(request, reply, 'desk', articleIdIn(request))
})

/** An article that begins: its id is the body's, else follows from actor and Idempotency-Key, else is random. */
export const ToNewArticle = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const { request, reply } = exchangeOf(context)
  const key = idempotencyKey(one(request.headers['idempotency-key']))
  const { id } = (request.body ?? {}) as { readonly id?: unknown }
  const wanted = typeof id === 'string' && UUID.test(id) ? id.toLowerCase() : undefined
  const made = key ? uuidv5(`${request.caller?.actor} ${key}`, ARTICLES) : randomUUID()
  return addressOf(request, reply, 'article', wanted ?? made)
})

/** The list of the path. */
export const ToList = createParamDecorator((options: { replaces?: boolean } | undefined, context: ExecutionContext) => {
  const { request, reply } = exchangeOf(context)
  return addressOf(request, reply, 'list', listNameIn(request), options?.replaces)
})

/** Name of the list of the path. */
export const ListName = createParamDecorator((_: unknown, context: ExecutionContext) =>
  listNameIn(exchangeOf(context).request),
)

/** Id of the article of the path, in lower case. */
export const ArticleId = createParamDecorator((_: unknown, context: ExecutionContext) =>
  articleIdIn(exchangeOf(context).request),
)

/** Request and reply, for what no argument stands for. */
export interface Exchange {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

export const WithExchange = createParamDecorator((_: unknown, context: ExecutionContext): Exchange =>
  exchangeOf(context),
)

const exchangeOf = (context: ExecutionContext): Exchange => {
  const http = context.switchToHttp()
  return { request: http.getRequest<FastifyRequest>(), reply: http.getResponse<FastifyReply>() }
}

const articleIdIn = (request: FastifyRequest): string => {
  const { id } = request.params as { readonly id: string }
  if (!UUID.test(id)) throw new Invalid([{ pointer: '/id', detail: "the path's article id must be a UUID" }])
  return id.toLowerCase()
}

const listNameIn = (request: FastifyRequest): string => {
  const { list } = request.params as { readonly list: string }
  if (!isListName(list)) throw new NotFound('there is no list of this name')
  return list
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

// Namespaces, fixed for ever: repeats of earlier commands are recognised by them.
const COMMANDS = '9f1c5c0a-7f0e-5b52-8a3d-4f6d3a1f0c11'
const ARTICLES = '2b7a1d3e-64c9-5e0b-9a55-0d7e6c1b8f22'

/** A header that was sent twice has been joined by Node, or is an array: neither is one key or one tag. */
const one = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header.join(', ') : header
