// Sums and products of Int32, Long and Double, with the result types of MongoDB.
import { Double, Int32, Long } from 'bson'
import { type Numeric, toNumber } from '../bson/value'

/** The sum or product: Double when either is, else Int32 when both are and it fits, else Long; undefined on overflow of 64 bits. */
export function combine(a: Numeric, b: Numeric, operation: 'add' | 'multiply'): Numeric | undefined {
  if (a instanceof Double || b instanceof Double) {
    const [x, y] = [toNumber(a), toNumber(b)]
    return new Double(operation === 'add' ? x + y : x * y)
  }
  const [x, y] = [wide(a), wide(b)]
  const exact = operation === 'add' ? x + y : x * y
  if (exact !== BigInt.asIntN(64, exact)) return undefined
  if (a instanceof Int32 && b instanceof Int32 && exact === BigInt.asIntN(32, exact)) return new Int32(Number(exact))
  return Long.fromBigInt(exact)
}

function wide(value: Int32 | Long): bigint {
  return value instanceof Long ? value.toBigInt() : BigInt(value.value)
}
