// Checks bearer tokens against the local key or an identity provider's published keys.
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from 'jose'
import { LRUCache } from 'lru-cache'
import { type Config } from '../config'
import { Problem } from '../problems/problem'
import { LOCAL_ALGORITHM, LOCAL_ISSUER, localKey } from './keys'
import { type Caller, type Role, ROLES } from './roles'

/** Signatures that are accepted from an identity provider; never a shared secret, never none. */
const ALGORITHMS = ['EdDSA', 'Ed25519', 'ES256', 'ES384', 'PS256', 'RS256']
/** A verified token is not verified again for this long (ms): a signature check costs more than a command. */
const REMEMBERED = 30_000
/** Clocks differ (s). */
const TOLERANCE = 5

/** Tells who calls. One per process. */
export class TokenVerifier {
  readonly #known = new LRUCache<string, { readonly caller: Caller; readonly until: number }>({ max: 5_000 })

  private constructor(private readonly verify: (token: string) => Promise<JWTPayload>) {}

  static async open(config: Pick<Config, 'auth' | 'dataDir'>): Promise<TokenVerifier> {
    if (config.auth) {
      const { issuer, audience, jwksUrl } = config.auth
      const keys: JWTVerifyGetKey = createRemoteJWKSet(jwksUrl, { timeoutDuration: 3_000, cooldownDuration: 10_000 })
      const options = { issuer, ...(audience && { audience }), algorithms: ALGORITHMS, clockTolerance: TOLERANCE }
      return new TokenVerifier(async token => (await jwtVerify(token, keys, { ...options, ...REQUIRED })).payload)
    }
    const { publicKey } = await localKey(config.dataDir)
    const options = { issuer: LOCAL_ISSUER, algorithms: [LOCAL_ALGORITHM], clockTolerance: TOLERANCE }
    return new TokenVerifier(async token => (await jwtVerify(token, publicKey, { ...options, ...REQUIRED })).payload)
  }

  /**
   * The caller of a request by its Authorization header.
   * @throws Problem 401 with the challenge of RFC 6750, 503 when the identity provider cannot be reached
   */
  async callerOf(authorization: string | undefined): Promise<Caller> {
    if (authorization === undefined) throw new Problem('unauthenticated', 'No token was sent.', challenge())
    const token = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization)?.[1]
    if (token === undefined) throw new Problem('unauthenticated', 'Only bearer tokens are understood.', challenge())
    const known = this.#known.get(token)
    if (known && known.until > Date.now()) return known.caller
    const payload = await this.#verified(token)
    const caller = callerIn(payload)
    this.#known.set(token, { caller, until: Math.min(Date.now() + REMEMBERED, (payload.exp ?? 0) * 1000) })
    return caller
  }

  async #verified(token: string): Promise<JWTPayload> {
    try {
      return await this.verify(token)
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw refused('The token has expired.')
      if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError) || isOutage(error))
        throw new Problem('unavailable', 'The identity provider cannot be reached.', {
          headers: { 'retry-after': '5' },
        })
      throw refused('The token is not valid here.')
    }
  }
}

const REQUIRED = { requiredClaims: ['sub', 'exp'] }

// jose reports an answer other than 200 from the key endpoint with its plain base class.
const isOutage = (error: errors.JOSEError): boolean => error.constructor === errors.JOSEError

const callerIn = ({ sub, roles, role }: JWTPayload): Caller => {
  if (!sub || sub.length > 200 || !/^[\x21-\x7e]+$/.test(sub)) throw refused('The subject of the token is not usable.')
  const claimed: readonly unknown[] = Array.isArray(roles) ? roles : typeof role === 'string' ? [role] : []
  return { actor: sub, roles: ROLES.filter(name => claimed.includes(name)) }
}

const challenge = (error?: string, description?: string, scope?: readonly Role[]) => ({
  headers: {
    'www-authenticate': [
      'Bearer realm="stet"',
      ...(error ? [`error="${error}"`] : []),
      ...(description ? [`error_description="${description}"`] : []),
      ...(scope ? [`scope="${scope.join(' ')}"`] : []),
    ].join(', '),
  },
})

const refused = (detail: string): Problem => new Problem('unauthenticated', detail, challenge('invalid_token', detail))

/** The refusal of a caller whose roles do not suffice. */
export const insufficient = (roles: readonly Role[]): Problem =>
  new Problem('forbidden', `This needs the role ${roles.join(' or ')}.`, {
    ...challenge('insufficient_scope', 'The role of the token does not suffice.', roles),
  })
