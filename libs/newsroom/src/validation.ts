// What a submitted value must look like: one schema per shape, from which the check, its message and the OpenAPI schema
// derive. class-validator carries it, so that a command class stays the one place where a field is described.
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { Invalid, type Violation } from '@stet/eventsourcing'
import { getMetadataStorage, ValidateBy, type ValidationError, validateSync, ValidationTypes } from 'class-validator'
import { MAX_SLUG, UUID_LIKE } from './text/slug'

const UUID = '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}'

/** Text of at most `max` UTF-16 code units. NUL and unpaired surrogates are refused everywhere, whatever the shape. */
export const text = (max: number, description?: string) =>
  Type.String({ maxLength: max, ...(description && { description }) })
/** Text of which something is left when white space is trimmed. */
export const nonBlank = (max: number) =>
  Type.String({ minLength: 1, maxLength: max, pattern: '\\S', description: `text of 1 to ${max} characters` })
/** Absolute http or https URL. */
export const httpUrl = () =>
  Type.String({ maxLength: 2048, pattern: '^https?://[^\\s<>"\\\\/?#]+[^\\s<>"\\\\]*$', description: 'an http(s) URL' })
/** UUID in any letter case; what is recorded is lower case. */
export const uuid = () => Type.String({ pattern: `^${UUID}$`, description: 'a UUID' })
/** Lower-case words of Latin letters and digits, joined by single hyphens, at most 80 characters; never like a UUID. */
export const slugText = () =>
  Type.String({
    maxLength: MAX_SLUG,
    pattern: `^(?!${UUID_LIKE}$)[a-z0-9]+(?:-[a-z0-9]+)*$`,
    description: 'lower-case words of a-z and 0-9 joined by hyphens, not like a UUID',
  })
/** Who somebody is, as the `sub` of tokens has it. */
export const subjectId = () =>
  Type.String({ minLength: 1, maxLength: 200, pattern: '^[\\x21-\\x7e]+$', description: 'an opaque subject id' })
/** A language tag of BCP 47. */
export const languageTag = () =>
  Type.String({
    minLength: 2,
    maxLength: 35,
    pattern: '^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$',
    description: 'a BCP 47 tag',
  })
/** RFC 3339 with an offset, of the years 1000 to 9999. */
export const timestampText = () =>
  Type.String({
    maxLength: 40,
    pattern:
      '^[1-9]\\d{3}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])T([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d+)?(Z|[+-]\\d\\d:\\d\\d)$',
    description: 'a time of RFC 3339',
  })
export const shape = <T extends Record<string, TSchema>>(properties: T, description?: string) =>
  Type.Object(properties, { additionalProperties: false, ...(description && { description }) })
export const nullable = <T extends TSchema>(schema: T) =>
  Type.Union([schema, Type.Null()], { description: `${schema.description ?? 'a value'} or null` })

const SHAPED = 'isShaped'

/**
 * Accepts what the schema accepts and what is well-formed text throughout. The message begins with the pointer of the
 * first flaw below the property (`/3/name must be ...`), or has none when the property as a whole is wrong.
 */
export const IsShaped = (schema: TSchema, also?: (value: never) => string | null): PropertyDecorator =>
  ValidateBy({
    name: SHAPED,
    constraints: [schema],
    validator: {
      validate: value => flawOf(schema, value, also) === null,
      defaultMessage: args => flawOf(schema, args?.value, also) ?? '',
    },
  })

/** Text of at most `max` UTF-16 code units without NUL and unpaired surrogates. */
export const IsText = (max: number) => IsShaped(text(max))
/** As IsText, and not blank. */
export const IsNonBlank = (max: number) => IsShaped(nonBlank(max))
export const IsSlug = () => IsShaped(slugText())
export const IsId = () => IsShaped(uuid())
export const IsHttpUrl = () => IsShaped(httpUrl())
export const IsLanguage = () =>
  IsShaped(languageTag(), (tag: string) => (canonicalLanguage(tag) ? null : 'must be a BCP 47 tag'))
export const IsTimestamp = () =>
  IsShaped(timestampText(), (time: string) => (Number.isNaN(Date.parse(time)) ? 'must be a time that exists' : null))

/** The canonical form of a language tag, null when it is none. */
export const canonicalLanguage = (tag: string): string | null => {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? null
  } catch {
    return null
  }
}

interface PropertyMetadata {
  readonly target?: unknown
  readonly propertyName?: string
  readonly constraints?: unknown[]
}

/** For class-validator-jsonschema's `additionalConverters`: the schemas of the decorators of this file. */
export const schemaConverters: Readonly<Record<string, (meta: PropertyMetadata) => Record<string, unknown>>> = {
  [SHAPED]: meta => {
    const schema = JSON.parse(JSON.stringify(meta.constraints?.[0])) as Record<string, unknown>
    return isOptional(meta) ? { anyOf: [schema, { type: 'null' }] } : schema
  },
}

/** What is wrong with a command or query, with a JSON pointer each; an unknown property is wrong. Empty: nothing. */
export const violationsOf = (instance: object): Violation[] =>
  validateSync(instance, {
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    stopAtFirstError: true,
  }).flatMap(error => violationsIn(error, '#'))

/** Throws Invalid unless the command or query satisfies its decorators. */
export const assertValid = (instance: object): void => {
  const violations = violationsOf(instance)
  if (violations.length > 0) throw new Invalid(violations)
}

const violationsIn = (error: ValidationError, parent: string): Violation[] => {
  const pointer = `${parent}/${error.property.replaceAll('~', '~0').replaceAll('/', '~1')}`
  const own = Object.values(error.constraints ?? {}).map(message => {
    const below = /^(\/\S*) /.exec(message)
    return below
      ? { pointer: pointer + below[1], detail: message.slice(below[0].length) }
      : { pointer, detail: message }
  })
  return [...own, ...(error.children ?? []).flatMap(child => violationsIn(child, pointer))]
}

const flawOf = (schema: TSchema, value: unknown, also?: (value: never) => string | null): string | null => {
  const error = Value.Errors(schema, value).First()
  if (error) {
    const wanted = (error.schema as { description?: string }).description
    const found = `${error.path} ${wanted ? `must be ${wanted}` : lowerFirst(error.message)}`
    return found.trimStart()
  }
  const at = illFormed(value, '')
  if (at !== null) return `${at} must not contain NUL or an unpaired surrogate`.trimStart()
  return also?.(value as never) ?? null
}

const lowerFirst = (message: string): string => message.charAt(0).toLowerCase() + message.slice(1)

/** Pointer of the first string with NUL or an unpaired surrogate, null when there is none. */
const illFormed = (value: unknown, pointer: string): string | null => {
  if (typeof value === 'string') return /\0|\p{Surrogate}/u.test(value) ? pointer : null
  if (typeof value !== 'object' || value === null) return null
  for (const [key, child] of Object.entries(value)) {
    const at = illFormed(child, `${pointer}/${key}`)
    if (at !== null) return at
  }
  return null
}

const isOptional = ({ target, propertyName }: PropertyMetadata): boolean =>
  typeof target === 'function' &&
  getMetadataStorage()
    .getTargetValidationMetadatas(target, '', true, false)
    .some(meta => meta.propertyName === propertyName && meta.type === ValidationTypes.CONDITIONAL_VALIDATION)

export type { Static }
