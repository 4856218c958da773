// Keys and tokens on a disk, and who is believed to be whom.
import { randomUUID } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startEventStore } from '@stet/embedded'
import { Aggregates, connectEventLog, type EventLog, Unavailable } from '@stet/eventsourcing'
import { decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { localKey } from './keys'
import { Problem } from '../problems/problem'
import { access, REVOCATIONS, Revocations } from './revocations'
import { ensureTokens, FIRST_TOKENS, LOCAL_CLIENT, localActor, signToken } from './tokens'
import { TokenVerifier } from './verifier'

let dataDir: string
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'stet-auth-'))
})
afterAll(() => rm(dataDir, { recursive: true, force: true }))

const bearer = (token: string) => `Bearer ${token}`

/** Resolves once the condition holds. */
const eventually = async (condition: () => Promise<boolean>): Promise<void> => {
  const until = performance.now() + 10_000
  while (!(await condition())) {
    if (performance.now() > until) throw new Error('this never became true')
    await new Promise(resolve => setImmediate(resolve))
  }
}

describe('a first start', () => {
  it('makes one key, however many processes start at once', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => localKey(dataDir)))
    expect(new Set(keys.map(({ id }) => id)).size).toBe(1)
  })

  it('leaves its tokens when several start at once on one folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stet-auth-'))
    const all = await Promise.all(Array.from({ length: 8 }, () => ensureTokens(folder)))
    expect(new Set(all.map(({ folder }) => folder)).size).toBe(1)
    expect((await readdir(join(folder, 'tokens'))).sort()).toEqual(FIRST_TOKENS.map(role => `${role}.token`).sort())
    await rm(folder, { recursive: true, force: true })
  })

  it('leaves usable tokens that only the owner can read, and leaves them alone afterwards', async () => {
    const { folder, written } = await ensureTokens(dataDir)
    expect(written).toBe(true)
    const verifier = await TokenVerifier.open({ auth: null, dataDir })
    for (const role of FIRST_TOKENS) {
      const file = join(folder, `${role}.token`)
      expect((await stat(file)).mode & 0o777).toBe(0o600)
      const caller = await verifier.callerOf(bearer((await readFile(file, 'utf8')).trim()))
      expect(caller.roles).toEqual([role])
      expect(caller.actor).not.toContain(role)
    }
    expect((await stat(join(dataDir, 'keys', 'signing.json'))).mode & 0o777).toBe(0o600)
    expect(await ensureTokens(dataDir)).toEqual({ folder, written: false })
    await writeFile(join(folder, 'editor.token'), 'broken')
    expect((await ensureTokens(dataDir)).written).toBe(true)
  })

  it('leaves whole tokens, however many processes start at once', async () => {
    const fresh = await mkdtemp(join(tmpdir(), 'stet-auth-'))
    await Promise.all(Array.from({ length: 8 }, () => ensureTokens(fresh)))
    expect((await ensureTokens(fresh)).written).toBe(false)
    expect((await readdir(join(fresh, 'tokens'))).sort()).toEqual(FIRST_TOKENS.map(role => `${role}.token`).sort())
    await rm(fresh, { recursive: true })
  })

  it('replaces tokens of the form before', async () => {
    const { folder } = await ensureTokens(dataDir)
    const { privateKey, id } = await localKey(dataDir)
    const before = new SignJWT({ roles: ['editor'] })
      .setProtectedHeader({ alg: 'EdDSA', kid: id, typ: 'JWT' })
      .setIssuer('stet:local')
      .setSubject('someone')
      .setIssuedAt()
      .setExpirationTime('365 days')
    await writeFile(join(folder, 'editor.token'), await before.sign(privateKey))
    expect((await ensureTokens(dataDir)).written).toBe(true)
    expect((await ensureTokens(dataDir)).written).toBe(false)
  })
})

describe('a token of the local key', () => {
  it('names the same actor for the same name', async () => {
    const verifier = await TokenVerifier.open({ auth: null, dataDir })
    const caller = async (name: string) =>
      verifier.callerOf(bearer(await signToken({ dataDir, role: 'reporter', name })))
    expect((await caller('desk one')).actor).toBe((await caller('desk one')).actor)
    expect((await caller('desk one')).actor).not.toBe((await caller('desk two')).actor)
  })

  it('has the claims of RFC 9068, and those that limit a reporter', async () => {
    const verifier = await TokenVerifier.open({ auth: null, dataDir })
    const plain = await signToken({ dataDir, role: 'editor', name: 'x' })
    expect(decodeProtectedHeader(plain)).toMatchObject({ alg: 'EdDSA', typ: 'at+jwt' })
    const { iat, exp, jti, ...claims } = decodeJwt(plain)
    expect(claims).toEqual({
      ...{ iss: 'stet:local', aud: 'stet', sub: localActor('x'), client_id: LOCAL_CLIENT, roles: ['editor'] },
    })
    expect(exp! - iat!).toBe(30 * 86_400)
    expect(decodeJwt(await signToken({ dataDir, role: 'editor', name: 'x' })).jti).not.toBe(jti)
    expect(await verifier.callerOf(bearer(plain))).toMatchObject({ client: LOCAL_CLIENT, sections: null, desks: null })
    const limits = { client: 'desk-tool', sections: ['sport'], desks: [] }
    const limited = await signToken({ dataDir, role: 'reporter', name: 'x', ...limits })
    expect(await verifier.callerOf(bearer(limited))).toEqual({ actor: localActor('x'), roles: ['reporter'], ...limits })
  })

  it('is refused when it is missing, broken, expired, foreign or unsigned', async () => {
    const verifier = await TokenVerifier.open({ auth: null, dataDir })
    const { privateKey, id } = await localKey(dataDir)
    const claims = { roles: ['editor'], client_id: 'tool', jti: 'one' }
    const signed = (edit: (jwt: SignJWT) => SignJWT, key = privateKey) =>
      edit(
        new SignJWT(claims)
          .setProtectedHeader({ alg: 'EdDSA', kid: id, typ: 'at+jwt' })
          .setIssuer('stet:local')
          .setAudience('stet')
          .setSubject('someone')
          .setIssuedAt()
          .setExpirationTime('1h'),
      ).sign(key)
    const { privateKey: foreign } = await generateKeyPair('EdDSA')
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${(await signed(jwt => jwt)).split('.')[1]}.`
    expect((await verifier.callerOf(bearer(await signed(jwt => jwt)))).actor).toBe('someone')
    const refused: [string | undefined, string][] = [
      [undefined, 'Bearer realm="stet"'],
      ['Basic eDp5', 'Bearer realm="stet"'],
      [bearer('x.y.z'), 'error="invalid_token"'],
      [bearer(unsigned), 'error="invalid_token"'],
      [bearer(await signed(jwt => jwt.setExpirationTime('-1h'))), 'error="invalid_token"'],
      [bearer(await signed(jwt => jwt.setIssuer('elsewhere'))), 'error="invalid_token"'],
      [bearer(await signed(jwt => jwt.setSubject('a b'))), 'error="invalid_token"'],
      [bearer(await signed(jwt => jwt, foreign)), 'error="invalid_token"'],
    ]
    for (const [authorization, challenge] of refused)
      await expect(verifier.callerOf(authorization)).rejects.toMatchObject({
        status: 401,
        more: { headers: { 'www-authenticate': expect.stringContaining(challenge) } },
      })
  })

  it('is refused from the second on that it names', async () => {
    const verifier = await TokenVerifier.open({ auth: null, dataDir })
    const { privateKey } = await localKey(dataDir)
    const expiring = (exp: number) =>
      new SignJWT({ roles: ['editor'], client_id: 'tool', jti: randomUUID() })
        .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt' })
        .setIssuer('stet:local')
        .setAudience('stet')
        .setSubject('someone')
        .setIssuedAt()
        .setExpirationTime(exp)
        .sign(privateKey)
    await expect(verifier.callerOf(bearer(await expiring(Math.floor(Date.now() / 1000))))).rejects.toThrow('expired')
    // Two seconds are enough to have it verified and remembered.
    const exp = Math.floor(Date.now() / 1000) + 2
    const token = bearer(await expiring(exp))
    await verifier.callerOf(token)
    let last = Date.now()
    await eventually(async () => {
      const asked = Date.now()
      const accepted = await verifier.callerOf(token).then(
        () => true,
        () => false,
      )
      if (accepted) last = asked
      return !accepted
    })
    expect(last).toBeLessThan(exp * 1000)
    expect(Date.now()).toBeGreaterThanOrEqual(exp * 1000)
  })
})

describe('revocations', () => {
  let folder: string
  let store: Awaited<ReturnType<typeof startEventStore>>
  let log: EventLog
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stet-auth-'))
    store = await startEventStore({ socketPath: join(folder, 'e.sock'), directory: join(folder, 'data') })
    log = connectEventLog({ url: `unix:${join(folder, 'e.sock')}` })
  })
  afterAll(async () => {
    await log.close()
    await store.close()
    await rm(folder, { recursive: true, force: true })
  })

  const revoke = (id: string, at = new Date().toISOString()) =>
    new Aggregates(log).execute(
      access,
      'RevokeAccess',
      { id, reason: null },
      {
        ...{ key: REVOCATIONS, commandId: randomUUID(), correlationId: 'c', actor: 'operator' },
        at,
      },
    )
  /** Counts the reads of the log. */
  const counted = () => {
    let reads = 0
    const readStream: EventLog['readStream'] = (stream, options) => (reads++, log.readStream(stream, options))
    return { readStream, reads: () => reads }
  }
  const token = (name = 'somebody') => signToken({ dataDir, role: 'editor', name }).then(bearer)
  const refused = (verifier: TokenVerifier, authorization: string) =>
    verifier.callerOf(authorization).then(
      () => false,
      (error: unknown) => {
        if (error instanceof Problem) return error.status === 401
        throw error
      },
    )

  it('end a token by its id in each process that is asked', async () => {
    const verifiers = await Promise.all(
      [1, 2].map(() => TokenVerifier.open({ auth: null, dataDir }, new Revocations(log))),
    )
    const [revoked, other] = [await token(), await token()]
    for (const verifier of verifiers)
      for (const each of [revoked, other]) expect(await refused(verifier, each)).toBe(false)
    await revoke(decodeJwt(revoked.slice(7)).jti!)
    for (const verifier of verifiers) {
      await eventually(() => refused(verifier, revoked))
      expect(await refused(verifier, other)).toBe(false)
    }
    // One that starts later knows at once.
    const late = await TokenVerifier.open({ auth: null, dataDir }, new Revocations(log))
    expect(await refused(late, revoked)).toBe(true)
  })

  it('end what an actor was given until then, and nothing later', async () => {
    await revoke('u-1', '2026-01-01T00:00:10.500Z')
    const revocations = new Revocations(log)
    await revocations.refresh()
    const second = Date.parse('2026-01-01T00:00:10.000Z') / 1000
    expect(revocations.has({ sub: 'u-1', jti: 'a', iat: second - 3600 })).toBe(true)
    expect(revocations.has({ sub: 'u-1', jti: 'a', iat: second })).toBe(true)
    expect(revocations.has({ sub: 'u-1', jti: 'a', iat: second + 1 })).toBe(false)
    expect(revocations.has({ sub: 'u-2', jti: 'a', iat: 0 })).toBe(false)
  })

  it('are read once for all who ask at once, and not again for a moment', async () => {
    const counting = counted()
    const verifier = await TokenVerifier.open({ auth: null, dataDir }, new Revocations(counting))
    const authorization = await token()
    await Promise.all(Array.from({ length: 200 }, () => verifier.callerOf(authorization)))
    expect(counting.reads()).toBeLessThanOrEqual(3)
  })

  it('that cannot be read let nobody in, but for operators', async () => {
    const authorization = await token()
    await store.close()
    const verifier = await TokenVerifier.open({ auth: null, dataDir }, new Revocations(log))
    await expect(verifier.callerOf(authorization)).rejects.toThrow(Unavailable)
    expect(await verifier.callerOf(authorization, 'last-known')).toMatchObject({ roles: ['editor'] })
  })
})

describe("an identity provider's token", () => {
  it('is believed by its published keys, issuer and audience; an outage is not the caller’s fault', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' }] })
    const provider = createServer((_, response) => response.setHeader('content-type', 'application/json').end(jwks))
    await new Promise<void>(resolve => provider.listen(0, '127.0.0.1', resolve))
    const jwksUrl = new URL(`http://127.0.0.1:${(provider.address() as AddressInfo).port}/keys`)
    const auth = { jwksUrl, issuer: 'https://id.example', audience: 'stet' }
    const token = (audience: string) =>
      new SignJWT({ role: 'chief', client_id: 'tool', jti: 'j' })
        .setProtectedHeader({ alg: 'ES256', kid: 'k', typ: 'at+jwt' })
        .setIssuedAt()
        .setIssuer(auth.issuer)
        .setAudience(audience)
        .setSubject('u-1')
        .setExpirationTime('1h')
        .sign(privateKey)
    const verifier = await TokenVerifier.open({ auth, dataDir })
    expect(await verifier.callerOf(bearer(await token('stet')))).toMatchObject({
      ...{ actor: 'u-1', client: 'tool', roles: ['chief'] },
    })
    await expect(verifier.callerOf(bearer(await token('other')))).rejects.toMatchObject({ status: 401 })
    // The local key is nobody's where an identity provider is configured.
    const local = await signToken({ dataDir, role: 'chief', name: 'x' })
    await expect(verifier.callerOf(bearer(local))).rejects.toMatchObject({ status: 401 })
    await new Promise(resolve => provider.close(resolve))
    const fresh = await TokenVerifier.open({ auth, dataDir })
    await expect(fresh.callerOf(bearer(await token('stet')))).rejects.toMatchObject({ status: 503 })
  })
})
