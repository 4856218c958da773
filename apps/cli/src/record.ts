// One event as analysts get it, wherever they ask for it.
import { type LogEvent } from '@stet/eventsourcing'

/** Fields in the order of the line; `time` is when the command was accepted. */
export const recordOf = ({ position, stream, revision, id, type, at, metadata, data }: LogEvent) => ({
  position,
  stream,
  revision,
  id,
  type,
  schemaVersion: metadata.schemaVersion,
  time: at,
  actor: metadata.actor,
  metadata,
  data,
})
