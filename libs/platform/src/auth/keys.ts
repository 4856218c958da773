// The local key: made on a first start, kept under DATA_DIR/keys, used where no identity provider is configured.
import { mkdir, link, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose'

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
  const jwk = (await readJwk(file)) ?? (await createJwk(file))
  const { d: _secret, ...open } = jwk
  return {
    id: await calculateJwkThumbprint(open),
    privateKey: (await importJWK(jwk, LOCAL_ALGORITHM)) as CryptoKey,
    publicKey: (await importJWK(open, LOCAL_ALGORITHM)) as CryptoKey,
  }
}

const readJwk = async (file: string): Promise<JWK | null> => {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as JWK
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new Error(`${file} cannot be read as a key: ${(error as Error).message}`, { cause: error })
  }
}

const createJwk = async (file: string): Promise<JWK> => {
  await mkdir(join(file, '..'), { recursive: true, mode: 0o700 })
  const { privateKey } = await generateKeyPair(LOCAL_ALGORITHM, { crv: 'Ed25519', extractable: true })
  const jwk = await exportJWK(privateKey)
  const draft = `${file}.${randomUUID()}`
  await writeFile(draft, `${JSON.stringify(jwk)}\n`, { mode: 0o600, flag: 'wx' })
  try {
    // A link never replaces: of several that start at once the first one's key stays.
    await link(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(draft, { force: true })
  }
  return (await readJwk(file)) ?? jwk
}
