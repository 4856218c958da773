// Reads one generation's documents for queries: from the primary, or from memory while its group stands still.
import { LRUCache } from 'lru-cache'
import { type Collection, type Filter } from 'mongodb'
import { reaching } from '../document-store/document-store'
import { type Document, type Documents } from '../projection'
import { type Changed } from './changes'
import { Gathering } from './gathering'
import { type TallyDocument, tallyId } from './tallies'

interface Known {
  readonly document: Document | null
}

/** Changed documents that are told from the others; a change that is older counts as one of all. */
const REMEMBERED = 10_000

export class GenerationDocuments implements Documents<Document> {
  private readonly kept: LRUCache<string, Known> | null
  /** Rises with each change: what was read before may not be kept after. */
  stamp = 0
  /** Stamps of the documents that have changed lately, the latest last. */
  private readonly changed = new Map<string, number>()
  /** Any document may have changed at this stamp. */
  private all = 0
  private readonly byId = new Gathering<Document>(ids => this.readById(ids))
  private readonly byField = new Map<string, Gathering<Document>>()

  constructor(
    private readonly collection: Collection<Document>,
    cached: number,
  ) {
    this.kept = cached > 0 ? new LRUCache<string, Known>({ max: cached }) : null
  }

  /** Forgets what has changed. */
  outdate(changed: Changed): void {
    if (changed?.length === 0) return
    this.stamp++
    if (changed === null) {
      this.all = this.stamp
      this.changed.clear()
      this.kept?.clear()
      return
    }
    for (const id of changed) {
      this.kept?.delete(id)
      this.changed.delete(id)
      this.changed.set(id, this.stamp)
    }
    for (const [id, stamp] of this.changed) {
      if (this.changed.size <= REMEMBERED) break
      this.changed.delete(id)
      this.all = stamp
    }
  }

  /** Whether these documents (null: all) are, as far as is known here, what they were at a stamp. */
  unchanged(ids: readonly string[] | null, since: number): boolean {
    if (since === this.stamp) return true
    return ids !== null && since >= this.all && ids.every(id => (this.changed.get(id) ?? 0) <= since)
  }

  async get(id: string): Promise<Document | null> {
    const known = this.kept?.get(id)
    if (known) return known.document
    const { stamp } = this
    const document = await this.byId.get(id)
    this.keep(id, document, stamp)
    return document
  }

  async many(ids: readonly string[]): Promise<Document[]> {
    const found = new Map<string, Document | null>()
    const missing: string[] = []
    for (const id of ids) {
      const known = this.kept?.get(id)
      if (known) found.set(id, known.document)
      else missing.push(id)
    }
    if (missing.length > 0) {
      const read = await Promise.all(missing.map(id => this.get(id)))
      missing.forEach((id, index) => found.set(id, read[index] ?? null))
    }
    return ids.flatMap(id => found.get(id) ?? [])
  }

  async having(field: string, value: string): Promise<Document | null> {
    let reads = this.byField.get(field)
    if (!reads) this.byField.set(field, (reads = new Gathering(values => this.readBy(field, values))))
    return reads.get(value)
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

  async tallies(names: readonly string[]): Promise<number[]> {
    const found = await this.readById(names.map(tallyId))
    return names.map(name => (found.get(tallyId(name)) as TallyDocument | undefined)?.count ?? 0)
  }

  private async readById(ids: readonly string[]): Promise<Map<string, Document>> {
    if (ids.length === 1) {
      const document = await reaching(() => this.collection.findOne({ _id: ids[0] }))
      return new Map(document ? [[document._id, document]] : [])
    }
    const read = await reaching(() =>
      this.collection.find({ _id: { $in: [...ids] } }, { batchSize: ids.length + 1 }).toArray(),
    )
    return new Map(read.map(document => [document._id, document]))
  }

  private async readBy(field: string, values: readonly string[]): Promise<Map<string, Document>> {
    const filter = { [field]: values.length === 1 ? values[0] : { $in: [...values] } }
    const limit = values.length === 1 ? { limit: 1 } : {}
    const read = await reaching(() =>
      this.collection.find(filter, { ...limit, batchSize: 2 * values.length }).toArray(),
    )
    const asked = new Set(values)
    const found = new Map<string, Document>()
    for (const document of read)
      for (const value of [(document as unknown as Record<string, unknown>)[field]].flat())
        if (typeof value === 'string' && asked.has(value) && !found.has(value)) found.set(value, document)
    return found
  }

  private keep(id: string, document: Document | null, stamp: number): void {
    if (stamp === this.stamp) this.kept?.set(id, { document })
  }
}
