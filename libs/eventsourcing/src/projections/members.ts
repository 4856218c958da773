// Loads the generations of a group from MongoDB, sorted into sets that can advance together.
import { type DocumentStore } from '../document-store/document-store'
import { comparePositions } from '../event'
import { type AnyProjection } from '../projection'
import { type Member } from './fold'
import { type Checkpoint, documentsOf, parkedOf } from './generation'
import { Shelf } from './shelf'

/** Approximate bytes of documents that the members of one group keep in memory beside what they are writing. */
const KEPT = 1024 * 1024

/** A generation and the code that folds it. */
export interface Generation {
  readonly projection: AnyProjection
  readonly checkpoint: Checkpoint
}

/** Sets of equal position, the furthest last. */
export const setsOf = (generations: readonly Generation[]): readonly (readonly Generation[])[] => {
  const sets = new Map<string | null, Generation[]>()
  for (const generation of generations) {
    const { position } = generation.checkpoint
    sets.set(position, [...(sets.get(position) ?? []), generation])
  }
  return [...sets].sort(([a], [b]) => comparePositions(a, b)).map(([, set]) => set)
}

/** Members that know what is parked and nothing else yet. */
export const membersOf = ({ db }: DocumentStore, generations: readonly Generation[]): Promise<readonly Member[]> =>
  Promise.all(
    generations.map(async ({ projection, checkpoint }) => {
      const parked = checkpoint.parked === 0 ? [] : await parkedOf(db).find({ generation: checkpoint._id }).toArray()
      return {
        projection,
        checkpoint,
        shelf: new Shelf(documentsOf(db, checkpoint._id), Math.floor(KEPT / generations.length)),
        parked: new Map(parked.map(stands => [stands.key, stands])),
        computation: null,
      }
    }),
  )
