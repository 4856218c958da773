// One connection: frames messages, runs them one after the other, answers no faster than the client reads.
import { once } from 'node:events'
import { type Socket } from 'node:net'
import { Budget, type Share } from './budget'
import { encodeReply, isSilent, MAX_MESSAGE_BYTES, parseMessage, type Reply, type Request } from './message'
import { errorReply } from './error-reply'

/** The header, and the flags that messages of both kinds begin with. */
const MIN_MESSAGE = 20
/** A message of more bytes has to have its share of the budget; smaller ones are bounded by the number of connections. */
const LARGE = 64 * 1024
/** Room for a few messages of the largest size, questions and answers together. */
const budget = new Budget(4 * MAX_MESSAGE_BYTES)

/** Serves a socket until it closes. `run` answers a request and does not throw. */
export async function serve(socket: Socket, run: (request: Request) => Promise<Reply>): Promise<void> {
  const closed = new AbortController()
  socket.once('close', () => closed.abort())
  let replies = 0
  try {
    for await (const { message, done } of messages(socket, closed.signal)) {
      const { request, problem } = parsed(message)
      const reply = problem ?? (await run(request))
      // An answer waits for a share of its own: who keeps one and waits for another may wait for one who does the same.
      done()
      if (socket.destroyed) break
      if (!request.silent) await send(socket, encoded(reply, request, (replies = (replies + 1) | 0)), closed.signal)
      if (problem && !request.legacy && request.id === 0) break
      if (socket.destroyed) break
    }
  } catch {
    // A socket that breaks, or sends what is no message, is closed; the state of its commands is not touched.
  } finally {
    socket.destroy()
  }
}

/** @throws AbortError when the socket closes meanwhile. */
async function send(socket: Socket, bytes: Buffer, closed: AbortSignal): Promise<void> {
  if (socket.write(bytes)) return
  const share = bytes.length > LARGE ? await budget.take(bytes.length, () => socket.destroy(), closed) : undefined
  share?.waiting()
  try {
    if (socket.writableNeedDrain) await once(socket, 'drain', { signal: closed })
  } finally {
    share?.release()
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
    const [id, silent] = [message.readInt32LE(4), isSilent(message)]
    const request = { id, body: {}, sequences: new Map(), silent, legacy: false }
    return { request, problem: errorReply(error) }
  }
}

/** Whole messages out of the stream; reads on only when the last one was taken. `done` gives back what it had a share of. */
async function* messages(
  socket: Socket,
  closed: AbortSignal,
): AsyncGenerator<{ message: Buffer; done: () => void }, void> {
  let parts: Buffer[] = []
  let have = 0
  let need = 4
  let share: Share | undefined
  const done = () => {
    share?.release()
    share = undefined
  }
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      parts.push(chunk)
      have += chunk.length
      share?.waiting()
      if (have < need) continue
      let buffer = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
      parts = []
      for (;;) {
        need = buffer.length < 4 ? 4 : buffer.readInt32LE(0)
        if (buffer.length < 4) break
        if (need < MIN_MESSAGE || need > MAX_MESSAGE_BYTES) throw new Error(`message of ${need} bytes`)
        if (need > LARGE) share ??= await budget.take(need, () => socket.destroy(), closed)
        share?.waiting()
        if (buffer.length < need) break
        share?.working()
        const message = buffer.subarray(0, need)
        buffer = buffer.length > need ? buffer.subarray(need) : NOTHING
        yield { message, done }
        done()
      }
      parts = buffer.length > 0 ? [buffer] : []
      have = buffer.length
    }
  } finally {
    done()
  }
}

const NOTHING = Buffer.alloc(0)
