// An identity provider: publishes its keys over HTTP and signs what it is asked to, good tokens and bad ones.
import { randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from 'jose'

export const ISSUER = 'https://id.example'
export const AUDIENCE = 'https://stet.example'

interface SigningKey {
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly jwk: JWK
  /** The public key as PEM: what a confused verifier takes for a shared secret. */
  readonly pem: string
}

export interface Signing {
  readonly header?: Readonly<Record<string, unknown>>
  /** `undefined` leaves a claim out. */
  readonly claims?: Readonly<Record<string, unknown>>
  readonly key?: CryptoKey | Uint8Array
}

export class Provider {
  /** Paths that were asked for. */
  readonly asked: string[] = []
  #keys: SigningKey[] = []
  #server: Server | null = null
  #port = 0
  #made = 0

  static async start(): Promise<Provider> {
    const provider = new Provider()
    await provider.rotate()
    await provider.up()
    return provider
  }

  /** What points an app at it. */
  get env(): Record<string, string> {
    return { AUTH_JWKS_URL: this.url('/keys'), AUTH_ISSUER: ISSUER, AUTH_AUDIENCE: AUDIENCE }
  }

  get key(): SigningKey {
    return this.#keys[0]!
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.#port}${path}`
  }

  /** Signs with a new key from now on; the old one is no longer published. */
  async rotate(): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    const kid = `key-${++this.#made}`
    const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' }
    this.#keys = [{ kid, privateKey, jwk, pem: await exportSPKI(publicKey) }]
  }

  async up(): Promise<void> {
    const server = createServer((request, response) => {
      this.asked.push(request.url ?? '')
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ keys: this.#keys.map(({ jwk }) => jwk) }))
    })
    await new Promise<void>(resolve => server.listen(this.#port, '127.0.0.1', resolve))
    this.#port = (server.address() as AddressInfo).port
    this.#server = server
  }

  async down(): Promise<void> {
    const server = this.#server
    this.#server = null
    if (!server) return
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }

  /** A token that is good for an hour, but for what is asked for. */
  async token({ header, claims, key }: Signing = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1_000)
    const payload = {
      ...{
        iss: ISSUER,
        aud: AUDIENCE,
        sub: 'u-1',
        client_id: 'desk-tool',
        jti: randomUUID(),
        iat: now,
        exp: now + 3_600,
      },
      roles: ['editor'],
      ...claims,
    }
    return new SignJWT(JSON.parse(JSON.stringify(payload)) as Record<string, unknown>)
      .setProtectedHeader({ alg: 'ES256', kid: this.key.kid, typ: 'at+jwt', ...header })
      .sign(key ?? this.key.privateKey, { crit: { magic: true } })
  }
}

/** Not signed at all, or with a signature of one's own making. */
export const forged = (header: object, claims: object, signature = ''): string =>
  [...[header, claims].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')), signature].join('.')
