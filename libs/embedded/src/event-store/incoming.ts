// Appends as they arrive, and how many bytes of them may be held at once.
import { status } from '@grpc/grpc-js'
import { Refusal, badRequest, timedOut } from './errors'
import { MAX_APPEND_BYTES, type ExpectedRevision, type ProposedEvent } from './model'
import { proposedEvent, type ProposedFields } from './protocol'
import type { Writes } from './writes'

/** Of one append, metadata included: that counts against no limit of the protocol, but it takes memory. */
const MAX_BYTES = 16 * MAX_APPEND_BYTES
/** Of all appends that were begun and not finished, whoever sent them. */
const MAX_UNFINISHED_BYTES = 64 * MAX_APPEND_BYTES
/** What an append, or an event of it, takes besides its bytes. */
const EVENT_BYTES = 64
/** Of one append. */
export const MAX_EVENTS = MAX_BYTES / EVENT_BYTES

export type AppendTarget = {
  stream: string
  expected: ExpectedRevision
  /** When the client stops waiting, in milliseconds since 1970. */
  deadline?: number
}

/** The bytes of all unfinished appends of a server. */
export class Unfinished {
  bytes = 0
}

/** One append as it arrives: what is too large or malformed is kept as the refusal, not as bytes. */
export class Incoming {
  private events: ProposedEvent[] = []
  private target?: AppendTarget
  private refusal?: { error: unknown }
  private held = 0

  constructor(private readonly unfinished: Unfinished) {}

  /** The stream it is for; '' when that did not arrive. */
  get stream(): string {
    return this.target?.stream ?? ''
  }

  get bytes(): number {
    return this.held
  }

  /** Runs a step of reading it, unless it is refused already. */
  take(step: () => void): void {
    if (this.refusal) return
    try {
      step()
    } catch (error) {
      this.refusal = { error }
      this.release()
    }
  }

  aimAt(target: AppendTarget): void {
    this.target = target
    this.hold(EVENT_BYTES + target.stream.length)
  }

  add(fields: ProposedFields): void {
    const event = proposedEvent(fields)
    this.events.push(event)
    this.hold(event.data.length + event.metadata.length + event.type.length + EVENT_BYTES)
  }

  private hold(bytes: number): void {
    this.held += bytes
    this.unfinished.bytes += bytes
    if (this.held > MAX_BYTES)
      throw badRequest(`The embedded event store takes at most ${MAX_BYTES} bytes of data and metadata at once.`)
    if (this.unfinished.bytes > MAX_UNFINISHED_BYTES)
      throw new Refusal(status.RESOURCE_EXHAUSTED, 'Too many unfinished appends are held already. Try again.')
  }

  /** Nothing more comes; it no longer counts as unfinished. @throws Refusal when its deadline has passed, too. */
  async appendTo(writes: Writes): ReturnType<Writes['append']> {
    const { events } = this
    this.release()
    if (this.refusal) throw this.refusal.error
    if (!this.target) throw badRequest('An append begins with its options.')
    const { stream, expected, deadline = Infinity } = this.target
    if (deadline <= Date.now()) throw timedOut()
    return writes.append(stream, expected, events)
  }

  /** Forgets its events: they were handed on, it is refused, or whoever sent it went away. */
  release(): void {
    this.unfinished.bytes -= this.held
    this.held = 0
    this.events = []
  }
}
