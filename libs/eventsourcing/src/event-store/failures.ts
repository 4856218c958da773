// What the client's errors mean to the engine.
import {
  AccessDeniedError,
  convertToCommandError,
  MaxAppendSizeExceededError,
  StreamDeletedError,
  StreamNotFoundError,
  UnavailableError,
} from '@eventstore/db-client'
import { Gone, Invalid, NotFound, StetError, Unavailable } from '../errors'

/** Seconds after which a caller should try again. */
const RETRY_AFTER = 1

/** A call that the adapter itself gave up. */
export class TimedOut extends Error {}

/** The engine's word for a failure. What is not understood counts as Unavailable: the outcome is unknown. */
export const asStetError = (thrown: unknown, doing: string): Error => {
  if (thrown instanceof StetError) return thrown
  const error = converted(thrown)
  if (error instanceof StreamDeletedError) return new Gone(`the stream is gone: ${doing}`)
  if (error instanceof MaxAppendSizeExceededError) {
    return new Invalid([
      { pointer: '#', detail: `is larger than the ${error.maxAppendSize} bytes that one command may record` },
    ])
  }
  if (isInvalidArgument(error)) return new NotFound(`there is no event at that position: ${doing}`)
  return new Unavailable('event store', `${reason(error)}: ${doing}`, RETRY_AFTER)
}

/** The stream does not exist (yet). */
export const isMissing = (error: unknown): boolean => error instanceof StreamNotFoundError

/** The client mends the connection by itself after these; after any other unknown failure it is opened anew. */
export const isMended = (error: unknown): boolean => converted(error) instanceof UnavailableError

/** What fails before the first call proper (asking the server what it supports) comes as gRPC's own error. */
const converted = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? convertToCommandError(error) : error

const reason = (error: unknown): string => {
  if (error instanceof TimedOut) return 'the event store did not answer in time'
  if (error instanceof UnavailableError) return 'the event store cannot be reached'
  if (error instanceof AccessDeniedError) return 'the event store denies access'
  return `the event store failed (${error instanceof Error ? error.message : String(error)})`
}

/** gRPC status 3: a position that is no record's. */
const isInvalidArgument = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 3
