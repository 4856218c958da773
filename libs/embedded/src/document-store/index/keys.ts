// What an index holds of a document, and by what a sort compares documents: one set of rules for both.
import { distinct, KeyWriter } from '../bson/order'
import { ARRAY, type Element, namedElements, type Names, namesOf, OBJECT, placeIn } from '../bson/raw'
import { isArrayIndex, type Path, pathOf } from '../bson/path'
import { type Document, field, isDocument, type Value } from '../bson/value'
import { show } from '../bson/show'
import { CommandError, notImplemented } from '../errors'

export interface KeyPart {
  readonly dotted: string
  readonly path: Path
  readonly direction: 1 | -1
}
export type KeyPattern = readonly KeyPart[]

export function keyPart(dotted: string, direction: 1 | -1): KeyPart {
  return { dotted, path: pathOf(dotted), direction }
}

/** Most fields of an index or an order, as in MongoDB. */
const MAX_FIELDS = 32

/** The pattern that a document gives, of an index or an order; `directionOf` checks a field and what stands at it. */
export function keyPattern(document: Document, directionOf: (dotted: string, direction: Value) => 1 | -1): KeyPattern {
  const names = Object.keys(document)
  if (names.length > MAX_FIELDS) throw new CommandError('Location13103', 'too many compound keys')
  // JavaScript puts them before all others: which place they had is not known any more.
  const displaced = names.length > 1 && names.find(isArrayIndex)
  if (displaced)
    throw notImplemented(`order or index by several fields of which one is named by a number ('${displaced}')`)
  return names.map(dotted => keyPart(dotted, directionOf(dotted, field(document, dotted))))
}

/**
 * The keys of a document in order: one, or one per element of an array on the way; and the dotted paths of those arrays. A
 * missing field counts as null, an empty array as undefined, which sorts before null.
 * @throws CannotIndexParallelArrays when two different arrays would have to be combined, KeyTooLong beyond MAX_KEYS.
 */
export function extractKeys(document: Document, pattern: KeyPattern): { keys: Buffer[]; arrays: Set<string> } {
  const { rows, arrays } = extractRows(document, pattern)
  let bytes = 0
  const keys = rows.map(row => {
    const key = keyOfRow(row, pattern)
    bytes += key.length
    if (bytes > MAX_KEYS)
      throw new CommandError('KeyTooLong', `the embedded document store takes ${MAX_KEYS} bytes of keys of a document`)
    return key
  })
  return { keys: distinct(keys), arrays }
}

/** Most bytes of all keys of a document: a long value stands in each that is made of an array beside it. */
const MAX_KEYS = 128 * 1024 * 1024

/** The values that the keys are made of, those of each key in the order of the pattern. */
export function extractRows(document: Document, pattern: KeyPattern): { rows: Value[][]; arrays: Set<string> } {
  const arrays = new Set<string>()
  const walks = pattern.map(({ path }) => ({ value: document, path, at: 0, prefix: '', done: false }))
  return { rows: expand(walks, arrays), arrays }
}

export function keyOfRow(row: readonly Value[], pattern: KeyPattern): Buffer {
  writer.clear()
  pattern.forEach(({ direction }, i) => writer.component(row[i], direction))
  return writer.bytes()
}

const writer = new KeyWriter()

/**
 * An entry of a document in an index, straight from its bytes: the prefix, the values, what follows them. `elements` are
 * those of the pattern's first steps, by `places`. Undefined where the document has to be decoded: it has an array on these
 * paths or a value of a rare type, or the values are longer than `longest`.
 */
export function plainEntry(
  prefix: Buffer,
  bytes: Buffer,
  pattern: readonly StoredPart[],
  elements: readonly (Element | undefined)[],
  longest: number,
  suffix: Buffer | undefined,
): Buffer | undefined {
  writer.clear()
  writer.raw(prefix)
  for (const { place, inner, direction } of pattern) {
    const element = inner.length === 0 ? elements[place] : elementWithin(bytes, elements[place], inner)
    if (!writer.storedComponent(bytes, element, direction)) return undefined
  }
  if (writer.size - prefix.length > longest) return undefined
  if (suffix) writer.raw(suffix)
  return writer.bytes()
}

/** A part of a pattern as it is looked up in bytes: the place of its first step, and the steps after it. */
export interface StoredPart {
  readonly place: number
  readonly inner: readonly Names[]
  readonly direction: 1 | -1
}

export function storedPattern(pattern: KeyPattern, names: Names): StoredPart[] {
  return pattern.map(({ path, direction }) => {
    const [first, ...inner] = path
    return { place: placeIn(names, first!), inner: inner.map(step => namesOf([step])), direction }
  })
}

/** An element of a document that has to be decoded. */
const UNKNOWN: Element = { type: -1, start: 0, value: 0, end: 0 }

/** What the steps after the first one lead to; an array on the way stands for what is in it, and is no single value. */
function elementWithin(bytes: Buffer, outer: Element | undefined, steps: readonly Names[]): Element | undefined {
  let element = outer
  for (const step of steps) {
    if (!element || element.type === ARRAY) return element
    if (element.type !== OBJECT) return undefined
    const found: readonly (Element | undefined)[] | undefined = namedElements(bytes, step, element.value)
    if (!found) return UNKNOWN
    element = found[0]
  }
  return element
}

/** The key by which a document is sorted: of several the smallest in the sort's own order. */
export function sortKey(document: Document, pattern: KeyPattern): Buffer {
  return extractKeys(document, pattern).keys[0]!
}

/** A path on its way through a document. */
interface Walk {
  value: Value
  path: Path
  at: number
  prefix: string
  done: boolean
}

/** Walks all paths of a compound key at once; they may share one array, whose elements are then taken together. */
function expand(walks: Walk[], arrays: Set<string>): Value[][] {
  const walked = walks.map(walk => advance(walk, arrays))
  const waiting = walked.filter(walk => !walk.done)
  if (waiting.length === 0) return [walked.map(walk => (walk.value === undefined ? null : absent(walk.value)))]
  const { prefix } = waiting[0]!
  if (waiting.some(walk => walk.prefix !== prefix))
    throw new CommandError(
      'CannotIndexParallelArrays',
      `cannot index parallel arrays [${waiting.map(walk => walk.path[walk.at - 1]).join('] [')}]`,
    )
  arrays.add(prefix)
  const elements = waiting[0]!.value as Value[]
  const rows: Value[][] = []
  for (const element of elements.length > 0 ? elements : [emptyArray]) {
    const entered = walked.map(walk => (walk.done ? walk : enter(walk, element)))
    for (const row of expand(entered, arrays)) rows.push(row)
  }
  return rows
}

/** Goes on until the path ends or meets an array that has to be expanded; through one that it names a position of. */
function advance(walk: Walk, arrays: Set<string>): Walk {
  let { value, at, prefix } = walk
  const { path } = walk
  if (walk.done) return walk
  for (;;) {
    if (Array.isArray(value)) {
      const step = path[at]
      if (step === undefined || !isPosition(value, step)) return { ...walk, value, at, prefix }
      arrays.add(prefix)
      value = value[Number(step)]
    } else if (at === path.length) return { ...walk, value, at, prefix, done: true }
    else if (isDocument(value)) value = field(value, path[at]!)
    else return { ...walk, value: undefined, at, prefix, done: true }
    prefix = prefix ? `${prefix}.${path[at]}` : path[at]!
    at++
    if (at === path.length && !Array.isArray(value)) return { ...walk, value, at, prefix, done: true }
  }
}

/** One element in place of its array; an array inside an array is not expanded again. */
function enter(walk: Walk, element: Value): Walk {
  if (walk.at === walk.path.length) return { ...walk, value: element, done: true }
  if (element === emptyArray || !isDocument(element)) return { ...walk, value: undefined, done: true }
  return { ...walk, value: element }
}

/** Stands for the element of an empty array: undefined where the path ends, missing where it goes on. */
const emptyArray: Document = Object.freeze({})

function absent(value: Value): Value {
  return value === emptyArray ? undefined : value
}

/** Whether a step is a position in an array, and not the name of a field of its documents. */
function isPosition(array: Value[], step: string): boolean {
  if (!isArrayIndex(step)) return false
  if (!array.some(item => isDocument(item) && Object.hasOwn(item, step))) return true
  if (Number(step) >= array.length) return false
  throw new CommandError(
    'Location16746',
    `Ambiguous field name found in array (do not use numeric field names in embedded elements in an array), field: '${step}' for array: ${show(array)}`,
  )
}
