// Who may do what, over HTTP: every row of the table of roles with every role's token; and what sections limit.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { MAY } from '@stet/api'
import { type Role, ROLES, signToken } from '@stet/platform'
import { type Answer, type CallOptions, Client } from './support/client'
import { type Newsroom, startNewsroom } from './support/newsroom'

let newsroom: Newsroom
let client: Client
let tokens: Readonly<Record<Role, string>>
/** Method and path of each operation, as the server itself describes them. */
let calls: ReadonlyMap<string, { readonly method: string; readonly path: string }>

beforeAll(async () => {
  newsroom = await startNewsroom()
  client = new Client(newsroom)
  const { dataDir } = newsroom
  const signed = ROLES.map(async role => [role, await signToken({ dataDir, role, name: `the ${role}` })] as const)
  tokens = Object.fromEntries(await Promise.all(signed)) as Record<Role, string>
  const { paths } = (await (await fetch(`${newsroom.url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { operationId: string }>>
  }
  calls = new Map(
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId }]) => [
        operationId,
        {
          method: method.toUpperCase(),
          path: path.replace(/\{(\w+)\}/g, (_, name: string) => PLACES[name] ?? UNKNOWN),
        },
      ]),
    ),
  )
})
afterAll(async () => {
  await newsroom?.stop()
  await newsroom?.dispose()
})

// Whoever is let in finds nothing to do there: an article that never was, and a body in which everything is wrong.
const UNKNOWN = '00000000-0000-4000-8000-000000000000'
const PLACES: Readonly<Record<string, string>> = { list: 'no-such-list', idOrSlug: 'no-such-slug' }
const nothing = { nothing: 'of the kind' }

const attempt = (operation: string, token: string | null): Promise<Answer> => {
  const { method, path } = calls.get(operation)!
  return client.call(method, path, {
    role: null,
    ...(token !== null && { token }),
    ...(method === 'POST' && { body: nothing, headers: { 'if-match': '*' } }),
  })
}

describe('the table of roles', () => {
  const rows = Object.entries(MAY) as [string, readonly Role[]][]
  it.each(rows.flatMap(([operation, roles]) => ROLES.map(role => [operation, role, roles.includes(role)] as const)))(
    '%s by %s: %s',
    async (operation, role, may) => {
      const { status, headers, body } = await attempt(operation, tokens[role])
      if (may) {
        expect([401, 403]).not.toContain(status)
        expect(status).toBeLessThan(500)
        return
      }
      expect(status).toBe(403)
      expect(headers.get('www-authenticate')).toMatch(/^Bearer realm="stet", error="insufficient_scope"/)
      expect(body).toMatchObject({ type: '/problems/forbidden', detail: expect.stringContaining('role') })
    },
  )

  it.each(rows.map(([operation]) => operation))('%s by nobody is 401', async operation => {
    const { status, headers } = await attempt(operation, null)
    expect(status).toBe(401)
    expect(headers.get('www-authenticate')).toBe('Bearer realm="stet"')
  })

  it('refused or let in, nothing of this was recorded', async () => {
    const { body } = await client.get<string>('/analyst/v1/events')
    expect(body.trim().split('\n')).toHaveLength(1)
  })
})

describe('a reporter with sections', () => {
  const reporter = async (sections: string[], name = 'somebody'): Promise<CallOptions> => ({
    role: null,
    token: await signToken({ dataDir: newsroom.dataDir, role: 'reporter', name, sections }),
  })
  const draft = (section: string | null, options: CallOptions = {}) =>
    client.post('/editorial/v1/articles', { headline: 'h', section, bodyHtml: '<p>b</p>' }, options)
  const revise = (id: string, body: object, options: CallOptions = {}) =>
    client.post(`/editorial/v1/articles/${id}/revise`, body, {
      ...options,
      headers: { 'if-match': '*', ...options.headers },
    })

  it('drafts and changes articles of those sections, and no others', async () => {
    const sport = await reporter(['sport', 'culture'])
    const own = await draft('Sport', sport)
    expect(own.status).toBe(201)
    expect((await revise(own.body.id, { section: 'Culture' }, sport)).status).toBe(200)
    const foreign = (await draft('Politics')).body.id
    const refused: Answer[] = [
      await draft('Politics', sport),
      await draft('Politics', { ...sport, headers: { 'idempotency-key': randomUUID() } }),
      await revise(own.body.id, { section: 'Politics' }, sport),
      await revise(own.body.id, { section: { name: 'Sport', slug: 'politics' } }, sport),
      await revise(foreign, { headline: 'mine' }, sport),
      await revise(foreign, { section: 'Sport' }, sport),
      await client.post(`/editorial/v1/articles/${foreign}/source`, { outlet: 'mine' }, sport),
      await client.post(
        `/editorial/v1/articles/${foreign}/relate`,
        { articleIds: [] },
        { ...sport, headers: { 'if-match': '"7"' } },
      ),
      // Beginning it anew does not make it theirs.
      await client.post(
        '/editorial/v1/articles',
        { headline: 'h', section: 'Sport', bodyHtml: '', id: foreign },
        sport,
      ),
    ]
    for (const { status, headers, body } of refused) {
      expect({ status, body }).toMatchObject({
        status: 403,
        body: { type: '/problems/forbidden', detail: expect.stringMatching(/section politics: .* sport, culture/) },
      })
      expect(headers.get('www-authenticate')).toContain('error="insufficient_scope"')
    }
    const { body } = await client.get<{ revision: number; working: object }>(`/editorial/v1/articles/${foreign}`)
    expect(body).toMatchObject({ revision: 0, working: { headline: 'h', section: { slug: 'politics' } } })
    // Reading is not limited: reporters see what the others do.
    expect((await client.get(`/editorial/v1/articles/${foreign}`, sport)).status).toBe(200)
  })

  it('works on an article without a section when it is their own', async () => {
    const [mine, theirs] = [await reporter(['sport'], 'a writer'), await reporter(['sport'], 'another')]
    const { id } = (await draft(null, mine)).body
    expect((await revise(id, { summary: 'mine' }, mine)).status).toBe(200)
    expect((await revise(id, { section: 'Sport' }, theirs)).status).toBe(403)
    expect((await revise(id, { section: 'Sport' }, mine)).status).toBe(200)
    expect((await revise(id, { summary: 'theirs' }, theirs)).status).toBe(200)
    // Clearing the section would make it the writer's alone again: that is not for others to do.
    expect((await revise(id, { section: null }, theirs)).status).toBe(403)
  })

  it('loses an article with the move to another section, whoever is first', async () => {
    const sport = await reporter(['sport'])
    for (let round = 0; round < 10; round++) {
      const { id } = (await draft('Sport')).body
      const changes = Array.from({ length: 6 }, (_, i) => revise(id, { summary: `s${i}` }, sport))
      const moved = revise(id, { section: 'Politics' })
      const statuses = (await Promise.all(changes)).map(({ status }) => status)
      const { revision } = (await moved).body
      for (const status of statuses) expect([200, 403]).toContain(status)
      // What was accepted came before the move; nothing of theirs came after it.
      expect(statuses.filter(status => status === 200)).toHaveLength(revision - 1)
      expect((await revise(id, { summary: 'late' }, sport)).status).toBe(403)
      const { body } = await client.get<{ revision: number }>(`/editorial/v1/articles/${id}`)
      expect(body.revision).toBe(revision)
    }
  })

  it('without any is let nowhere; with another role beside it is not limited', async () => {
    expect((await draft('Sport', await reporter([]))).status).toBe(403)
    const editor = await signToken({ dataDir: newsroom.dataDir, role: 'editor', name: 'e', sections: ['sport'] })
    expect((await draft('Politics', { role: null, token: editor })).status).toBe(201)
    expect((await draft('Politics', { role: null, token: tokens.reporter })).status).toBe(201)
  })
})
