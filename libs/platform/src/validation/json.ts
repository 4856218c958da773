// Reads a JSON body: refuses what would only hurt later, before anything else sees it.
import { isUtf8 } from 'node:buffer'
import { Invalid, type Violation } from '@stet/eventsourcing'
import { Problem } from '../problems/problem'

/** Nothing that the API takes is nested deeper than this; wire items are the deepest. */
export const MAX_DEPTH = 32
/** Values in one body. */
const MAX_VALUES = 50_000

/**
 * Parses a JSON body. Keys that could reach a prototype never arrive: `__proto__` refuses the body.
 * @throws Problem `malformed` for what is no JSON in UTF-8; Invalid for lone surrogates, NUL, depth and number of values
 */
export const parseJson = (body: Buffer): unknown => {
  if (!isUtf8(body)) throw new Problem('malformed', 'The body is not UTF-8.')
  const text = body.toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Problem('malformed', 'The body is not JSON.')
  }
  // Bytes are UTF-8 and JSON: what is ill-formed can only have been written as an escape.
  const inspection: Inspection = { values: 0, escapes: text.includes('\\u'), errors: [] }
  inspect(value, null, 0, inspection)
  if (inspection.errors.length > 0) throw new Invalid(inspection.errors)
  return value
}

interface Inspection {
  values: number
  /** Whether strings have to be looked at. */
  readonly escapes: boolean
  readonly errors: Violation[]
}

/** Where a value stands; made into a pointer only when something is wrong there. */
interface Place {
  readonly parent: Place | null
  readonly key: string | number
}

const inspect = (value: unknown, place: Place | null, depth: number, inspection: Inspection): void => {
  if (++inspection.values > MAX_VALUES)
    throw new Invalid([{ pointer: '#', detail: `has more than ${MAX_VALUES} values` }])
  if (typeof value === 'string') {
    const detail = inspection.escapes ? flawOf(value) : null
    if (detail && inspection.errors.length < 100) inspection.errors.push({ pointer: pointerTo(place), detail })
    return
  }
  if (typeof value !== 'object' || value === null) return
  if (depth === MAX_DEPTH)
    throw new Invalid([{ pointer: pointerTo(place), detail: `is nested deeper than ${MAX_DEPTH} levels` }])
  if (Array.isArray(value)) {
    for (let key = 0; key < value.length; key++) inspect(value[key], { parent: place, key }, depth + 1, inspection)
    return
  }
  for (const key of Object.keys(value)) {
    if (key === '__proto__') throw new Problem('malformed', 'The body holds the key __proto__.')
    const inner = (value as Record<string, unknown>)[key]
    if (key === 'constructor' && reachesPrototype(inner))
      throw new Problem('malformed', 'The body holds the key constructor.prototype.')
    const detail = inspection.escapes ? flawOf(key) : null
    if (detail) throw new Invalid([{ pointer: pointerTo(place), detail: `has a key that ${detail}` }])
    inspect(inner, { parent: place, key }, depth + 1, inspection)
  }
}

const pointerTo = (place: Place | null): string =>
  place === null ? '#' : `${pointerTo(place.parent)}/${escaped(String(place.key))}`

const reachesPrototype = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype')

// With the u flag only surrogates without a partner match.
const LONE_SURROGATE = /\p{Surrogate}/u

const flawOf = (text: string): string | null =>
  LONE_SURROGATE.test(text) ? 'holds a lone surrogate' : text.includes('\0') ? 'holds a NUL character' : null

/** A key as a part of a JSON pointer (RFC 6901). */
export const escaped = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1')
