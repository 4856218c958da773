// The two calls that append: one stream of messages per append, and one long-lived stream of many appends.
import type { AppendReq, AppendResp } from '@eventstore/db-client/generated/streams_pb'
import {
  status,
  type ServerDuplexStream,
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
} from '@grpc/grpc-js'
import { checkedTarget, writeBatchAnswer, type BatchChunk, type CorrelationId } from './batch-messages'
import { Refusal, RevisionMismatch, badRequest, toServiceError } from './errors'
import { MAX_APPEND_BYTES, type ExpectedRevision, type ProposedEvent } from './model'
import {
  appendAnswer,
  mismatchAnswer,
  parseAppendOptions,
  parseProposed,
  proposedEvent,
  type ProposedFields,
} from './protocol'
import type { Writes } from './writes'

/** One append as it arrives: what is too large or malformed is kept as the refusal, not as bytes. */
class Incoming {
  readonly events: ProposedEvent[] = []
  target?: { stream: string; expected: ExpectedRevision }
  private refusal?: { error: unknown }
  private bytes = 0

  /** Runs a step of reading it, unless it is refused already. */
  take(step: () => void): void {
    if (this.refusal) return
    try {
      step()
    } catch (error) {
      this.refuse(error)
    }
  }

  add(fields: ProposedFields): void {
    const event = proposedEvent(fields)
    this.events.push(event)
    this.bytes += event.data.length + event.metadata.length
    if (this.bytes > MAX_HELD_BYTES)
      throw badRequest(`The embedded event store takes at most ${MAX_HELD_BYTES} bytes of data and metadata at once.`)
  }

  async appendTo(writes: Writes): ReturnType<Writes['append']> {
    if (this.refusal) throw this.refusal.error
    if (!this.target) throw badRequest('An append begins with its options.')
    return writes.append(this.target.stream, this.target.expected, this.events)
  }

  private refuse(error: unknown): void {
    this.refusal = { error }
    this.events.length = 0
  }
}

/** Metadata counts against no limit of the protocol, memory does. */
const MAX_HELD_BYTES = 16 * MAX_APPEND_BYTES

export function appendCall(writes: Writes): handleClientStreamingCall<AppendReq, AppendResp> {
  return (call, reply) => {
    const incoming = new Incoming()
    call.on('data', (message: AppendReq) =>
      incoming.take(() => {
        const options = message.getOptions()
        const proposed = message.getProposedMessage()
        if (options) incoming.target = parseAppendOptions(options)
        if (proposed) incoming.add(parseProposed(proposed))
      }),
    )
    call.on('error', () => {})
    call.on('end', () => {
      incoming.appendTo(writes).then(
        appended => reply(null, appendAnswer(appended)),
        (error: unknown) => {
          if (error instanceof RevisionMismatch) reply(null, mismatchAnswer(error))
          else reply(toServiceError(error))
        },
      )
    })
  }
}

type BatchCall = ServerDuplexStream<BatchChunk, Buffer>

/** The open batch calls, so that a closing server can end them once it has answered what it took. */
export class BatchCalls {
  private readonly open = new Set<BatchCall>()
  private isClosing = false

  constructor(private readonly writes: Writes) {}

  readonly handle: handleBidiStreamingCall<BatchChunk, Buffer> = call => {
    // Chunks of one append share a correlation id; its options come with the first.
    const incomplete = new Map<string, Incoming>()
    let answering = 0
    let hasEnded = false
    this.open.add(call)

    const forget = () => {
      incomplete.clear()
      this.open.delete(call)
    }
    const endWhenAnswered = () => {
      if (answering > 0) return
      if (hasEnded) call.end()
      else if (this.isClosing) call.emit('error', toServiceError(closing()))
      else return
      forget()
    }
    const answer = async (correlationId: CorrelationId, incoming: Incoming) => {
      answering++
      const result = await incoming.appendTo(this.writes).catch((error: unknown) => ({ error }))
      if (!call.cancelled) call.write(writeBatchAnswer(correlationId, incoming.target?.stream ?? '', result))
      answering--
      endWhenAnswered()
    }

    call.on('data', ({ correlationId, target, proposed, isFinal }: BatchChunk) => {
      if (!correlationId || this.isClosing) return
      const key = correlationId.text
      const incoming = incomplete.get(key) ?? new Incoming()
      incoming.take(() => {
        if (target) incoming.target = checkedTarget(target)
        for (const fields of proposed) incoming.add(fields)
      })
      if (isFinal) {
        incomplete.delete(key)
        void answer(correlationId, incoming)
      } else if (incomplete.set(key, incoming).size > MAX_INCOMPLETE) {
        call.emit(
          'error',
          toServiceError(badRequest(`At most ${MAX_INCOMPLETE} unfinished appends may be open on one call.`)),
        )
        forget()
      }
    })
    call.on('end', () => {
      hasEnded = true
      endWhenAnswered()
    })
    call.on('closing', endWhenAnswered)
    call.on('error', forget)
    call.on('cancelled', forget)
  }

  /** Takes no further append, and ends each call with UNAVAILABLE when what it had begun is answered. */
  close(): void {
    this.isClosing = true
    for (const call of [...this.open]) call.emit('closing')
  }
}

const closing = () => new Refusal(status.UNAVAILABLE, 'The embedded event store is closing.')

/** Begun and not finished, on one call: bounds what a broken client can hold here. */
const MAX_INCOMPLETE = 64
