// What the corpus holds of terms: those of the articles that are in it, and nothing of those that have gone.
import { expect, it } from '@jest/globals'
import { Corpus, type Vector } from './corpus'

const vector = (corpus: Corpus, n: number, words: readonly string[]): Vector => {
  const occurrences = new Map(words.map((word, i) => [word, i < 10 ? 20 + i : 1 + (i % 3)]))
  return {
    id: `article-${n}`,
    ...corpus.choose(occurrences, words.length),
    length: words.length,
    publishedAt: n * 60_000,
    tags: [],
  }
}
/** Seventy words: some are compared, the others only counted; every sixth article shares ten of them. */
const wordsOf = (n: number): string[] =>
  Array.from({ length: 70 }, (_, i) => (i < 10 ? `shared ${n % 6} ${i}` : `word ${n} ${i}`))

it('forgets the terms of articles that are gone, and computes as if they had never been', () => {
  const corpus = new Corpus()
  const live: Vector[] = []
  const add = (n: number) => {
    const taken = vector(corpus, n, wordsOf(n))
    corpus.add(taken)
    live.push(taken)
  }
  for (let n = 0; n < 30; n++) add(n)
  const full = corpus.terms
  for (let n = 30; n < 1_000; n++) {
    const [oldest] = live.splice(0, 1)
    if (oldest) corpus.remove(oldest)
    add(n)
    expect(corpus.terms).toBeLessThanOrEqual(full)
  }
  const fresh = new Corpus()
  for (const taken of live) fresh.add(taken)
  expect(corpus.terms).toBe(fresh.terms)
  const near = (of: Corpus, id: string) => {
    const slot = of.slotOf(id) ?? -1
    return of.similar(slot, 30).best.map(({ slot: other, similarity }) => ({
      id: of.idOf(other),
      similarity,
      shared: of.shared(slot, other, 5),
    }))
  }
  for (const { id } of live) {
    expect(near(fresh, id)).not.toHaveLength(0)
    expect(near(corpus, id)).toEqual(near(fresh, id))
  }
  for (const taken of live) corpus.remove(taken)
  expect(corpus.terms).toBe(0)
})
