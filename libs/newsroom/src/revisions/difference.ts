// A readable difference between two revisions: words for texts, items for lists, else the value before and after.
import { type Static, Type } from '@sinclair/typebox'
import { same } from '../article/state'
import { type Change, changesBetween, type Fields } from './fields'
import { htmlTokens, textTokens } from './tokens'
import { wordsBetween } from './words'

const closed = { additionalProperties: false } as const
const parts = Type.Array(
  Type.Object(
    {
      op: Type.Union([Type.Literal('same'), Type.Literal('removed'), Type.Literal('added')]),
      text: Type.String(),
      skipped: Type.Optional(Type.Integer({ description: 'Characters left out at ` … `' })),
    },
    closed,
  ),
  { description: 'Without what was added it is the text before, without what was removed the text after' },
)
const complete = Type.Boolean({ description: 'False: there is more than is told' })
const markup = Type.Array(
  Type.Object(
    {
      op: Type.Union([Type.Literal('removed'), Type.Literal('added')]),
      markup: Type.String(),
      before: Type.String({ description: 'The text that follows it' }),
    },
    closed,
  ),
  { description: 'Elements and comments that came or went' },
)
const field = Type.String()

export const FieldDifferenceAnswer = Type.Union(
  [
    Type.Object({ field, kind: Type.Literal('text'), parts, complete }, closed),
    Type.Object({ field, kind: Type.Literal('html'), parts, markup, complete }, closed),
    Type.Object(
      {
        field,
        kind: Type.Literal('items'),
        removed: Type.Array(Type.Unknown()),
        added: Type.Array(Type.Unknown()),
        changed: Type.Array(Type.Object({ from: Type.Unknown(), to: Type.Unknown() }, closed), {
          description: 'The same term or id with other details',
        }),
        reordered: Type.Boolean({ description: 'What stayed stands in another order' }),
      },
      closed,
    ),
    Type.Object({ field, kind: Type.Literal('value'), from: Type.Unknown(), to: Type.Unknown() }, closed),
  ],
  { $id: 'FieldDifference' },
)
export type FieldDifferenceAnswer = Static<typeof FieldDifferenceAnswer>

export const DifferenceAnswer = Type.Object(
  {
    id: Type.String({ description: "The article's id, or the list's name" }),
    from: Type.Integer({ minimum: 0, description: 'Revision' }),
    to: Type.Integer({ minimum: 0, description: 'Revision' }),
    fields: Type.Array(FieldDifferenceAnswer, { description: 'Those that differ' }),
  },
  { $id: 'Difference', ...closed },
)
export type DifferenceAnswer = Static<typeof DifferenceAnswer>

/** What differs between the fields of two revisions, each in the words that suit it. Bounded in size and in time. */
export const differenceBetween = (before: Fields, after: Fields): FieldDifferenceAnswer[] =>
  changesBetween(before, after).map(told)

const TEXTS = new Set(['headline', 'summary', 'label'])

const told = ({ field, from, to }: Change): FieldDifferenceAnswer => {
  if (field === 'bodyHtml') {
    const { parts, markup, complete } = wordsBetween(htmlTokens(textOf(from)), htmlTokens(textOf(to)))
    return { field, kind: 'html', parts: [...parts], markup: [...markup], complete }
  }
  if (TEXTS.has(field)) {
    const { parts, complete } = wordsBetween(textTokens(textOf(from)), textTokens(textOf(to)))
    return { field, kind: 'text', parts: [...parts], complete }
  }
  if (Array.isArray(from) && Array.isArray(to)) return { field, kind: 'items', ...itemsBetween(from, to) }
  return { field, kind: 'value', from, to }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

const itemsBetween = (from: readonly unknown[], to: readonly unknown[]) => {
  const [before, after] = [byIdentity(from), byIdentity(to)]
  const stayed = [...before.keys()].filter(id => after.has(id))
  return {
    removed: [...before].flatMap(([id, item]) => (after.has(id) ? [] : [item])),
    added: [...after].flatMap(([id, item]) => (before.has(id) ? [] : [item])),
    changed: stayed.flatMap(id => {
      const [from, to] = [before.get(id), after.get(id)]
      return same(from, to) ? [] : [{ from, to }]
    }),
    reordered: !same(
      stayed,
      [...after.keys()].filter(id => before.has(id)),
    ),
  }
}

/** A term is known by its slug, an entry of a list by its article, anything else by what it is. */
const byIdentity = (items: readonly unknown[]): Map<string, unknown> =>
  new Map(
    items.map(item => {
      const { slug, articleId } = (item ?? {}) as { readonly slug?: unknown; readonly articleId?: unknown }
      const identity = slug ?? articleId
      return [typeof identity === 'string' ? identity : JSON.stringify(item), item]
    }),
  )
