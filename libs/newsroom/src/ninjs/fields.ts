// Reads JSON that nobody has checked: every value is asked for by name and type, and what nobody asked for is reported.
import { Invalid, type Violation } from '@stet/eventsourcing'

/** Bounds of a whole item; what lies beyond them is refused before anything is read. */
export const ITEM_LIMITS = { depth: 24, values: 50_000, characters: 4 * 1024 * 1024 } as const

const MAX_VIOLATIONS = 50
const MAX_NOTES = 200
const MAX_POINTER = 200

/** Names of one field: the same thing is spelt differently by versions (`versioncreated`, `versionCreated`). */
export type Names = string | readonly string[]

/** One item being read: what was wrong with it and what was not understood, in the order of reading. */
export class Reading {
  readonly violations: Violation[] = []
  private readonly noted: string[] = []
  private beyond = 0

  /** A value that cannot be accepted: the item will be refused. */
  wrong(pointer: string, detail: string): null {
    if (this.violations.length < MAX_VIOLATIONS) this.violations.push({ pointer, detail })
    return null
  }

  /** A value that is left out, and why. */
  note(pointer: string, reason: string): void {
    if (this.noted.length < MAX_NOTES) this.noted.push(`${pointer} ${reason}`)
    else this.beyond++
  }

  /** What was not understood: a JSON pointer and a reason each; bounded, the last line counts the rest. */
  get notes(): string[] {
    return this.beyond ? [...this.noted, `# ${this.beyond} more`] : [...this.noted]
  }

  /** Throws Invalid when anything was wrong. */
  refuse(): void {
    if (this.violations.length) throw new Invalid(this.violations)
  }
}

/** An object whose fields are read one by one. null counts as absent, everywhere. */
export class Fields {
  private readonly read = new Set<string>()

  constructor(
    private readonly object: Readonly<Record<string, unknown>>,
    readonly pointer: string,
    readonly reading: Reading,
  ) {}

  has(names: Names): boolean {
    return this.find(names, false) !== undefined
  }

  isArray(names: Names): boolean {
    return Array.isArray(this.find(names, false)?.value)
  }

  /** Pointer of the first of the names that is there, else of the first name. */
  at(names: Names): string {
    return child(this.pointer, this.find(names, false)?.name ?? list(names)[0] ?? '')
  }

  /** Trimmed text of at most `max` UTF-16 units, null when absent or empty. */
  text(names: Names, max: number): string | null {
    const found = this.find(names)
    if (!found) return null
    if (typeof found.value !== 'string') return this.expected(found, 'a string')
    const text = found.value.trim()
    if (text.length > max)
      return this.reading.wrong(child(this.pointer, found.name), `is longer than ${max} characters`)
    return text || null
  }

  /** Text, or a number written as text: versions come as both. */
  label(names: Names, max: number): string | null {
    const found = this.find(names, false)
    if (typeof found?.value !== 'number') return this.text(names, max)
    this.read.add(found.name)
    return String(found.value)
  }

  /** A whole number within bounds; fractions are rounded (pixels of a scaled picture). */
  whole(names: Names, min: number, max: number): number | null {
    const found = this.find(names)
    if (!found) return null
    if (typeof found.value !== 'number') return this.expected(found, 'a number')
    const whole = Math.round(found.value)
    if (whole >= min && whole <= max) return whole
    return this.reading.wrong(child(this.pointer, found.name), `is not between ${min} and ${max}`)
  }

  /** An array of objects; [] when absent. */
  objects(names: Names, max: number): Fields[] {
    return this.array(names, max).flatMap(({ value, pointer }) => {
      if (isObject(value)) return [new Fields(value, pointer, this.reading)]
      this.reading.wrong(pointer, 'must be an object')
      return []
    })
  }

  /** An array of texts; [] when absent. */
  texts(names: Names, max: number, length: number): string[] {
    return this.array(names, max).flatMap(({ value, pointer }) => {
      if (typeof value === 'string' && value.length <= length) return value.trim() ? [value.trim()] : []
      this.reading.wrong(pointer, `must be a string of at most ${length} characters`)
      return []
    })
  }

  /** An object of objects as (name, fields) pairs; [] when absent. Values that are null are absent. */
  entries(names: Names, max: number): [string, Fields][] {
    const found = this.find(names)
    if (!found) return []
    const pointer = child(this.pointer, found.name)
    if (!isObject(found.value)) {
      this.expected(found, 'an object')
      return []
    }
    const pairs = Object.entries(found.value).filter(([, value]) => value !== null)
    if (pairs.length > max) {
      this.reading.wrong(pointer, `has more than ${max} entries`)
      return []
    }
    return pairs.flatMap(([name, value]) => {
      const at = child(pointer, name)
      if (isObject(value)) return [[name, new Fields(value, at, this.reading)] as [string, Fields]]
      this.reading.wrong(at, 'must be an object')
      return []
    })
  }

  /** Fields that are understood and need nothing done. */
  ignore(...names: string[]): this {
    for (const name of names) this.read.add(name)
    return this
  }

  /** Leaves the whole object out, with one line for it. */
  skip(reason: string): void {
    for (const name of Object.keys(this.object)) this.read.add(name)
    this.reading.note(this.pointer, reason)
  }

  /** Reports every field that was not read. */
  done(): void {
    for (const [name, value] of Object.entries(this.object)) {
      if (!this.read.has(name) && !isEmpty(value)) this.reading.note(child(this.pointer, name), 'is not kept')
    }
  }

  private array(names: Names, max: number): { value: unknown; pointer: string }[] {
    const found = this.find(names)
    if (!found) return []
    const pointer = child(this.pointer, found.name)
    if (!Array.isArray(found.value)) {
      this.expected(found, 'an array')
      return []
    }
    if (found.value.length > max) {
      this.reading.wrong(pointer, `has more than ${max} entries`)
      return []
    }
    return found.value.map((value: unknown, index) => ({ value, pointer: child(pointer, String(index)) }))
  }

  private find(names: Names, reads = true): { name: string; value: unknown } | undefined {
    for (const name of list(names)) {
      if (!Object.hasOwn(this.object, name)) continue
      const value = this.object[name]
      if (value === null || value === undefined) continue
      if (reads) this.read.add(name)
      return { name, value }
    }
    return undefined
  }

  private expected(found: { name: string }, what: string): null {
    return this.reading.wrong(child(this.pointer, found.name), `must be ${what}`)
  }
}

/**
 * The item as fields, after a walk over all of it. Throws Invalid when it is no JSON object, too deep, too large, or
 * holds text that cannot be stored (a lone surrogate, NUL).
 */
export const fieldsOf = (item: unknown): Fields => {
  const reading = new Reading()
  if (!isObject(item)) throw new Invalid([{ pointer: '#', detail: 'is no ninjs item: a JSON object is needed' }])
  walk(item, reading)
  reading.refuse()
  return new Fields(item, '#', reading)
}

/** Text without control characters that could tear a line, and without halves of surrogate pairs. */
export const printable = (text: string, max = MAX_POINTER): string =>
  text
    .slice(0, max)
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .replace(/\p{Cc}/gu, ' ')

const child = (pointer: string, name: string): string =>
  `${pointer}/${printable(name, 60).replaceAll('~', '~0').replaceAll('/', '~1')}`

const list = (names: Names): readonly string[] => (typeof names === 'string' ? [names] : names)

const isObject = (value: unknown): value is Record<string, unknown> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Nothing is lost with these, so nobody needs to hear of them. */
const isEmpty = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  value === '' ||
  (Array.isArray(value) && value.length === 0) ||
  (isObject(value) && Object.keys(value).length === 0)

/** Breadth first with its own queue: the nesting of hostile input never becomes ours. */
const walk = (item: object, reading: Reading): void => {
  const queue: { value: unknown; pointer: string; depth: number }[] = [{ value: item, pointer: '#', depth: 1 }]
  let characters = 0
  for (let next = 0; next < queue.length; next++) {
    const { value, pointer, depth } = queue[next] as (typeof queue)[number]
    if (typeof value === 'string') {
      characters += value.length
      if (/\p{Surrogate}/u.test(value)) reading.wrong(pointer, 'holds half of a surrogate pair')
      if (value.includes('\0')) reading.wrong(pointer, 'holds a NUL character')
    } else if (Array.isArray(value) || isObject(value)) {
      if (depth > ITEM_LIMITS.depth) {
        reading.wrong(pointer, `is nested deeper than ${ITEM_LIMITS.depth} levels`)
        continue
      }
      for (const [name, inner] of Object.entries(value)) {
        characters += name.length
        queue.push({ value: inner, pointer: child(pointer, name), depth: depth + 1 })
        if (queue.length > ITEM_LIMITS.values) break
      }
    } else if (value !== null && value !== undefined && typeof value !== 'number' && typeof value !== 'boolean') {
      reading.wrong(pointer, 'is no JSON value')
    }
    if (queue.length > ITEM_LIMITS.values) {
      return void reading.wrong('#', `holds more than ${ITEM_LIMITS.values} values`)
    }
    if (characters > ITEM_LIMITS.characters) {
      return void reading.wrong('#', `holds more than ${ITEM_LIMITS.characters} characters`)
    }
  }
}
