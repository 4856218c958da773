// How much memory a plain value takes, roughly: bounds batches and caches by bytes without serialising anything.

/** Approximate bytes of a JSON-like value (a character counts two bytes, as the heap may hold it). */
export const weigh = (value: unknown): number => {
  if (typeof value === 'string') return 16 + 2 * value.length
  if (typeof value !== 'object' || value === null) return 8
  if (value instanceof Uint8Array) return 16 + value.byteLength
  let weight = 24
  if (Array.isArray(value)) for (const item of value) weight += weigh(item)
  else for (const key in value) weight += 8 + weigh((value as Record<string, unknown>)[key])
  return weight
}
