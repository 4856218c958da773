// Requests of the protocol in the store's own words, and the store's results as answers.
import { Empty, StreamIdentifier, type UUID } from '@eventstore/db-client/generated/shared_pb'
import {
  type AppendReq,
  AppendResp,
  type DeleteReq,
  DeleteResp,
  ReadReq,
  ReadResp,
  type TombstoneReq,
  TombstoneResp,
} from '@eventstore/db-client/generated/streams_pb'
import { status } from '@grpc/grpc-js'
import { Refusal, type RevisionMismatch, badRequest } from './errors'
import { parseFilter, type EventFilter } from './filter'
import type { Direction } from './log'
import { NO_STREAM, type ExpectedRevision, type ProposedEvent } from './model'
import type { Appended } from './writes'

export type ReadFrom = 'start' | 'end' | number

export type ReadRequest = {
  /** Absent for $all. */
  stream?: string
  from: ReadFrom
  direction: Direction
  resolveLinks: boolean
  /** Absent for a subscription. */
  limit?: number
  filter?: EventFilter
  structuredIds: boolean
  /** The client asked to be told the last revision after the events of a stream. */
  tellsLastRevision: boolean
}

export function parseRead(request: ReadReq): ReadRequest {
  const options = request.getOptions() ?? new ReadReq.Options()
  const limit = options.hasSubscription() ? undefined : Number(options.getCount())
  if (limit === 0) throw badRequest('A read asks for at least 1 event.')
  const filterOptions = options.getFilter()
  return {
    ...parseSource(options),
    direction: options.getReadDirection() === ReadReq.Options.ReadDirection.BACKWARDS ? 'backwards' : 'forwards',
    resolveLinks: options.getResolveLinks(),
    limit,
    filter: filterOptions && parseFilter(filterOptions),
    structuredIds: options.getUuidOption()?.hasStructured() ?? false,
    tellsLastRevision: (options.getControlOption()?.getCompatibility() ?? 0) >= 1,
  }
}

function parseSource(options: ReadReq.Options): { stream?: string; from: ReadFrom } {
  const stream = options.getStream()
  const all = options.getAll()
  if (stream) {
    const from = stream.hasRevision() ? Number(stream.getRevision()) : stream.hasEnd() ? 'end' : 'start'
    return { stream: streamName(stream.getStreamIdentifier()), from }
  }
  if (!all) throw badRequest('A read is of a stream or of $all.')
  const position = all.getPosition()
  if (!position) return { from: all.hasEnd() ? 'end' : 'start' }
  const commit = Number(position.getCommitPosition())
  if (commit === 0 && Number(position.getPreparePosition()) === 0) return { from: 'start' }
  // Both are the same for every event of this server; anything else is no record's position.
  return { from: commit === Number(position.getPreparePosition()) ? commit : NaN }
}

export function streamName(identifier: StreamIdentifier | undefined): string {
  return Buffer.from(identifier?.getStreamName_asU8() ?? []).toString('utf8')
}

/** The messages of a unary append: the options once, then one event each. */
export function parseAppendOptions(options: AppendReq.Options): { stream: string; expected: ExpectedRevision } {
  return { stream: streamName(options.getStreamIdentifier()), expected: expectedRevision(options) }
}

export function parseDelete(request: DeleteReq | TombstoneReq): { stream: string; expected: ExpectedRevision } {
  const options = request.getOptions()
  if (!options) throw badRequest('A deletion names a stream.')
  return { stream: streamName(options.getStreamIdentifier()), expected: expectedRevision(options) }
}

type WithExpectedRevision = {
  hasRevision(): boolean
  getRevision(): string
  hasNoStream(): boolean
  hasAny(): boolean
  hasStreamExists(): boolean
}

function expectedRevision(options: WithExpectedRevision): ExpectedRevision {
  if (options.hasRevision()) return Number(options.getRevision())
  if (options.hasNoStream()) return 'no_stream'
  if (options.hasStreamExists()) return 'stream_exists'
  if (options.hasAny()) return 'any'
  throw badRequest('A write says which revision it expects.')
}

/** What came of an event, before it is known to be one. */
export type ProposedFields = Omit<ProposedEvent, 'type' | 'json'> & { type?: string; contentType?: string }

/** The event of a unary append's message. */
export function parseProposed(message: AppendReq.ProposedMessage): ProposedFields {
  const map = message.getMetadataMap()
  return {
    id: uuidText(message.getId()),
    type: map.get('type'),
    contentType: map.get('content-type'),
    metadata: message.getCustomMetadata_asU8(),
    data: message.getData_asU8(),
  }
}

/** @throws Refusal when the type or the content type is missing. Unknown content types are stored as binary. */
export function proposedEvent({ id, type, contentType, metadata, data }: ProposedFields): ProposedEvent {
  if (type === undefined || contentType === undefined)
    throw new Refusal(status.INVALID_ARGUMENT, 'An event has a type and a content-type.', {
      exception: 'missing-required-metadata-property',
      'required-metadata-properties': 'type,content-type',
    })
  return { id, type, json: contentType === 'application/json', metadata, data }
}

/** The text of a UUID in either form; '' when there is none. */
export function uuidText(uuid: UUID | undefined): string {
  const structured = uuid?.getStructured()
  if (!structured) return uuid?.getString().toLowerCase() ?? ''
  const half = (bits: string) => BigInt.asUintN(64, BigInt(bits)).toString(16).padStart(16, '0')
  const hex = half(structured.getMostSignificantBits()) + half(structured.getLeastSignificantBits())
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

export function appendAnswer({ revision, position }: Appended): AppendResp {
  const success = new AppendResp.Success()
  if (revision === NO_STREAM) success.setNoStream(new Empty())
  else success.setCurrentRevision(String(revision))
  if (position === undefined) success.setNoPosition(new Empty())
  else
    success.setPosition(
      new AppendResp.Position().setCommitPosition(String(position)).setPreparePosition(String(position)),
    )
  return new AppendResp().setSuccess(success)
}

/** A unary append tells a wrong revision in its answer, not as an error. */
export function mismatchAnswer({ expected, actual }: RevisionMismatch): AppendResp {
  const mismatch = new AppendResp.WrongExpectedVersion()
  if (actual === NO_STREAM) mismatch.setCurrentNoStream(new Empty())
  else mismatch.setCurrentRevision(String(actual))
  if (expected === 'any') mismatch.setExpectedAny(new Empty())
  else if (expected === 'no_stream') mismatch.setExpectedNoStream(new Empty())
  else if (expected === 'stream_exists') mismatch.setExpectedStreamExists(new Empty())
  else mismatch.setExpectedRevision(String(expected))
  return new AppendResp().setWrongExpectedVersion(mismatch)
}

export function deleteAnswer({ position }: Appended): DeleteResp {
  const at = String(position)
  return new DeleteResp().setPosition(new DeleteResp.Position().setCommitPosition(at).setPreparePosition(at))
}

export function tombstoneAnswer({ position }: Appended): TombstoneResp {
  const at = String(position)
  return new TombstoneResp().setPosition(new TombstoneResp.Position().setCommitPosition(at).setPreparePosition(at))
}

const identifierOf = (stream: string): StreamIdentifier => new StreamIdentifier().setStreamName(Buffer.from(stream))
const bytesOf = (answer: ReadResp): Buffer => Buffer.from(answer.serializeBinary())

export const streamNotFound = (stream: string): Buffer =>
  bytesOf(new ReadResp().setStreamNotFound(new ReadResp.StreamNotFound().setStreamIdentifier(identifierOf(stream))))
export const lastRevisionAnswer = (revision: number): Buffer =>
  bytesOf(new ReadResp().setLastStreamPosition(String(revision)))
export const confirmation = (id: string): Buffer =>
  bytesOf(new ReadResp().setConfirmation(new ReadResp.SubscriptionConfirmation().setSubscriptionId(id)))
export const caughtUp = (): Buffer => bytesOf(new ReadResp().setCaughtUp(new ReadResp.CaughtUp()))
export function checkpoint(position: number): Buffer {
  const at = String(position)
  return bytesOf(new ReadResp().setCheckpoint(new ReadResp.Checkpoint().setCommitPosition(at).setPreparePosition(at)))
}
