// Dotted paths and how they go through arrays.
import { CommandError, notImplemented } from '../errors'
import { type Document, field, isDocument, MAX_DEPTH, type Value } from './value'

export type Path = readonly string[]

/** Most positions in a path: each may be the name of a field as well, and is followed both ways. */
const MAX_POSITIONS = 16

/** @throws Overflow when it is longer than any document is deep, NotImplemented beyond MAX_POSITIONS. */
export function pathOf(dotted: string): Path {
  const path = dotted.split('.')
  if (path.length > MAX_DEPTH)
    throw new CommandError('Overflow', `FieldPath is too long: no document is nested deeper than ${MAX_DEPTH}`)
  if (path.filter(isArrayIndex).length > MAX_POSITIONS)
    throw notImplemented(`path with more than ${MAX_POSITIONS} positions ('${dotted}')`)
  return path
}

/** Whether a dotted path is another one, or leads on from it. */
export function isUnder(dotted: string, outer: string): boolean {
  return dotted === outer || dotted.startsWith(`${outer}.`)
}

export function isArrayIndex(step: string): boolean {
  return /^(0|[1-9]\d{0,9})$/.test(step)
}

/** `byPosition`: the last step was a position in an array, so that an array that stands there is not looked into. */
type Visit = (value: Value, byPosition: boolean) => boolean

/**
 * Visits what a query's path reaches: `undefined` where the path ends in nothing. Arrays on the way are entered, both by
 * position and into each embedded document; an array at the end is given as it is. Stops when the visitor says true.
 */
export function reach(document: Document, path: Path, visit: Visit, at = 0): boolean {
  return arrive(field(document, path[at]!), path, visit, at)
}

function arrive(value: Value, path: Path, visit: Visit, at: number, byPosition = false): boolean {
  if (at === path.length - 1) return visit(value, byPosition)
  if (isDocument(value)) return reach(value, path, visit, at + 1)
  if (!Array.isArray(value)) return !byPosition && visit(undefined, false)
  const next = path[at + 1]!
  if (isArrayIndex(next) && Number(next) < value.length && arrive(value[Number(next)], path, visit, at + 1, true))
    return true
  for (const item of value) if (isDocument(item) && reach(item, path, visit, at + 1)) return true
  return false
}
