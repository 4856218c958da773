// Paths for readers: words of Latin letters and digits joined by hyphens, from text in any script.
import { createHash } from 'node:crypto'
import { transliterate } from 'transliteration'

export const MAX_SLUG = 80

/** Pattern of what is too much like a UUID, with its hyphens or without; of lower case. */
export const UUID_LIKE = '[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}'
const LIKE_A_UUID = new RegExp(`^${UUID_LIKE}$`, 'i')

/** Slugs and ids share one place in a path, so a slug must never be taken for an id. */
export const looksLikeUuid = (text: string): boolean => LIKE_A_UUID.test(text)

/** A slug of at most `max` characters from a text, cut between words where one can; '' when nothing of it is a word. */
export const slugOf = (text: string, max = MAX_SLUG): string => {
  // The Azerbaijani schwa has no counterpart in the tables; e is what the country's own sites write.
  const words = transliterate(text.normalize('NFC').toLowerCase().replaceAll('ə', 'e'))
    .toLowerCase()
    .replace(/['’`"]/g, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
  const slug = shortened(words, max)
  // One more letter in front is enough: the groups of a UUID have fixed lengths.
  return looksLikeUuid(slug) ? shortened(`a-${slug}`, max) : slug
}

/** The slug that identifies a term of this name; a name without any word gets one of its own. */
export const slugOfName = (name: string): string =>
  slugOf(name) || `t-${createHash('sha256').update(name.normalize('NFC')).digest('hex').slice(0, 12)}`

/** `slug` and its successors `slug-2` to `slug-20`, each within the limit. */
export const slugCandidates = (slug: string): string[] => [
  slug,
  ...Array.from({ length: 19 }, (_, index) => `${shortened(slug, MAX_SLUG - 3)}-${index + 2}`),
]

/** NFC, white space collapsed to single spaces and trimmed. */
export const collapsed = (text: string): string => text.normalize('NFC').replace(/\s+/g, ' ').trim()

const shortened = (slug: string, max: number): string => {
  if (slug.length <= max) return slug
  const cut = slug.slice(0, max + 1)
  const lastHyphen = cut.lastIndexOf('-')
  // A cut between words may lose a third of the room at most; a single endless word is cut where it must.
  return (lastHyphen > (max * 2) / 3 ? cut.slice(0, lastHyphen) : cut.slice(0, max)).replace(/-$/, '')
}
