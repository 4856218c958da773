// Reads one generation's documents for queries: from the primary, or from memory while its group stands still.
import { LRUCache } from 'lru-cache'
import { type Collection, type Filter } from 'mongodb'
import { reaching } from '../document-store/document-store'
import { type Document, type Documents } from '../projection'

interface Known {
  readonly document: Document | null
}

export class GenerationDocuments implements Documents<Document> {
  private readonly kept: LRUCache<string, Known> | null
  /** Rises whenever what is kept becomes out of date: what was read before may not be kept after. */
  private stamp = 0

  constructor(
    readonly id: string,
    private readonly collection: Collection<Document>,
    cached: number,
  ) {
    this.kept = cached > 0 ? new LRUCache<string, Known>({ max: cached }) : null
  }

  /** The group has advanced. */
  outdate(): void {
    this.stamp++
    this.kept?.clear()
  }

  async get(id: string): Promise<Document | null> {
    const known = this.kept?.get(id)
    if (known) return known.document
    const { stamp } = this
    const document = await reaching(() => this.collection.findOne({ _id: id }))
    this.keep(id, document, stamp)
    return document
  }

  async many(ids: readonly string[]): Promise<Document[]> {
    const found = new Map<string, Document>()
    const missing = new Set<string>()
    for (const id of ids) {
      const known = this.kept?.get(id)
      if (!known) missing.add(id)
      else if (known.document) found.set(id, known.document)
    }
    if (missing.size > 0) {
      const { stamp } = this
      const read = await reaching(() =>
        this.collection.find({ _id: { $in: [...missing] } }, { batchSize: missing.size + 1 }).toArray(),
      )
      for (const document of read) found.set(document._id, document)
      for (const id of missing) this.keep(id, found.get(id) ?? null, stamp)
    }
    return ids.flatMap(id => found.get(id) ?? [])
  }

  find(
    filter: Readonly<Record<string, unknown>>,
    { sort, limit, fields }: Parameters<Documents<Document>['find']>[1],
  ): Promise<Document[]> {
    return reaching(() =>
      this.collection
        .find(filter as Filter<Document>, {
          limit,
          batchSize: limit + 1,
          ...(sort ? { sort: { ...sort } } : {}),
          ...(fields ? { projection: Object.fromEntries(fields.map(field => [field, 1])) } : {}),
        })
        .toArray(),
    )
  }

  count(filter: Readonly<Record<string, unknown>>): Promise<number> {
    return reaching(() => this.collection.countDocuments(filter as Filter<Document>))
  }

  private keep(id: string, document: Document | null, stamp: number): void {
    if (stamp === this.stamp) this.kept?.set(id, { document })
  }
}
