// BSON looked at as bytes: a document that is stored as it came need not be decoded and encoded again.
import { isUtf8 } from 'node:buffer'
import { MAX_DEPTH } from './value'

/** An element of a document: [start, end) with type and name, its value from `value` on. */
export interface Element {
  readonly type: number
  readonly start: number
  readonly value: number
  readonly end: number
}

export const DOUBLE = 0x01
export const STRING = 0x02
export const OBJECT = 0x03
export const ARRAY = 0x04
export const BOOL = 0x08
export const DATE = 0x09
export const NULL = 0x0a
export const INT32 = 0x10
export const LONG = 0x12
const DOLLAR = 0x24
/** Milliseconds on either side of 1970 beyond which JavaScript has no date. */
const LATEST_DATE = 8.64e15

/** Bytes of a value whose type has a fixed length. */
const FIXED: Readonly<Record<number, number>> = {
  [DOUBLE]: 8,
  0x07: 12,
  [BOOL]: 1,
  [DATE]: 8,
  [NULL]: 0,
  [INT32]: 4,
  [LONG]: 8,
}

/** Names of fields as bytes, each with its place. */
export type Names = readonly Buffer[]

export function namesOf(fields: Iterable<string>): Names {
  return [...new Set(fields)].map(name => Buffer.from(name))
}

export function placeIn(names: Names, field: string): number {
  return names.findIndex(name => name.equals(Buffer.from(field)))
}

/**
 * The elements with these names, each at its name's place; of several of one name the last, as in decoding. Undefined when
 * the document has types that are not known here, or is broken.
 */
export function namedElements(bytes: Buffer, names: Names, start = 0): (Element | undefined)[] | undefined {
  const found = new Array<Element | undefined>(names.length).fill(undefined)
  const isWhole = eachElement(bytes, start, (element, nameEnd, end) => {
    for (let place = 0; place < names.length; place++)
      if (isNamed(bytes, element + 1, nameEnd, names[place]!))
        found[place] = { type: bytes[element]!, start: element, value: nameEnd + 1, end }
  })
  return isWhole ? found : undefined
}

function isNamed(bytes: Buffer, start: number, end: number, name: Buffer): boolean {
  if (end - start !== name.length) return false
  for (let i = 0; i < name.length; i++) if (bytes[start + i] !== name[i]) return false
  return true
}

/** Visits the elements of the document that begins at `start`; false when they are not all of types that are known here. */
export function eachElement(
  bytes: Buffer,
  start: number,
  visit: (start: number, nameEnd: number, end: number) => void,
): boolean {
  const end = endOf(bytes, start, bytes.length)
  if (end < 0) return false
  for (let at = start + 4; at < end - 1;) {
    let zero = at + 1
    while (zero < end - 1 && bytes[zero] !== 0) zero++
    if (zero === end - 1) return false
    const after = endOfValue(bytes, bytes[at]!, zero + 1, end - 1)
    if (after < 0) return false
    visit(at, zero, after)
    at = after
  }
  return true
}

/**
 * True when the bytes are a document with a text for its `_id`, in the first place, that may be stored as they are: well
 * formed, of the common types, with names that checkStorable accepts. False says nothing: then it has to be decoded.
 */
export function isPlain(bytes: Buffer): boolean {
  return hasTextId(bytes) && plainDocument(bytes, 0, bytes.length, 1, false) === bytes.length
}

/** Whether the first element of a document is an `_id` that is a text. */
export function hasTextId(bytes: Buffer): boolean {
  return bytes[4] === STRING && isId(bytes, 5)
}

/** The element that the `_id` of a plain document is. */
export function idElementOf(bytes: Buffer): Element {
  return { type: STRING, start: 4, value: 9, end: 13 + bytes.readInt32LE(9) }
}

/** The text that the `_id` of a document is, in its first place. */
export function idTextOf(bytes: Buffer): string {
  return bytes.toString('utf8', 13, 12 + bytes.readInt32LE(9))
}

/** The document with only these of its elements. */
export function picked(bytes: Buffer, elements: readonly (Element | undefined)[]): Buffer {
  return documentOf(elements.flatMap(element => (element ? [bytes.subarray(element.start, element.end)] : [])))
}

/** A document, or an array, of elements as bytes. */
export function documentOf(elements: readonly Buffer[]): Buffer {
  return Buffer.concat(partsOf(elements))
}

/** The same in parts, for one that becomes a part itself: what is large is copied once. */
export function partsOf(elements: readonly Buffer[]): Buffer[] {
  const length = elements.reduce((sum, element) => sum + element.length, 4 + END.length)
  return [int32(length), ...elements, END]
}
const END = Buffer.from([0])

export function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeInt32LE(value)
  return bytes
}

/** Where a document (or array) ends that begins at `start`, or -1. */
function endOf(bytes: Buffer, start: number, limit: number): number {
  if (start + 5 > limit) return -1
  const size = bytes.readInt32LE(start)
  const end = start + size
  return size < 5 || end > limit || bytes[end - 1] !== 0 ? -1 : end
}

function endOfValue(bytes: Buffer, type: number, at: number, limit: number): number {
  if (type === OBJECT || type === ARRAY) return endOf(bytes, at, limit)
  if (type === STRING) {
    if (at + 5 > limit) return -1
    const size = bytes.readInt32LE(at)
    const end = at + 4 + size
    return size < 1 || end > limit || bytes[end - 1] !== 0 ? -1 : end
  }
  const size = FIXED[type]
  return size === undefined || at + size > limit ? -1 : at + size
}

/** Where a plain document ends, or -1. */
function plainDocument(bytes: Buffer, start: number, limit: number, depth: number, isArray: boolean): number {
  const end = depth > MAX_DEPTH ? -1 : endOf(bytes, start, limit)
  if (end < 0) return -1
  let at = start + 4
  for (let index = 0; at < end - 1; index++) {
    const type = bytes[at++]!
    const value = isArray ? afterIndex(bytes, at, index) : afterName(bytes, at, end - 1)
    if (value < 0 || (depth === 1 && index > 0 && isId(bytes, at))) return -1
    if (type === OBJECT || type === ARRAY) at = plainDocument(bytes, value, end - 1, depth + 1, type === ARRAY)
    else {
      at = endOfValue(bytes, type, value, end - 1)
      if (type === STRING && at >= 0 && !isText(bytes, value + 4, at - 1)) return -1
      if (type === BOOL && bytes[value]! > 1) return -1
      if (type === DATE && at >= 0 && Math.abs(Number(bytes.readBigInt64LE(value))) > LATEST_DATE) return -1
    }
    if (at < 0) return -1
  }
  return at === end - 1 ? end : -1
}

const isId = (bytes: Buffer, at: number): boolean =>
  bytes[at] === 0x5f && bytes[at + 1] === 0x69 && bytes[at + 2] === 0x64 && bytes[at + 3] === 0

/** Behind a field's name, which must be ASCII and no operator; -1 for others. */
function afterName(bytes: Buffer, start: number, limit: number): number {
  if (bytes[start] === DOLLAR) return -1
  for (let at = start; at < limit; at++) {
    const byte = bytes[at]!
    if (byte === 0) return at + 1
    if (byte > 0x7f) return -1
  }
  return -1
}

/** Behind the name of an array's element, which must be its index. */
function afterIndex(bytes: Buffer, start: number, index: number): number {
  let at = start
  if (index < 10) {
    if (bytes[at++] !== 0x30 + index) return -1
  } else for (const digit of String(index)) if (bytes[at++] !== digit.charCodeAt(0)) return -1
  return bytes[at] === 0 ? at + 1 : -1
}

/** Short texts are mostly ASCII, and looked through faster than a native call is made. */
function isText(bytes: Buffer, start: number, end: number): boolean {
  if (end - start > 48) return isUtf8(bytes.subarray(start, end))
  for (let at = start; at < end; at++) if (bytes[at]! > 0x7f) return isUtf8(bytes.subarray(start, end))
  return true
}
