// Schemas of what comes in, derived from the decorators that check it. One that cannot be derived fails the start.
import { schemaConverters } from '@stet/newsroom'
import { getMetadataStorage } from 'class-validator'
import { targetConstructorToSchema } from 'class-validator-jsonschema'
import { defaultConverters } from 'class-validator-jsonschema/build/defaultConverters'
import { type ISchemaConverters } from 'class-validator-jsonschema/build/defaultConverters'

export type JsonSchema = Readonly<Record<string, unknown>>
type RequestClass = new () => object

/**
 * JSON schema of a command or query class; nothing beside its properties is accepted.
 * @throws Error that names a decorator without a schema
 */
export const requestSchema = (type: RequestClass): JsonSchema => {
  refuseUnderivable(type)
  const schema = targetConstructorToSchema(type, {
    additionalConverters: { ...(schemaConverters as unknown as ISchemaConverters), ...BETTER },
  }) as unknown as { properties?: Record<string, unknown>; required?: string[] }
  const properties = Object.fromEntries(
    Object.entries(schema.properties ?? {}).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
  )
  const required = requiredOf(type).filter(name => name in properties)
  return { type: 'object', properties, ...(required.length > 0 && { required }), additionalProperties: false }
}

/** OpenAPI 3.1 takes JSON Schema's own words where the package writes those of 3.0. */
const BETTER: ISchemaConverters = { isUuid: { type: 'string', format: 'uuid' } }

const metadataOf = (type: RequestClass) =>
  getMetadataStorage().getTargetValidationMetadatas(type, '', true, false, undefined)

/** What is not optional has to be there. */
const requiredOf = (type: RequestClass): string[] => {
  const metadata = metadataOf(type)
  const optional = new Set(
    metadata.filter(({ type: kind }) => kind === OPTIONAL).map(({ propertyName }) => propertyName),
  )
  return [...new Set(metadata.map(({ propertyName }) => propertyName))].filter(name => !optional.has(name)).sort()
}
const OPTIONAL = 'conditionalValidation'

const refuseUnderivable = (type: RequestClass): void => {
  for (const { type: kind, name, propertyName } of metadataOf(type)) {
    const decorator = kind === 'customValidation' ? (name ?? kind) : kind
    if (decorator in defaultConverters || decorator in schemaConverters || decorator in BETTER) continue
    throw new Error(
      `${type.name}.${propertyName}: no schema can be derived from the decorator ${decorator}: add one to schemaConverters`,
    )
  }
}
