// The local key: made on a first start, kept under DATA_DIR/keys, used where no identity provider is configured.
import { join } from 'node:path'
import { calculateJwkThumbprint, type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose'
import { keptSecret } from './key-file'

export interface LocalKey {
  readonly id: string
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
}

/** Issuer of tokens that are signed with a local key. */
export const LOCAL_ISSUER = 'stet:local'
export const LOCAL_ALGORITHM = 'EdDSA'
/** Whom tokens are for, unless an identity provider calls us otherwise (AUTH_AUDIENCE). */
export const LOCAL_AUDIENCE = 'stet'
/** The `typ` of a JWT access token (RFC 9068): an identity token, say, is none. */
export const TOKEN_TYPE = 'at+jwt'

/** Where the key lies in a data directory. */
export const SIGNING_KEY = 'keys/signing.json'

/** The key under `dataDir`, made when absent; processes that start at once end up with one and the same. */
export const localKey = async (dataDir: string): Promise<LocalKey> => {
  const file = join(dataDir, SIGNING_KEY)
  const jwk = jwkIn(await keptSecret(file, newJwk), file)
  const { d: _secret, ...open } = jwk
  return {
    id: await calculateJwkThumbprint(open),
    privateKey: (await importJWK(jwk, LOCAL_ALGORITHM)) as CryptoKey,
    publicKey: (await importJWK(open, LOCAL_ALGORITHM)) as CryptoKey,
  }
}

const jwkIn = (text: string, file: string): JWK => {
  try {
    return JSON.parse(text) as JWK
  } catch (error) {
    throw new Error(`${file} cannot be read as a key: ${(error as Error).message}`, { cause: error })
  }
}

const newJwk = async (): Promise<string> => {
  const { privateKey } = await generateKeyPair(LOCAL_ALGORITHM, { crv: 'Ed25519', extractable: true })
  return `${JSON.stringify(await exportJWK(privateKey))}\n`
}
