// Which problem an error is. Messages of errors that are not ours never leave the process.
import { HttpException } from '@nestjs/common'
import {
  CommandIdReused,
  Contended,
  Forbidden,
  Gone,
  Invalid,
  Moved,
  NotFound,
  RuleBroken,
  StaleRevision,
  Unavailable,
  UndecodableEvent,
} from '@stet/eventsourcing'
import { notAllowed } from '../auth/challenge'
import { Problem, type ProblemName, PROBLEMS } from './problem'

/** Problems are told apart by class; anything unknown is a 500 without detail. */
export const problemOf = (error: unknown): Problem => {
  if (error instanceof Problem) return error
  if (error instanceof RuleBroken) return new Problem('rule-broken', error.message, { rule: error.code })
  if (error instanceof Forbidden) return notAllowed(error.message)
  if (error instanceof NotFound) return new Problem('not-found', error.message)
  if (error instanceof Gone) return new Problem('gone', error.message)
  if (error instanceof Moved)
    return new Problem('moved', error.message, { headers: { location: error.to, 'cache-control': MOVED } })
  if (error instanceof Invalid)
    return new Problem('invalid', 'Some values are not acceptable.', { errors: error.errors.slice(0, MOST_ERRORS) })
  if (error instanceof StaleRevision)
    return new Problem('stale-revision', error.message, {
      expected: error.expected,
      current: error.current,
      ...(error.conflicts && { conflicts: [...error.conflicts] }),
      ...(error.current >= 0 && { headers: { etag: `"${error.current}"` } }),
    })
  if (error instanceof UndecodableEvent) return new Problem('undecodable-event', error.message)
  if (error instanceof CommandIdReused) return new Problem('idempotency-key-reused', error.message)
  if (error instanceof Contended)
    return new Problem('contended', 'Others are writing to the same place.', { headers: { 'retry-after': '1' } })
  if (error instanceof Unavailable)
    return new Problem('unavailable', `The ${error.store} cannot be reached or is behind.`, {
      headers: { 'retry-after': String(Math.max(1, Math.ceil(error.retryAfter))) },
    })
  return ofStatus(statusOf(error))
}

/** Old addresses are asked for long after; an editor may still give one to another article. */
const MOVED = 'public, max-age=60, stale-while-revalidate=600'

/** More violations than these help nobody and cost bytes. */
const MOST_ERRORS = 100

const BY_STATUS = new Map<number, ProblemName>(
  (
    [
      'malformed',
      'unauthenticated',
      'forbidden',
      'not-found',
      'method-not-allowed',
      'request-timeout',
      'too-large',
      'uri-too-long',
      'unsupported-media-type',
      'invalid',
      'too-many-requests',
      'headers-too-large',
      'unavailable',
    ] as const
  ).map(name => [PROBLEMS[name].status, name]),
)

const ofStatus = (status: number): Problem => {
  const name = BY_STATUS.get(status) ?? (status >= 400 && status < 500 ? 'malformed' : 'internal')
  return name === 'unavailable' ? new Problem(name, undefined, { headers: { 'retry-after': '1' } }) : new Problem(name)
}

/** Fastify's and Nest's own errors carry a status; nothing else of them is used. */
const statusOf = (error: unknown): number => {
  if (error instanceof HttpException) return error.getStatus()
  if (typeof error === 'object' && error !== null && 'statusCode' in error && typeof error.statusCode === 'number')
    return error.statusCode
  return 500
}
