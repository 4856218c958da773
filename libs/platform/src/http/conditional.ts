// Conditional and repeatable requests: If-Match, If-None-Match, ETag (RFC 9110), Prefer and Idempotency-Key.
import { createHash } from 'node:crypto'
import { Invalid } from '@stet/eventsourcing'
import { Problem } from '../problems/problem'

/** ETag of a stream at a revision. */
export const etagOf = (revision: number): string => `"${revision}"`

/** ETag of an answer: a hash of its bytes. */
export const contentTag = (bytes: Buffer): string => `"${createHash('sha1').update(bytes).digest('base64url')}"`

/**
 * The revision that the caller has seen; undefined for `*` or, where none is needed, no header. Weak tags are accepted:
 * proxies that compress weaken ours.
 * @throws Problem `precondition-required` when it is needed and absent, `malformed` when it is no revision
 */
export const expectedRevision = (header: string | undefined, needed: boolean): number | undefined => {
  if (header === undefined) {
    if (needed) throw new Problem('precondition-required', 'This replaces content: say which revision in If-Match.')
    return undefined
  }
  const value = header.trim()
  if (value === '*') return undefined
  const revision = /^(?:W\/)?"(\d{1,15})"$/.exec(value)?.[1]
  if (revision === undefined)
    throw new Problem('malformed', 'If-Match must be one ETag of this resource, like "3", or *.')
  return Number(revision)
}

/**
 * The UUID of an Idempotency-Key, quoted or bare, in lower case; undefined without a header.
 * @throws Invalid for anything else
 */
export const idempotencyKey = (header: string | undefined): string | undefined => {
  if (header === undefined) return undefined
  const key = /^(?:"([^"]*)"|([^"]*))$/.exec(header.trim())
  const value = (key?.[1] ?? key?.[2] ?? '').toLowerCase()
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value))
    throw new Invalid([{ pointer: '', detail: 'Idempotency-Key must be a UUID, quoted or bare' }])
  return value
}

/** Whether Prefer (RFC 7240) names this preference, alone or among others. */
export const prefers = (prefer: string | undefined, preference: string): boolean =>
  prefer !== undefined && prefer.split(',').some(each => each.split(';')[0]?.trim().toLowerCase() === preference)

/** Whether If-None-Match names this tag (weak comparison) or `*`. */
export const matches = (ifNoneMatch: string | undefined, tag: string): boolean => {
  if (ifNoneMatch === undefined) return false
  if (ifNoneMatch === tag || ifNoneMatch.trim() === '*') return true
  return ifNoneMatch.split(',').some(each => each.trim().replace(/^W\//, '') === tag)
}
