// For specs of the domain: given events, when a command, then events or an error; and always the same command once more.
import { expect } from '@jest/globals'
import {
  type AnyDecider,
  type CommandMeta,
  type DecideContext,
  type NewEvent,
  type RecordedEvent,
  type Reservation,
} from '@stet/eventsourcing'
import { type NewsroomEvents } from '../newsroom'

export type Event = NewEvent<NewsroomEvents>
export type Recorded = RecordedEvent<NewsroomEvents>

export const AT = '2026-03-01T12:00:00.000Z'

/** Events as the log would hold them, all of one stream. */
export const recorded = (
  stream: string,
  events: readonly Event[],
  { from = 0, at = AT, commandId = 'given', position = 100, actor = 'editor-1' } = {},
): Recorded[] =>
  events.map((event, index) => {
    const [category = '', ...key] = stream.split('-')
    const meta = { $correlationId: 'c', $causationId: 'c', commandId, fingerprint: 'f', actor, at }
    return {
      // As it comes back from the log: nothing of a decider's objects survives but JSON.
      ...(JSON.parse(JSON.stringify(event)) as object),
      id: `${stream}@${from + index}`,
      stream,
      category,
      key: key.join('-'),
      revision: from + index,
      position: String(position + index),
      at,
      metadata: { ...meta, schemaVersion: 1 },
    } as Recorded
  })

interface Then {
  /** What was recorded; the same command again records nothing. */
  then(...events: Event[]): void
  thenNothing(): void
  /** What was recorded, for a closer look; the same command again was seen to record nothing. */
  events(): readonly Event[]
  thenThrows(code: string, message?: RegExp): void
  reservation(): Reservation | null
}

/** `given(article, key, events).when(new PublishArticle())`. A reservation gets its first candidate unless `taken` holds it. */
export const given = (decider: AnyDecider, key: string, events: readonly (Event | Recorded)[]) => {
  const stream = `${decider.category}-${key}`
  const history = events.flatMap((event, from) => ('metadata' in event ? event : recorded(stream, [event], { from })))
  return {
    state: () => fold(decider, history),
    when<C extends object>(command: C, meta: Partial<CommandMeta> & { taken?: readonly string[] } = {}): Then {
      const run = (past: readonly Recorded[], commandId: string) =>
        send(decider, key, past, command, { ...meta, commandId })
      const decideAndRepeat = () => {
        const decided = run(history, meta.commandId ?? 'first').decide()
        const options = { from: history.length, commandId: meta.commandId ?? 'first', at: meta.at ?? AT }
        expect(run([...history, ...recorded(stream, decided, options)], 'second').decide()).toEqual([])
        return decided
      }
      return {
        then: (...expected) => expect(decideAndRepeat()).toEqual(expected),
        thenNothing: () => expect(decideAndRepeat()).toEqual([]),
        events: decideAndRepeat,
        thenThrows: (code, message = /./) => {
          const refusal = thrownBy(() => run(history, 'first').decide())
          expect(refusal).toMatchObject({ code })
          expect(String(refusal)).toMatch(message)
        },
        reservation: () => run(history, 'first').reserve(),
      }
    },
  }
}

/** Decides one command on a history; reservations take the first candidate that is not taken. */
export const send = (
  decider: AnyDecider,
  key: string,
  history: readonly Recorded[],
  command: object,
  { taken = [], ...meta }: Partial<CommandMeta> & { taken?: readonly string[] },
) => {
  const name = command.constructor.name
  const state = fold(decider, history) as never
  const context: Omit<DecideContext, 'reserved'> = {
    commandId: 'first',
    actor: 'editor-1',
    at: AT,
    correlationId: 'c',
    ...meta,
    key,
    revision: history.length - 1,
  }
  const reserve = () => decider.reserve?.[name]?.(command as never, state, context) ?? null
  return {
    reserve,
    decide: (): readonly Event[] => {
      const reservation = reserve()
      const reserved = reservation?.candidates.find(candidate => !taken.includes(candidate)) ?? null
      if (reservation && reserved === null) throw reservation.taken()
      return (decider.decide[name]?.(command as never, state, { ...context, reserved }) ?? []) as readonly Event[]
    },
  }
}

const fold = (decider: AnyDecider, history: readonly Recorded[]): unknown =>
  history.reduce<unknown>(
    (state, event) => decider.evolve[event.type]?.(state as never, event as never) ?? state,
    decider.initial,
  )

const thrownBy = (run: () => unknown): unknown => {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}
