// Checks bearer tokens, which are JWT access tokens (RFC 9068) of an identity provider or of the local key.
import { errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey, type JWTVerifyOptions } from 'jose'
import { LRUCache } from 'lru-cache'
import { type Config } from '../config'
import { Problem } from '../problems/problem'
import { tokenNeeded, tokenRefused } from './challenge'
import { type AccessClaims, claimsIn } from './claims'
import { LOCAL_ALGORITHM, LOCAL_AUDIENCE, LOCAL_ISSUER, localKey, TOKEN_TYPE } from './keys'
import { publishedKeys } from './published-keys'
import { type Revocations } from './revocations'
import { type Caller } from './roles'

/** Signatures that are accepted from an identity provider; never a shared secret, never none. */
const ALGORITHMS = ['EdDSA', 'Ed25519', 'ES256', 'ES384', 'PS256', 'RS256']
/** A verified token is not verified again for this long (ms): a signature check costs more than a command. */
const REMEMBERED = 30_000
/** Clocks differ (s): a token may be this much too young. It is never too old: it ends when it says. */
const TOLERANCE = 5
/** Characters. */
const MAX_TOKEN = 8 * 1024

/** What every token must have (RFC 9068, section 2.2). */
const REQUIRED = ['iss', 'aud', 'sub', 'client_id', 'exp', 'iat', 'jti']

interface Known {
  readonly claims: AccessClaims
  /** By the monotonic clock, ms. */
  readonly until: number
}

/** Tells who calls. One per process. */
export class TokenVerifier {
  readonly #known = new LRUCache<string, Known>({ max: 5_000 })

  private constructor(
    private readonly verify: (token: string) => Promise<JWTPayload>,
    private readonly revocations: Revocations | null,
  ) {}

  /** Without `revocations` tokens end by themselves only. */
  static async open(
    config: Pick<Config, 'auth' | 'dataDir'>,
    revocations: Revocations | null = null,
  ): Promise<TokenVerifier> {
    const { auth, dataDir } = config
    const key: JWTVerifyGetKey = auth
      ? publishedKeys(auth.jwksUrl)
      : await localKey(dataDir).then(
          ({ publicKey }) =>
            () =>
              publicKey,
        )
    const options: JWTVerifyOptions = {
      typ: TOKEN_TYPE,
      issuer: auth?.issuer ?? LOCAL_ISSUER,
      audience: auth?.audience ?? LOCAL_AUDIENCE,
      algorithms: auth ? ALGORITHMS : [LOCAL_ALGORITHM],
      requiredClaims: REQUIRED,
      clockTolerance: TOLERANCE,
    }
    return new TokenVerifier(async token => (await jwtVerify(token, key, options)).payload, revocations)
  }

  /**
   * The caller of a request by its Authorization header. `revocations` says whether the list of them must be that of
   * now, or may be the one that was read last when the log cannot be read.
   * @throws Problem 401 with the challenge of RFC 6750, 503 when the identity provider cannot be reached
   * @throws Unavailable when the revocations cannot be read
   */
  async callerOf(
    authorization: string | undefined,
    revocations: 'current' | 'last-known' = 'current',
  ): Promise<Caller> {
    if (authorization === undefined)
      throw tokenNeeded('No token was sent: `Authorization: Bearer` and a token is missing.')
    const token = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization)?.[1]
    if (token === undefined) throw tokenNeeded('Only bearer tokens are understood.')
    if (token.length > MAX_TOKEN) throw tokenRefused(`The token has more than ${MAX_TOKEN} characters.`)
    const { caller, exp, ...revocable } = await this.#claims(token)
    await this.revocations?.refresh().catch((error: unknown) => {
      if (revocations === 'current') throw error
    })
    // Last, as time has passed since then: what has ended in between has ended.
    if (exp * 1_000 <= Date.now()) throw tokenRefused('The token has expired.')
    if (this.revocations?.has(revocable)) throw tokenRefused('The token was revoked.')
    return caller
  }

  async #claims(token: string): Promise<AccessClaims> {
    const known = this.#known.get(token)
    if (known && known.until > performance.now()) return known.claims
    const claims = claimsIn(await this.#verified(token), Date.now() / 1_000 + TOLERANCE)
    this.#known.set(token, { claims, until: performance.now() + REMEMBERED })
    return claims
  }

  async #verified(token: string): Promise<JWTPayload> {
    try {
      return await this.verify(token)
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw tokenRefused('The token has expired.')
      // jose names the claim; which ones are looked at is ours to say, so that nothing of the token is repeated.
      if (error instanceof errors.JWTClaimValidationFailed)
        throw tokenRefused(`The token is not for here: its ${error.claim} is missing or not acceptable.`)
      if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError) || isOutage(error))
        throw new Problem('unavailable', 'The identity provider cannot be reached.', {
          headers: { 'retry-after': '5' },
        })
      throw tokenRefused('The token is not valid here.')
    }
  }
}

// jose reports an answer other than 200 from the key endpoint with its plain base class, and one that is no set of keys
// as such.
const isOutage = (error: errors.JOSEError): boolean =>
  error.constructor === errors.JOSEError || error instanceof errors.JWKSInvalid
