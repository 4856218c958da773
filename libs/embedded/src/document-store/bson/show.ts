// Values as the shell would write them, for messages.
import { Long } from 'bson'
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
