// How many bytes of messages that are not complete, or not taken yet, all calls together may have the server hold: grpc-js
// collects a message of any call until it is whole, keeps it until it is asked for, and says nothing of it before.
import { constants, type Http2Stream } from 'node:http2'
import type { ServerInterceptingCall, ServerInterceptor } from '@grpc/grpc-js'

const MAX_BYTES = 128 * 1_048_576
const HEADER_BYTES = 5

export class PartialMessages {
  private bytes = 0
  /** Calls whose last message was not taken, with what they have of it; the one that was heard of longest ago comes first. */
  private readonly calls = new Map<Http2Stream, number>()

  /** Ends, when there is too much, the call that was heard of longest ago: who goes on sending is not held up by others. */
  readonly interceptor: ServerInterceptor = (_method, call) => {
    // There is no other way to the bytes: interceptors are given whole messages.
    const { stream } = call as unknown as { stream: Http2Stream }
    const message = new MessageBytes()
    stream.on('data', (chunk: Buffer) => this.note(stream, message.take(chunk)))
    // It stands still from when a message is whole until the next one is asked for.
    for (const event of ['resume', 'close']) stream.on(event, () => this.note(stream, 0))
    return call as ServerInterceptingCall
  }

  private note(stream: Http2Stream, bytes: number): void {
    const held = stream.destroyed ? 0 : bytes
    this.bytes += held - (this.calls.get(stream) ?? 0)
    this.calls.delete(stream) // so that it comes last
    if (held > 0) this.calls.set(stream, held)
    for (const [silent, held] of this.calls) {
      if (this.bytes <= MAX_BYTES) return
      this.bytes -= held
      this.calls.delete(silent)
      silent.close(constants.NGHTTP2_ENHANCE_YOUR_CALM)
    }
  }
}

/** Follows the messages of one call: a flag, four bytes of length, and so many bytes each. */
class MessageBytes {
  private readonly header = Buffer.alloc(HEADER_BYTES)
  private headerBytes = 0
  private held = 0
  private missing = 0

  /** What there is of the last message after this chunk, in bytes. */
  take(chunk: Buffer): number {
    for (let at = 0; at < chunk.length;) {
      if (this.missing === 0) {
        this.header[this.headerBytes++] = chunk[at++]!
        if (this.headerBytes < HEADER_BYTES) continue
        this.missing = this.header.readUInt32BE(1)
        this.headerBytes = 0
        this.held = 0
        continue
      }
      const taken = Math.min(this.missing, chunk.length - at)
      at += taken
      this.held += taken
      this.missing -= taken
    }
    return this.held
  }
}
