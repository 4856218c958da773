// The few errors of the engine and the domain. Each has a stable code; HTTP maps the classes, never the messages.

/** One place in a command's body that was not accepted: a JSON pointer and what is wrong there. */
export interface Violation {
  readonly pointer: string
  readonly detail: string
}

/** Everything that a caller can be told about without leaking anything. */
export abstract class StetError extends Error {
  /** Stable, documented, kebab-case. */
  abstract readonly code: string
  override get name(): string {
    return this.constructor.name
  }
}

/** A rule of the domain forbids it now (409); `code` names the rule. */
export class RuleBroken extends StetError {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message)
  }
}

/** There is no such thing (404). */
export class NotFound extends StetError {
  readonly code = 'not-found'
}

/** There was such a thing and readers may know that it is gone (410). */
export class Gone extends StetError {
  readonly code = 'gone'
}

/** It is found elsewhere, for good (308). `to` is relative to the address that was asked for. */
export class Moved extends StetError {
  readonly code = 'moved'
  constructor(readonly to: string) {
    super(`it has moved for good: ${to}`)
  }
}

/** The sender may not do this here, whatever the state of things (403). */
export class Forbidden extends StetError {
  readonly code = 'forbidden'
}

/** Content that is understood and not acceptable (422). */
export class Invalid extends StetError {
  readonly code = 'invalid'
  constructor(readonly errors: readonly Violation[]) {
    super(errors.map(({ pointer, detail }) => `${pointer} ${detail}`).join('; '))
  }
}

/** The caller's revision is not the current one (412). */
export class StaleRevision extends StetError {
  readonly code = 'stale-revision'
  constructor(
    readonly expected: number,
    readonly current: number,
    /** Fields that both sides changed, where a merge was tried. */
    readonly conflicts?: readonly string[],
  ) {
    super(
      `expected revision ${expected}, but the current revision is ${current}: load it again and repeat the change` +
        (conflicts ? ` (others changed ${conflicts.join(', ')} too)` : ''),
    )
  }
}

/** The same command id came with another content (422). */
export class CommandIdReused extends StetError {
  readonly code = 'idempotency-key-reused'
  constructor() {
    super('this idempotency key was used for another command: use a new key')
  }
}

/** A recorded event that is no event: broken bytes, or an old shape that its upcaster refuses. Trying again does not help. */
export class UndecodableEvent extends StetError {
  readonly code = 'undecodable-event'
  constructor(
    readonly stream: string,
    readonly revision: number,
    readonly position: string,
    reason: string,
    cause?: unknown,
  ) {
    super(`event ${revision} of stream ${stream} (position ${position}) cannot be read: ${reason}`)
    this.cause = cause
  }
}

/** Too many writers at once on one stream: the bounded retries are used up (503, retry later). */
export class Contended extends StetError {
  readonly code = 'contended'
}

/** A store cannot be reached or did not answer in time (503 with Retry-After). */
export class Unavailable extends StetError {
  readonly code = 'unavailable'
  constructor(
    readonly store: 'event store' | 'document store' | 'read model',
    message: string,
    /** Seconds. */
    readonly retryAfter = 1,
  ) {
    super(message)
  }
}
