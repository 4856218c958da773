// MongoDB's order over values of all types, and the order-preserving bytes that index keys are made of.
import { type Binary, Long, type ObjectId } from 'bson'
import { BOOL, DATE, DOUBLE, type Element, INT32, LONG, NULL, STRING } from './raw'
import { type Document, type Kind, kindOf, type Numeric, rank, type Value } from './value'

/** Negative, zero or positive, by MongoDB's comparison order; Int32, Long and Double compare by exact value. */
export function compare(a: Value, b: Value): number {
  const kind = kindOf(a)
  const other = kindOf(b)
  if (kind !== other) return rank[kind] - rank[other]
  if (kind === 'number') return compareNumbers(a as Numeric, b as Numeric)
  if (kind === 'string') return compareStrings(a as string, b as string)
  return Buffer.compare(keyOf(a), keyOf(b))
}

export function equal(a: Value, b: Value): boolean {
  return a === b || compare(a, b) === 0
}

/**
 * The bytes of one value: compare(a, b) and Buffer.compare(keyOf(a), keyOf(b)) agree, and none is a prefix of another. All
 * bits are inverted where the order is.
 */
export function keyOf(value: Value, direction: 1 | -1 = 1): Buffer {
  single.clear()
  single.component(value, direction)
  return single.bytes()
}

/** Keys in order, each once. */
export function distinct(keys: Buffer[]): Buffer[] {
  if (keys.length <= 1) return keys
  const sorted = keys.sort((a, b) => a.compare(b))
  return sorted.filter((key, i) => i === 0 || !key.equals(sorted[i - 1]!))
}

/** A text that values have in common when they are equal. */
export function identityOf(value: Value): string {
  return keyOf(value).toString('latin1')
}

/** Appends order-preserving values one after the other. */
export class KeyWriter {
  private buffer = Buffer.allocUnsafe(64)
  private length = 0

  clear(): void {
    this.length = 0
  }

  get size(): number {
    return this.length
  }

  bytes(): Buffer {
    const copy = Buffer.allocUnsafe(this.length)
    this.buffer.copy(copy, 0, 0, this.length)
    return copy
  }

  /** Writes a value; a descending one with all bits inverted. */
  component(value: Value, direction: 1 | -1): void {
    const start = this.length
    this.value(value)
    if (direction === -1) this.invert(start)
  }

  /**
   * The same of a value that lies in a document's bytes, missing when undefined; false, with nothing of use written, for the
   * types that have to be decoded.
   */
  storedComponent(bytes: Buffer, element: Element | undefined, direction: 1 | -1): boolean {
    const start = this.length
    if (!this.stored(bytes, element)) return false
    if (direction === -1) this.invert(start)
    return true
  }

  private stored(bytes: Buffer, element: Element | undefined): boolean {
    if (!element || element.type === NULL) {
      this.byte(rank.null)
      return true
    }
    const { type, value, end } = element
    switch (type) {
      case STRING:
        return this.storedText(bytes, value + 4, end - 1)
      case INT32:
        return this.storedNumber(bytes.readInt32LE(value))
      case DOUBLE:
        return this.storedNumber(bytes.readDoubleLE(value))
      case LONG: {
        const long = bytes.readBigInt64LE(value)
        return BigInt.asIntN(54, long) === long && this.storedNumber(Number(long))
      }
      case BOOL:
        this.byte(rank.bool)
        this.byte(bytes[value]!)
        return true
      case DATE:
        this.byte(rank.date)
        this.integer(bytes.readBigInt64LE(value) + 2n ** 63n)
        return true
      default:
        return false
    }
  }

  private storedText(bytes: Buffer, start: number, end: number): boolean {
    this.reserve(end - start + 3)
    this.buffer[this.length++] = rank.string
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!
      if (byte === 0) return false
      this.buffer[this.length++] = byte
    }
    this.buffer[this.length++] = 0
    this.buffer[this.length++] = 0
    return true
  }

  private storedNumber(value: number): boolean {
    this.byte(rank.number)
    this.double(value, 0)
    return true
  }

  private invert(start: number): void {
    for (let i = start; i < this.length; i++) this.buffer[i] = ~this.buffer[i]! & 0xff
  }

  value(value: Value): void {
    const kind = kindOf(value)
    this.byte(rank[kind])
    this.body(kind, value)
  }

  private body(kind: Kind, value: Value): void {
    switch (kind) {
      case 'minKey':
      case 'maxKey':
      case 'null':
      case 'undefined':
        return
      case 'number':
        return this.number(value as Numeric)
      case 'string':
        return this.escaped(value as string)
      case 'bool':
        return this.byte(value ? 1 : 0)
      case 'date':
        return this.integer(BigInt((value as Date).getTime()) + 2n ** 63n)
      case 'objectId':
        return this.raw((value as ObjectId).id)
      case 'binData':
        return this.binary(value as Binary)
      case 'array':
        for (const item of value as Value[]) this.value(item)
        return this.byte(0)
      case 'object':
        for (const [name, item] of Object.entries(value as Document)) {
          const itemKind = kindOf(item)
          this.byte(rank[itemKind])
          this.escaped(name)
          this.body(itemKind, item)
        }
        return this.byte(0)
    }
  }

  private number(value: Numeric): void {
    const nearest = value instanceof Long ? value.toNumber() : value.value
    const isBeyond = value instanceof Long && Math.abs(nearest) >= 2 ** 53
    this.double(nearest, isBeyond ? Number(value.toBigInt() - BigInt(nearest)) : 0)
  }

  /** 8 bytes of the nearest double in order, then, from 2^53 on, 2 bytes for what a Long has beyond that double. */
  private double(nearest: number, rest: number): void {
    this.reserve(10)
    if (Number.isNaN(nearest)) {
      this.buffer.fill(0, this.length, this.length + 8) // NaN sorts before all numbers, and no other double maps to zero
      this.length += 8
      return
    }
    const start = this.length
    this.buffer.writeDoubleBE(nearest === 0 ? 0 : nearest, start)
    this.length += 8
    if (this.buffer[start]! & 0x80) this.invert(start)
    else this.buffer[start]! |= 0x80
    if (Math.abs(nearest) < 2 ** 53 || !Number.isFinite(nearest)) return
    this.buffer.writeUInt16BE(rest + 0x8000, this.length)
    this.length += 2
  }

  private integer(value: bigint): void {
    this.reserve(8)
    this.buffer.writeBigUInt64BE(value, this.length)
    this.length += 8
  }

  /** UTF-8 with 00 written as 00 FF, ended by 00 00: a shorter string sorts first. */
  private escaped(value: string): void {
    this.reserve(value.length * 3 + 2)
    if (value.includes('\0')) {
      for (const byte of Buffer.from(value)) {
        this.byte(byte)
        if (byte === 0) this.byte(0xff)
      }
    } else this.length += this.buffer.write(value, this.length)
    this.byte(0)
    this.byte(0)
  }

  private binary(value: Binary): void {
    this.reserve(5)
    this.buffer.writeUInt32BE(value.position, this.length)
    this.length += 4
    this.byte(value.sub_type)
    this.raw(value.buffer.subarray(0, value.position))
  }

  /** Bytes as they are. */
  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.buffer.set(bytes, this.length)
    this.length += bytes.length
  }

  private byte(value: number): void {
    this.reserve(1)
    this.buffer[this.length++] = value
  }

  private reserve(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.length + bytes))
    this.buffer.copy(larger, 0, 0, this.length)
    this.buffer = larger
  }
}

/** Of `keyOf`, which is called for every document; nothing that it writes needs another one. */
const single = new KeyWriter()

function compareNumbers(a: Numeric, b: Numeric): number {
  if (a instanceof Long && b instanceof Long) return a.compare(b)
  const x = a instanceof Long ? a.toBigInt() : a.value
  const y = b instanceof Long ? b.toBigInt() : b.value
  if (x < y) return -1
  if (x > y) return 1
  return Number(Number.isNaN(y)) - Number(Number.isNaN(x)) // NaN is the smallest number
}

/** Order of the UTF-8 bytes, from which that of UTF-16 units differs where a surrogate meets a unit above it. */
function compareStrings(a: string, b: string): number {
  if (a === b) return 0
  if (SURROGATE.test(a) || SURROGATE.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b))
  return a < b ? -1 : 1
}

const SURROGATE = /[\ud800-\udfff]/
