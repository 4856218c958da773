// What one answer was made of: by it whoever keeps the answer knows for how long it stands.
import { type AnyProjection, type Document, type Documents, type Standing } from '../projection'
import { type Knowledge } from './checkpoints'
import { type GenerationDocuments } from './generation-documents'
import { lowest } from './status'

interface Read {
  readonly name: string
  /** What had changed of the documents when the first of these was read. */
  since: number
  /** Ids of those that were read, some of them twice; null: any document may have had a part in it. */
  ids: string[] | null
}

/** Filled while the answer is made; holds ids only, so that keeping it keeps no document. */
export class Reading implements Standing {
  private readonly reads = new Map<GenerationDocuments, Read>()
  private checked: Knowledge | null = null
  private position: string | null
  /** When the answer changes by itself, ms since 1970. */
  private until = Infinity

  constructor(
    private readonly groups: readonly string[],
    private readonly latest: () => Knowledge | null,
    position: string,
  ) {
    this.position = position
  }

  /** The documents, each remembered that is read. */
  of(documents: GenerationDocuments, name: string): Documents<Document> {
    const read = this.readOf(documents, name)
    const note = (ids: readonly string[]) => {
      read.ids?.push(...ids)
    }
    const noteAll = () => {
      read.ids = null
    }
    return {
      get: id => {
        note([id])
        return documents.get(id)
      },
      many: ids => {
        note(ids)
        return documents.many(ids)
      },
      having: async (field, value) => {
        const found = await documents.having(field, value)
        if (found) note([found._id])
        else noteAll()
        return found
      },
      find: (filter, options) => {
        noteAll()
        return documents.find(filter, options)
      },
      count: filter => {
        noteAll()
        return documents.count(filter)
      },
      tallies: names => {
        noteAll()
        return documents.tallies(names)
      },
    }
  }

  /** The answer changes by itself at this time (RFC 3339 UTC); of several the first one counts. */
  endAt(time: string): void {
    this.until = Math.min(this.until, Date.parse(time))
  }

  /** What another answer was made of belongs to this one too. */
  include(other: Reading): void {
    this.until = Math.min(this.until, other.until)
    for (const [documents, { name, since, ids }] of other.reads) {
      const read = this.readOf(documents, name)
      read.since = Math.min(read.since, since)
      if (ids === null) read.ids = null
      else read.ids?.push(...ids)
    }
  }

  holds(): string | null {
    if (Date.now() >= this.until) return (this.position = null)
    const now = this.latest()
    if (this.position === null || now === null || now === this.checked) return this.position
    for (const [documents, read] of this.reads) {
      if (!documents.unchanged(read.ids, read.since)) return (this.position = null)
      read.since = documents.stamp
    }
    this.checked = now
    const held = lowest(this.groups.map(group => now.positions.get(group) ?? null))
    return (this.position = held ?? this.position)
  }

  read({ name }: AnyProjection): readonly string[] {
    for (const read of this.reads.values()) if (read.name === name) return [...new Set(read.ids)]
    return []
  }

  private readOf(documents: GenerationDocuments, name: string): Read {
    let read = this.reads.get(documents)
    if (!read) this.reads.set(documents, (read = { name, since: documents.stamp, ids: [] }))
    return read
  }
}
