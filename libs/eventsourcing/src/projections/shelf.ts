// The documents of one generation as its folder sees them: what is committed, with what is about to be on top.
import { LRUCache } from 'lru-cache'
import { type Collection, type FindCursor } from 'mongodb'
import { type Document } from '../projection'
import { weigh } from './weigh'

/** Documents by id; null: there is none. */
export type Changes = ReadonlyMap<string, Document | null>

/** Whether or not there is a document, it is known. */
interface Known {
  readonly document: Document | null
}

/** Ids asked for at once. */
const PAGE = 1_000

/**
 * A bounded cache in front of a collection that only its owner writes. Changes are pinned until they are committed: the
 * next batch may be folded meanwhile, and must not see the collection as it was.
 */
export class Shelf {
  private readonly pinned = new Map<string, Document | null>()
  private readonly kept: LRUCache<string, Known>

  /** @param bytes approximate bound of what is kept beside the pinned documents */
  constructor(
    private readonly collection: Collection<Document>,
    bytes: number,
  ) {
    this.kept = new LRUCache<string, Known>({
      maxSize: bytes,
      maxEntrySize: Math.ceil(bytes / 4),
      sizeCalculation: ({ document }, id) => 64 + 2 * id.length + (document ? weigh(document) : 0),
    })
  }

  /** The documents with these ids; each id is a key of the answer. */
  async load(ids: Iterable<string>): Promise<Map<string, Document | null>> {
    const found = new Map<string, Document | null>()
    const missing: string[] = []
    for (const id of ids) {
      if (found.has(id)) continue
      const document = this.pinned.get(id)
      if (document !== undefined) found.set(id, document)
      else {
        const known = this.kept.get(id)
        found.set(id, known?.document ?? null)
        if (!known) missing.push(id)
      }
    }
    for (let start = 0; start < missing.length; start += PAGE) {
      const page = missing.slice(start, start + PAGE)
      const documents = await this.collection.find({ _id: { $in: page } }, { batchSize: PAGE + 1 }).toArray()
      for (const document of documents) found.set(document._id, document)
      for (const id of page) this.kept.set(id, { document: found.get(id) ?? null })
    }
    return found
  }

  /** Every committed document. */
  all(sort: Readonly<Record<string, 1 | -1>>): FindCursor<Document> {
    return this.collection.find({}, { sort: { ...sort }, batchSize: PAGE })
  }

  pin(changes: Changes): void {
    for (const [id, document] of changes) this.pinned.set(id, document)
  }

  /** The changes are in the collection now; what a later batch changed again stays pinned. */
  committed(changes: Changes): void {
    for (const [id, document] of changes) {
      if (this.pinned.get(id) !== document) continue
      this.pinned.delete(id)
      this.kept.set(id, { document })
    }
  }

  /** After an abort nothing that is known here is certain any more. */
  forget(): void {
    this.pinned.clear()
    this.kept.clear()
  }
}
