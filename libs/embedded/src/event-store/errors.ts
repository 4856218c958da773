// What the event store refuses, in the two forms in which the protocol tells it: trailers of a call that ends, and the
// status inside a batch append's answer.
import {
  BadRequest,
  MaximumAppendSizeExceeded,
  StreamDeleted,
  StreamIdentifier,
  Timeout,
  WrongExpectedVersion,
} from '@eventstore/db-client/generated/shared_pb'
import { Status } from '@eventstore/db-client/generated/status_pb'
import { Metadata, status, type ServiceError } from '@grpc/grpc-js'
import { Any } from 'google-protobuf/google/protobuf/any_pb'
import { Empty } from 'google-protobuf/google/protobuf/empty_pb'
import { StorageDamaged, StorageFull } from '../storage'
import { NO_STREAM, type ExpectedRevision } from './model'

type Detail = { typeName: string; bytes: Uint8Array }

/** A request that changes nothing and is answered with an error of the protocol. */
export class Refusal extends Error {
  constructor(
    readonly code: status,
    message: string,
    /** Names in the trailers tell the client which of its error classes to throw. */
    readonly trailers: Record<string, string> = {},
    readonly detail: Detail = {
      typeName: 'event_store.client.BadRequest',
      bytes: new BadRequest().setMessage(message).serializeBinary(),
    },
  ) {
    super(message)
  }
}

/** An append, delete or tombstone expected another revision. */
export class RevisionMismatch extends Refusal {
  constructor(
    readonly stream: string,
    readonly expected: ExpectedRevision,
    /** The last revision of the stream, or NO_STREAM. */
    readonly actual: number,
  ) {
    super(
      status.FAILED_PRECONDITION,
      `Stream '${stream}' is at ${actual === NO_STREAM ? 'no stream' : `revision ${actual}`}, expected was ${expected}.`,
      {
        exception: 'wrong-expected-version',
        'stream-name': ascii(stream),
        'expected-version': String(EXPECTED_NUMBERS[expected] ?? expected),
        'actual-version': String(actual),
      },
      {
        typeName: 'event_store.client.WrongExpectedVersion',
        bytes: mismatchDetail(expected, actual).serializeBinary(),
      },
    )
  }
}

/** How trailers write the expectations that are no revision. */
const EXPECTED_NUMBERS: Record<string, number> = { no_stream: -1, any: -2, stream_exists: -4 }

function mismatchDetail(expected: ExpectedRevision, actual: number): WrongExpectedVersion {
  const detail = new WrongExpectedVersion()
  if (actual === NO_STREAM) detail.setCurrentNoStream(new Empty())
  else detail.setCurrentStreamRevision(String(actual))
  if (expected === 'any') detail.setExpectedAny(new Empty())
  else if (expected === 'no_stream') detail.setExpectedNoStream(new Empty())
  else if (expected === 'stream_exists') detail.setExpectedStreamExists(new Empty())
  else detail.setExpectedStreamPosition(String(expected))
  return detail
}

/** The stream has a tombstone, or is soft-deleted where the request asks that it exists. */
export function streamDeleted(stream: string): Refusal {
  const identifier = new StreamIdentifier().setStreamName(Buffer.from(stream))
  return new Refusal(
    status.FAILED_PRECONDITION,
    `Stream '${stream}' is deleted.`,
    { exception: 'stream-deleted', 'stream-name': ascii(stream) },
    {
      typeName: 'event_store.client.StreamDeleted',
      bytes: new StreamDeleted().setStreamIdentifier(identifier).serializeBinary(),
    },
  )
}

export function appendTooLarge(limit: number): Refusal {
  return new Refusal(
    status.INVALID_ARGUMENT,
    `The data of one append may be ${limit} bytes.`,
    { exception: 'maximum-append-size-exceeded', 'maximum-append-size': String(limit) },
    {
      typeName: 'event_store.client.MaximumAppendSizeExceeded',
      bytes: new MaximumAppendSizeExceeded().setMaxappendsize(limit).serializeBinary(),
    },
  )
}

/** An append that came, or was complete, when its client no longer waited. */
export const timedOut = (): Refusal =>
  new Refusal(
    status.DEADLINE_EXCEEDED,
    'The append was not complete by its deadline.',
    {},
    { typeName: 'event_store.client.Timeout', bytes: new Timeout().serializeBinary() },
  )

export const badRequest = (message: string): Refusal => new Refusal(status.INVALID_ARGUMENT, message)

/** What a real server has and this one does not. */
export const unsupported = (what: string): Refusal =>
  new Refusal(
    status.UNIMPLEMENTED,
    `The embedded event store has no ${what}. Point EVENTSTORE_URL at an EventStoreDB server to use it.`,
  )

/** Any thrown value as the error that ends a call. */
export function toServiceError(error: unknown): ServiceError {
  const refusal = toRefusal(error)
  const metadata = new Metadata()
  for (const [name, value] of Object.entries(refusal.trailers)) metadata.set(name, value)
  return Object.assign(new Error(refusal.message), { code: refusal.code, details: ascii(refusal.message), metadata })
}

/** Any thrown value as the error inside a batch append's answer. */
export function toBatchStatus(error: unknown): Status {
  const { code, message, detail } = toRefusal(error)
  const any = new Any()
  any.pack(detail.bytes, detail.typeName)
  // gRPC's and google.rpc's codes are the same numbers, but for the class of a wrong revision, which the server gives as 6.
  return new Status()
    .setCode((error instanceof RevisionMismatch ? status.ALREADY_EXISTS : code) as number)
    .setMessage(message)
    .setDetails(any)
}

function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  const message = error instanceof Error ? error.message : String(error)
  // The type is one that the client does not know: of unknown errors only those keep their message.
  const detail = { typeName: 'google.rpc.ErrorInfo', bytes: new Uint8Array() }
  if (error instanceof StorageFull) return new Refusal(status.RESOURCE_EXHAUSTED, message, {}, detail)
  if (error instanceof StorageDamaged) return new Refusal(status.DATA_LOSS, message, {}, detail)
  return new Refusal(status.INTERNAL, message, {}, detail)
}

/** Trailers hold printable ASCII only. */
function ascii(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : text.replace(/[^\x20-\x7e]/gu, encodeURIComponentSafely)
}

function encodeURIComponentSafely(character: string): string {
  try {
    return encodeURIComponent(character)
  } catch {
    return '%EF%BF%BD'
  }
}
