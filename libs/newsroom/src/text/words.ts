// Words as editors search for them: whatever the letter case and the accents, found by how they begin.

/** Distinct words that are kept of a text, and characters of each. */
const MAX_WORDS = 40
const MAX_WORD = 40

/** The first distinct words of the texts, in their order: lower case, without accents, letters and digits only. */
export const wordsOf = (texts: readonly (string | null)[], most = MAX_WORDS): string[] => {
  const words = new Set<string>()
  for (const text of texts)
    for (const word of plain(text ?? '').split(NO_WORD)) {
      if (word === '') continue
      words.add(word.slice(0, MAX_WORD))
      if (words.size === most) return [...words]
    }
  return [...words]
}

/**
 * By what words are looked up in an index: how they begin. A word costs two entries at most, and a beginning of three or
 * more characters is looked up by one.
 */
export const headsOf = (words: readonly string[]): string[] => [
  ...new Set(words.flatMap(word => (word.length < 3 ? [word] : LENGTHS.map(length => word.slice(0, length))))),
]

/** The head that all words which begin so have; null where that would be too many to be worth an index. */
export const headOf = (beginning: string): string | null => {
  const length = LENGTHS.findLast(length => length <= beginning.length)
  return length === undefined ? null : beginning.slice(0, length)
}

const LENGTHS = [3, 5]
const NO_WORD = /[^\p{L}\p{N}]+/u

const plain = (text: string): string => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
