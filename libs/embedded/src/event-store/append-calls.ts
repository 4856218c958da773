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
import { Incoming, type Unfinished } from './incoming'
import { MAX_APPEND_BYTES, MAX_STREAM_NAME_BYTES, UUID } from './model'
import { appendAnswer, mismatchAnswer, parseAppendOptions, parseProposed } from './protocol'
import type { Writes } from './writes'

export function appendCall(writes: Writes, unfinished: Unfinished): handleClientStreamingCall<AppendReq, AppendResp> {
  return (call, reply) => {
    const incoming = new Incoming(unfinished)
    call.on('data', (message: AppendReq) =>
      incoming.take(() => {
        const options = message.getOptions()
        const proposed = message.getProposedMessage()
        if (options) incoming.aimAt(parseAppendOptions(options))
        if (proposed) incoming.add(parseProposed(proposed))
      }),
    )
    call.on('error', () => incoming.release())
    call.on('cancelled', () => incoming.release())
    const finish = () => {
      if (call.cancelled) return
      incoming.appendTo(writes).then(
        appended => reply(null, appendAnswer(appended)),
        (error: unknown) => {
          if (error instanceof RevisionMismatch) reply(null, mismatchAnswer(error))
          else reply(toServiceError(error))
        },
      )
    }
    // What breaks off ends, too, with the events that had come so far; that it was cancelled is told right after.
    call.on('end', () => setImmediate(finish))
  }
}

/** Bytes that wait for a commit, of all calls: with more, nothing more is read until some are answered. */
const MAX_WAITING_BYTES = 64 * MAX_APPEND_BYTES

/** Begun and not finished, on one call; their bytes are bounded for all calls together. */
const MAX_INCOMPLETE = 4_096

/** The open batch calls, so that a closing server can end them once it has answered what it took. */
export class BatchCalls {
  private readonly open = new Set<BatchCall>()
  private waitingBytes = 0
  isClosing = false

  constructor(
    readonly writes: Writes,
    readonly unfinished: Unfinished,
  ) {}

  readonly handle: handleBidiStreamingCall<BatchChunk, Buffer> = stream => {
    this.open.add(new BatchCall(stream, this))
  }

  get isFull(): boolean {
    return this.waitingBytes > MAX_WAITING_BYTES
  }

  waits(bytes: number): void {
    this.waitingBytes += bytes
  }

  answered(bytes: number): void {
    const wasFull = this.isFull
    this.waitingBytes -= bytes
    if (wasFull && !this.isFull) for (const call of this.open) call.readOn()
  }

  ended(call: BatchCall): void {
    this.open.delete(call)
  }

  /** Takes no further append, and ends each call with UNAVAILABLE when what it had begun is answered. */
  close(): void {
    this.isClosing = true
    for (const call of [...this.open]) call.endWhenAnswered()
  }
}

/** One client's stream of appends: read no faster than it is committed and than its answers are taken. */
class BatchCall {
  // Chunks of one append share a correlation id; its options come with the first.
  private readonly incomplete = new Map<string, Incoming>()
  private answering = 0
  private hasEnded = false
  private isBlocked = false
  private isAskedToRead = false
  private readonly read: () => void

  constructor(
    private readonly call: ServerDuplexStream<BatchChunk, Buffer>,
    private readonly calls: BatchCalls,
  ) {
    // Each read asks for one message. A stream that is paused goes on asking, and would keep 16 whole ones.
    this.read = call._read.bind(call, 1)
    call._read = () => {
      this.isAskedToRead = true
      this.readOn()
    }
    const forget = () => this.forget()
    call.on('data', (chunk: BatchChunk) => this.take(chunk))
    call.on('drain', () => {
      this.isBlocked = false
      this.readOn()
    })
    call.on('end', () => {
      this.hasEnded = true
      this.endWhenAnswered()
    })
    call.on('error', forget)
    call.on('cancelled', forget)
  }

  readOn(): void {
    if (!this.isAskedToRead || this.isBlocked || this.calls.isFull) return
    this.isAskedToRead = false
    this.read()
  }

  endWhenAnswered(): void {
    if (this.answering > 0) return
    if (this.hasEnded) this.call.end()
    else if (this.calls.isClosing) this.call.emit('error', toServiceError(closing()))
    else return
    this.forget()
  }

  private take({ correlationId, target, proposed, isFinal }: BatchChunk): void {
    if (this.calls.isClosing) return
    const key = correlationId.text
    // As on the real server, what has none is refused message by message: nothing of it could be put together.
    const hasId = UUID.test(key)
    const incoming = this.incomplete.get(key) ?? new Incoming(this.calls.unfinished)
    incoming.take(() => {
      if (target) incoming.aimAt(checkedTarget(target))
      if (!hasId) throw badRequest('The messages of an append have a UUID in common, its correlation id.')
      for (const fields of proposed) incoming.add(fields)
    })
    if (isFinal || !hasId) {
      this.incomplete.delete(key)
      void this.answer(correlationId, incoming)
    } else if (this.incomplete.set(key, incoming).size > MAX_INCOMPLETE) {
      const message = `At most ${MAX_INCOMPLETE} unfinished appends may be open on one call.`
      this.call.emit('error', toServiceError(badRequest(message)))
    }
  }

  private async answer(correlationId: CorrelationId, incoming: Incoming): Promise<void> {
    const { bytes } = incoming
    // What is too long for a name is not sent back in all its length.
    const stream = incoming.stream.slice(0, MAX_STREAM_NAME_BYTES)
    this.answering++
    this.calls.waits(bytes)
    const result = await incoming.appendTo(this.calls.writes).catch((error: unknown) => ({ error }))
    this.calls.answered(bytes)
    if (!this.call.cancelled && !this.call.write(writeBatchAnswer(correlationId, stream, result))) this.isBlocked = true
    this.answering--
    this.endWhenAnswered()
  }

  private forget(): void {
    for (const incoming of this.incomplete.values()) incoming.release()
    this.incomplete.clear()
    this.calls.ended(this)
  }
}

const closing = () => new Refusal(status.UNAVAILABLE, 'The embedded event store is closing.')
