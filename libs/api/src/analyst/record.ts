// One event as analysts get it, over HTTP and from the command line.
import { isUndecodable, type LoggedEvent, type Undecodable } from '@stet/eventsourcing'
import { type EventRecordAnswer } from '../answers'

/**
 * Fields in the order of the line; `time` is when the command was accepted. An event that cannot be decoded has its place
 * in the history too: it says so, and carries what was recorded.
 */
export const recordOf = (event: LoggedEvent): EventRecordAnswer => {
  const { position, stream, revision, id, type, at, metadata } = event
  const { schemaVersion, actor } = metadata
  const place = { position, stream, revision, id, type, schemaVersion, time: at, actor, metadata }
  return isUndecodable(event) ? { ...place, ...recorded(event) } : { ...place, data: event.data }
}

const recorded = ({ recorded, undecodable }: Undecodable): Pick<EventRecordAnswer, 'data' | 'undecodable'> => {
  const reason = undecodable.message
  if (recorded instanceof Uint8Array || typeof recorded === 'string')
    return { data: null, undecodable: { reason, base64: Buffer.from(recorded as string).toString('base64') } }
  return { data: recorded, undecodable: { reason } }
}
