// Values as the shell would write them, for messages.
import { Double, Int32, Long } from 'bson'
import { isDocument, isNumeric, kindOf, type Value } from './value'

export function show(value: Value): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value)
  if (Array.isArray(value)) return `[ ${value.map(show).join(', ')} ]`
  if (isDocument(value)) {
    const fields = Object.entries(value).map(([name, item]) => `${name}: ${show(item)}`)
    return fields.length > 0 ? `{ ${fields.join(', ')} }` : '{}'
  }
  if (isNumeric(value)) return value instanceof Long ? value.toString() : String(value.value)
  if (value instanceof Date) return `new Date(${value.getTime()})`
  if (value !== undefined && 'toHexString' in value) return `ObjectId('${value.toHexString()}')`
  return kindOf(value)
}

/** The name of a value's type. */
export function typeName(value: Value): string {
  if (value instanceof Int32) return 'int'
  if (value instanceof Double) return 'double'
  if (value instanceof Long) return 'long'
  const kind = kindOf(value)
  return kind === 'undefined' ? 'missing' : kind
}
