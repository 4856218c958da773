// The place for what is due at a time: reads it from a read model and sends commands. The only thing that time moves.
import { v5 } from 'uuid'
import { StetError, Unavailable } from './errors'
import { Backoff, pause } from './projections/pause'

/** Something that an event has scheduled. */
export interface Due<Command> {
  /** Id of the event that scheduled it. */
  readonly scheduledBy: string
  readonly command: Command
}

export interface TimetableOptions<Command> {
  /**
   * What is pending and due as of a time, the earliest first; bounded by its author. It may be stale: the decider refuses
   * what is no longer pending or not yet due.
   */
  readonly due: (asOf: Date) => Promise<readonly Due<Command>[]>
  /** Sends a command under this id: a second timetable and a restart send it under the same one. */
  readonly send: (command: Command, commandId: string) => Promise<unknown>
  /** Milliseconds between two looks; 1,000 when absent. */
  readonly every?: number
  /** Told of everything that was refused or failed. */
  readonly onError?: (error: unknown, scheduledBy: string | null) => void
}

/** The id of the command that an event has scheduled: the same from every process, for ever. */
export const scheduledCommandId = (scheduledBy: string): string => v5('timetable', scheduledBy)

/** Starts looking; `stop` finishes what is being sent. Any number of timetables may run beside each other. */
export const startTimetable = <Command>({
  due,
  send,
  every = 1_000,
  onError = () => undefined,
}: TimetableOptions<Command>): { stop(): Promise<void> } => {
  const stopping = new AbortController()
  const { signal } = stopping
  const backoff = new Backoff(every, Math.max(every, 30_000))
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      let reached: boolean
      try {
        reached = await sendAll(await due(new Date()))
      } catch (error) {
        reached = false
        onError(error, null)
      }
      if (reached) backoff.reset()
      await pause(reached ? every : backoff.milliseconds, signal)
    }
  }
  /** False when a store could not be reached: what is left is as good later. */
  const sendAll = async (items: readonly Due<Command>[]): Promise<boolean> => {
    for (const { scheduledBy, command } of items) {
      if (signal.aborted) break
      try {
        await send(command, scheduledCommandId(scheduledBy))
      } catch (error) {
        onError(error, scheduledBy)
        // A refusal concerns this one alone; anything unexpected is not repeated at full speed either.
        if (error instanceof Unavailable || !(error instanceof StetError)) return false
      }
    }
    return true
  }
  const running = run()
  return {
    async stop() {
      stopping.abort()
      await running
    },
  }
}
