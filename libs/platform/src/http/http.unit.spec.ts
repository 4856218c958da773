// Conditional requests, keys, kept answers and the table of routes.
import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Invalid } from '@stet/eventsourcing'
import { Metrics } from '../observability/metrics'
import { contentTag, expectedRevision, idempotencyKey, matches } from './conditional'
import { newCorrelationId } from './correlation'
import { HotAnswers, type HotBody } from './hot-answers'
import { RouteTable } from './route-table'

describe('If-Match', () => {
  it.each([
    ['"3"', 3],
    ['W/"3"', 3],
    [' "0" ', 0],
    ['*', undefined],
  ])('%s means %s', (header, revision) => expect(expectedRevision(header, true)).toBe(revision))

  it('is needed only where content is replaced', () => {
    expect(expectedRevision(undefined, false)).toBeUndefined()
    expect(() => expectedRevision(undefined, true)).toThrow(
      expect.objectContaining({ problem: 'precondition-required' }),
    )
  })

  it.each([['3'], ['"a"'], ['"1", "2"'], ['"-1"'], ['']])('%j is malformed', header =>
    expect(() => expectedRevision(header, true)).toThrow(expect.objectContaining({ problem: 'malformed' })),
  )
})

describe('Idempotency-Key', () => {
  const key = '0B1F7C54-7A3E-4A4F-8F53-3C5FD0C1BE9A'
  it('is a UUID, quoted or bare', () => {
    expect(idempotencyKey(`"${key}"`)).toBe(key.toLowerCase())
    expect(idempotencyKey(key)).toBe(key.toLowerCase())
    expect(idempotencyKey(undefined)).toBeUndefined()
  })
  it.each([['again'], [''], [`"${key}`], [`${key}, ${key}`]])('%j is none', header =>
    expect(() => idempotencyKey(header)).toThrow(Invalid),
  )
})

describe('If-None-Match', () => {
  const tag = contentTag(Buffer.from('a'))
  it('compares weakly, in lists', () => {
    expect(matches(tag, tag)).toBe(true)
    expect(matches(`"x", W/${tag}`, tag)).toBe(true)
    expect(matches('*', tag)).toBe(true)
    expect(matches(undefined, tag)).toBe(false)
    expect(matches(contentTag(Buffer.from('b')), tag)).toBe(false)
  })
})

describe('a correlation id', () => {
  it('is the given one when it is harmless', () => {
    expect(newCorrelationId({ 'x-correlation-id': 'abc-1' })).toBe('abc-1')
    for (const given of ['a b', 'x'.repeat(101), 'a\r\nb', ''])
      expect(newCorrelationId({ 'x-correlation-id': given })).toMatch(/^[0-9a-f-]{36}$/)
  })
})

describe('RouteTable', () => {
  it('knows the methods of a path', () => {
    const table = new RouteTable()
    table.add(['GET', 'HEAD'], '/a/:id')
    table.add('POST', '/a/:id')
    table.add('POST', '/a/:id/b')
    expect(table.methodsAt('/a/1?x=/b')).toEqual(['GET', 'HEAD', 'POST'])
    expect(table.methodsAt('/a/1/b')).toEqual(['POST'])
    expect(table.methodsAt('/a')).toEqual([])
  })
})

describe('HotAnswers', () => {
  const metrics = new Metrics({ app: 'test' })
  const hot = new HotAnswers((_url, origin) => (origin === 'https://a.example' ? origin : null))
  const bytes = Buffer.from(JSON.stringify({ text: 'x'.repeat(5_000) }))
  const body = {
    text: bytes.toString('latin1'),
    etag: contentTag(bytes),
    headers: { 'content-type': 'application/json', 'cache-control': 'public' },
  }
  const answer = {
    current: (): HotBody | null => body,
    position: () => '7',
    series: (status: 200 | 304) => metrics.requests('GET', '/page', status),
  }
  let missed = 0
  const server = createServer((request, response) => {
    if (hot.serve(request, response)) return
    missed++
    response.writeHead(404).end()
  })
  let url = ''
  beforeAll(
    () =>
      new Promise<void>(resolve => {
        server.listen(0, '127.0.0.1', () => {
          url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
          resolve()
        })
      }),
  )
  afterAll(() => new Promise(resolve => server.close(resolve)))
  const keep = (kept = answer) => {
    hot.confirm(performance.now())
    hot.keep('/page', kept)
  }

  it('serves the bytes with their headers, and 304 to who has them', async () => {
    keep()
    const response = await fetch(`${url}/page`, { headers: { 'accept-encoding': 'identity' } })
    expect(response.status).toBe(200)
    expect(await response.text()).toBe(bytes.toString())
    expect(response.headers.get('etag')).toBe(body.etag)
    expect(response.headers.get('stet-position')).toBe('7')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(response.headers.get('x-correlation-id')).toBeTruthy()
    expect(response.headers.get('access-control-allow-origin')).toBeNull()
    keep()
    const again = await fetch(`${url}/page`, {
      headers: { 'if-none-match': `W/${body.etag}`, origin: 'https://a.example', 'x-correlation-id': 'mine' },
    })
    expect(again.status).toBe(304)
    expect(again.headers.get('access-control-allow-origin')).toBe('https://a.example')
    expect(again.headers.get('x-correlation-id')).toBe('mine')
  })

  it('answers HEAD without a body', async () => {
    keep()
    const response = await fetch(`${url}/page`, { method: 'HEAD' })
    expect(response.headers.get('content-length')).toBe(String(bytes.length))
    expect(await response.text()).toBe('')
  })

  it('leaves other methods and other urls alone', async () => {
    keep()
    const before = missed
    await fetch(`${url}/page`, { method: 'POST' })
    await fetch(`${url}/page?position=1`)
    await fetch(`${url}/page/`)
    expect(missed - before).toBe(3)
  })

  it('serves what the answer is now, and nothing when it has to be renewed', async () => {
    let now: HotBody | null = body
    keep({ ...answer, current: () => now })
    now = { ...body, text: '{"text":"new"}', etag: '"new"' }
    const response = await fetch(`${url}/page`)
    expect(await response.text()).toBe('{"text":"new"}')
    expect(response.headers.get('etag')).toBe('"new"')
    now = null
    const before = missed
    await fetch(`${url}/page`)
    expect(missed - before).toBe(1)
  })

  it('serves for a quarter of a second after it was last known that nothing has changed', async () => {
    keep()
    const known = performance.now()
    expect(hot.confirm(known)).toBe(false)
    await fetch(`${url}/page`)
    expect(hot.confirm(known)).toBe(true)
    const before = missed
    while (missed === before) await fetch(`${url}/page`)
    expect(performance.now() - known).toBeGreaterThan(240)
    hot.confirm(performance.now())
    await fetch(`${url}/page`)
    expect(missed - before).toBe(1)
  })

  it('keeps nothing that has to be renewed already', async () => {
    hot.confirm(performance.now())
    hot.keep('/changed', { ...answer, current: () => null })
    const before = missed
    await fetch(`${url}/changed`)
    expect(missed - before).toBe(1)
  })

  it('compresses what proves hot, with a weak tag', async () => {
    const deadline = performance.now() + 5_000
    for (;;) {
      keep()
      let encoded: Response | undefined
      for (let n = 0; n < 20 && !encoded; n++) {
        const response = await fetch(`${url}/page`, { headers: { 'accept-encoding': 'gzip;q=0, br' } })
        const text = await response.text()
        if (response.status !== 200) break
        expect(text).toBe(bytes.toString())
        if (response.headers.get('content-encoding') === 'br') encoded = response
      }
      if (encoded) {
        expect(encoded.headers.get('etag')).toBe(`W/${body.etag}`)
        expect(Number(encoded.headers.get('content-length'))).toBeLessThan(bytes.length)
        return
      }
      expect(performance.now()).toBeLessThan(deadline)
    }
  })

  it('is measured', async () => {
    expect(await metrics.registry.metrics()).toMatch(
      /stet_http_request_seconds_count\{method="GET",route="\/page",status="200",app="test"\} [1-9]/,
    )
  })
})
