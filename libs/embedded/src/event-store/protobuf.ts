// Protocol Buffers by hand, for what passes here a thousand times a second: reads and writes fields where they lie, with
// no object per message. A field is (number << 3 | wire type) and a varint or a length and so many bytes.

const VARINT = 0
const FIXED64 = 1
const LENGTH = 2
const FIXED32 = 5

/** Reads the fields of one message. @throws RangeError where the bytes are no message. */
export class Reader {
  private wireType = VARINT

  constructor(
    private readonly buffer: Buffer,
    private at = 0,
    private readonly end = buffer.length,
  ) {}

  /** Goes to the next field and answers with its number; 0 at the end of the message. */
  next(): number {
    if (this.at === this.end) return 0
    const tag = this.varint()
    this.wireType = tag & 7
    const field = Math.floor(tag / 8)
    if (field === 0) throw malformed()
    return field
  }

  /** A number of at most 64 bits; exact up to 2^53, which is beyond all revisions. */
  varint(): number {
    let value = 0
    for (let scale = 1; scale < 2 ** 70; scale *= 128) {
      if (this.at >= this.end) throw malformed()
      const byte = this.buffer[this.at++]!
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
    throw malformed()
  }

  /** The same of a field that may be negative: as 64 bits in two's complement. */
  signedVarint(): number {
    const start = this.at
    const value = this.varint()
    if (value < 2 ** 63) return value
    let bits = 0n
    for (let at = this.at - 1; at >= start; at--) bits = (bits << 7n) | BigInt(this.buffer[at]! & 127)
    return Number(BigInt.asIntN(64, bits))
  }

  /** The bytes of a field with a length, where they lie. */
  bytes(): Buffer {
    const [start, end] = this.span()
    return this.buffer.subarray(start, end)
  }

  text(): string {
    const [start, end] = this.span()
    return this.buffer.toString('utf8', start, end)
  }

  message(): Reader {
    return new Reader(this.buffer, ...this.span())
  }

  /** Passes over a field that is not known. */
  skip(): void {
    if (this.wireType === VARINT) this.varint()
    else if (this.wireType === LENGTH) this.span()
    else if (this.wireType === FIXED64) this.pass(8)
    else if (this.wireType === FIXED32) this.pass(4)
    else throw malformed()
  }

  private span(): [start: number, end: number] {
    if (this.wireType !== LENGTH) throw malformed()
    const length = this.varint()
    this.pass(length)
    return [this.at - length, this.at]
  }

  private pass(length: number): void {
    if (length > this.end - this.at) throw malformed()
    this.at += length
  }
}

const malformed = () => new RangeError('These bytes are no message of the protocol.')

/** Writes fields into a buffer of the right size. All numbers of fields here are below 16, so a tag is one byte. */
export class Writer {
  constructor(
    private readonly buffer: Buffer,
    public at = 0,
  ) {}

  lengthTag(field: number, length: number): void {
    this.buffer[this.at++] = (field << 3) | LENGTH
    this.varint(length)
  }

  field(field: number, bytes: Uint8Array): void {
    this.lengthTag(field, bytes.length)
    this.buffer.set(bytes, this.at)
    this.at += bytes.length
  }

  varintField(field: number, value: number): void {
    this.buffer[this.at++] = (field << 3) | VARINT
    this.varint(value)
  }

  varintBytes(field: number, bytes: Buffer): void {
    this.buffer[this.at++] = (field << 3) | VARINT
    this.buffer.set(bytes, this.at)
    this.at += bytes.length
  }

  /** An entry of a map of texts. */
  mapEntry(field: number, key: Buffer, value: Buffer): void {
    this.lengthTag(field, fieldSize(key.length) + fieldSize(value.length))
    this.field(1, key)
    this.field(2, value)
  }

  private varint(value: number): void {
    let rest = value
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.buffer[this.at++] = (rest % 128) | 128
    this.buffer[this.at++] = rest
  }
}

/** Bytes of a field with a length. */
export const fieldSize = (length: number): number => 1 + varintSize(length) + length
/** Bytes of a field that is a number. */
export const varintFieldSize = (value: number): number => 1 + varintSize(value)
export const mapEntrySize = (key: Buffer, value: Buffer): number =>
  fieldSize(fieldSize(key.length) + fieldSize(value.length))

function varintSize(value: number): number {
  let size = 1
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++
  return size
}
