// The values of BSON as the document store holds them: numbers keep their type, nothing is promoted.
import {
  type Binary,
  BSONError,
  deserialize,
  Double,
  Int32,
  Long,
  type MaxKey,
  type MinKey,
  type ObjectId,
  serialize,
} from 'bson'
import { CommandError, notImplemented } from '../errors'

export type Numeric = Int32 | Long | Double
export type Value =
  null | undefined | string | boolean | Date | Numeric | ObjectId | Binary | MinKey | MaxKey | Value[] | Document
/** A decoded document; `undefined` never stands in a stored one (it means a missing field in between). */
export interface Document {
  [field: string]: Value
}

/**
 * The kinds of value, named as MongoDB names their types, in its order over them. The numbers are also the type bytes of
 * keys and therefore part of the format on disk.
 */
export const rank = {
  minKey: 1,
  undefined: 2,
  null: 5,
  number: 10,
  string: 15,
  object: 20,
  array: 25,
  binData: 30,
  objectId: 35,
  bool: 40,
  date: 45,
  maxKey: 254,
}
export type Kind = keyof typeof rank

/** Deepest nesting of a document, as in MongoDB. */
export const MAX_DEPTH = 180
export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
/** Of BSON that is no document to be stored: a command, or an answer with a document in it. */
export const MAX_BSON_BYTES = MAX_DOCUMENT_BYTES + 16 * 1024

export function decode(bytes: Uint8Array): Document {
  try {
    return deserialize(bytes, { promoteValues: false, bsonRegExp: true })
  } catch (error) {
    if (error instanceof BSONError || error instanceof RangeError)
      throw new CommandError('FailedToParse', `invalid BSON: ${error.message}`)
    throw error
  }
}

/** What was checked when it was stored need not have its UTF-8 checked again. */
export function decodeStored(bytes: Uint8Array): Document {
  return deserialize(bytes, { promoteValues: false, bsonRegExp: true, validation: { utf8: false } })
}

export function encode(document: Document): Buffer {
  return encodedWithin(MAX_DOCUMENT_BYTES, document)
}

/** An answer may have a document of the largest size within. */
export function encodeAnswer(document: Document): Buffer {
  return encodedWithin(MAX_BSON_BYTES, document)
}

function encodedWithin(atMost: number, document: Document): Buffer {
  const bytes = serialized(document)
  if (bytes.length > atMost) throw tooLarge(`${bytes.length}`)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

function serialized(document: Document): Uint8Array {
  try {
    return serialize(document, { ignoreUndefined: true })
  } catch (error) {
    // The room that the serializer has for a document ends somewhat beyond the largest one.
    if ((error as Error).name === 'RangeError') throw tooLarge(`more than ${MAX_DOCUMENT_BYTES}`)
    throw error
  }
}

function tooLarge(size: string): CommandError {
  const allowed = `Size must be between 0 and ${MAX_DOCUMENT_BYTES}`
  return new CommandError('BSONObjectTooLarge', `BSONObj size: ${size} is invalid. ${allowed}`)
}

export function kindOf(value: Value): Kind {
  if (value === undefined) return 'undefined'
  if (value === null) return 'null'
  if (typeof value === 'string') return 'string'
  if (typeof value === 'boolean') return 'bool'
  if (Array.isArray(value)) return 'array'
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw notImplemented('date beyond the year 275760')
    return 'date'
  }
  const tag = tagOf(value)
  if (tag === undefined) return 'object'
  const kind = kinds.get(tag)
  if (kind) return kind
  throw notImplemented(`value of type ${tag}`)
}

const kinds = new Map<string, Kind>([
  ['Int32', 'number'],
  ['Double', 'number'],
  ['Long', 'number'],
  ['ObjectId', 'objectId'],
  ['Binary', 'binData'],
  ['MinKey', 'minKey'],
  ['MaxKey', 'maxKey'],
])

/** bson marks its classes on the prototype; a field of a document called _bsontype is an own one. */
function tagOf(value: object): string | undefined {
  return Object.hasOwn(value, '_bsontype') ? undefined : (value as { _bsontype?: string })._bsontype
}

export function isDocument(value: Value): value is Document {
  return kindOf(value) === 'object'
}

export function isNumeric(value: Value): value is Numeric {
  return kindOf(value) === 'number'
}

/** A number as a JavaScript one; a Long beyond 2^53 loses its last digits. */
export function toNumber(value: Numeric): number {
  return value instanceof Long ? value.toNumber() : value.value
}

/** What counts as true: everything but false, zero, null and missing. */
export function truthy(value: Value): boolean {
  if (isNumeric(value)) return toNumber(value) !== 0
  return value !== false && value !== null && value !== undefined
}

export function field(document: Document, name: string): Value {
  return Object.hasOwn(document, name) ? document[name] : undefined
}

export function setField(document: Document, name: string, value: Value): void {
  if (name === '__proto__')
    Object.defineProperty(document, name, { value, writable: true, enumerable: true, configurable: true })
  else document[name] = value
}

/** Integers that fit become Int32, larger ones Long, all else Double. */
export function numeric(value: number): Numeric {
  if (!Number.isInteger(value)) return new Double(value)
  if (value >= -0x80000000 && value <= 0x7fffffff) return new Int32(value)
  return Long.fromNumber(value)
}

/** Whether values are nested deeper than in any document: filters and updates are walked through by recursion. */
export function tooDeep(value: Value, depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (depth > MAX_DEPTH) return true
  if (Array.isArray(value)) return value.some(item => tooDeep(item, depth + 1))
  if (!isDocument(value)) return false
  for (const name in value) if (tooDeep(value[name], depth + 1)) return true
  return false
}

/** Refuses what this store cannot hold faithfully: kinds it does not have, names beginning with $, too deep a nesting. */
export function checkStorable(value: Value, depth = 1): void {
  const kind = kindOf(value)
  if (kind === 'undefined') throw notImplemented('value of type undefined (deprecated in BSON)')
  if (kind !== 'object' && kind !== 'array') return
  if (depth > MAX_DEPTH)
    throw new CommandError('Overflow', `Document exceeds maximum nested object depth: ${MAX_DEPTH}`)
  if (Array.isArray(value)) {
    for (const item of value) checkStorable(item, depth + 1)
    return
  }
  const document = value as Document
  for (const name of Object.keys(document)) {
    if (name.startsWith('$'))
      throw notImplemented(`field whose name begins with a dollar ('${name}')`, 'DollarPrefixedFieldName')
    checkStorable(document[name], depth + 1)
  }
}
