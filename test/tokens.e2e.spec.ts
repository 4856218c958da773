// Whose tokens are believed, over HTTP: those of the identity provider, as RFC 9068 says, and no others; a token ends
// when it says or when it is revoked, in every process.
import { randomUUID } from 'node:crypto'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { generateKeyPair, generateSecret } from 'jose'
import { Client } from './support/client'
import { eventually, type Newsroom, startNewsroom } from './support/newsroom'
import { forged, Provider, type Signing } from './support/provider'
import { startStores, type Stores } from './support/stores'

let provider: Provider
let stores: Stores
let dataDir: string
let newsroom: Newsroom
let analysts: Newsroom
let client: Client
let analyst: Client

beforeAll(async () => {
  ;[provider, stores, dataDir] = await Promise.all([Provider.start(), startStores(), mkdtemp(join(tmpdir(), 'stet-'))])
  const env = { ...stores.env, ...provider.env }
  newsroom = await startNewsroom({ app: 'server', dataDir, env })
  analysts = await startNewsroom({ app: 'analyst-api', dataDir, env })
  client = new Client(newsroom)
  analyst = new Client(analysts)
})
afterAll(async () => {
  await Promise.all([newsroom?.stop(), analysts?.stop()])
  await Promise.all([stores?.dispose(), provider?.down()])
  await rm(dataDir, { recursive: true, force: true })
})

const draft = { headline: 'Fine', section: 'News', bodyHtml: '<p>Fine.</p>' }
const write = (token: string, body: object = draft) =>
  client.call('POST', '/editorial/v1/articles', { role: null, token, body })
const history = async (): Promise<string> => {
  const token = await provider.token({ claims: { sub: 'reader-of-history', roles: ['analyst'] } })
  return (await analyst.get<string>('/analyst/v1/events', { role: null, token })).body
}
const now = () => Math.floor(Date.now() / 1_000)

describe('a good token', () => {
  it('says who acts and through which client; the log has both, and the revision that was seen', async () => {
    const token = await provider.token({ claims: { sub: 'u-7', client_id: 'Desk Tool 2' } })
    const { body, status } = await write(token)
    expect(status).toBe(201)
    const { id } = body as { id: string }
    const headers = { 'if-match': '"0"' }
    await client.command(`/articles/${id}/revise`, { summary: 'Short.' }, { role: null, token, headers })
    const [drafted, revised] = (await history())
      .split('\n')
      .filter(line => line.includes(id))
      .map(line => JSON.parse(line) as { actor: string; metadata: object })
    expect(drafted).toMatchObject({ actor: 'u-7', metadata: { client: 'Desk Tool 2' } })
    expect(drafted!.metadata).not.toHaveProperty('expected')
    expect(revised).toMatchObject({ actor: 'u-7', metadata: { client: 'Desk Tool 2', expected: 0 } })
  })

  it.each<[string, Signing]>([
    ['of the long form of the type', { header: { typ: 'application/at+jwt' } }],
    ['for several audiences', { claims: { aud: ['other', 'https://stet.example'] } }],
    ['from a clock that is a little ahead', { claims: { nbf: now() + 2, iat: now() + 2 } }],
  ])('%s is accepted', async (_what, signing) => {
    expect((await write(await provider.token(signing))).status).toBe(201)
  })
})

describe('a bad token', () => {
  const cases: [what: string, token: () => Promise<string>][] = [
    ['of another key', async () => provider.token({ key: (await generateKeyPair('ES256')).privateKey })],
    ['of another issuer', () => provider.token({ claims: { iss: 'https://evil.example' } })],
    ['for another audience', () => provider.token({ claims: { aud: 'https://other.example' } })],
    ['of an identity, not for access', () => provider.token({ header: { typ: 'JWT' } })],
    ['of no type', () => provider.token({ header: { typ: undefined } })],
    ['that has expired', () => provider.token({ claims: { exp: now() - 1 } })],
    ['that expires in this second', () => provider.token({ claims: { exp: now() } })],
    ['that is not valid yet', () => provider.token({ claims: { nbf: now() + 60 } })],
    ['that was issued in the future', () => provider.token({ claims: { iat: now() + 60 } })],
    ...['iss', 'aud', 'sub', 'client_id', 'exp', 'iat', 'jti'].map((claim): (typeof cases)[number] => [
      `without ${claim}`,
      () => provider.token({ claims: { [claim]: undefined } }),
    ]),
    ...Object.entries({
      sub: ['', 'a b', 7, 'x'.repeat(201), 'ü'],
      client_id: ['', 7, 'a\u0000b'],
      jti: ['', {}],
      exp: ['soon', null],
      iat: ['then', null],
      sections: ['sport', {}, null, [7], ['Sport'], ['a/b'], Array.from({ length: 201 }, () => 'a')],
      desks: [true, ['']],
    }).flatMap(([claim, values]) =>
      values.map((value): (typeof cases)[number] => [
        `whose ${claim} is ${JSON.stringify(value).slice(0, 30)}`,
        () => provider.token({ claims: { [claim]: value } }),
      ]),
    ),
    ['of more than 8 KiB', () => provider.token({ claims: { padding: 'x'.repeat(7_000) } })],
    ['whose critical header is unknown', () => provider.token({ header: { crit: ['magic'], magic: 1 } })],
    ['that is no JWT', async () => 'x.y.z'],
    ['that is one part', async () => 'A'.repeat(100)],
    ['that is four parts', async () => `${await provider.token()}.AAAA`],
    ['without a signature', async () => (await provider.token()).replace(/\.[^.]*$/, '.')],
    [
      'with the algorithm none',
      async () => forged({ alg: 'none', typ: 'at+jwt' }, JSON.parse(payloadOf(await provider.token())) as object),
    ],
    [
      'with the public key as a shared secret',
      () => provider.token({ header: { alg: 'HS256' }, key: new TextEncoder().encode(provider.key.pem) }),
    ],
    [
      'with a shared secret',
      async () =>
        provider.token({
          header: { alg: 'HS256' },
          key: (await generateSecret('HS256', { extractable: true })) as never,
        }),
    ],
    [
      'that brings its own key',
      async () => {
        const { privateKey } = await generateKeyPair('ES256')
        return provider.token({ key: privateKey, header: { jwk: provider.key.jwk, kid: 'mine' } })
      },
    ],
    ...['../../keys/signing.json', '/etc/passwd', 'key-1/../key-1', "' OR 1=1 --", '__proto__', 'x'.repeat(4_000)].map(
      (kid): (typeof cases)[number] => [
        `whose key id is ${kid.slice(0, 30)}`,
        () => provider.token({ header: { kid } }),
      ],
    ),
    ['whose key id is an address', () => provider.token({ header: { kid: provider.url('/stolen') } })],
    [
      'that says where its keys are',
      () => provider.token({ header: { kid: 'x', jku: provider.url('/stolen'), x5u: provider.url('/stolen') } }),
    ],
  ]

  it.each(cases)('%s is 401 and nothing is recorded', async (_what, token) => {
    const before = await history()
    const answer = await write(await token())
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm="stet", error="invalid_token"/)
    expect(answer.headers.get('cache-control')).toContain('no-store')
    expect(await history()).toBe(before)
  })

  it.each([
    ['whose headers are too large', async () => `Bearer ${'A'.repeat(20_000)}`, 431],
    ['of another scheme', async () => 'Basic ZWRpdG9yOmVkaXRvcg==', 401],
    ['with a second one', async () => `Bearer ${await provider.token()}, Bearer x`, 401],
    ['of nothing', async () => 'Bearer ', 401],
  ])('%s is refused', async (_what, authorization, status) => {
    const headers = { authorization: await authorization() }
    const answer = await fetch(`${newsroom.url}/editorial/v1/articles/${randomUUID()}`, { headers })
    expect(answer.status).toBe(status)
  })

  it('never had anything but the keys fetched', () => {
    expect(new Set(provider.asked)).toEqual(new Set(['/keys']))
  })
})

describe('a token that ends', () => {
  it('is refused from the second on that it names, although it was remembered', async () => {
    const exp = now() + 2
    const token = await provider.token({ claims: { exp } })
    const path = `/editorial/v1/articles/${randomUUID()}`
    const late: number[] = []
    const refusedAt = await eventually('the token is refused', async () => {
      const asked = Date.now()
      const { status } = await client.get(path, { role: null, token })
      if (asked >= exp * 1_000) late.push(status)
      return status === 401 ? Date.now() : null
    })
    // What was asked after its end was not answered, and what was asked before was.
    expect(new Set(late)).toEqual(new Set(late.length > 0 ? [401] : []))
    expect(refusedAt).toBeGreaterThanOrEqual(exp * 1_000)
  })

  const stet = (...args: string[]) =>
    promisify(execFile)(process.execPath, [join(__dirname, '../apps/cli/bin/stet.cjs'), ...args], {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, DATA_DIR: dataDir, ...newsroom.env },
    })
  /** Who is let in where: in the process of the editors, and in that of the analysts. */
  const statuses = async (token: string) => [
    (await client.get(`/editorial/v1/articles/${randomUUID()}`, { role: null, token })).status,
    (await analyst.get('/analyst/v1/events?limit=1', { role: null, token })).status,
  ]

  it('by its id is refused in every process, and no other one is', async () => {
    const claims = { sub: 'u-8', roles: ['editor', 'analyst'] }
    const jti = randomUUID()
    const [stolen, other] = [await provider.token({ claims: { ...claims, jti } }), await provider.token({ claims })]
    expect(await statuses(stolen)).toEqual([404, 200])
    await stet('token', 'revoke', jti, '--reason', 'lost with a laptop')
    await eventually('it is refused everywhere', async () => (await statuses(stolen)).every(status => status === 401))
    expect(await statuses(other)).toEqual([404, 200])
    expect((await write(stolen)).headers.get('www-authenticate')).toContain('The token was revoked.')
    expect(await history()).toContain('"reason":"lost with a laptop"')
  })

  it('by its actor is refused, and one that the actor is given afterwards is not', async () => {
    const claims = { sub: 'u-9', roles: ['editor', 'analyst'] }
    const tokens = await Promise.all([0, 60].map(ago => provider.token({ claims: { ...claims, iat: now() - ago } })))
    for (const token of tokens) expect(await statuses(token)).toEqual([404, 200])
    await stet('token', 'revoke', 'u-9')
    for (const token of tokens)
      await eventually('it is refused everywhere', async () => (await statuses(token)).every(status => status === 401))
    const next = await eventually('the next second has begun', async () => {
      const token = await provider.token({ claims })
      return (await statuses(token))[0] === 404 ? token : null
    })
    expect(await statuses(next)).toEqual([404, 200])
  })

  it('by revocation stays so over a restart', async () => {
    const jti = randomUUID()
    const token = await provider.token({ claims: { jti } })
    await stet('token', 'revoke', jti)
    await newsroom.stop()
    newsroom = await newsroom.restart()
    client = new Client(newsroom)
    expect((await write(token)).status).toBe(401)
  })
})

describe('the provider', () => {
  it('may change its key: the next token is accepted, one of an unknown key is not', async () => {
    const [before, old] = [await provider.token(), provider.key]
    expect((await write(before)).status).toBe(201)
    await provider.rotate()
    const after = await provider.token()
    await eventually('the new key is known', async () => (await write(after)).status === 201)
    // The withdrawn key signs nothing more that is believed.
    const late = await provider.token({ header: { kid: old.kid }, key: old.privateKey })
    expect((await write(late)).status).toBe(401)
  })

  it('may be down: known keys go on, unknown ones are 503 with Retry-After, and it is missed no longer than it is down', async () => {
    expect((await write(await provider.token())).status).toBe(201)
    await provider.down()
    expect((await write(await provider.token())).status).toBe(201)
    await provider.rotate()
    const unknown = await provider.token()
    const answer = await eventually('the provider is asked for the new key', async () => {
      const answer = await write(unknown)
      return answer.status === 503 ? answer : null
    })
    expect(answer.headers.get('retry-after')).toBe('5')
    await provider.up()
    await eventually('the new key is known', async () => (await write(unknown)).status === 201)
  })
})

const payloadOf = (token: string): string => Buffer.from(token.split('.')[1]!, 'base64url').toString()
