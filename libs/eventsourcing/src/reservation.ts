// A rule over two streams: a name is reserved in a stream of its own before the command's own events are appended.
import { type Reservation } from './decider'
import { streamOf } from './event'
import { decoded, type EventLog, type EventToAppend } from './event-log'
import { Contended } from './errors'
import { canonicalJson } from './json'
import { type Patience } from './patience'

/** Appends to one name's stream that may be lost to others before it is called contended. */
const ATTEMPTS = 5

/**
 * Reserves the first candidate that can be had and returns it; throws what `taken` makes when none can.
 *
 * The last event of a name's stream says whose it is: one like the reservation's holds the name, for its own data only;
 * any other type has released it. A repeat (also after a crash between the two steps) finds its own event and goes on.
 */
export const reserve = async (
  log: EventLog,
  reservation: Reservation,
  eventFor: (stream: string) => EventToAppend,
  patience: Patience,
): Promise<string> => {
  for (const name of reservation.candidates) {
    const stream = streamOf(reservation.category, name)
    if (await holds(log, stream, reservation, eventFor(stream), patience)) return name
  }
  throw reservation.taken()
}

const holds = async (
  log: EventLog,
  stream: string,
  { event }: Reservation,
  toAppend: EventToAppend,
  patience: Patience,
): Promise<boolean> => {
  // Most names are new: the append itself asks whether this one is.
  let expected = -1
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const result = await patience.insist(() => log.append(stream, expected, [toAppend]))
    if (result.ok) return true
    // Whose the name is cannot be guessed.
    const found = await patience.insist(() => log.lastOf(stream))
    const last = found && decoded(found)
    if (last?.type === event.type) return canonicalJson(last.data) === canonicalJson(event.data)
    expected = last?.revision ?? -1
  }
  throw new Contended(`${stream} changes too fast: try again later`)
}
