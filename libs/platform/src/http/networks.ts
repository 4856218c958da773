// Networks by their CIDR ranges: whether an address lies in one of them.
import { isIP } from 'node:net'

/** What is wrong with a list of networks, with the number of the line. */
export class NetworksError extends Error {
  override readonly name = 'NetworksError'
}

/**
 * Tells the addresses that lie in one of the ranges. `text` has one range a line (`192.0.2.0/24`, `2001:db8::/32`; an address
 * alone is a range of one); blank lines, and what follows `#`, are comments.
 * @throws NetworksError for the first line that is none
 */
export const networksOf = (text: string): ((ip: string) => boolean) => {
  const ranges = { 4: [] as Range[], 6: [] as Range[] }
  for (const [index, line] of text.split('\n').entries()) {
    const written = line.replace(/#.*/, '').trim()
    if (written === '') continue
    const range = rangeOf(written)
    if (!range) throw new NetworksError(`line ${index + 1} is no network: ${JSON.stringify(written.slice(0, 60))}`)
    ranges[range.version].push(range)
  }
  const merged = { 4: mergedOf(ranges[4]), 6: mergedOf(ranges[6]) }
  return ip => {
    const address = addressOf(ip)
    return address !== null && holds(merged[address.version], address.digits)
  }
}

type Version = 4 | 6
const BITS = { 4: 32, 6: 128 } as const

/** An address as hexadecimal digits, as many for every address of a version: they compare as texts do. */
interface Address {
  readonly version: Version
  readonly digits: string
}

interface Range {
  readonly version: Version
  readonly first: string
  readonly last: string
}

const rangeOf = (written: string): Range | null => {
  const [ip = '', length, ...more] = written.split('/')
  const address = addressOf(ip)
  if (!address || more.length > 0) return null
  // A range of mapped addresses counts from the front of the long form.
  const mapped = address.version === 4 && ip.includes(':') ? BITS[6] - BITS[4] : 0
  const bits = length === undefined ? BITS[address.version] : /^\d{1,3}$/.test(length) ? Number(length) - mapped : -1
  if (bits < 0 || bits > BITS[address.version]) return null
  const rest = (1n << BigInt(BITS[address.version] - bits)) - 1n
  const last = BigInt(`0x${address.digits}`) | rest
  return {
    version: address.version,
    first: digitsOf(last - rest, address.version),
    last: digitsOf(last, address.version),
  }
}

const digitsOf = (value: bigint, version: Version): string => value.toString(16).padStart(BITS[version] / 4, '0')

const MAPPED = `${'0'.repeat(20)}ffff`

const addressOf = (ip: string): Address | null => {
  const version = isIP(ip)
  if (version === 4) return { version, digits: hexOf(ip) }
  if (version !== 6) return null
  const [plain = ''] = ip.split('%')
  const dotted = /[\d.]+$/.exec(plain)?.[0] ?? ''
  const long = dotted.includes('.')
    ? `${plain.slice(0, -dotted.length)}${hexOf(dotted).slice(0, 4)}:${hexOf(dotted).slice(4)}`
    : plain
  const [head = [], tail = []] = long.split('::').map(side => side.split(':').filter(group => group !== ''))
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0')
  const digits = [...head, ...zeros, ...tail].map(group => group.toLowerCase().padStart(4, '0')).join('')
  return digits.startsWith(MAPPED) ? { version: 4, digits: digits.slice(24) } : { version, digits }
}

const hexOf = (dotted: string): string =>
  dotted
    .split('.')
    .map(part => Number(part).toString(16).padStart(2, '0'))
    .join('')

/** In order, none within another. */
const mergedOf = (ranges: readonly Range[]): readonly Range[] => {
  const merged: Range[] = []
  for (const range of [...ranges].sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0))) {
    const before = merged.at(-1)
    if (!before || range.first > before.last) merged.push(range)
    else if (range.last > before.last) merged[merged.length - 1] = { ...before, last: range.last }
  }
  return merged
}

const holds = (ranges: readonly Range[], digits: string): boolean => {
  let low = 0
  let high = ranges.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ranges[middle]?.first ?? '') <= digits) low = middle + 1
    else high = middle
  }
  return digits <= (ranges[low - 1]?.last ?? '')
}
