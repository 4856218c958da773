// What an aggregation expression is: parsed once, evaluated per document.
import { type Document, isDocument, type Value } from '../bson/value'
import { CommandError } from '../errors'

export type Expression = (scope: Scope) => Value

export interface Scope {
  readonly root: Document
  readonly variables: Readonly<Record<string, Value>>
}

export function evaluate(expression: Expression, document: Document): Value {
  return expression({ root: document, variables: {} })
}

export function withVariables(scope: Scope, variables: Record<string, Value>): Scope {
  return { root: scope.root, variables: { ...scope.variables, ...variables } }
}

/** The operand of an operator, with the ways in which operators read theirs. */
export class Operand {
  constructor(
    readonly name: string,
    readonly value: Value,
    readonly parse: (value: Value) => Expression,
  ) {}

  /** A list of `least` to `most` expressions, or one in place of a list of one. */
  list(least: number, most = least): Expression[] {
    return this.listOf(this.value, least, most)
  }

  listOf(value: Value, least: number, most = least): Expression[] {
    const items = Array.isArray(value) ? value : [value]
    if (items.length < least || items.length > most)
      throw new CommandError(
        'BadValue',
        `Expression ${this.name} takes ${least === most ? `exactly ${least}` : `at least ${least}, and at most ${most},`} arguments. ${items.length} were passed in.`,
      )
    return items.map(this.parse)
  }

  /** A document with these fields and no others, unparsed. */
  named(needed: string[], optional: string[] = []): Document {
    const { value, name } = this
    if (!isDocument(value)) throw new CommandError('FailedToParse', `${name} only supports an object as its argument`)
    for (const key of Object.keys(value))
      if (!needed.includes(key) && !optional.includes(key))
        throw new CommandError('FailedToParse', `Unrecognized parameter to ${name}: ${key}`)
    for (const key of needed)
      if (!Object.hasOwn(value, key)) throw new CommandError('FailedToParse', `Missing '${key}' parameter to ${name}`)
    return value
  }
}
