// The keys that an identity provider publishes (RFC 7517): renewed while they are used, kept through an outage.
import { createRemoteJWKSet, type JWTVerifyGetKey } from 'jose'

/** Milliseconds. */
export interface KeyTimes {
  /** A key that the provider has withdrawn is believed no longer than this while the provider answers, ... */
  readonly renewed: number
  /** ... and no longer than this while it does not: until then its outage is none of ours. */
  readonly kept: number
  /** An unknown key id asks the provider again, at most this often: a rotation is seen at once, made-up ids cost little. */
  readonly askedAgain: number
}
const TIMES: KeyTimes = { renewed: 60_000, kept: 3_600_000, askedAgain: 2_000 }
const TIMEOUT = 3_000

/**
 * Finds the key of a token. Only `url` is ever asked: a key id is compared with the published ones and nothing else, and
 * keys or addresses of keys in a token are not looked at. Throws jose's errors.
 */
export const publishedKeys = (url: URL, { renewed, kept, askedAgain }: KeyTimes = TIMES): JWTVerifyGetKey => {
  const keys = createRemoteJWKSet(url, {
    timeoutDuration: TIMEOUT,
    cooldownDuration: askedAgain,
    cacheMaxAge: kept,
  })
  let renewedAt = performance.now()
  let renewing: Promise<void> | null = null
  const renew = async (): Promise<void> => {
    await keys.reload().catch(() => undefined)
    renewedAt = performance.now()
    renewing = null
  }
  return async (header, token) => {
    // The very first keys are fetched below, where a failure is the answer.
    if (keys.jwks() && performance.now() - renewedAt >= renewed) await (renewing ??= renew())
    return keys(header, token)
  }
}
