// Messages of the MongoDB wire protocol: OP_MSG, and OP_QUERY for the first hello of a connection.
import { ARRAY, documentOf, eachElement, int32, OBJECT, partsOf } from '../bson/raw'
import { decode, type Document, encodeAnswer, MAX_BSON_BYTES, MAX_DOCUMENT_BYTES } from '../bson/value'
import { CommandError } from '../errors'

export const MAX_MESSAGE_BYTES = 48_000_000
/** Statements of one command. */
export const MAX_BATCH = 100_000
/** Fields of a command; none has half as many. */
const MAX_FIELDS = 100
const HEADER = 16
const OP_REPLY = 1
const OP_QUERY = 2004
const OP_MSG = 2013
const CHECKSUM_PRESENT = 1
const MORE_TO_COME = 2
const REQUIRED_BITS = 0xffff

export interface Request {
  id: number
  /** The command, without the arrays of documents below. */
  body: Document
  /** Arrays of documents by field, as bytes: the documents, updates or deletes of a write. */
  sequences: Map<string, Buffer[]>
  /** The sender wants no answer. */
  silent: boolean
  legacy: boolean
}

export interface Reply {
  /** Also as the bytes that it has. */
  document: Document | Buffer
  /** Documents that are answered as the bytes they are stored as. */
  cursor?: { batch: 'firstBatch' | 'nextBatch'; documents: Buffer[]; id: bigint; namespace: string }
}

/** Written as arrays in a command they are kept as bytes, as when they come in a section of their own. */
export const bulkFields: ReadonlySet<string> = new Set(['documents', 'updates', 'deletes'])

/** @throws CommandError when the message is no such message: the connection cannot go on. */
export function parseMessage(message: Buffer): Request {
  const id = message.readInt32LE(4)
  const opcode = message.readInt32LE(12)
  if (opcode === OP_MSG) return parseSections(message, id)
  if (opcode === OP_QUERY) {
    const end = message.indexOf(0, HEADER + 4)
    if (end < 0 || end + 9 > message.length) throw malformed('OP_QUERY without a collection')
    const query = documentAt(message, end + 9)
    return { id, body: decode(query), sequences: new Map(), silent: false, legacy: true }
  }
  throw new CommandError('CommandNotSupported', `Unsupported OP_ code ${opcode}`)
}

/** Whether no answer is wanted, which can be read of a message that is otherwise none. */
export function isSilent(message: Buffer): boolean {
  if (message.length < HEADER + 4 || message.readInt32LE(12) !== OP_MSG) return false
  return (message.readUInt32LE(HEADER) & MORE_TO_COME) !== 0
}

export function encodeReply(reply: Reply, request: Pick<Request, 'id' | 'legacy'>, id: number): Buffer {
  const body = withCursor(bytesOf(reply.document), reply.cursor)
  const head = Buffer.allocUnsafe(HEADER + (request.legacy ? 20 : 5)).fill(0)
  head.writeInt32LE(id, 4)
  head.writeInt32LE(request.id, 8)
  head.writeInt32LE(request.legacy ? OP_REPLY : OP_MSG, 12)
  if (request.legacy) {
    head.writeInt32LE(8, HEADER) // AwaitCapable
    head.writeInt32LE(1, HEADER + 16)
  }
  const message = Buffer.concat([head, ...body])
  message.writeInt32LE(message.length)
  return message
}

/** The documents of a BSON array, as bytes; as below no more of them than it takes to refuse them. */
function arrayItems(array: Buffer, fieldName: string): Buffer[] {
  const items: Buffer[] = []
  let isOfDocuments = true
  const isWhole = eachElement(array, 0, (start, nameEnd, end) => {
    if (array[start] !== OBJECT) isOfDocuments = false
    else if (items.length <= MAX_BATCH) items.push(array.subarray(nameEnd + 1, end))
  })
  if (!isWhole || !isOfDocuments)
    throw new CommandError('TypeMismatch', `BSON field '${fieldName}.0' is the wrong type, expected type 'object'`)
  return items
}

function parseSections(message: Buffer, id: number): Request {
  const flags = message.readUInt32LE(HEADER)
  if (flags & REQUIRED_BITS & ~(CHECKSUM_PRESENT | MORE_TO_COME))
    throw new CommandError('IllegalOperation', `Message contains illegal flags value: Ob${flags.toString(2)}`)
  const end = message.length - (flags & CHECKSUM_PRESENT ? 4 : 0)
  const sequences = new Map<string, Buffer[]>()
  let body: Document | undefined
  let at = HEADER + 4
  while (at < end) {
    const kind = message[at++]
    if (kind === 0) {
      const bytes = documentAt(message, at, end)
      if (body) throw malformed('multiple bodies')
      body = commandOf(bytes, sequences)
      at += bytes.length
    } else if (kind === 1) {
      at = parseSequence(message, at, end, sequences)
    } else throw malformed(`unknown section kind ${kind}`)
  }
  if (!body) throw malformed('no body')
  return { id, body, sequences, silent: isSilent(message), legacy: false }
}

function parseSequence(message: Buffer, start: number, end: number, sequences: Map<string, Buffer[]>): number {
  if (start + 4 > end) throw malformed('a section that ends early')
  const sectionEnd = start + message.readInt32LE(start)
  const nameEnd = message.indexOf(0, start + 4)
  if (sectionEnd > end || nameEnd < 0 || nameEnd >= sectionEnd) throw malformed('a section with a wrong length')
  const name = message.toString('utf8', start + 4, nameEnd)
  if (sequences.has(name)) throw malformed(`duplicate document sequence: ${name}`)
  if (sequences.size === bulkFields.size) throw malformed('too many document sequences')
  const documents: Buffer[] = []
  let at = nameEnd + 1
  // One more than any command takes is enough to refuse it; there could be ten million.
  while (at < sectionEnd && documents.length <= MAX_BATCH) {
    const document = documentAt(message, at, sectionEnd)
    documents.push(document)
    at += document.length
  }
  sequences.set(name, documents)
  return sectionEnd
}

function commandOf(bytes: Buffer, sequences: Map<string, Buffer[]>): Document {
  const rest: Buffer[] = []
  const before = sequences.size
  const isWhole = eachElement(bytes, 0, (start, nameEnd, end) => {
    const name = bytes[start] === ARRAY ? bytes.toString('utf8', start + 1, nameEnd) : ''
    if (rest.length === MAX_FIELDS) throw malformed(`more than ${MAX_FIELDS} fields`)
    if (!bulkFields.has(name)) rest.push(bytes.subarray(start, end))
    else if (sequences.has(name)) throw malformed(`duplicate field: ${name}`)
    else sequences.set(name, arrayItems(bytes.subarray(nameEnd + 1, end), name))
  })
  // What is not whole is broken, or has a value of a type that no field of a command has.
  return decode(isWhole && sequences.size > before ? documentOf(rest) : bytes)
}

function documentAt(message: Buffer, at: number, end = message.length): Buffer {
  const length = at + 5 <= end ? message.readInt32LE(at) : 0
  if (length < 5 || at + length > end) throw malformed('a document with a wrong length')
  if (length > MAX_BSON_BYTES)
    throw new CommandError(
      'BSONObjectTooLarge',
      `BSONObj size: ${length} is invalid. Size must be between 0 and ${MAX_DOCUMENT_BYTES}`,
    )
  return message.subarray(at, at + length)
}

function malformed(what: string): CommandError {
  return new CommandError('FailedToParse', `malformed message: ${what}`)
}

function bytesOf(document: Document | Buffer): Buffer {
  return Buffer.isBuffer(document) ? document : encodeAnswer(document)
}

/** The parts of an answer, whose documents may be many and large. */
function withCursor(document: Buffer, cursor: Reply['cursor']): Buffer[] {
  if (!cursor) return [document]
  const { batch, documents, id, namespace } = cursor
  const items = partsOf(documents.flatMap((bytes, i) => [Buffer.from(`\x03${i}\0`), bytes]))
  const number = Buffer.allocUnsafe(8)
  number.writeBigInt64LE(id)
  const text = Buffer.from(`${namespace}\0`)
  const rest = [Buffer.from('\x12id\0'), number, Buffer.from('\x02ns\0'), int32(text.length), text]
  const inner = partsOf([Buffer.from(`\x04${batch}\0`), ...items, ...rest])
  return partsOf([Buffer.from('\x03cursor\0'), ...inner, document.subarray(4, -1)])
}
