// What checks every answer in these tests must itself fail on one that is not described.
import { describe, expect, it } from '@jest/globals'
import { checkAgainst } from './support/openapi'

const json = (schema: object) => ({ description: '', content: { 'application/json': { schema } } })
const check = checkAgainst({
  openapi: '3.1.0',
  paths: {
    '/things/{id}': {
      get: { responses: { 200: json({ $ref: '#/components/schemas/Thing' }), 404: json({ type: 'object' }) } },
    },
    '/things': {
      get: {
        responses: {
          200: {
            content: {
              'application/x-ndjson': {
                schema: { type: 'string' },
                'x-item-schema': { $ref: '#/components/schemas/Thing' },
              },
            },
          },
        },
      },
    },
  },
  components: {
    schemas: { Thing: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] } },
  },
})

describe('an answer', () => {
  it('passes as it is described', () => {
    expect(() => check('GET', '/things/1', 200, 'application/json; charset=utf-8', { n: 1 })).not.toThrow()
    expect(() => check('GET', '/things/1', 404, 'application/json', {})).not.toThrow()
    expect(() => check('GET', '/things', 200, 'application/x-ndjson', '{"n":1}\n{"n":2}\n')).not.toThrow()
  })

  it.each([
    ['a problem status that is not', 500, 'application/json', {}, /500 is not described/],
    ['another content type', 200, 'text/plain', 'n', /not described as text\/plain/],
    ['another body', 200, 'application/json', { n: 'one' }, /must be integer/],
  ])('fails with %s', (_what, status, type, body, message) => {
    expect(() => check('GET', '/things/1', status, type, body)).toThrow(message)
  })

  it('fails with one bad line among many', () => {
    expect(() => check('GET', '/things', 200, 'application/x-ndjson', '{"n":1}\n{"m":2}\n')).toThrow(/must have.*n/)
  })
})
