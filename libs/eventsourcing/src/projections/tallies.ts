// How many documents of a read model count for a name: kept in documents of their own beside them, by the same commit.
import { type Document } from '../projection'
import { type Changes, type Shelf } from './shelf'

/** `_id` is the name behind a mark that no key begins with. */
export interface TallyDocument extends Document {
  readonly count: number
}

export const tallyId = (name: string): string => `#${name}`

/** What a change of documents does to the tallies; one that comes to nothing is removed, so that batches leave no trace. */
export const talliesAfter = async (
  tallies: (document: Document) => readonly string[],
  documents: ReadonlyMap<string, Document | null>,
  changes: Changes,
  shelf: Shelf,
): Promise<Changes> => {
  const moved = new Map<string, number>()
  const move = (document: Document | null | undefined, by: 1 | -1) => {
    for (const name of document ? new Set(tallies(document)) : []) moved.set(name, (moved.get(name) ?? 0) + by)
  }
  for (const [key, document] of changes) {
    move(documents.get(key), -1)
    move(document, 1)
  }
  const names = [...moved].filter(([, by]) => by !== 0)
  const known = await shelf.load(names.map(([name]) => tallyId(name)))
  return new Map(
    names.map(([name, by]) => {
      const _id = tallyId(name)
      const before = known.get(_id) as TallyDocument | null | undefined
      const count = (before?.count ?? 0) + by
      const after: TallyDocument | null = count === 0 ? null : { _id, count }
      return [_id, after]
    }),
  )
}
