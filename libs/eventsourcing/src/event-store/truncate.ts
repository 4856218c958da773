// Truncates a stream by its metadata, `$tb` in `$$stream`: what erasure begins with; a scavenge of the store ends it.
//
// The metadata is read and written as it is recorded, so that what the client does not know of is kept. The client's own
// setStreamMetadata appends the same event, but not through the one appending client that a process may have.
import { randomUUID } from 'node:crypto'
import { BACKWARDS, END, type EventStoreDBClient, type StreamingRead, type ResolvedEvent } from '@eventstore/db-client'
import { Unavailable } from '../errors'
import { type Appender } from './appender'
import { asStetError, isMissing } from './failures'
import { CAUGHT_UP, pull } from './pull'

interface Connection {
  readonly reader: EventStoreDBClient
  readonly appender: Appender
  /** Ends the reading. */
  readonly signal: AbortSignal
}

interface StreamMetadata {
  readonly metadata: Readonly<Record<string, unknown>>
  /** Of the metadata's own stream, -1 when there is none. */
  readonly revision: number
}

/** Other writers of a stream's metadata that are given way to. */
const ATTEMPTS = 5
/** Milliseconds that the metadata may take to arrive. */
const READ_TIMEOUT = 5000

/** Hides the events before `revision`; a later truncation stays. Throws Unavailable: doing it again is harmless. */
export const truncate = async (connection: Connection, stream: string, revision: number): Promise<void> => {
  const lastRevision = async () => (await metadataOf(connection, stream)).revision
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { metadata, revision: expected } = await metadataOf(connection, stream)
    const before = metadata.$tb
    if (typeof before === 'number' && before >= revision) return
    const event = { id: randomUUID(), type: '$metadata', data: { ...metadata, $tb: revision }, metadata: NONE }
    const result = await connection.appender.append(`$$${stream}`, expected, [event], lastRevision)
    if (result.ok) return
  }
  throw new Unavailable('event store', `the metadata of ${stream} changes too fast: try again later`)
}

const NONE = new Uint8Array()

const metadataOf = async ({ reader, signal }: Connection, stream: string): Promise<StreamMetadata> => {
  const options = { fromRevision: END, maxCount: 1, direction: BACKWARDS } as const
  const read: StreamingRead<ResolvedEvent> = reader.readStream(`$$${stream}`, options)
  try {
    for await (const item of pull<ResolvedEvent>(read, { idle: READ_TIMEOUT, count: 1, signal })) {
      if (item === CAUGHT_UP || !item.event) continue
      return { metadata: item.event.data as Record<string, unknown>, revision: Number(item.event.revision) }
    }
  } catch (error) {
    if (!isMissing(error)) throw asStetError(error, `reading the metadata of ${stream}`)
  }
  return { metadata: {}, revision: -1 }
}
