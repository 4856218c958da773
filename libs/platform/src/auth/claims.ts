// What a verified token says of its bearer, checked: a claim that is not understood refuses the token, never widens it.
import { type JWTPayload } from 'jose'
import { tokenRefused } from './challenge'
import { type Revocable } from './revocations'
import { type Caller, ROLES } from './roles'

export interface AccessClaims extends Revocable {
  readonly caller: Caller
  /** Seconds since 1970. */
  readonly exp: number
}

/** Printable ASCII without white space; a client_id of RFC 6749 may have blanks. */
const ID = /^[\x21-\x7e]{1,200}$/
const CLIENT = /^[\x20-\x7e]{1,200}$/
const SLUG = /^(?=.{1,80}$)[a-z0-9]+(?:-[a-z0-9]+)*$/
const MAX_SLUGS = 200

/**
 * Claims of a token whose signature, issuer, audience and times have been checked; `latest` is the latest time (s) at which
 * it may have been issued.
 * @throws Problem 401 that names the claim
 */
export const claimsIn = (payload: JWTPayload, latest: number): AccessClaims => {
  const { sub, jti, iat, exp, client_id: client, roles, role, sections, desks } = payload
  if (!matches(ID, sub)) throw unusable('sub')
  if (!matches(ID, jti)) throw unusable('jti')
  if (!matches(CLIENT, client)) throw unusable('client_id')
  if (typeof exp !== 'number' || !Number.isFinite(exp)) throw unusable('exp')
  // An actor's tokens are revoked by when they were issued.
  if (typeof iat !== 'number' || !(iat <= latest)) throw unusable('iat')
  const claimed: readonly unknown[] = Array.isArray(roles) ? roles : typeof role === 'string' ? [role] : []
  return {
    ...{ jti, sub, iat, exp },
    caller: {
      actor: sub,
      client,
      roles: ROLES.filter(name => claimed.includes(name)),
      sections: slugs('sections', sections),
      desks: slugs('desks', desks),
    },
  }
}

/** Lower-case words of a-z and 0-9 joined by hyphens, at most 80 characters. */
export const isSlug = (slug: string): boolean => SLUG.test(slug)

const matches = (pattern: RegExp, value: unknown): value is string => typeof value === 'string' && pattern.test(value)

/** Absent: no limit. What cannot be read as a limit must not count as none. */
const slugs = (claim: string, value: unknown): readonly string[] | null => {
  if (value === undefined) return null
  if (!Array.isArray(value) || value.length > MAX_SLUGS) throw unusable(claim)
  return value.map((slug: unknown) => {
    if (!matches(SLUG, slug)) throw unusable(claim)
    return slug
  })
}

const unusable = (claim: string) => tokenRefused(`The claim ${claim} of the token is not usable.`)
