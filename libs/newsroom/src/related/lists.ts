// The lists of related articles in memory: for each article the slots and scores of its places, best first.

/** Places of a list that are stored, so that the shown ones stay filled when an article goes. */
export const PLACES = 20

/** Flat arrays by slot. Order is by score, then by id: `idOf` names the article of a slot. */
export class Lists {
  private listed = new Int32Array(0)
  private scores = new Int32Array(0)
  private listedCounts = new Uint8Array(0)

  constructor(private readonly idOf: (slot: number) => string) {}

  /** An article's list, best first: slots and scores. */
  of(slot: number): { readonly slot: number; readonly score: number }[] {
    const start = slot * PLACES
    return Array.from({ length: this.listedCounts[slot] ?? 0 }, (_, i) => ({
      slot: this.listed[start + i] ?? -1,
      score: this.scores[start + i] ?? 0,
    }))
  }

  clear(slot: number): void {
    this.listedCounts[slot] = 0
  }

  /** Puts `other` where it belongs in a list that it is not in; false when it beats none of twenty. */
  enter(slot: number, other: number, score: number): boolean {
    const start = slot * PLACES
    const count = this.listedCounts[slot] ?? 0
    let place = start + count
    while (place > start && this.beats(other, score, place - 1)) place--
    if (place === start + PLACES) return false
    const kept = Math.min(count, PLACES - 1)
    this.listed.copyWithin(place + 1, place, start + kept)
    this.scores.copyWithin(place + 1, place, start + kept)
    this.listed[place] = other
    this.scores[place] = score
    this.listedCounts[slot] = kept + 1
    return true
  }

  private beats(other: number, score: number, place: number): boolean {
    const difference = score - (this.scores[place] ?? 0)
    return difference > 0 || (difference === 0 && this.idOf(other) < this.idOf(this.listed[place] ?? -1))
  }

  /** Takes an article off a list; false when the list does not hold it. */
  strike(holder: number, slot: number): boolean {
    const start = holder * PLACES
    const end = start + (this.listedCounts[holder] ?? 0)
    for (let place = start; place < end; place++) {
      if (this.listed[place] !== slot) continue
      this.listed.copyWithin(place, place + 1, end)
      this.scores.copyWithin(place, place + 1, end)
      this.listedCounts[holder]! -= 1
      return true
    }
    return false
  }

  /** Makes room for so many slots. */
  grow(size: number): void {
    this.listed = grown(this.listed, new Int32Array(size * PLACES))
    this.scores = grown(this.scores, new Int32Array(size * PLACES))
    this.listedCounts = grown(this.listedCounts, new Uint8Array(size))
  }
}

/** The larger array with what the smaller one holds. */
export const grown = <A extends { set(from: A): void }>(from: A, to: A): A => {
  to.set(from)
  return to
}
