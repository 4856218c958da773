// Tokens of the local key: those of a first start, and any that the command line asks for.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { decodeJwt, jwtVerify, SignJWT } from 'jose'
import { v5 as uuidv5 } from 'uuid'
import { LOCAL_ALGORITHM, LOCAL_ISSUER, type LocalKey, localKey } from './keys'
import { type Role } from './roles'

export interface TokenRequest {
  readonly dataDir: string
  readonly role: Role
  /** Who it is for. The log sees only an id derived from it: the same name is the same actor. */
  readonly name: string
  /** How long it is valid; 30 when absent. */
  readonly days?: number
}

/** A bearer token signed with the local key of `dataDir` (made when absent). */
export const signToken = async ({ dataDir, role, name, days = 30 }: TokenRequest): Promise<string> =>
  signWith(await localKey(dataDir), role, name, days)

/** Roles whose tokens a first start leaves in DATA_DIR/tokens. */
export const FIRST_TOKENS = ['editor', 'chief', 'service', 'analyst'] as const satisfies readonly Role[]

/**
 * Makes DATA_DIR/tokens/{role}.token (0600) where one is absent, of another key or about to expire.
 * @returns the folder, and whether anything was written
 */
export const ensureTokens = async (
  dataDir: string,
): Promise<{ readonly folder: string; readonly written: boolean }> => {
  const folder = join(dataDir, 'tokens')
  const key = await localKey(dataDir)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  let written = false
  for (const role of FIRST_TOKENS) {
    const file = join(folder, `${role}.token`)
    if (await usable(file, key)) continue
    // A process id is no name of its own: in containers every process is the first one.
    const draft = `${file}.${randomUUID()}`
    await writeFile(draft, `${await signWith(key, role, role, YEAR)}\n`, { mode: 0o600 })
    await rename(draft, file)
    written = true
  }
  return { folder, written }
}

/** Days. */
const YEAR = 365
const RENEWED_BEFORE = 30

const ACTORS = '5e0e3f0c-6b0b-5c59-9f0c-2f1c7a1f6f5d'

const signWith = (key: LocalKey, role: Role, name: string, days: number): Promise<string> =>
  new SignJWT({ roles: [role] })
    .setProtectedHeader({ alg: LOCAL_ALGORITHM, kid: key.id, typ: 'JWT' })
    .setIssuer(LOCAL_ISSUER)
    .setSubject(uuidv5(name, ACTORS))
    .setIssuedAt()
    .setExpirationTime(`${days} days`)
    .sign(key.privateKey)

const usable = async (file: string, key: LocalKey): Promise<boolean> => {
  try {
    const token = (await readFile(file, 'utf8')).trim()
    await jwtVerify(token, key.publicKey, { issuer: LOCAL_ISSUER })
    return (decodeJwt(token).exp ?? 0) * 1000 > Date.now() + RENEWED_BEFORE * 86_400_000
  } catch {
    return false
  }
}
