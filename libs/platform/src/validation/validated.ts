// From a parsed body to an instance of its class: class-validator decides, nothing unknown passes.
import { getMetadataStorage, type ValidationError, validateSync } from 'class-validator'
import { Invalid, type Violation } from '@stet/eventsourcing'
import { escaped } from './json'

export type Class<T extends object> = new () => T

/**
 * An instance of `type` made of a parsed body; an absent body counts as `{}`. Values are taken as they are, without
 * conversion: what they may be is said by the class's decorators alone.
 * @throws Invalid with a JSON pointer for every place that is refused, unknown fields included
 */
export const validated = <T extends object>(type: Class<T>, body: unknown): T => {
  const plain: unknown = body ?? {}
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain))
    throw new Invalid([{ pointer: '#', detail: 'must be an object' }])
  const instance = new type()
  for (const [key, value] of Object.entries(plain)) {
    // `constructor` would even decide which decorators are asked.
    if (key in Object.prototype) throw new Invalid([{ pointer: `#/${escaped(key)}`, detail: UNKNOWN }])
    ;(instance as Record<string, unknown>)[key] = value
  }
  const errors = validateSync(instance, VALIDATION)
  if (errors.length > 0) throw new Invalid(violations(errors, '#'))
  return instance
}

// class-validator searches the decorators of all classes for every single validation, which costs more than to check
// them; a class has all of its decorators before anything is validated, so what was found once stays.
const storage = getMetadataStorage()
const search = storage.getTargetValidationMetadatas.bind(storage)
const found = new WeakMap<object, ReturnType<typeof search>>()
storage.getTargetValidationMetadatas = (target, schema, always, strictGroups, groups) => {
  if (schema || always || strictGroups || groups?.length) return search(target, schema, always, strictGroups, groups)
  const known = found.get(target)
  if (known) return known
  const metadata = search(target, schema, always, strictGroups, groups)
  found.set(target, metadata)
  return metadata
}

const UNKNOWN = 'is not known here'
const VALIDATION = {
  whitelist: true,
  forbidNonWhitelisted: true,
  // Off: a query without parameters is a class without decorators, and what is unknown is refused by the whitelist.
  forbidUnknownValues: false,
  stopAtFirstError: true,
  validationError: { target: false, value: false },
} as const

const violations = (errors: readonly ValidationError[], parent: string): Violation[] =>
  errors.flatMap(({ property, constraints, children }) => {
    const pointer = `${parent}/${escaped(property)}`
    const own = Object.entries(constraints ?? {}).map(([rule, message]) =>
      rule === 'whitelistValidation' ? { pointer, detail: UNKNOWN } : violation(pointer, message),
    )
    return [...own, ...violations(children ?? [], pointer)]
  })

/** A decorator of a nested shape begins its message with the pointer of the flaw below the property: `/3/name must ...`. */
const violation = (pointer: string, message: string): Violation => {
  const below = /^(\/\S*) (.*)$/s.exec(message)
  return below ? { pointer: `${pointer}${below[1]}`, detail: below[2] ?? '' } : { pointer, detail: message }
}
