// Checks an answer against the OpenAPI document that the same server serves: path, status, content type and schema.
import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020'
import addFormats from 'ajv-formats'

/** Throws when the document does not describe such an answer. */
export type AnswerCheck = (method: string, path: string, status: number, contentType: string, body: unknown) => void

interface Media {
  readonly schema?: object
  /** Of a line, where the answer is NDJSON. */
  readonly 'x-item-schema'?: object
}
interface Operation {
  readonly operationId?: string
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Media>>; $ref?: string }>>
}
interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components?: object
}

const checks = new Map<string, Promise<AnswerCheck>>()

/** The check for a server, its document fetched once. */
export const answerCheck = (url: string): Promise<AnswerCheck> => {
  const known = checks.get(url)
  if (known) return known
  const made = fetch(`${url}/openapi.json`)
    .then(response => response.json() as Promise<Document>)
    .then(checkAgainst)
  checks.set(url, made)
  return made
}

/** The check for a document. NDJSON is checked line by line. Answers to requests that match no path are not described and pass. */
export const checkAgainst = (document: Document): AnswerCheck => {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats(ajv)
  ajv.addSchema({ $id: 'document', ...document })
  const templates = Object.keys(document.paths)
    .map(template => ({ template, pattern: new RegExp(`^${template.replace(/\{[^}]+\}/g, '[^/]+')}$`) }))
    // A literal segment wins over a parameter.
    .sort((a, b) => a.template.split('{').length - b.template.split('{').length)
  const compiled = new Map<string, ValidateFunction>()
  const escape = (part: string) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))

  return (method, path, status, contentType, body) => {
    const template = templates.find(({ pattern }) => pattern.test(path))?.template
    const verb = method.toLowerCase() === 'head' ? 'get' : method.toLowerCase()
    const operation = template === undefined ? undefined : document.paths[template]?.[verb]
    // Swagger's own pages, and requests to nowhere.
    if (template === undefined || !operation) return
    const where = `${method} ${template} → ${status}`
    // Nothing else excuses a status: a `default` would let every 500 pass.
    const response = operation.responses[status]
    if (!response) throw new Error(`${where} is not described`)
    const media = contentType.split(';')[0]!.trim()
    if (!response.content || Object.keys(response.content).length === 0) {
      if (body !== '') throw new Error(`${where} is described without a body`)
      return
    }
    if (method === 'HEAD' || status === 304) return
    const described = response.content[media]
    if (!described?.schema) throw new Error(`${where} is not described as ${media || 'empty'}`)
    const against = (member: keyof Media, value: unknown) => {
      const path = ['paths', template, verb, 'responses', String(status), 'content', media, member]
      const pointer = path.map(escape).join('/')
      const validate = compiled.get(pointer) ?? ajv.compile({ $ref: `document#/${pointer}` })
      compiled.set(pointer, validate)
      if (!validate(value)) throw new Error(`${where}: ${ajv.errorsText(validate.errors)} in ${JSON.stringify(value)}`)
    }
    against('schema', body)
    if (media !== 'application/x-ndjson') return
    if (!described['x-item-schema']) throw new Error(`${where} does not describe its lines`)
    for (const line of String(body).split('\n')) if (line !== '') against('x-item-schema', JSON.parse(line))
  }
}
