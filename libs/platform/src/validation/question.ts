// From a path and a query string to an instance of a query class.
import { plainToInstance } from 'class-transformer'
import { Invalid } from '@stet/eventsourcing'
import { type Class, validated } from './validated'

/** Names and values of a request's path parameters and query string. */
export type Parameters = Readonly<Record<string, unknown>>

/**
 * An instance of `type` made of parameters. Values are text; a class says with class-transformer what becomes of them.
 * @throws Invalid for a parameter that is unknown, given twice or not acceptable; pointers are `?name`
 */
export const validatedQuery = <T extends object>(type: Class<T>, parameters: Parameters): T => {
  const plain: Record<string, string> = {}
  for (const [name, value] of Object.entries(parameters)) {
    if (name in Object.prototype) throw new Invalid([{ pointer: `?${name}`, detail: 'is not known here' }])
    if (typeof value !== 'string') throw new Invalid([{ pointer: `?${name}`, detail: 'is given more than once' }])
    plain[name] = value
  }
  // Flat and of strings only: nothing of class-transformer's that depends on shape comes into play.
  const converted = { ...plainToInstance(type, plain, { exposeUnsetFields: false }) }
  try {
    return validated(type, converted)
  } catch (error) {
    if (!(error instanceof Invalid)) throw error
    throw new Invalid(error.errors.map(({ pointer, detail }) => ({ pointer: pointer.replace(/^#\//, '?'), detail })))
  }
}
