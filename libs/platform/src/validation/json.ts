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
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch {
    throw new Problem('malformed', 'The body is not JSON.')
  }
  const errors: Violation[] = []
  inspect(value, '#', 0, { values: 0, errors })
  if (errors.length > 0) throw new Invalid(errors)
  return value
}

interface Inspection {
  values: number
  readonly errors: Violation[]
}

const inspect = (value: unknown, pointer: string, depth: number, inspection: Inspection): void => {
  if (++inspection.values > MAX_VALUES)
    throw new Invalid([{ pointer: '#', detail: `has more than ${MAX_VALUES} values` }])
  if (typeof value === 'string') {
    const detail = flawOf(value)
    if (detail && inspection.errors.length < 100) inspection.errors.push({ pointer, detail })
    return
  }
  if (typeof value !== 'object' || value === null) return
  if (depth === MAX_DEPTH) throw new Invalid([{ pointer, detail: `is nested deeper than ${MAX_DEPTH} levels` }])
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++)
      inspect(value[index], `${pointer}/${index}`, depth + 1, inspection)
    return
  }
  for (const key of Object.keys(value)) {
    if (key === '__proto__') throw new Problem('malformed', 'The body holds the key __proto__.')
    if (key === 'constructor' && reachesPrototype((value as Record<string, unknown>)[key]))
      throw new Problem('malformed', 'The body holds the key constructor.prototype.')
    const at = `${pointer}/${escaped(key)}`
    const detail = flawOf(key)
    if (detail) throw new Invalid([{ pointer, detail: `has a key that ${detail}` }])
    inspect((value as Record<string, unknown>)[key], at, depth + 1, inspection)
  }
}

const reachesPrototype = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype')

// With the u flag only surrogates without a partner match.
const LONE_SURROGATE = /\p{Surrogate}/u

const flawOf = (text: string): string | null =>
  LONE_SURROGATE.test(text) ? 'holds a lone surrogate' : text.includes('\0') ? 'holds a NUL character' : null

/** A key as a part of a JSON pointer (RFC 6901). */
export const escaped = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1')
