// The memory by which an append without an exact revision recognises a retry: the places of recent event ids.

export type IdPlace = { stream: string; revision: number; position: number }

/** Bounded like the real server's, and like it lost on a restart. */
export class RecentIds {
  private readonly places = new Map<string, IdPlace>()

  constructor(private readonly capacity = 65_536) {}

  get(id: string): IdPlace | undefined {
    return this.places.get(id)
  }

  /** The first stream that used an id keeps it. */
  add(id: string, place: IdPlace): void {
    if (this.places.has(id)) return
    this.places.set(id, place)
    if (this.places.size > this.capacity) this.places.delete(this.places.keys().next().value!)
  }

  /** Forgets ids whose commit failed. */
  forget(id: string, position: number): void {
    if (this.places.get(id)?.position === position) this.places.delete(id)
  }
}
