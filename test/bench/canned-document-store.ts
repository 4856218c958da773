// A server that gives every command of the driver an answer made beforehand, as far as it can be less than a store: SOCKET.
import { createServer, type Socket } from 'node:net'
import { type Document, Double, Int32, Long, serialize } from 'bson'
import { item, PAGE_SIZE } from './document-store-items'

const HEADER = 16
const OP_MSG = 2013
const ok = { ok: new Double(1) }
const cursor = (documents: Document[]) => ({ cursor: { firstBatch: documents, id: Long.ZERO, ns: 'bench.x' }, ...ok })

const hello = {
  isWritablePrimary: true,
  ismaster: true,
  helloOk: true,
  setName: 'canned',
  hosts: ['canned:0'],
  me: 'canned:0',
  primary: 'canned:0',
  maxBsonObjectSize: 16_777_216,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  logicalSessionTimeoutMinutes: 30,
  minWireVersion: 0,
  maxWireVersion: 21,
  readOnly: false,
  ...ok,
}
const one = Buffer.from(serialize(cursor([item(1)])))
const page = Buffer.from(serialize(cursor(Array.from({ length: PAGE_SIZE }, (_, n) => item(n)))))
const written = Buffer.from(serialize({ n: new Int32(500), nModified: new Int32(500), ...ok }))
const fine = Buffer.from(serialize(ok))
const greeting = Buffer.from(serialize(hello))

function answerTo(message: Buffer): Buffer {
  if (message.readInt32LE(12) !== OP_MSG) return greeting
  // The first field of the body names the command; of finds, those with a sort are for a page.
  const name = message.toString('latin1', 26, message.indexOf(0, 26))
  if (name === 'hello' || name === 'ismaster') return greeting
  if (name === 'find') return message.includes('\x03sort\0', 26, 'latin1') ? page : one
  return name === 'update' ? written : fine
}

function reply(message: Buffer): Buffer {
  const document = answerTo(message)
  const legacy = message.readInt32LE(12) !== OP_MSG
  const fixed = legacy ? 20 : 5
  const bytes = Buffer.alloc(HEADER + fixed + document.length)
  bytes.writeInt32LE(bytes.length, 0)
  bytes.writeInt32LE(message.readInt32LE(4), 8)
  bytes.writeInt32LE(legacy ? 1 : OP_MSG, 12)
  if (legacy) bytes.writeInt32LE(1, HEADER + 16)
  document.copy(bytes, HEADER + fixed)
  return bytes
}

function serve(socket: Socket): void {
  let waiting: Buffer[] = []
  let have = 0
  socket.on('error', () => undefined)
  socket.on('data', chunk => {
    waiting.push(chunk)
    have += chunk.length
    const first = waiting[0]!
    if (first.length >= 4 && have < first.readInt32LE(0)) return
    let buffer = waiting.length === 1 ? first : Buffer.concat(waiting)
    while (buffer.length >= 4 && buffer.length >= buffer.readInt32LE(0)) {
      const length = buffer.readInt32LE(0)
      socket.write(reply(buffer.subarray(0, length)))
      buffer = buffer.subarray(length)
    }
    waiting = buffer.length > 0 ? [buffer] : []
    have = buffer.length
  })
}

createServer(serve).listen(process.argv[2], () => console.log('listening'))
