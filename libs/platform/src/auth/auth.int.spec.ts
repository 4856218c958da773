// Keys and tokens on a disk, and who is believed to be whom.
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { localKey } from './keys'
import { ensureTokens, FIRST_TOKENS, signToken } from './tokens'
import { TokenVerifier } from './verifier'

let dataDir: string
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'stet-auth-'))
})
afterAll(() => rm(dataDir, { recursive: true, force: true }))

const bearer = (token: string) => `Bearer ${token}`

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
})

describe('a token of the local key', () => {
  it('names the same actor for the same name', async () => {
    const verifier = await TokenVerifier.open({ auth: null, dataDir })
    const caller = async (name: string) =>
      verifier.callerOf(bearer(await signToken({ dataDir, role: 'reporter', name })))
    expect((await caller('desk one')).actor).toBe((await caller('desk one')).actor)
    expect((await caller('desk one')).actor).not.toBe((await caller('desk two')).actor)
  })

  it('is refused when it is missing, broken, expired, foreign or unsigned', async () => {
    const verifier = await TokenVerifier.open({ auth: null, dataDir })
    const { privateKey, id } = await localKey(dataDir)
    const claims = { roles: ['editor'] }
    const signed = (edit: (jwt: SignJWT) => SignJWT, key = privateKey) =>
      edit(
        new SignJWT(claims)
          .setProtectedHeader({ alg: 'EdDSA', kid: id })
          .setIssuer('stet:local')
          .setSubject('someone')
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

  it('that expires is not remembered beyond its end', async () => {
    const verifier = await TokenVerifier.open({ auth: null, dataDir })
    const { privateKey } = await localKey(dataDir)
    const token = await new SignJWT({ roles: ['editor'] })
      .setProtectedHeader({ alg: 'EdDSA' })
      .setIssuer('stet:local')
      .setSubject('someone')
      .setExpirationTime(Math.floor(Date.now() / 1000) - 4)
      .sign(privateKey)
    // Within the tolerance for clocks it is accepted; it must not be from memory.
    await verifier.callerOf(bearer(token))
    const deadline = Date.now() + 5_000
    let refused = false
    while (!refused && Date.now() < deadline)
      refused = await verifier.callerOf(bearer(token)).then(
        () => false,
        () => true,
      )
    expect(refused).toBe(true)
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
      new SignJWT({ role: 'chief' })
        .setProtectedHeader({ alg: 'ES256', kid: 'k' })
        .setIssuer(auth.issuer)
        .setAudience(audience)
        .setSubject('u-1')
        .setExpirationTime('1h')
        .sign(privateKey)
    const verifier = await TokenVerifier.open({ auth, dataDir })
    expect(await verifier.callerOf(bearer(await token('stet')))).toEqual({ actor: 'u-1', roles: ['chief'] })
    await expect(verifier.callerOf(bearer(await token('other')))).rejects.toMatchObject({ status: 401 })
    // The local key is nobody's where an identity provider is configured.
    const local = await signToken({ dataDir, role: 'chief', name: 'x' })
    await expect(verifier.callerOf(bearer(local))).rejects.toMatchObject({ status: 401 })
    await new Promise(resolve => provider.close(resolve))
    const fresh = await TokenVerifier.open({ auth, dataDir })
    await expect(fresh.callerOf(bearer(await token('stet')))).rejects.toMatchObject({ status: 503 })
  })
})
