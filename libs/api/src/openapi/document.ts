// The OpenAPI 3.1 document: assembled from the routes, their roles, the decorators of what comes in and the schemas of
// what goes out. Nothing is said twice, and a route that is not described fails the start.
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants'
import { type TSchema } from '@sinclair/typebox'
import { type ControllerRoute, ProblemAnswer } from '@stet/platform'
import { DESCRIPTION, type Description } from './describe'
import { EXAMPLES } from './examples'
import { PROBLEM_TEXT, problemsOf } from './problems'
import { type JsonSchema, requestSchema } from './requests'

type Json = Readonly<Record<string, unknown>>

export interface OpenApiDocument {
  readonly openapi: string
  readonly info: Json
  readonly tags: readonly Json[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Json>>>>
  readonly components: { readonly schemas: Readonly<Record<string, unknown>>; readonly securitySchemes: Json }
}

/**
 * The document of these routes; operations (health, metrics) are left out.
 * @throws Error for a route without a description, two of one name, an answer without an example, an underivable class
 */
export const openApiDocument = (routes: readonly ControllerRoute[], version: string): OpenApiDocument => {
  const components = new Components()
  const paths: Record<string, Record<string, Json>> = {}
  const ids = new Set<string>()
  for (const route of routes.filter(({ path }) => /^\/(editorial|reader|analyst)\//.test(path))) {
    const description = descriptionOf(route)
    if (ids.has(description.id)) throw new Error(`two operations are called ${description.id}`)
    ids.add(description.id)
    const path = route.path.replace(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route, description, components) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Stet',
      version,
      description: 'Newsroom backend. Errors are application/problem+json (RFC 9457); their types can be fetched.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    tags: [
      { name: 'editorial', description: "Commands and editors' queries" },
      { name: 'reader', description: "Readers' queries and the view beacon" },
      { name: 'analyst', description: 'The event history' },
    ],
    paths,
    components: {
      schemas: components.schemas(),
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  }
}

/** @throws Error for a route without a description */
export const descriptionOf = ({ controller, handler, method, path }: ControllerRoute): Description => {
  const target = (controller.prototype as Record<string, object>)[handler]
  const description = target && (Reflect.getMetadata(DESCRIPTION, target) as Description | undefined)
  if (!description) throw new Error(`${method} ${path} is not described: add @Describe(...)`)
  return description
}

const operation = (route: ControllerRoute, description: Description, components: Components): Json => {
  const { body, question } = inputsOf(route)
  const tag = route.path.split('/')[1]
  const roles = route.access?.kind === 'roles' ? route.access.roles : null
  return {
    operationId: description.id,
    summary: description.summary,
    tags: [tag],
    ...(roles && { description: `Roles: ${roles.join(', ')}.`, security: [{ token: [] }] }),
    parameters: parametersOf(route, description, question),
    ...((body || description.anyBody) && { requestBody: requestBody(body, description, components) }),
    responses: responsesOf(route, description, components),
  }
}

// Nest's numbers of parameter kinds; they are no public enum.
const BODY = 3
const QUERY = 4

/** The classes of a route's body and of its path parameters and query string. */
const inputsOf = ({ controller, handler }: ControllerRoute) => {
  const types = (Reflect.getMetadata('design:paramtypes', controller.prototype as object, handler) ?? []) as unknown[]
  const args = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, handler) ?? {}) as Record<
    string,
    { readonly index: number; readonly data?: unknown }
  >
  const classOf = (wanted: (kind: string, data: unknown) => boolean) => {
    const found = Object.entries(args).find(([key, { data }]) => wanted(key.split(':')[0] ?? '', data))
    const type = found && types[found[1].index]
    return typeof type === 'function' && type !== Object ? (type as new () => object) : undefined
  }
  return {
    body: classOf(kind => kind === String(BODY)),
    question: classOf((kind, data) => kind === String(QUERY) || data === 'question'),
  }
}

const requestBody = (body: (new () => object) | undefined, description: Description, components: Components): Json => {
  const schema = body
    ? components.request(body)
    : { type: 'object', description: 'An item of IPTC ninjs 1.x, 2 or 3, or of Superdesk' }
  return {
    required: true,
    content: {
      'application/json': { schema },
      ...(description.acceptsText && { 'text/plain': { schema: { type: 'string', description: 'The same as JSON' } } }),
    },
  }
}

const parametersOf = (
  { path, method }: ControllerRoute,
  { ifMatch, merges, composed, etag, waits }: Description,
  question: (new () => object) | undefined,
): Json[] => {
  const schema = question ? requestSchema(question) : {}
  const properties = (schema.properties ?? {}) as Readonly<Record<string, JsonSchema>>
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name ?? '')
  const header = (name: string, description: string, required = false) => ({
    name,
    in: 'header',
    required,
    description,
    schema: { type: 'string' },
  })
  return [
    ...inPath.map(name => ({
      name,
      in: 'path',
      required: true,
      schema: properties[name] ?? (name === 'id' ? { type: 'string', format: 'uuid' } : { type: 'string' }),
    })),
    ...Object.entries(properties)
      .filter(([name]) => !inPath.includes(name))
      .map(([name, schema]) => ({
        name,
        in: 'query',
        required: ((question && requestSchema(question).required) as string[] | undefined)?.includes(name) ?? false,
        schema,
        // `include=related,popular`, not `include=related&include=popular`.
        ...(isArray(schema) && { style: 'form', explode: false }),
      })),
    ...(waits
      ? [{ name: 'position', in: 'query', required: false, description: POSITION, schema: { type: 'string' } }]
      : []),
    ...(etag ? [header('If-None-Match', 'Answered by 304 when nothing has changed')] : []),
    ...(method === 'POST' && path.startsWith('/editorial/') && !composed
      ? [
          header('Idempotency-Key', 'A UUID: a repeat answers as the first time did'),
          header('If-Match', 'ETag of the revision that was seen, or *', ifMatch === 'required'),
        ]
      : []),
    ...(merges ? [header('Prefer', '`merge`: keep what others did since to other fields, instead of a 412')] : []),
  ]
}

const POSITION = 'Wait (at most 5 s) until the read model has reached this position of a command'
const isArray = (schema: JsonSchema): boolean => JSON.stringify(schema).includes('"type":"array"')

const responsesOf = (route: ControllerRoute, description: Description, components: Components): Json => {
  const { answer, status = 200, ndjson, etag } = description
  const type = ndjson ? 'application/x-ndjson' : 'application/json'
  const schema = answer && components.answer(answer)
  const { question } = inputsOf(route)
  return {
    [status]: {
      description: description.summary,
      ...(answer && {
        content: {
          // A line of NDJSON has the schema; the whole is text. OpenAPI has no word for it before 3.2's itemSchema.
          [type]: ndjson
            ? { schema: { type: 'string' }, 'x-item-schema': schema, example: line(answer) }
            : { schema, example: exampleOf(answer) },
        },
      }),
    },
    ...(etag && { 304: { description: 'Not changed' } }),
    ...Object.fromEntries(
      problemsOf(route, description, question !== undefined).map(status => [
        status,
        problemResponse(components, PROBLEM_TEXT[status]),
      ]),
    ),
  }
}

const problemResponse = (components: Components, description: string): Json => ({
  description,
  content: {
    'application/problem+json': { schema: components.answer(ProblemAnswer), example: exampleOf(ProblemAnswer) },
  },
})

const exampleOf = (schema: TSchema): unknown => {
  const example = EXAMPLES[schema.$id ?? '']
  if (example === undefined) throw new Error(`the answer ${schema.$id ?? '(without $id)'} has no example`)
  return example
}
const line = (schema: TSchema): string => `${JSON.stringify(exampleOf(schema))}\n`

/** Named schemas, each described once. */
class Components {
  readonly #schemas = new Map<string, unknown>()

  answer(schema: TSchema): Json {
    if (!schema.$id) throw new Error('a schema of an answer needs an $id')
    return this.#named(schema.$id, () => hoisted(schema, this))
  }

  request(type: new () => object): Json {
    return this.#named(type.name, () => requestSchema(type))
  }

  named(name: string, schema: TSchema): Json {
    return this.#named(name, () => hoisted(schema, this))
  }

  schemas(): Readonly<Record<string, unknown>> {
    return Object.fromEntries([...this.#schemas].sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  #named(name: string, schema: () => unknown): Json {
    if (!this.#schemas.has(name)) {
      this.#schemas.set(name, null)
      this.#schemas.set(name, schema())
    }
    return { $ref: `#/components/schemas/${name}` }
  }
}

/** A plain copy in which every inner schema with a name is a reference to it. */
const hoisted = (schema: TSchema, components: Components): unknown => {
  const walk = (value: unknown, isRoot: boolean): unknown => {
    if (Array.isArray(value)) return value.map(each => walk(each, false))
    if (typeof value !== 'object' || value === null) return value
    const { $id, ...rest } = value as TSchema
    if (!isRoot && typeof $id === 'string') return components.named($id, value as TSchema)
    return Object.fromEntries(Object.entries(rest).map(([key, inner]) => [key, walk(inner, false)]))
  }
  return walk(schema, true)
}
