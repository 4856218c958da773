// The id that ties a request, its log lines and the events it caused together.
import { randomUUID } from 'node:crypto'
import { type IncomingHttpHeaders } from 'node:http'

export const CORRELATION_HEADER = 'x-correlation-id'

// Goes into headers, logs and the metadata of events: printable, short, and nothing that could break out of a line.
const ACCEPTABLE = /^[A-Za-z0-9._:-]{1,100}$/

/** The caller's `X-Correlation-Id` when it is acceptable, else a new UUID. */
export const newCorrelationId = (headers: IncomingHttpHeaders): string => {
  const given = headers[CORRELATION_HEADER]
  return typeof given === 'string' && ACCEPTABLE.test(given) ? given : randomUUID()
}

/** Correlation id of a request that the server has accepted: Fastify's request id. */
export const correlationOf = (request: { readonly id: string }): string => request.id
