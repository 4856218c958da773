// One event as analysts get it, over HTTP and from the command line.
import { type LogEvent } from '@stet/eventsourcing'
import { type EventRecordAnswer } from '../answers'

/** Fields in the order of the line; `time` is when the command was accepted. */
export const recordOf = ({
  position,
  stream,
  revision,
  id,
  type,
  at,
  metadata,
  data,
}: LogEvent): EventRecordAnswer => ({
  position,
  stream,
  revision,
  id,
  type,
  schemaVersion: metadata.schemaVersion,
  time: at,
  actor: metadata.actor,
  metadata,
  data: data as object,
})
