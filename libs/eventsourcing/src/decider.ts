// The shape of a consistency boundary: commands in, events out, state folded from events. Pure.
import { type EventMap, type NewEvent, type RecordedEvent } from './event'

/** A command is an instance of a decorated class: DTO, validation, OpenAPI schema and CQRS command in one. */
export type CommandClass = new () => object
export type Commands = Record<string, CommandClass>

/** What arrives with a command: a decider has no clock and no randomness of its own. */
export interface CommandMeta {
  /** Identity of the command for ever; a repeat answers as the first time did. */
  readonly commandId: string
  readonly actor: string
  /** When the command was accepted, RFC 3339 UTC. */
  readonly at: string
  readonly correlationId: string
  readonly causationId?: string
  /** The program through which the actor sent it: a token's client_id. */
  readonly client?: string
}

/** What decide sees beside command and state. */
export interface DecideContext extends CommandMeta {
  /** The stream's key, e.g. the article's id. */
  readonly key: string
  /** Revision of the stream before this command, -1 when there is none. */
  readonly revision: number
  /** The name that was reserved for this command (see Reservation), else null. */
  readonly reserved: string | null
}

/** What merge sees beside command and states: `expected` is the revision of the older state, `revision` that of now. */
export interface MergeContext extends Omit<DecideContext, 'reserved'> {
  readonly expected: number
}

/**
 * A rule over two streams: before the command's own events, one event is appended to `{category}-{name}` at no_stream.
 * A name that is reserved with equal data already counts as reserved. The first candidate that can be had is taken; when
 * none can, `taken` is thrown.
 */
export interface Reservation {
  readonly category: string
  readonly candidates: readonly string[]
  readonly event: { readonly type: string; readonly data: object }
  readonly taken: () => Error
}

/**
 * An event that begins its stream anew holds everything that remains: folding it must not look at the state before, and
 * it is the only event of its command. Once it is recorded the stream is truncated before it; a repeat of the command
 * does what a crash in between left undone. `remember`: commands of before stay known, the latest thousand of them;
 * `forget`: nothing is known of them any more, and the stream must refuse by its state what they would do again.
 */
export type BeginsAnew = 'remember' | 'forget'

/** A consistency boundary. `decide`, `reserve` and `exists` throw a StetError to refuse; returning [] changes nothing. */
export interface Decider<State, Events extends EventMap, C extends Commands> {
  /** Stream category: streams are `{category}-{key}`. */
  readonly category: string
  readonly commands: C
  readonly initial: State
  readonly decide: {
    readonly [K in keyof C]: (
      command: InstanceType<C[K]>,
      state: State,
      context: DecideContext,
    ) => readonly NewEvent<Events>[]
  }
  /**
   * Must not look at the event's position: the events of one command that are folded as soon as they are appended carry
   * the last one's, the only one that the store answers.
   */
  readonly evolve: { readonly [T in keyof Events & string]: (state: State, event: RecordedEvent<Events, T>) => State }
  /** What a command reserves first; null: nothing (any more). */
  readonly reserve?: {
    readonly [K in keyof C]?: (
      command: InstanceType<C[K]>,
      state: State,
      context: Omit<DecideContext, 'reserved'>,
    ) => Reservation | null
  }
  /** Events with which a stream begins anew (see BeginsAnew): what was before them leaves the log. */
  readonly anew?: { readonly [T in keyof Events & string]?: BeginsAnew }
  /**
   * Three-way merge: decides a command that was written on an older state, `seen`. Asked only when the sender allows it
   * (see Envelope.merge); throws StaleRevision, naming what conflicts, when both sides changed the same.
   */
  readonly merge?: {
    readonly [K in keyof C]?: (
      command: InstanceType<C[K]>,
      seen: State,
      state: State,
      context: MergeContext,
    ) => readonly NewEvent<Events>[]
  }
  /**
   * Streams that must exist before a command is decided (else NotFound): `FeatureArticle: c => 'article-' + c.articleId`.
   * `key` is that of the command's own stream.
   */
  readonly exists?: { readonly [K in keyof C]?: (command: InstanceType<C[K]>, key: string) => string }
}

/** Any decider, its types erased: what the engine runs. Each one is checked where it is defined. */
export interface AnyDecider {
  readonly category: string
  readonly commands: Commands
  readonly initial: unknown
  readonly decide: Readonly<
    Record<
      string,
      (
        command: never,
        state: never,
        context: DecideContext,
      ) => readonly { readonly type: string; readonly data: unknown }[]
    >
  >
  readonly evolve: Readonly<Record<string, (state: never, event: never) => unknown>>
  readonly reserve?: Readonly<
    Partial<
      Record<string, (command: never, state: never, context: Omit<DecideContext, 'reserved'>) => Reservation | null>
    >
  >
  readonly anew?: Readonly<Partial<Record<string, BeginsAnew>>>
  readonly merge?: Readonly<
    Partial<
      Record<
        string,
        (
          command: never,
          seen: never,
          state: never,
          context: MergeContext,
        ) => readonly { readonly type: string; readonly data: unknown }[]
      >
    >
  >
  readonly exists?: Readonly<Partial<Record<string, (command: never, key: string) => string>>>
}

/** Checks a decider's shape and infers its commands: `decider<State, Events>()({ category, commands, ... })`. */
export const decider =
  <State, Events extends EventMap>() =>
  <const C extends Commands>(definition: Decider<State, Events, C>): Decider<State, Events, C> =>
    definition

/** Where a command goes and who sends it; kept beside the command's own fields, invisible to validation and JSON. */
export interface Envelope extends CommandMeta {
  /** The stream's key. */
  readonly key: string
  /** The revision that the sender saw; absent: whatever is current. */
  readonly expected?: number
  /** What others did since `expected` is merged with, where the decider knows how; else it is a StaleRevision. */
  readonly merge?: true
  /** The command id was made for this very call, so that this cannot be a repeat; saves looking for the first one. */
  readonly fresh?: true
  /** What the sender may touch; everything when absent. */
  readonly permit?: Permit
}

/**
 * Throws Forbidden for a state of a stream that the sender may not touch. Asked before the command is decided, of the
 * state that it is decided on, and before anything is appended, of the state that it leads to. An append proves that
 * the former was the current one, so that no change in between lets anything through. The state may be the initial one.
 */
export type Permit = (state: unknown, context: { readonly category: string; readonly actor: string }) => void

const envelopes = new WeakMap<object, Envelope>()

/** Addresses a command: the CommandBus takes the result. */
export const addressed = <C extends object>(command: C, envelope: Envelope): C => {
  envelopes.set(command, envelope)
  return command
}

/** The envelope of an addressed command; throws a TypeError for a command that was never addressed. */
export const envelopeOf = (command: object): Envelope => {
  const envelope = envelopes.get(command)
  if (!envelope) throw new TypeError(`${command.constructor.name} was sent without an address`)
  return envelope
}

/** What a command answers; a repeat answers the same with `replayed`. */
export interface CommandOutcome {
  readonly id: string
  /** Revision of the stream after the command. */
  readonly revision: number
  /** Position of the stream's last event after the command. */
  readonly position: string
  readonly replayed: boolean
  /** False when the command changed nothing (nothing was recorded). */
  readonly changed: boolean
  /** It was written on an older state and merged with what others did since. */
  readonly merged?: true
}
