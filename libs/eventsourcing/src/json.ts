// JSON as the log keeps it: what is folded at once must equal what is read back later.

/** Longest list of children that is weighed one by one; longer ones are extrapolated. */
const SAMPLE = 64

/**
 * What `JSON.parse(JSON.stringify(value))` gives, without the detour over text: own fields only, undefined ones left
 * out, dates as text, class instances as plain objects. Throws a TypeError for what JSON cannot hold (a BigInt).
 */
export const asRecorded = (value: unknown): unknown => {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      // JSON has neither NaN nor infinities nor a negative zero.
      return Number.isFinite(value) ? value + 0 : null
    case 'object':
      return value === null ? null : asRecordedObject(value)
    case 'bigint':
      throw new TypeError('a BigInt cannot be recorded: write it as a decimal string')
    case 'undefined':
    case 'function':
    case 'symbol':
      return undefined
  }
}

const asRecordedObject = (value: object): unknown => {
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    const json: unknown = (value as { toJSON(): unknown }).toJSON()
    return json === value ? plain(value) : asRecorded(json)
  }
  // Array.from, unlike map, visits holes too.
  if (Array.isArray(value)) return Array.from(value, item => asRecorded(item) ?? null)
  return plain(value)
}

const plain = (value: object): Record<string, unknown> => {
  const copy: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) {
    const recorded = asRecorded(item)
    if (recorded === undefined) continue
    // Assigning this key would change the prototype instead of adding a field, which JSON.parse does not do.
    if (key === '__proto__') Object.defineProperty(copy, key, { value: recorded, enumerable: true })
    else copy[key] = recorded
  }
  return copy
}

/** JSON with sorted keys: equal values give equal text, whatever the order of their fields. */
export const canonicalJson = (value: unknown): string => sorted(asRecorded(value)) ?? 'null'

const sorted = (value: unknown): string | undefined => {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(item => sorted(item)).join()}]`
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([key, item]) => `${JSON.stringify(key)}:${sorted(item)}`).join()}}`
}

/** Roughly how many bytes a value holds in memory; cheap also for large lists and maps, which it samples. */
export const weightOf = (value: unknown): number => {
  if (typeof value === 'string') return 24 + value.length
  if (typeof value !== 'object' || value === null) return 8
  if (Array.isArray(value)) return 16 + sampled(value, value.length)
  if (value instanceof Map) return 32 + sampled(value, value.size)
  if (value instanceof Set) return 32 + sampled(value, value.size)
  const keys = Object.keys(value)
  return 32 + 8 * keys.length + sampled(values(value, keys), keys.length)
}

function* values(value: object, keys: readonly string[]): Iterable<unknown> {
  for (const key of keys) yield (value as Record<string, unknown>)[key]
}

const sampled = (items: Iterable<unknown>, size: number): number => {
  let weight = 0
  let seen = 0
  for (const item of items) {
    weight += 8 + weightOf(item)
    if (++seen === SAMPLE) break
  }
  return seen < size ? Math.ceil((weight / seen) * size) : weight
}
