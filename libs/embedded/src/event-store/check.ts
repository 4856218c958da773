// Reads a whole log as the store does: what is damaged is found here and not by a reader.
import { openEnvironment } from '../storage'
import { EventLog, FORMAT } from './log'

export type CheckedLog = {
  events: number
  /** Of the last event; 0 in an empty log. */
  position: number
}

const PAGE = 1_000

/**
 * Reads every event of the log in `directory`, which nobody else has open; `pause` is awaited after each page.
 * @throws StorageDamaged for the first event that is not what was written, WrongFormat as the store does.
 */
export async function checkEventLog(directory: string, pause: () => Promise<void>): Promise<CheckedLog> {
  const environment = openEnvironment(directory, FORMAT)
  try {
    const log = new EventLog(environment)
    let events = 0
    for (let at = 0; ;) {
      const { records, reached } = log.readAll(at, 'forwards', PAGE)
      if (reached === undefined) return { events, position: log.lastPosition() }
      events += records.length
      at = reached
      await pause()
    }
  } finally {
    await environment.close()
  }
}
