// The log's first event says whose log it is.
import { v5 } from 'uuid'
import { RuleBroken, Contended } from './errors'
import { decoded, type EventLog, type EventToAppend } from './event-log'

export interface Founding {
  /** The stream of the first event, e.g. `newsroom-log`. */
  readonly stream: string
  /** The first event's type; its data is `{ id }`. */
  readonly type: string
  /** A new UUID, asked for only when the log is empty. */
  readonly newId: () => string
  /** RFC 3339 UTC; now when absent. */
  readonly at?: string
}

const ATTEMPTS = 5

/**
 * Reads whose log it is, or founds it when it is empty; of several processes that found at once one wins and all get its
 * id. Throws RuleBroken when the log holds events and none of them is the founding, and Unavailable.
 */
export const found = async (log: EventLog, founding: Founding): Promise<{ id: string }> => {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const known = await founded(log, founding)
    if (known !== null) return { id: known }
    for await (const first of log.readAll({ limit: 1 })) {
      // Another process may have founded and gone on to write in the meantime.
      if (first.stream === founding.stream) break
      throw new RuleBroken(
        'foreign-log',
        `the event log begins with ${first.type} in ${first.stream}, not with ${founding.type}: it belongs to something ` +
          'else; give another STREAM_PREFIX or another event store',
      )
    }
    const id = founding.newId()
    const result = await log.append(founding.stream, -1, [foundingEvent(founding, id)])
    if (result.ok) return { id }
  }
  throw new Contended(`${founding.stream} could not be founded: try again later`)
}

const founded = async (log: EventLog, { stream, type }: Founding): Promise<string | null> => {
  for await (const first of log.readStream(stream, { limit: 1 })) {
    const event = decoded(first)
    const id = (event.data as { id?: unknown } | null)?.id
    if (event.type !== type || typeof id !== 'string') {
      throw new RuleBroken('foreign-log', `${stream} begins with ${event.type}, not with ${type} and an id`)
    }
    return id
  }
  return null
}

const foundingEvent = ({ stream, type, at }: Founding, id: string): EventToAppend => ({
  id: v5(stream, id),
  type,
  data: { id },
  metadata: {
    $correlationId: id,
    $causationId: id,
    commandId: id,
    fingerprint: '',
    actor: 'system',
    at: at ?? new Date().toISOString(),
  },
})
