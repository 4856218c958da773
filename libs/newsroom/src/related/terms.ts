// What the words of an article are for the comparison of texts.
import { type LiveContent } from '../article/content'
import { paragraphsOf } from '../text/html'

/** Code points of a word that count: on short texts better than stemming, and the same in every language. */
const PREFIX = 5
/** Words of an article that count; bounds what a document holds. */
const WORDS_COUNTED = 20_000
/** Occurrences above this make no difference to a saturated frequency. */
const MOST_OCCURRENCES = 255

const WORD = /[\p{L}\p{M}\p{N}]+/gu

export interface Terms {
  /** Occurrences by term, at most 255 each. */
  readonly occurrences: ReadonlyMap<string, number>
  /** Number of words. */
  readonly length: number
}

/** Terms of headline, summary and body: words, NFC, lower case, the first five characters. */
export const termsOf = (content: Pick<LiveContent, 'headline' | 'summary' | 'bodyHtml'>): Terms => {
  const { headline, summary, bodyHtml } = content
  const text = `${headline}\n${summary ?? ''}\n${paragraphsOf(bodyHtml).join('\n')}`.normalize('NFC').toLowerCase()
  const occurrences = new Map<string, number>()
  let length = 0
  for (const [word] of text.matchAll(WORD)) {
    if (length === WORDS_COUNTED) break
    length++
    const term = prefixOf(word)
    const seen = occurrences.get(term) ?? 0
    if (seen < MOST_OCCURRENCES) occurrences.set(term, seen + 1)
  }
  return { occurrences, length }
}

const prefixOf = (word: string): string => {
  if (word.length <= PREFIX) return word
  let end = 0
  for (let i = 0; i < PREFIX && end < word.length; i++) end += (word.codePointAt(end) ?? 0) > 0xffff ? 2 : 1
  return word.slice(0, end)
}
