// The only place where bytes become events, and events bytes. Old shapes are upcast here, so that nobody else sees one.
import { UndecodableEvent } from './errors'
import { type EventMetadata } from './event'
import { type EventToAppend, type LoggedEvent } from './event-log'
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

export interface Codec {
  /** The version that events of this type are written in: 1 plus the number of its upcasters. */
  versionOf(type: string): number
  /** Throws a TypeError for data that JSON cannot hold or that is no object. */
  encode(event: EventToAppend): EncodedEvent
  /** What cannot be decoded comes as Undecodable. Unknown types pass, and so do versions newer than this code. */
  decode(event: StoredEvent): LoggedEvent
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
      // Who wrote it and when may be readable where the data is not.
      let metadata = storesOwn(stored)
      try {
        metadata = metadataOf(stored)
        const data = upcast(chains.get(stored.type) ?? [], stored, metadata)
        const schemaVersion = Math.max(metadata.schemaVersion, versionOf(stored.type))
        return { ...placeOf(stored), data, at: metadata.at, metadata: { ...metadata, schemaVersion } }
      } catch (error) {
        if (!(error instanceof UndecodableEvent)) throw error
        return { ...placeOf(stored), at: metadata.at, metadata, undecodable: error, recorded: stored.data }
      }
    },
  }
}

const placeOf = ({ type, id, stream, revision, position }: StoredEvent) => {
  const dash = stream.indexOf('-')
  const category = dash < 0 ? stream : stream.slice(0, dash)
  const key = dash < 0 ? '' : stream.slice(dash + 1)
  return { type, id, stream, category, key, revision, position }
}

const broken = ({ stream, revision, position }: StoredEvent, reason: string, cause?: unknown): UndecodableEvent =>
  new UndecodableEvent(stream, revision, position, reason, cause)

const upcast = (chain: readonly Upcaster[], stored: StoredEvent, metadata: EventMetadata): unknown => {
  let data: unknown = parsed(stored.data, cause => broken(stored, 'its data is no JSON', cause))
  if (!isObject(data)) throw broken(stored, 'its data is no JSON object')
  try {
    for (const upcaster of chain.slice(metadata.schemaVersion - 1)) data = upcaster.up(data as never, metadata)
  } catch (error) {
    throw broken(stored, `version ${metadata.schemaVersion} of ${stored.type} was not understood`, error)
  }
  return data
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

/** Another tool may have written the event: what it left out is said by the store itself. */
const storesOwn = ({ id, created }: StoredEvent): EventMetadata => ({
  $correlationId: id,
  $causationId: id,
  commandId: id,
  fingerprint: '',
  actor: '',
  at: created.toISOString(),
  schemaVersion: 1,
})
const TEXTS = ['$correlationId', '$causationId', 'commandId', 'fingerprint', 'actor', 'at'] as const

const metadataOf = (stored: StoredEvent): EventMetadata => {
  const metadata = parsed(stored.metadata ?? {}, cause => broken(stored, 'its metadata is no JSON', cause))
  if (!isObject(metadata)) throw broken(stored, 'its metadata is no JSON object')
  const known: EventMetadata = { ...storesOwn(stored), ...metadata }
  const { schemaVersion } = known
  if (!Number.isInteger(schemaVersion) || schemaVersion < 1)
    throw broken(stored, `its schema version is ${String(schemaVersion)}`)
  for (const name of TEXTS) if (typeof known[name] !== 'string') throw broken(stored, `its ${name} is no text`)
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
