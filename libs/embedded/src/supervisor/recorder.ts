// Notes which calls the product makes, each kind once: what docs/embedded-stores.md lists is taken from such a record.
import { appendFileSync } from 'node:fs'
import { deserialize } from 'bson'

type Fields = Readonly<Record<string, unknown>>

/** A command as it came: its document, and the arrays of documents beside it as bytes. */
type Command = { readonly body: object; readonly sequences: ReadonlyMap<string, readonly Uint8Array[]> }

export type Recorder = {
  onMessage: (path: string, message: unknown) => void
  onCommand: (command: Command) => void
}

/** Part of every command of the driver. */
const EVERYWHERE = new Set(['$db', 'lsid', '$clusterTime', '$readPreference'])
/** Arrays in commands whose elements have options of their own. */
const WITH_OPTIONS = ['updates', 'deletes', 'indexes']

/** Appends a line to `file` for each `CALL PART` that was not seen before: an option, an operator, a stage, a field. */
export function recordCalls(file: string): Recorder {
  const seen = new Set<string>()
  function note(call: string, parts: Iterable<string>): void {
    for (const part of ['', ...parts]) {
      const line = `${call} ${part}`.trim()
      if (seen.has(line)) continue
      seen.add(line)
      appendFileSync(file, `${line}\n`)
    }
  }

  return {
    onMessage(path, message) {
      const call = path.replace(/^.*\.(?=\w+\/)/, '').replace('/', '.')
      note(call, setFields((message as { toObject: () => Fields }).toObject()))
    },
    onCommand({ body, sequences }) {
      const [call = '', ...options] = Object.keys(body)
      const given: Fields = {
        ...body,
        ...Object.fromEntries([...sequences].map(([name, all]) => [name, decoded(all)])),
      }
      note(call, [
        ...options.filter(name => !EVERYWHERE.has(name)),
        ...sequences.keys(),
        ...WITH_OPTIONS.flatMap(name =>
          elementsOf(given[name]).flatMap(one => Object.keys(one).map(key => `${name}.${key}`)),
        ),
        // What is stored may have any names.
        ...Object.entries(given).flatMap(([name, value]) => (name === 'documents' ? [] : [...operatorsIn(value)])),
      ])
    },
  }
}

const decoded = (documents: readonly Uint8Array[]): Fields[] => documents.map(bytes => deserialize(bytes))
const elementsOf = (value: unknown): Fields[] => (Array.isArray(value) ? (value as Fields[]) : [])
const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null

/** Names that begin with a dollar, at any depth. */
function* operatorsIn(value: unknown): Generator<string> {
  if (!isObject(value)) return
  for (const [name, inner] of Object.entries(value)) {
    if (name.startsWith('$') && !EVERYWHERE.has(name)) yield name
    yield* operatorsIn(inner)
  }
}

/** Fields of a message that are not their type's default, `a.b` for b within a. */
function* setFields(message: Fields, path = ''): Generator<string> {
  for (const [name, value] of Object.entries(message)) {
    if (!value || value === '0' || (Array.isArray(value) && value.length === 0)) continue
    const isMessage = isObject(value) && !Array.isArray(value) && Object.keys(value).length > 0
    if (isMessage) yield* setFields(value, `${path}${name}.`)
    else yield `${path}${name}`
  }
}
