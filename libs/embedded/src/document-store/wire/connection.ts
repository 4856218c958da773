// One connection: frames messages, runs them one after the other, answers no faster than the client reads.
import { once } from 'node:events'
import { type Socket } from 'node:net'
import { encodeReply, MAX_MESSAGE_BYTES, parseMessage, type Reply, type Request } from './message'
import { errorReply } from './error-reply'

const MIN_MESSAGE = 16

/** Serves a socket until it closes. `run` answers a request and does not throw. */
export async function serve(socket: Socket, run: (request: Request) => Promise<Reply>): Promise<void> {
  let replies = 0
  try {
    for await (const message of messages(socket)) {
      const { request, problem } = parsed(message)
      const reply = problem ?? (await run(request))
      // Gone while its command ran: 'close' has been and would be waited for in vain.
      if (socket.destroyed) break
      if (!request.silent) {
        const bytes = encoded(reply, request, ++replies)
        if (!socket.write(bytes)) await Promise.race([once(socket, 'drain'), once(socket, 'close')])
      }
      if (problem && !request.legacy && request.id === 0) break
      if (socket.destroyed) break
    }
  } catch {
    // A socket that breaks, or sends what is no message, is closed; the state of its commands is not touched.
  } finally {
    socket.destroy()
  }
}

function encoded(reply: Reply, request: Request, id: number): Buffer {
  try {
    return encodeReply(reply, request, id)
  } catch (error) {
    return encodeReply(errorReply(error), request, id)
  }
}

/** A message that cannot be parsed is answered with the reason, for its id at least can be read. */
function parsed(message: Buffer): { request: Request; problem?: Reply } {
  try {
    return { request: parseMessage(message) }
  } catch (error) {
    const request = { id: message.readInt32LE(4), body: {}, sequences: new Map(), silent: false, legacy: false }
    return { request, problem: errorReply(error) }
  }
}

/** Whole messages out of the stream; reads on only when the last one was taken. */
async function* messages(socket: Socket): AsyncGenerator<Buffer> {
  let parts: Buffer[] = []
  let have = 0
  let need = 4
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    parts.push(chunk)
    have += chunk.length
    if (have < need) continue
    let buffer = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
    for (;;) {
      need = buffer.length < 4 ? 4 : buffer.readInt32LE(0)
      if (buffer.length < 4) break
      if (need < MIN_MESSAGE || need > MAX_MESSAGE_BYTES) throw new Error(`message of ${need} bytes`)
      if (buffer.length < need) break
      yield buffer.subarray(0, need)
      buffer = buffer.subarray(need)
    }
    parts = buffer.length > 0 ? [buffer] : []
    have = buffer.length
  }
}
