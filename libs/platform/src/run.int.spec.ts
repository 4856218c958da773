// An application over real HTTP: who gets in, what is refused and how, headers, limits, what is measured.
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Body, Controller, Get, Module, Post, Req } from '@nestjs/common'
import { type NestFastifyApplication, RouteConfig } from '@nestjs/platform-fastify'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  CommandIdReused,
  Contended,
  Gone,
  Invalid,
  NotFound,
  RuleBroken,
  StaleRevision,
  Unavailable,
} from '@stet/eventsourcing'
import { IsString } from 'class-validator'
import { type FastifyRequest } from 'fastify'
import { pino } from 'pino'
import { Open, Roles } from './auth/roles'
import { signToken } from './auth/tokens'
import { readConfig } from './config'
import { createHttpServer } from './http/server'
import { Health } from './observability/health'
import { createLogger } from './observability/logging'
import { Metrics } from './observability/metrics'
import { PROBLEMS } from './problems/problem'
import { type AppContext, createApplication } from './run'

class Note {
  @IsString() text!: string
}

const ERRORS: Record<string, () => Error> = {
  rule: () => new RuleBroken('slug-taken', 'the slug belongs to another article'),
  missing: () => new NotFound('there is no such thing'),
  gone: () => new Gone('it was taken back'),
  invalid: () => new Invalid([{ pointer: '#/tags/3', detail: 'is too long' }]),
  stale: () => new StaleRevision(3, 5),
  reused: () => new CommandIdReused(),
  contended: () => new Contended('busy'),
  unavailable: () => new Unavailable('event store', 'connect ECONNREFUSED 10.0.0.7:2113', 3),
  bug: () => new TypeError("cannot read property 'x' of /srv/secret/path"),
}

@Controller('things')
class Things {
  @Get('open') @Open() open() {
    return { ok: true }
  }
  @Get('chief') @Roles('chief') chief(@Req() { caller }: FastifyRequest) {
    return { actor: caller?.actor }
  }
  @Post('notes') @Open() note(@Body() note: Note) {
    return note
  }
  @Post('beacon') @Open() @RouteConfig({ acceptsText: true }) beacon(@Body() note: Note) {
    return note
  }
  @Get('fails') @Open() fails(@Req() { query }: FastifyRequest) {
    throw (ERRORS[(query as { with: string }).with] as () => Error)()
  }
}

@Module({ controllers: [Things] })
class ThingsModule {}

const contextIn = (dataDir: string, env: Record<string, string> = {}): AppContext => {
  const config = readConfig({ DATA_DIR: dataDir, LOG_LEVEL: 'silent', ...env }, { stores: 'embedded-or-remote' })
  const logger = createLogger(config.logLevel, 'test')
  const metrics = new Metrics({ app: 'test' })
  return { config, logger, metrics, health: new Health(), http: createHttpServer(config, { logger, metrics }) }
}
const appOf = (module: object) => ({ modules: [module as never], close: async () => {} })

let dataDir: string
let context: AppContext
let nest: NestFastifyApplication
let url: string

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'stet-app-'))
  context = contextIn(dataDir, { CORS_ORIGINS: 'https://site.example' })
  nest = await createApplication(appOf({ module: ThingsModule }), context)
  await nest.listen(0, '127.0.0.1')
  url = (await nest.getUrl()) + '/'
})
afterAll(async () => {
  await nest.close()
  await rm(dataDir, { recursive: true, force: true })
})

const call = async (path: string, init: RequestInit = {}) => {
  const response = await fetch(url + path, init)
  const text = await response.text()
  const type = response.headers.get('content-type') ?? ''
  return {
    status: response.status,
    headers: response.headers,
    type,
    body: (type.includes('json') ? JSON.parse(text) : text) as Record<string, unknown>,
  }
}
const json = { 'content-type': 'application/json' }

describe('a route', () => {
  it('that is open is open', async () => {
    expect(await call('things/open')).toMatchObject({ status: 200, body: { ok: true } })
  })

  it('for a role asks for a token of that role', async () => {
    const as = async (role: 'chief' | 'editor') => ({
      headers: { authorization: `Bearer ${await signToken({ dataDir, role, name: 'x' })}` },
    })
    const anonymous = await call('things/chief')
    expect(anonymous.status).toBe(401)
    expect(anonymous.headers.get('www-authenticate')).toBe('Bearer realm="stet"')
    const editor = await call('things/chief', await as('editor'))
    expect(editor.status).toBe(403)
    expect(editor.headers.get('www-authenticate')).toContain('error="insufficient_scope"')
    const chief = await call('things/chief', await as('chief'))
    expect(chief.body.actor).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('for a role takes so many requests a minute of one actor, and of one address without a valid token', async () => {
    const limited = await createApplication(appOf({ module: ThingsModule }), contextIn(dataDir, { RATE_LIMIT: '2' }))
    await limited.listen(0, '127.0.0.1')
    const at = await limited.getUrl()
    const statuses = async (path: string, name?: string) => {
      const token = name && (await signToken({ dataDir, role: 'chief', name }))
      const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {}
      const answers: Response[] = []
      for (let i = 0; i < 3; i++) answers.push(await fetch(`${at}${path}`, { headers }))
      return answers
    }
    const codes = (answers: Response[]) => answers.map(({ status }) => status)
    const one = await statuses('/things/chief', 'one')
    expect(codes(one)).toEqual([200, 200, 429])
    expect(Number(one[2]?.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await one[2]?.json()).toMatchObject({ type: '/problems/too-many-requests' })
    expect(codes(await statuses('/things/chief', 'two'))).toEqual([200, 200, 429])
    expect(codes(await statuses('/things/chief'))).toEqual([401, 401, 429])
    expect(codes(await statuses('/things/open'))).toEqual([200, 200, 200])
    expect(codes(await statuses('/health/live'))).toEqual([200, 200, 200])
    await limited.close()
  })

  it('that declares nobody stops the start', async () => {
    @Controller('forgotten')
    class Forgotten {
      @Get() get() {}
    }
    @Module({ controllers: [Forgotten] })
    class ForgottenModule {}
    await expect(createApplication(appOf({ module: ForgottenModule }), contextIn(dataDir))).rejects.toThrow(
      /GET \/forgotten declares no role/,
    )
  })

  it('of operations is open on loopback and closed to whoever was forwarded', async () => {
    expect((await call('health/live')).status).toBe(200)
    expect((await call('metrics', { headers: { 'x-forwarded-for': '203.0.113.9' } })).status).toBe(401)
  })
})

describe('an error', () => {
  it.each([
    ['rule', 409, { rule: 'slug-taken', detail: 'the slug belongs to another article' }],
    ['missing', 404, { detail: 'there is no such thing' }],
    ['gone', 410, {}],
    ['invalid', 422, { errors: [{ pointer: '#/tags/3', detail: 'is too long' }] }],
    ['stale', 412, { expected: 3, current: 5 }],
    ['reused', 422, { type: '/problems/idempotency-key-reused' }],
    ['contended', 503, {}],
    ['unavailable', 503, {}],
    ['bug', 500, {}],
  ])('of class %s is a %s problem and leaks nothing', async (name, status, expected) => {
    const answer = await call(`things/fails?with=${name}`, { headers: { 'x-correlation-id': 'abc' } })
    expect(answer).toMatchObject({ status, body: { status, instance: 'urn:correlation:abc', ...expected } })
    expect(answer.type).toMatch(/^application\/problem\+json/)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(JSON.stringify(answer.body)).not.toMatch(/10\.0\.0\.7|secret|TypeError|node_modules/)
    if (status === 503) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    const type = await call(String(answer.body.type).slice(1))
    expect(type.body).toMatchObject({ status, title: answer.body.title, advice: expect.any(String) })
  })

  it('of HTTP itself has its own status', async () => {
    const post = (body: string, headers: Record<string, string> = json) =>
      call('things/notes', { method: 'POST', body, headers })
    expect((await post('{"text":')).status).toBe(400)
    expect((await post('[]')).status).toBe(422)
    expect((await post('{"text":"a","admin":1}')).body.errors).toEqual([
      { pointer: '#/admin', detail: 'is not known here' },
    ])
    expect((await post('{"text":"a"}', { 'content-type': 'application/xml' })).status).toBe(415)
    expect((await post('{"text":"a"}', { 'content-type': 'text/plain' })).status).toBe(415)
    expect((await post(JSON.stringify({ text: 'x'.repeat(2 ** 21) }))).status).toBe(413)
    expect((await call('things/nowhere')).status).toBe(404)
    expect((await call('things/%E0%A4%A')).status).toBe(400)
    const wrongMethod = await call('things/open', { method: 'DELETE' })
    expect([wrongMethod.status, wrongMethod.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })

  it('of headers that are too large is 431', async () => {
    const answer = await new Promise<[number | undefined, string | undefined]>((resolve, reject) =>
      request(`${url}things/open`, { headers: { 'x-large': 'x'.repeat(40_000) } })
        .on('response', response => {
          response.resume()
          resolve([response.statusCode, response.headers['content-type']])
        })
        .on('error', reject)
        .end(),
    )
    expect(answer).toEqual([PROBLEMS['headers-too-large'].status, 'application/problem+json; charset=utf-8'])
  })
})

describe('an answer', () => {
  it('carries security headers and its correlation id', async () => {
    const { headers } = await call('things/open', { headers: { 'x-correlation-id': 'one.two' } })
    expect(headers.get('x-correlation-id')).toBe('one.two')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect((await call('things/nowhere')).headers.get('x-content-type-options')).toBe('nosniff')
  })

  it('to HEAD has no body', async () => {
    const response = await fetch(`${url}things/open`, { method: 'HEAD' })
    expect([response.status, response.headers.get('content-length')]).toEqual([200, '11'])
    expect(await response.text()).toBe('')
  })

  it('may be read from configured origins only', async () => {
    const from = (origin: string) => call('things/open', { headers: { origin } })
    expect((await from('https://site.example')).headers.get('access-control-allow-origin')).toBe('https://site.example')
    expect((await from('https://other.example')).headers.get('access-control-allow-origin')).toBeNull()
    const preflight = await call('things/notes', {
      method: 'OPTIONS',
      headers: { origin: 'https://site.example', 'access-control-request-method': 'POST' },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-methods')).toContain('POST')
  })

  it('to a beacon takes JSON as text', async () => {
    const answer = await call('things/beacon', {
      method: 'POST',
      body: '{"text":"a"}',
      headers: { 'content-type': 'text/plain;charset=UTF-8' },
    })
    expect(answer).toMatchObject({ status: 201, body: { text: 'a' } })
  })
})

describe('a proxy', () => {
  const warningsWith = async (
    trusted: string,
  ): Promise<{ lines: string[]; ip: (header?: string) => Promise<string> }> => {
    const lines: string[] = []
    const logger = pino({ level: 'warn' }, { write: line => lines.push(line) })
    const { trustProxy } = readConfig({ TRUST_PROXY: trusted }, { stores: 'embedded-or-remote' })
    const http = createHttpServer({ corsOrigins: [], trustProxy }, { logger, metrics: new Metrics({ app: 'test' }) })
    http.fastify.get('/ip', ({ ip }) => ip)
    const at = await http.fastify.listen({ port: 0, host: '127.0.0.1' })
    servers.push(() => http.fastify.close())
    const ip = async (forwarded?: string) => {
      const response = await fetch(`${at}/ip`, { headers: forwarded ? { 'x-forwarded-for': forwarded } : {} })
      return response.text()
    }
    return { lines, ip }
  }
  const servers: (() => Promise<unknown>)[] = []
  afterAll(() => Promise.all(servers.map(close => close())))

  it('that nobody trusts is warned of once', async () => {
    const { lines, ip } = await warningsWith('off')
    expect(await ip()).toBe('127.0.0.1')
    expect(lines).toEqual([])
    expect([await ip('192.0.2.1'), await ip('192.0.2.2')]).toEqual(['127.0.0.1', '127.0.0.1'])
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain('TRUST_PROXY')
  })

  it('that is trusted by its subnet tells the reader from what the reader wrote', async () => {
    const { lines, ip } = await warningsWith('127.0.0.0/8, 10.0.0.0/8')
    expect(await ip('198.51.100.9, 192.0.2.1, 10.1.2.3')).toBe('192.0.2.1')
    expect(lines).toEqual([])
  })
})

describe('operations', () => {
  it('says which check fails', async () => {
    expect(await call('health/ready')).toMatchObject({ status: 200, body: { status: 'ok' } })
    context.health.add('broken', () => Promise.reject(new Error('10.0.0.7 refused')))
    expect(await call('health/ready')).toMatchObject({
      status: 503,
      body: { status: 'unavailable', checks: { broken: { ok: false, detail: 'fails' } } },
    })
  })

  it('measures requests by route, never by path', async () => {
    context.metrics.showLag(async () => [{ group: 'newsroom', events: 3, seconds: 1.5, parked: 1 }])
    const { body } = await call('metrics')
    expect(body).toContain('stet_http_request_seconds_count{method="GET",route="/things/open",status="200",app="test"}')
    expect(body).toContain('stet_projection_lag_events{group="newsroom",app="test"} 3')
    expect(body).toContain('stet_projection_parked_events{group="newsroom",app="test"} 1')
    expect(body).not.toContain('/things/nowhere')
  })

  it('shows no lag that it cannot ask for', async () => {
    const metrics = new Metrics({ app: 'test' })
    let known = true
    metrics.showLag(() =>
      known
        ? Promise.resolve([{ group: 'newsroom', events: 0, seconds: 0, parked: 0 }])
        : Promise.reject(new Unavailable('document store', 'gone')),
    )
    expect(await metrics.registry.metrics()).toMatch(/^stet_projection_lag_events\{.*\} 0$/m)
    known = false
    const page = await metrics.registry.metrics()
    expect(page).not.toMatch(/^stet_projection_(lag|parked)/m)
    expect(page).toMatch(/^stet_projection_status_known\{.*\} 0$/m)
    known = true
    expect(await metrics.registry.metrics()).toMatch(/^stet_projection_status_known\{.*\} 1$/m)
  })
})
