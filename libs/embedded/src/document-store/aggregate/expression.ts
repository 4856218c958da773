// The expressions of $group and $sort's kin: constants, field paths and documents of them. A stage that computes is refused.
import { pathOf, valueAt } from '../bson/path'
import { type Document, field, isDocument, setField, type Value } from '../bson/value'
import { CommandError, notImplemented } from '../errors'

export type Expression = (document: Document) => Value

export function parseExpression(value: Value): Expression {
  if (typeof value === 'string') return value.startsWith('$') ? pathExpression(value) : () => value
  if (Array.isArray(value)) {
    const items = value.map(parseExpression)
    return document => items.map(item => item(document) ?? null)
  }
  if (!isDocument(value)) return () => value
  const [name] = Object.keys(value)
  if (name === '$literal') return () => field(value, name)
  if (name?.startsWith('$'))
    throw notImplemented(`expression ${name}`, 'InvalidPipelineOperator', `Unrecognized expression '${name}'`)
  const fields = Object.entries(value).map(([name, item]) => [name, parseExpression(item)] as const)
  return document => {
    const made: Document = {}
    for (const [name, item] of fields) {
      const result = item(document)
      if (result !== undefined) setField(made, name, result)
    }
    return made
  }
}

function pathExpression(text: string): Expression {
  if (text.startsWith('$$')) throw notImplemented(`variable ${text}`)
  const path = pathOf(text.slice(1))
  if (path.some(step => step === '' || step.startsWith('$')))
    throw new CommandError('FailedToParse', `'${text}' is not a valid field path`)
  return document => valueAt(document, path)
}
