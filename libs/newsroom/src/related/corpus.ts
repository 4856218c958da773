// The live articles of one language in memory: who shares which terms, and how much that weighs. A cache of documents.
import { grown, Lists } from './lists'

/** BM25's saturation and its share of length normalisation. */
const K1 = 1.2
const B = 0.75
/** Terms of an article that are compared. */
export const TERMS_KEPT = 60
/** How much more room there is each time that there is not enough: room that nothing is in yet is memory all the same. */
const GROWTH = 1.125
/** Articles looked at per term, the newest first. */
const POSTINGS_READ = 2_000
/** A term says nothing when more than this share of the articles has it. */
const COMMON = 0.25
/** Yet what only two share is never common: in a small newsroom nothing would be left. */
const NEVER_COMMON = 2

/** An article as the corpus takes it in. */
export interface Vector {
  readonly id: string
  /** The terms that are compared with their occurrences (1 to 255), in the order of their code units. */
  readonly terms: readonly (readonly [term: string, occurrences: number])[]
  /** The article's other terms: they count for how common a term is. */
  readonly others: readonly string[]
  /** Number of words. */
  readonly length: number
  /** Milliseconds since 1970. */
  readonly publishedAt: number
  /** Slugs in the order of their code units. */
  readonly tags: readonly string[]
}

/** Another article and how similar its text is: 0 to about 1, not rounded. */
export interface Similar {
  readonly slot: number
  readonly similarity: number
}

/**
 * Flat arrays by slot, an article's place in memory. Postings are chains through the vectors: `heads[term]` is the place
 * of the term in the newest article, `older[place]` the next one. Nothing that is computed depends on the numbers that
 * slots and terms happen to have: sums run over sorted terms, ties go by id.
 */
export class Corpus {
  /** The lists of the articles, by slot. */
  readonly lists = new Lists(slot => this.idOf(slot))

  private readonly slots = new Map<string, number>()
  private readonly free: number[] = []
  private readonly ids: string[] = []
  private readonly tags: (readonly string[])[] = []
  private lengths = new Int32Array(0)
  private published = new Float64Array(0)
  private counts = new Uint8Array(0)
  /** Per slot TERMS_KEPT places of `term * 256 + occurrences`, in the order of the terms' names. */
  private vectors = new Int32Array(0)
  private older = new Int32Array(0)

  private readonly termNumbers = new Map<string, number>()
  private readonly names: string[] = []
  /** Numbers of terms that no article has any more. */
  private readonly freeTerms: number[] = []
  private readonly heads: number[] = []
  /** Articles that have the term, compared or not. */
  private frequencies = new Int32Array(1_024)
  private totalLength = 0

  // What a search works on, kept so that none allocates.
  private sums = new Float64Array(0)
  private marks = new Uint8Array(1_024)
  /** idf by frequency, as far as a frequency is not common. */
  private idfs = new Float64Array(64)

  get size(): number {
    return this.slots.size
  }

  /** Terms that some article has. */
  get terms(): number {
    return this.termNumbers.size
  }

  slotOf(id: string): number | undefined {
    return this.slots.get(id)
  }

  idOf(slot: number): string {
    return this.ids[slot] ?? ''
  }

  tagsOf(slot: number): readonly string[] {
    return this.tags[slot] ?? []
  }

  publishedAt(slot: number): number {
    return this.published[slot] ?? 0
  }

  /**
   * Which of an article's terms are compared: not the common ones, and of the rest the 60 of most weight (saturated
   * tf-idf). As of the corpus with this article in it, so it must not be in yet.
   */
  choose(occurrences: ReadonlyMap<string, number>, length: number): Pick<Vector, 'terms' | 'others'> {
    const size = this.size + 1
    const common = commonAbove(size)
    const average = (this.totalLength + length) / size
    const idfs = new Map<number, number>()
    const compared: string[] = []
    const weights = new Map<string, number>()
    const others: string[] = []
    for (const [term, tf] of occurrences) {
      const number = this.termNumbers.get(term)
      const frequency = (number === undefined ? 0 : (this.frequencies[number] ?? 0)) + 1
      if (frequency > common) {
        others.push(term)
        continue
      }
      let rarity = idfs.get(frequency)
      if (rarity === undefined) idfs.set(frequency, (rarity = idf(frequency, size)))
      compared.push(term)
      weights.set(term, rarity * saturated(tf, length, average))
    }
    if (compared.length > TERMS_KEPT) {
      const heaviest = Float64Array.from(weights.values()).sort().reverse()
      const least = heaviest[TERMS_KEPT - 1] ?? 0
      // Equal weights are many among terms that occur once: by name the first ones are kept.
      const equal = compared.filter(term => weights.get(term) === least).sort()
      const kept = new Set(equal.slice(0, TERMS_KEPT - heaviest.indexOf(least)))
      others.push(
        ...compared.filter(term => weights.get(term)! < least || (weights.get(term) === least && !kept.has(term))),
      )
      for (const term of others) weights.delete(term)
    }
    return {
      // Without a comparison function JavaScript sorts texts by code units.
      terms: [...weights.keys()].sort().map(term => [term, occurrences.get(term) ?? 0] as const),
      others: others.sort(),
    }
  }

  /** Takes an article in as the newest one; its list is empty. */
  add({ id, terms, others, length, publishedAt, tags }: Vector): number {
    const slot = this.free.pop() ?? this.ids.length
    this.reserve(slot)
    this.slots.set(id, slot)
    this.ids[slot] = id
    this.tags[slot] = tags
    this.lengths[slot] = length
    this.published[slot] = publishedAt
    this.counts[slot] = terms.length
    this.lists.clear(slot)
    this.totalLength += length
    let place = slot * TERMS_KEPT
    for (const [name, occurrences] of terms) {
      const term = this.numberOf(name)
      this.frequencies[term] = (this.frequencies[term] ?? 0) + 1
      this.vectors[place] = term * 256 + occurrences
      this.older[place] = this.heads[term] ?? -1
      this.heads[term] = place++
    }
    for (const name of others) {
      const term = this.numberOf(name)
      this.frequencies[term] = (this.frequencies[term] ?? 0) + 1
    }
    return slot
  }

  /** Takes an article out, and off every list; returns the slots of the lists that held it. */
  remove({ id, terms, others }: Pick<Vector, 'id' | 'terms' | 'others'>): number[] {
    const slot = this.slots.get(id)
    if (slot === undefined) return []
    for (const [name] of terms) this.unchain(this.numberOf(name), slot)
    for (const name of others) this.frequencies[this.numberOf(name)]! -= 1
    for (const [name] of terms) this.release(name)
    for (const name of others) this.release(name)
    this.totalLength -= this.lengths[slot] ?? 0
    this.slots.delete(id)
    this.ids[slot] = ''
    this.tags[slot] = []
    this.lists.clear(slot)
    this.free.push(slot)
    const holders: number[] = []
    for (let holder = 0; holder < this.ids.length; holder++) if (this.lists.strike(holder, slot)) holders.push(holder)
    return holders
  }

  /** Similarity of one article to the others that share terms with it: all of them to `each`. */
  private search(slot: number, each: (other: number, similarity: number) => void): void {
    const touched = this.gather(slot)
    const average = this.totalLength / this.size
    const own = this.norm(slot, average)
    for (const other of touched) {
      const sum = this.sums[other] ?? 0
      this.sums[other] = 0
      if (other !== slot && sum > 0) each(other, sum / Math.sqrt(own * this.norm(other, average)))
    }
  }

  /** The most similar articles, best first, and the similarity of those in `also` that share a term. */
  similar(slot: number, most: number, also: ReadonlySet<number> = NONE): { best: Similar[]; also: Similar[] } {
    const best: Similar[] = []
    const wanted: Similar[] = []
    this.search(slot, (other, similarity) => {
      if (also.has(other)) wanted.push({ slot: other, similarity })
      const last = best.at(-1)
      if (best.length === most && last && !this.before(similarity, other, last)) return
      if (best.length === most) best.pop()
      let place = best.length
      while (place > 0 && this.before(similarity, other, best[place - 1]!)) place--
      best.splice(place, 0, { slot: other, similarity })
    })
    return { best, also: wanted }
  }

  /** The terms that two articles share, those that weigh most for the first one's search first. */
  shared(slot: number, other: number, most: number): string[] {
    const average = this.totalLength / this.size
    const length = this.lengths[other] ?? 0
    const { marks } = this
    this.eachTerm(other, (term, occurrences) => {
      marks[term] = occurrences
    })
    const shared: { readonly name: string; readonly weight: number }[] = []
    this.eachTerm(slot, (term, occurrences) => {
      const tf = marks[term]!
      if (tf === 0) return
      const weight = occurrences * this.idfOf(term) * saturated(tf, length, average)
      shared.push({ name: this.names[term]!, weight })
    })
    this.eachTerm(other, term => {
      marks[term] = 0
    })
    shared.sort((a, b) => b.weight - a.weight || byCodeUnits(a.name, b.name))
    return shared.slice(0, most).map(({ name }) => name)
  }

  private before(similarity: number, slot: number, than: Similar): boolean {
    const difference = similarity - than.similarity
    return difference > 0 || (difference === 0 && this.idOf(slot) < this.idOf(than.slot))
  }

  /** Sums Σ qtf·idf·bm25(tf) into `sums`; returns the slots that have one. */
  private gather(slot: number): number[] {
    const average = this.totalLength / this.size
    const touched: number[] = []
    const { sums, vectors, older, lengths } = this
    const constant = K1 * (1 - B)
    const perWord = (K1 * B) / average
    this.eachTerm(slot, (term, occurrences) => {
      const weight = occurrences * this.idfOf(term) * (K1 + 1)
      let place = this.heads[term] ?? -1
      for (let read = 0; place >= 0 && read < POSTINGS_READ; read++) {
        const other = (place / TERMS_KEPT) | 0
        const tf = vectors[place]! & 255
        const before = sums[other]!
        if (before === 0) touched.push(other)
        sums[other] = before + (weight * tf) / (tf + constant + perWord * lengths[other]!)
        place = older[place]!
      }
    })
    return touched
  }

  /** Similarity of an article to itself: what both sides of a comparison are divided by. */
  private norm(slot: number, average: number): number {
    const { vectors, frequencies, idfs } = this
    const common = commonAbove(this.size)
    const start = slot * TERMS_KEPT
    const end = start + (this.counts[slot] ?? 0)
    const base = K1 * (1 - B + (B * this.lengths[slot]!) / average)
    let sum = 0
    for (let place = start; place < end; place++) {
      const packed = vectors[place]!
      const frequency = frequencies[packed >>> 8]!
      if (frequency > common) continue
      const tf = packed & 255
      sum += (tf * idfs[frequency]! * tf * (K1 + 1)) / (tf + base)
    }
    return sum
  }

  /** The terms of an article that are not common now, in the order of their names. */
  private eachTerm(slot: number, each: (term: number, occurrences: number) => void): void {
    this.weigh()
    const common = commonAbove(this.size)
    const start = slot * TERMS_KEPT
    for (let place = start; place < start + (this.counts[slot] ?? 0); place++) {
      const packed = this.vectors[place]!
      if (this.frequencies[packed >>> 8]! <= common) each(packed >>> 8, packed & 255)
    }
  }

  private weighedFor = 0
  private weigh(): void {
    const size = this.size
    if (this.weighedFor === size) return
    const most = commonAbove(size)
    if (this.idfs.length <= most) this.idfs = new Float64Array(most * 2)
    for (let frequency = 0; frequency <= most; frequency++) this.idfs[frequency] = idf(frequency, size)
    this.weighedFor = size
  }

  private idfOf(term: number): number {
    return this.idfs[this.frequencies[term]!]!
  }

  private numberOf(name: string): number {
    const known = this.termNumbers.get(name)
    if (known !== undefined) return known
    const term = this.freeTerms.pop() ?? this.names.length
    this.termNumbers.set(name, term)
    this.names[term] = name
    this.heads[term] = -1
    if (term >= this.frequencies.length) {
      this.frequencies = grown(this.frequencies, new Int32Array(term * 2))
      this.marks = new Uint8Array(term * 2)
    }
    return term
  }

  /** Forgets a term that no article has any more: new words come without end. */
  private release(name: string): void {
    const term = this.termNumbers.get(name)
    if (term === undefined || this.frequencies[term]! > 0) return
    this.termNumbers.delete(name)
    this.names[term] = ''
    this.freeTerms.push(term)
  }

  private unchain(term: number, slot: number): void {
    this.frequencies[term]! -= 1
    let newer = -1
    let place = this.heads[term] ?? -1
    while (place >= 0 && ((place / TERMS_KEPT) | 0) !== slot) {
      newer = place
      place = this.older[place]!
    }
    if (place < 0) return
    if (newer < 0) this.heads[term] = this.older[place]!
    else this.older[newer] = this.older[place]!
  }

  private reserve(slot: number): void {
    if (slot < this.lengths.length) return
    const size = Math.max(256, Math.ceil(slot * GROWTH))
    this.lengths = grown(this.lengths, new Int32Array(size))
    this.published = grown(this.published, new Float64Array(size))
    this.counts = grown(this.counts, new Uint8Array(size))
    this.sums = grown(this.sums, new Float64Array(size))
    this.vectors = grown(this.vectors, new Int32Array(size * TERMS_KEPT))
    this.older = grown(this.older, new Int32Array(size * TERMS_KEPT))
    this.lists.grow(size)
  }
}

const NONE: ReadonlySet<number> = new Set()

/** Order of code units: the same everywhere, whatever the locale. */
export const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** A term that more articles than this have is common. */
const commonAbove = (size: number): number => Math.max(NEVER_COMMON, Math.floor(COMMON * size))

const idf = (frequency: number, size: number): number => Math.log(1 + (size - frequency + 0.5) / (frequency + 0.5))

const saturated = (tf: number, length: number, average: number): number =>
  (tf * (K1 + 1)) / (tf + K1 * (1 - B + (B * length) / average))
