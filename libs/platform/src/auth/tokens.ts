// Tokens of the local key: those of a first start, and any that the command line asks for.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { decodeJwt, jwtVerify, SignJWT } from 'jose'
import { v5 as uuidv5 } from 'uuid'
import { LOCAL_ALGORITHM, LOCAL_AUDIENCE, LOCAL_ISSUER, type LocalKey, localKey, TOKEN_TYPE } from './keys'
import { type Role } from './roles'

export interface TokenRequest {
  readonly dataDir: string
  readonly role: Role
  /** Who it is for. The log sees only an id derived from it: the same name is the same actor. */
  readonly name: string
  /** How long it is valid; 30 when absent. */
  readonly days?: number
  /** The program that it is for; LOCAL_CLIENT when absent. */
  readonly client?: string
  /** Slugs that a reporter is limited to; not limited when absent. */
  readonly sections?: readonly string[]
  readonly desks?: readonly string[]
}

/** The client_id of tokens that were made for no program in particular. */
export const LOCAL_CLIENT = 'stet-token'

/** A bearer token signed with the local key of `dataDir` (made when absent). */
export const signToken = async ({ dataDir, ...request }: TokenRequest): Promise<string> =>
  signWith(await localKey(dataDir), request)

/** The actor of a name's local tokens: the log sees this id only. */
export const localActor = (name: string): string => uuidv5(name, ACTORS)

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
    // Processes that start at once may share the folder and be in containers of their own, with equal ids.
    const draft = `${file}.${randomUUID()}`
    await writeFile(draft, `${await signWith(key, { role, name: role, days: YEAR })}\n`, { mode: 0o600 })
    await rename(draft, file)
    written = true
  }
  return { folder, written }
}

/** Days. */
const YEAR = 365
const RENEWED_BEFORE = 30

const ACTORS = '5e0e3f0c-6b0b-5c59-9f0c-2f1c7a1f6f5d'

const signWith = (
  key: LocalKey,
  { role, name, days = 30, client = LOCAL_CLIENT, sections, desks }: Omit<TokenRequest, 'dataDir'>,
): Promise<string> =>
  new SignJWT({ client_id: client, roles: [role], ...(sections && { sections }), ...(desks && { desks }) })
    .setProtectedHeader({ alg: LOCAL_ALGORITHM, kid: key.id, typ: TOKEN_TYPE })
    .setIssuer(LOCAL_ISSUER)
    .setAudience(LOCAL_AUDIENCE)
    .setSubject(localActor(name))
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime(`${days} days`)
    .sign(key.privateKey)

const usable = async (file: string, key: LocalKey): Promise<boolean> => {
  try {
    const token = (await readFile(file, 'utf8')).trim()
    const claims = { issuer: LOCAL_ISSUER, audience: LOCAL_AUDIENCE, requiredClaims: ['client_id', 'jti', 'iat'] }
    await jwtVerify(token, key.publicKey, { typ: TOKEN_TYPE, ...claims })
    return (decodeJwt(token).exp ?? 0) * 1000 > Date.now() + RENEWED_BEFORE * 86_400_000
  } catch {
    return false
  }
}
