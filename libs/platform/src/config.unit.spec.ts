// Configuration: defaults, every wrong value named in one line, and no secret in that line.
import { describe, expect, it } from '@jest/globals'
import { ConfigError, readConfig } from './config'

const server = { stores: 'embedded-or-remote' } as const
const refusal = (env: Record<string, string>, stores: 'embedded-or-remote' | 'remote' = 'embedded-or-remote') => {
  try {
    readConfig(env, { stores })
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as Error).message
  }
  return null
}

describe('readConfig', () => {
  it('needs nothing for a first start', () => {
    expect(readConfig({}, server)).toMatchObject({
      host: '127.0.0.1',
      port: 3000,
      siteUrl: null,
      eventStoreUrl: null,
      mongodbUrl: null,
      mongodbDatabase: 'stet',
      streamPrefix: '',
      auth: null,
      corsOrigins: [],
      trustProxy: false,
      datacentresFile: null,
      rateLimit: 6_000,
      viewsRemembered: 180_000,
      logLevel: 'info',
    })
  })

  it('takes an empty value as none', () => {
    expect(readConfig({ PORT: '', SITE_URL: '' }, server)).toMatchObject({ port: 3000, siteUrl: null })
  })

  it('takes what is given', () => {
    const env = {
      PORT: '0',
      SITE_URL: 'https://news.example/',
      EVENTSTORE_URL: 'esdb://node:2113?tls=false',
      MONGODB_URL: 'mongodb://db/?replicaSet=rs0',
      CORS_ORIGINS: 'https://a.example, https://b.example:8443',
      TRUST_PROXY: '10.0.0.0/8, fd00::1',
      DATACENTRES_FILE: '/etc/stet/networks',
      VIEWS_REMEMBERED: '2000',
      RATE_LIMIT: 'off',
      NODE_ENV: 'production',
    }
    expect(readConfig(env, server)).toMatchObject({
      port: 0,
      siteUrl: 'https://news.example',
      eventStoreUrl: env.EVENTSTORE_URL,
      corsOrigins: ['https://a.example', 'https://b.example:8443'],
      trustProxy: '10.0.0.0/8, fd00::1',
      datacentresFile: '/etc/stet/networks',
      viewsRemembered: 2_000,
      rateLimit: null,
    })
  })

  it.each([
    ['PORT', 'abc'],
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['HOST', 'two words'],
    ['SITE_URL', 'news.example'],
    ['EVENTSTORE_URL', 'http://node:2113'],
    ['MONGODB_URL', 'localhost:27017'],
    ['MONGODB_DATABASE', 'a/b'],
    ['STREAM_PREFIX', 'with space.'],
    ['STREAM_PREFIX', 'one'],
    ['STREAM_PREFIX', 'one-two.'],
    ['CORS_ORIGINS', 'https://a.example/path'],
    ['TRUST_PROXY', 'yes'],
    ['TRUST_PROXY', '10.0.0.0/33'],
    ['TRUST_PROXY', '10.0.0.1,10.1'],
    ['VIEWS_REMEMBERED', '999'],
    ['RATE_LIMIT', '0'],
    ['RATE_LIMIT', 'none'],
    ['VIEWS_REMEMBERED', '1e6'],
    ['LOG_LEVEL', 'loud'],
    ['NODE_ENV', 'prod'],
    ['AUTH_JWKS_URL', 'keys.json'],
  ])('refuses %s=%s in one line that names it', (name, value) => {
    const message = refusal({ [name]: value })
    expect(message).toMatch(new RegExp(`^${name} .*${JSON.stringify(value).slice(1, -1)}`))
    expect(message).not.toContain('\n')
  })

  it('keeps passwords out of the line', () => {
    expect(refusal({ MONGODB_URL: 'postgres://user:secret@db/' })).not.toContain('secret')
  })

  it('refuses unset stores in production, unless they are embedded on purpose', () => {
    expect(refusal({ NODE_ENV: 'production' })).toMatch(/^EVENTSTORE_URL .*embedded/)
    expect(refusal({ NODE_ENV: 'production', EVENTSTORE_URL: 'embedded' })).toMatch(/^MONGODB_URL/)
    const env = { NODE_ENV: 'production', EVENTSTORE_URL: 'embedded', MONGODB_URL: 'embedded' }
    expect(readConfig(env, server)).toMatchObject({ eventStoreUrl: null, mongodbUrl: null })
  })

  it('refuses embedded stores where only a cluster can be used', () => {
    expect(refusal({ EVENTSTORE_URL: 'embedded' }, 'remote')).toMatch(/^EVENTSTORE_URL/)
    expect(refusal({ EVENTSTORE_URL: 'esdb://node' }, 'remote')).toMatch(/^MONGODB_URL/)
  })

  it('needs keys and issuer of an identity provider together', () => {
    expect(refusal({ AUTH_JWKS_URL: 'https://id.example/keys' })).toMatch(/^AUTH_ISSUER/)
    expect(refusal({ AUTH_ISSUER: 'https://id.example' })).toMatch(/^AUTH_JWKS_URL/)
  })
})
