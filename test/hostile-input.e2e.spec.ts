// Every bad input has its own 4xx, exactly, and changes nothing; what it holds is never shown.
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { generateKeyPair, importJWK, type JWK, type JWTPayload, SignJWT } from 'jose'
import { type CallOptions, Client } from './support/client'
import { type Newsroom, startNewsroom } from './support/newsroom'

let newsroom: Newsroom
let client: Client
let id = ''

beforeAll(async () => {
  newsroom = await startNewsroom()
  client = new Client(newsroom)
  ;({ id } = await client.publish('Kept as it is'))
})
afterAll(async () => {
  await newsroom?.stop()
  await newsroom?.dispose()
})

const good = { headline: 'Fine', section: 'News', bodyHtml: '<p>Fine.</p>' }
const nested = (depth: number): unknown => (depth === 0 ? 'x' : [nested(depth - 1)])
const articles = '/editorial/v1/articles'

/** Events of the newsroom, as analysts see them. */
const history = async (): Promise<string> =>
  (await client.get<string>('/analyst/v1/events?limit=10000', { headers: { accept: 'application/x-ndjson' } })).body

describe('a bad command', () => {
  const cases: [what: string, path: string, options: CallOptions, status: number][] = [
    ['malformed JSON', articles, { body: '{"headline": ', headers: { 'content-type': 'application/json' } }, 400],
    ['no body at all', articles, { headers: { 'content-type': 'application/json' } }, 422],
    ['a list instead of an object', articles, { body: [good] }, 422],
    ['null', articles, { body: 'null', headers: { 'content-type': 'application/json' } }, 422],
    ['wrong types', articles, { body: { ...good, headline: 7, bodyHtml: { a: 1 } } }, 422],
    ['an unknown field', articles, { body: { ...good, admin: true } }, 422],
    [
      'a prototype',
      articles,
      {
        body: '{"headline":"x","section":"y","bodyHtml":"z","__proto__":{"a":1}}',
        headers: { 'content-type': 'application/json' },
      },
      400,
    ],
    ['2 MB', articles, { body: { ...good, bodyHtml: 'x'.repeat(2 * 2 ** 20) } }, 413],
    ['a body over 512 KiB', articles, { body: { ...good, bodyHtml: 'x'.repeat(600 * 2 ** 10) } }, 422],
    ['10,000 tags', articles, { body: { ...good, tags: Array.from({ length: 10_000 }, (_, i) => `tag ${i}`) } }, 422],
    ['deep nesting', articles, { body: { ...good, tags: nested(500) } }, 422],
    ['an invalid article id', `${articles}/not-an-id/publish`, { body: {} }, 422],
    ['an unknown article', `${articles}/${randomUUID()}/publish`, { body: {} }, 404],
    [
      'related ids that are none',
      `${articles}/ID/relate`,
      { body: { articleIds: ['x'] }, headers: { 'if-match': '*' } },
      422,
    ],
    [
      'a lone surrogate',
      articles,
      { body: '{"headline":"\\ud800","section":"y","bodyHtml":"z"}', headers: { 'content-type': 'application/json' } },
      422,
    ],
    ['NUL', articles, { body: { ...good, headline: 'a\u0000b' } }, 422],
    ['a javascript url', articles, { body: { ...good, canonicalUrl: 'javascript:alert(1)' } }, 422],
    ['no language', articles, { body: { ...good, language: 'not a language' } }, 422],
    ['an unknown content type', articles, { body: '<a/>', headers: { 'content-type': 'application/xml' } }, 415],
    ['a key that is no UUID', articles, { body: good, headers: { 'idempotency-key': 'again' } }, 422],
    [
      'a wire item with a date out of range',
      '/editorial/v1/imports/ninjs',
      { role: 'service', body: { uri: 'urn:x', type: 'text', versioncreated: '9999-99-99T99:99:99Z', headline: 'x' } },
      422,
    ],
    [
      'a wire item without identity',
      '/editorial/v1/imports/ninjs',
      { role: 'service', body: { type: 'text', headline: 'x' } },
      422,
    ],
    [
      'an unknown list',
      '/editorial/v1/lists/no-such-list/feature',
      { body: { articleId: '00000000-0000-4000-8000-000000000000' } },
      404,
    ],
    [
      'an unknown article in a list',
      '/editorial/v1/lists/editors-choice/feature',
      { body: { articleId: randomUUID() } },
      404,
    ],
    ['a view of nothing', '/reader/v1/views', { body: { articleId: 'x' } }, 422],
    ['a view that is no JSON', '/reader/v1/views', { body: 'hello', headers: { 'content-type': 'text/plain' } }, 400],
  ]

  it.each(cases)('with %s is refused and changes nothing', async (_what, path, options, status) => {
    const before = await history()
    const answer = await client.call('POST', path.replace('ID', id), options)
    expect(answer.status).toBe(status)
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(answer.body).toMatchObject({ status })
    const text = JSON.stringify(answer.body)
    expect(text).not.toMatch(/node_modules|\/libs\/|\.ts:|at [A-Z]\w+\./)
    expect(await history()).toBe(before)
  })

  it('names the place of each violation', async () => {
    const { body } = await client.call('POST', articles, { body: { ...good, tags: ['a', 'b', 'c', { name: 5 }] } })
    expect(body).toMatchObject({ status: 422, errors: [{ pointer: expect.stringMatching(/^#\/tags\/3/) }] })
  })
})

describe('a bad request line', () => {
  it('with headers that are too large is 431', async () => {
    const { hostname, port } = new URL(newsroom.url)
    const status = await new Promise((resolve, reject) => {
      const call = request({ hostname, port, path: '/reader/v1/lists', headers: { 'x-large': 'x'.repeat(40_000) } })
      call.on('response', response => {
        response.resume()
        resolve(response.statusCode)
      })
      call.on('error', reject)
      call.end()
    })
    expect(status).toBe(431)
  })

  it.each([
    ['/reader/v1/articles?limit=0'],
    ['/reader/v1/articles?limit=101'],
    ['/reader/v1/articles?cursor=%00junk'],
    ['/reader/v1/articles?section[$ne]=x'],
    ['/reader/v1/popular?window=2h'],
    ['/reader/v1/articles/x?position=-1'],
    ['/reader/v1/articles?nonsense=1'],
    ['/analyst/v1/events?from=abc'],
    ['/editorial/v1/articles/not-an-id'],
  ])('%s is refused', async path => {
    const answer = await client.get(path)
    expect(answer.status).toBe(422)
  })

  it('for an article that never was is 404', async () => {
    for (const name of [randomUUID(), 'no-such-slug', '..%2f..%2fetc'])
      expect([name, (await client.get(`/reader/v1/articles/${name}`)).status]).toEqual([name, 404])
  })

  it('for a path that cannot be decoded is 400', async () => {
    expect((await client.get('/reader/v1/articles/%E0%A4%A')).status).toBe(400)
  })
})

describe('script in HTML', () => {
  it('is recorded as submitted and never shown', async () => {
    const bodyHtml =
      '<p onclick="steal()">Text <a href="javascript:steal()">link</a></p><script>steal()</script><img src=x onerror=steal()><iframe src="//evil.example"></iframe>'
    const { id, position } = await client.publish('Scripted', { bodyHtml })
    const page = await client.get<{ article: { bodyHtml: string } }>(`/reader/v1/articles/${id}?position=${position}`)
    expect(page.body.article.bodyHtml).not.toMatch(/steal|script|onerror|iframe|evil/)
    expect(page.body.article.bodyHtml).toContain('Text')
    const view = await client.get(`${articles}/${id}`)
    expect(JSON.stringify(view.body)).toContain('<script>steal()</script>')
  })
})

describe('a token', () => {
  const attempt = (token: string | undefined, path = articles) =>
    client.call('POST', path, { role: null, body: good, ...(token === undefined ? {} : { token }) })

  it('is needed', async () => {
    const answer = await attempt(undefined)
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/)
  })

  it('of another role is 403', async () => {
    const answer = await attempt(await newsroom.token('analyst'))
    expect(answer.status).toBe(403)
    expect((await client.get('/analyst/v1/events', { role: 'editor' })).status).toBe(403)
  })

  const refused = async (token: string) => {
    const answer = await attempt(token)
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toContain('invalid_token')
  }

  /** Claims and header of the editor's token. */
  const parsed = async () => {
    const [head, payload] = (await newsroom.token('editor')).split('.')
    const json = (part: string | undefined): unknown => JSON.parse(Buffer.from(part!, 'base64url').toString())
    return { head, payload, header: json(head) as { alg: string }, claims: json(payload) as JWTPayload }
  }

  it('signed by another key or unsigned is 401', async () => {
    const { head, payload, header, claims } = await parsed()
    const { privateKey } = await generateKeyPair(header.alg)
    const foreign = await new SignJWT(claims).setProtectedHeader(header).sign(privateKey)
    const unsigned = `${Buffer.from(JSON.stringify({ ...header, alg: 'none' })).toString('base64url')}.${payload}.`
    for (const token of [foreign, unsigned, 'x.y.z', `${head}.${payload}.AAAA`]) await refused(token)
  })

  it('that has expired is 401, though the right key signed it', async () => {
    const { header, claims } = await parsed()
    const jwk = JSON.parse(await readFile(join(newsroom.dataDir, 'keys', 'signing.json'), 'utf8')) as JWK
    const key = await importJWK(jwk, header.alg)
    const now = Math.floor(Date.now() / 1_000)
    const ending = (exp: number) =>
      new SignJWT({ ...claims, iat: now - 7_200, exp }).setProtectedHeader(header).sign(key)
    expect((await attempt(await ending(now + 3_600))).status).toBe(201)
    await refused(await ending(now - 3_600))
  })
})
