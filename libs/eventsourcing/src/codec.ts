// The only place where bytes become events, and events bytes. Old shapes are upcast here, so that nobody else sees one.
import { StetError } from './errors'
import { type EventMetadata } from './event'
import { type EventToAppend, type LogEvent } from './event-log'
import { asRecorded } from './json'

/** Turns version `from` of an event's data into version `from + 1`. Pure. */
export interface Upcaster {
  readonly type: string
  /** From 1; an event type's upcasters leave no version out. */
  readonly from: number
  readonly up: (data: never, metadata: EventMetadata) => unknown
}

/** An event as the store hands it over. */
export interface StoredEvent {
  /** Without the deployment's prefix. */
  readonly stream: string
  readonly revision: number
  readonly position: string
  readonly id: string
  readonly type: string
  readonly created: Date
  /** JSON's value, or bytes or text that nobody has understood yet. */
  readonly data: unknown
  readonly metadata: unknown
}

/** What goes into the store. */
export interface EncodedEvent {
  readonly id: string
  readonly type: string
  readonly data: Record<string, unknown>
  /** UTF-8 JSON: the client passes bytes on as they are. */
  readonly metadata: Uint8Array
}

/** A recorded event that is no event: broken bytes, or an old shape that its upcaster refuses. */
export class UndecodableEvent extends StetError {
  readonly code = 'undecodable-event'
  constructor(
    readonly stream: string,
    readonly revision: number,
    readonly position: string,
    reason: string,
    cause?: unknown,
  ) {
    super(`event ${revision} of stream ${stream} (position ${position}) cannot be read: ${reason}`)
    this.cause = cause
  }
}

export interface Codec {
  /** The version that events of this type are written in: 1 plus the number of its upcasters. */
  versionOf(type: string): number
  /** Throws a TypeError for data that JSON cannot hold or that is no object. */
  encode(event: EventToAppend): EncodedEvent
  /** Throws UndecodableEvent. Unknown types pass through, and so do versions newer than this code. */
  decode(event: StoredEvent): LogEvent
}

/** Throws a RangeError when an event type's upcasters do not run from version 1 without a gap. */
export const codecOf = (upcasters: readonly Upcaster[] = []): Codec => {
  const chains = chainsOf(upcasters)
  const versionOf = (type: string) => 1 + (chains.get(type)?.length ?? 0)

  return {
    versionOf,
    encode({ id, type, data, metadata }) {
      const recorded = asRecorded(data)
      if (!isObject(recorded)) throw new TypeError(`the data of ${type} is no object`)
      const bytes = new TextEncoder().encode(JSON.stringify({ ...metadata, schemaVersion: versionOf(type) }))
      return { id, type, data: recorded, metadata: bytes }
    },
    decode(stored) {
      const broken = (reason: string, cause?: unknown) =>
        new UndecodableEvent(stored.stream, stored.revision, stored.position, reason, cause)
      let data: unknown = parsed(stored.data, cause => broken('its data is no JSON', cause))
      if (!isObject(data)) throw broken('its data is no JSON object')
      const metadata = metadataOf(stored, broken)
      const chain = chains.get(stored.type) ?? []
      try {
        for (const upcaster of chain.slice(metadata.schemaVersion - 1)) data = upcaster.up(data as never, metadata)
      } catch (error) {
        throw broken(`version ${metadata.schemaVersion} of ${stored.type} was not understood`, error)
      }
      const dash = stored.stream.indexOf('-')
      return {
        type: stored.type,
        data,
        id: stored.id,
        stream: stored.stream,
        category: dash < 0 ? stored.stream : stored.stream.slice(0, dash),
        key: dash < 0 ? '' : stored.stream.slice(dash + 1),
        revision: stored.revision,
        position: stored.position,
        at: metadata.at,
        metadata: { ...metadata, schemaVersion: Math.max(metadata.schemaVersion, versionOf(stored.type)) },
      }
    },
  }
}

const chainsOf = (upcasters: readonly Upcaster[]): ReadonlyMap<string, readonly Upcaster[]> => {
  const chains = new Map<string, Upcaster[]>()
  for (const upcaster of upcasters) chains.set(upcaster.type, [...(chains.get(upcaster.type) ?? []), upcaster])
  for (const [type, chain] of chains) {
    chain.sort((a, b) => a.from - b.from)
    if (chain.some(({ from }, index) => from !== index + 1)) {
      throw new RangeError(
        `upcasters of ${type} start at ${chain.map(({ from }) => from).join(', ')}: one each is needed`,
      )
    }
  }
  return chains
}

const metadataOf = (stored: StoredEvent, broken: (reason: string, cause?: unknown) => Error): EventMetadata => {
  const metadata = parsed(stored.metadata ?? {}, cause => broken('its metadata is no JSON', cause))
  if (!isObject(metadata)) throw broken('its metadata is no JSON object')
  // Another tool may have written the event: what it left out is said by the store itself.
  const known: EventMetadata = {
    $correlationId: stored.id,
    $causationId: stored.id,
    commandId: stored.id,
    fingerprint: '',
    actor: '',
    at: stored.created.toISOString(),
    schemaVersion: 1,
    ...metadata,
  }
  const { schemaVersion } = known
  if (!Number.isInteger(schemaVersion) || schemaVersion < 1) throw broken(`its schema version is ${schemaVersion}`)
  return known
}

/** Bytes become their JSON; everything else was JSON already. */
const parsed = (value: unknown, broken: (cause: unknown) => Error): unknown => {
  if (!(value instanceof Uint8Array)) return value
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(value)) as unknown
  } catch (error) {
    throw broken(error)
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
