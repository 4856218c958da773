// The parser of aggregation expressions: literals, field paths, variables, documents, operators.
import { pathOf, valueAt } from '../bson/path'
import { type Document, field, isDocument, setField, type Value } from '../bson/value'
import { CommandError, notImplemented } from '../errors'
import { type Expression, Operand } from './expression'
import { operators } from './operators'

export function parseExpression(value: Value): Expression {
  if (typeof value === 'string') return value.startsWith('$') ? reference(value) : () => value
  if (Array.isArray(value)) {
    const items = value.map(parseExpression)
    return scope => items.map(item => item(scope) ?? null)
  }
  if (!isDocument(value)) return () => value
  const names = Object.keys(value)
  const [name] = names
  if (!name?.startsWith('$')) return documentOf(value)
  if (names.length !== 1)
    throw new CommandError(
      'FailedToParse',
      `an object representing an expression must have exactly one field: ${names.join(', ')}`,
    )
  const operator = Object.hasOwn(operators, name) ? operators[name] : undefined
  if (!operator) throw notImplemented(`expression ${name}`)
  return operator(new Operand(name, field(value, name), parseExpression))
}

function reference(text: string): Expression {
  if (!text.startsWith('$$')) return pathExpression(text)
  const [variable, ...path] = text.slice(2).split('.')
  switch (variable) {
    case 'ROOT':
    case 'CURRENT':
      return scope => valueAt(scope.root, path)
    case 'REMOVE':
      return () => undefined
    default:
      if (!variable || /^[A-Z]/.test(variable)) throw notImplemented(`variable $$${variable}`)
      return scope => {
        if (!Object.hasOwn(scope.variables, variable))
          throw new CommandError('BadValue', `Use of undefined variable: ${variable}`)
        return valueAt(scope.variables[variable], path)
      }
  }
}

function pathExpression(text: string): Expression {
  const path = pathOf(text.slice(1))
  if (path.some(step => step === '' || step.startsWith('$')))
    throw new CommandError('FailedToParse', `'${text}' is not a valid field path`)
  return scope => valueAt(scope.root, path)
}

function documentOf(value: Document): Expression {
  const fields = Object.entries(value).map(([name, item]) => [name, parseExpression(item)] as const)
  return scope => {
    const document: Document = {}
    for (const [name, item] of fields) {
      const result = item(scope)
      if (result !== undefined) setField(document, name, result)
    }
    return document
  }
}
