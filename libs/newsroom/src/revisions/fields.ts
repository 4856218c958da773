// What of an article or a list is compared between two of its revisions, field by field.
import { type Article, same } from '../article/state'
import { type CuratedList } from '../lists/entries'

export type Fields = Readonly<Record<string, unknown>>

/** A field whose value differs between two revisions. */
export interface Change {
  readonly field: string
  readonly from: unknown
  readonly to: unknown
}

/** What editors write and what became of it; what readers see is a revision's too, and is not told twice. */
export const articleFields = (article: Article): Fields => ({
  ...article.working,
  source: article.source,
  relatedIds: article.relatedIds,
  blockedIds: article.blockedIds,
  stage: article.stage,
  review: article.review?.status ?? null,
  embargo: article.embargo,
})

export const listFields = ({ label, section, capacity, entries }: CuratedList): Fields => ({
  label,
  section,
  capacity,
  entries,
})

/** The fields that differ, in the order of the later revision's. */
export const changesBetween = (before: Fields, after: Fields): Change[] =>
  [...new Set([...Object.keys(after), ...Object.keys(before)])].flatMap(field => {
    const [from, to] = [before[field] ?? null, after[field] ?? null]
    return same(from, to) ? [] : [{ field, from, to }]
  })

/** Bytes of JSON of one value, and of all of them, that a refusal carries. */
const MOST_VALUE = 16 * 1024
const MOST_VALUES = 64 * 1024

/** A change as a refusal carries it: `large` says that a value was left out, which the revision itself has. */
export interface BriefChange {
  readonly field: string
  readonly from?: unknown
  readonly to?: unknown
  readonly large?: true
}

/** Changes of bounded size. */
export const brief = (changes: readonly Change[]): BriefChange[] => {
  let room = MOST_VALUES
  return changes.map(({ field, from, to }) => {
    const bytes = [from, to].map(value => Buffer.byteLength(JSON.stringify(value)))
    const sum = bytes.reduce((a, b) => a + b)
    if (sum > room || bytes.some(each => each > MOST_VALUE)) return { field, large: true }
    room -= sum
    return { field, from, to }
  })
}
