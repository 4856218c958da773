// For specs of read models and queries: the newsroom's keyed read models folded in memory, and questions to them.
import {
  type AnyProjection,
  type Document,
  type Documents,
  type QueryDefinition,
  type ReadModels,
} from '@stet/eventsourcing'
import { articleCards } from '../cards/cards'
import { curatedLists } from '../lists/curated-lists'
import { deskArticles } from '../desk/desk-articles'
import { articlePages } from '../pages/article-pages'
import { scheduledChanges } from '../schedule/scheduled-changes'
import { slugs } from '../slugs/slugs'
import { type Recorded } from './scenario.fixture.spec'

const KEYED: readonly AnyProjection[] = [
  articlePages,
  articleCards,
  curatedLists,
  slugs,
  scheduledChanges,
  deskArticles,
]

type Collection = Map<string, Document>

/** Folds events one by one; documents go through JSON after each, as through a store. */
export class FoldedReadModels implements ReadModels {
  readonly collections = new Map<string, Collection>()
  /** Documents that were asked for, by read model. */
  readonly reads: string[] = []
  /** Times until which the answers said that they hold. */
  readonly turns: string[] = []

  constructor(
    events: readonly Recorded[],
    private readonly answers = new Map<unknown, unknown>(),
  ) {
    for (const projection of KEYED) {
      const documents: Collection = new Map()
      for (const event of events) fold(projection, documents, event)
      this.collections.set(projection.name, documents)
    }
  }

  /** Byte for byte what the read models hold. */
  bytes(): string {
    return JSON.stringify([...this.collections].map(([name, documents]) => [name, [...documents].sort()]))
  }

  /** Documents of a computed read model, or the answer that another room's query gives. */
  put(projection: AnyProjection, ...documents: Document[]): this {
    this.collections.set(projection.name, new Map(documents.map(document => [document._id, document])))
    return this
  }

  holdsUntil(time: string): void {
    this.turns.push(time)
  }

  async ask<Q extends object, Answer>(definition: QueryDefinition<Q, Answer>, query: Q): Promise<Answer> {
    const given = this.answers.get(definition.query)
    return given === undefined ? definition.answer(query, this, new Date(0)) : (given as Answer)
  }

  of<Doc extends Document>(projection: {
    readonly name: string
    readonly tallies?: (document: Doc) => readonly string[]
  }): Documents<Doc> {
    const documents = (this.collections.get(projection.name) ?? new Map()) as ReadonlyMap<string, Doc>
    const asked = (what: string) => this.reads.push(`${projection.name} ${what}`)
    return {
      get: async id => (asked('get'), documents.get(id) ?? null),
      many: async ids => (asked('many'), ids.flatMap(id => documents.get(id) ?? [])),
      having: async (field, value) => (
        asked('having'),
        [...documents.values()].find(document => matches(document, { [field]: value })) ?? null
      ),
      find: async (filter, { sort = {}, limit }) => {
        asked('find')
        const found = [...documents.values()].filter(document => matches(document, filter))
        return found.sort(bySort(sort)).slice(0, limit)
      },
      tallies: async names =>
        names.map(
          name => [...documents.values()].filter(document => projection.tallies?.(document).includes(name)).length,
        ),
      count: async filter => [...documents.values()].filter(document => matches(document, filter)).length,
    }
  }
}

const fold = (projection: AnyProjection, documents: Collection, event: Recorded): void => {
  const answer = projection.on[event.type]
  if (typeof answer !== 'function') return
  for (const key of projection.keys?.[event.type]?.(event as never) ?? [event.key]) {
    const document = answer((documents.get(key) ?? null) as never, event as never, key)
    if (document === null) documents.delete(key)
    else documents.set(key, JSON.parse(JSON.stringify(document)) as Document)
  }
}

const valuesAt = (document: unknown, path: string): unknown[] =>
  path
    .split('.')
    .reduce<unknown[]>(
      (values, field) =>
        values
          .flatMap(value =>
            typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[field] : [],
          )
          .flat(),
      [document],
    )

type Comparable = string | number
const OPERATORS: Record<string, (value: Comparable, bound: Comparable) => boolean> = {
  $gt: (value, bound) => value > bound,
  $gte: (value, bound) => value >= bound,
  $lt: (value, bound) => value < bound,
  $lte: (value, bound) => value <= bound,
}

/** MongoDB's filters, as far as the newsroom's queries use them; anything else throws. */
const matches = (document: unknown, filter: Readonly<Record<string, unknown>>): boolean =>
  Object.entries(filter).every(([path, wanted]) => {
    if (path === '$or') return (wanted as Record<string, unknown>[]).some(part => matches(document, part))
    const values = valuesAt(document, path)
    if (typeof wanted !== 'object' || wanted === null) return values.includes(wanted)
    return Object.entries(wanted).every(([operator, bound]) => {
      const compare = OPERATORS[operator]
      if (!compare) throw new Error(`unknown operator ${operator}`)
      return values.some(value => typeof value === typeof bound && compare(value as Comparable, bound as Comparable))
    })
  })

const bySort =
  (sort: Readonly<Record<string, 1 | -1>>) =>
  (a: Document, b: Document): number => {
    for (const [path, direction] of Object.entries(sort)) {
      const [left, right] = [a, b].map(document => valuesAt(document, path)[0] ?? '') as [Comparable, Comparable]
      if (left !== right) return left < right ? -direction : direction
    }
    return 0
  }
