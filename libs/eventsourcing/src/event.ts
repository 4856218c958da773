// What an event is, before and after it is recorded. Everything else in the engine is typed by these shapes.

/** Event types and the shape of their data: `{ ArticleDrafted: { headline: string } }`. */
export type EventMap = object

/** An event that a decider decided: not yet recorded. */
export type NewEvent<Events extends EventMap> = {
  [Type in keyof Events & string]: { readonly type: Type; readonly data: Events[Type] }
}[keyof Events & string]

/** Actor, command id, fingerprint, the revision and position of the command's last event, and whether it was merged. */
export type AppliedBefore = readonly [string, string, string, number, string, boolean?]

/** Metadata of a recorded event; the keys with `$` are reserved by the event store. */
export interface EventMetadata {
  readonly $correlationId: string
  readonly $causationId: string
  readonly commandId: string
  /** Hash of command name, target and canonical body: the same command id with another one is refused. */
  readonly fingerprint: string
  /** Opaque subject id of who did it. */
  readonly actor: string
  /** When the command was accepted, RFC 3339 UTC. */
  readonly at: string
  /** The program through which the actor sent the command: a token's client_id. */
  readonly client?: string
  /** Revision of the command's stream that the actor had seen, where that was said. */
  readonly expected?: number
  /** Of an event that begins its stream anew: the commands of before that are remembered, as the stream knew them. */
  readonly applied?: readonly AppliedBefore[]
  /** Version of the event's shape, from 1. */
  readonly schemaVersion: number
}

/** An event as the log holds it, upcast to the newest shape. */
export type RecordedEvent<Events extends EventMap, Type extends keyof Events & string = keyof Events & string> = {
  [T in Type]: {
    readonly type: T
    readonly data: Events[T]
    /** Unique for ever: uuidv5(stream, actor, command id and fingerprint, index). */
    readonly id: string
    /** Stream name without the deployment's prefix: `article-1f0c...`. */
    readonly stream: string
    /** What stands before the first `-`: `article`. */
    readonly category: string
    /** What stands after the first `-`: the id. */
    readonly key: string
    /** Number in the stream, from 0. */
    readonly revision: number
    /** Commit position in the whole log as a decimal string; compare with comparePositions only. */
    readonly position: string
    /** Same as `metadata.at`. */
    readonly at: string
    readonly metadata: EventMetadata
  }
}[Type]

/** Order of two positions: negative, 0 or positive. A missing position (nothing processed yet) is before all others. */
export const comparePositions = (a: string | null, b: string | null): number => {
  if (a === b) return 0
  if (a === null) return -1
  if (b === null) return 1
  // Decimal strings without leading zeros: the longer one is the larger one.
  return a.length - b.length || (a < b ? -1 : 1)
}

/** Name of a stream from its category and key. */
export const streamOf = (category: string, key: string): string => `${category}-${key}`
