// A provider's keys over HTTP: found, renewed, withdrawn, and kept while the provider is down.
import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { errors, exportJWK, generateKeyPair, type JWK } from 'jose'
import { publishedKeys } from './published-keys'

let published: JWK[]
let answers: number
let provider: Server
let url: URL
beforeEach(async () => {
  published = [await jwk('first')]
  answers = 0
  provider = createServer((_, response) => {
    answers++
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ keys: published }))
  })
  await new Promise<void>(resolve => provider.listen(0, '127.0.0.1', resolve))
  url = new URL(`http://127.0.0.1:${(provider.address() as AddressInfo).port}/keys`)
})
const down = () => {
  provider.closeAllConnections()
  return new Promise<unknown>(resolve => provider.close(resolve))
}
afterEach(down)

const jwk = async (kid: string): Promise<JWK> => ({
  ...(await exportJWK((await generateKeyPair('ES256')).publicKey)),
  ...{ kid, alg: 'ES256' },
})
const token = { payload: '', signature: '' }
const keyOf = async (keys: ReturnType<typeof publishedKeys>, kid: string) => keys({ alg: 'ES256', kid }, token)

const HOUR = 3_600_000

describe('published keys', () => {
  it('are fetched once for many', async () => {
    const keys = publishedKeys(url)
    await Promise.all(Array.from({ length: 50 }, () => keyOf(keys, 'first')))
    expect(answers).toBe(1)
  })

  it('are not asked for again and again for ids that are made up', async () => {
    const keys = publishedKeys(url, { renewed: HOUR, kept: HOUR, askedAgain: HOUR })
    for (let i = 0; i < 20; i++) await expect(keyOf(keys, `made-up-${i}`)).rejects.toThrow(errors.JWKSNoMatchingKey)
    expect(answers).toBe(1)
  })

  it('are renewed for an id that is new', async () => {
    const keys = publishedKeys(url, { renewed: HOUR, kept: HOUR, askedAgain: 0 })
    await keyOf(keys, 'first')
    published = [await jwk('second')]
    await keyOf(keys, 'second')
  })

  it('that were withdrawn are not believed after the next renewal', async () => {
    const keys = publishedKeys(url, { renewed: 0, kept: HOUR, askedAgain: HOUR })
    await keyOf(keys, 'first')
    published = [await jwk('second')]
    await expect(keyOf(keys, 'first')).rejects.toThrow(errors.JWKSNoMatchingKey)
  })

  it('outlive an outage, but not for ever', async () => {
    const [patient, impatient] = [HOUR, 0].map(kept => publishedKeys(url, { renewed: 0, kept, askedAgain: HOUR }))
    await keyOf(patient!, 'first')
    await keyOf(impatient!, 'first')
    await down()
    await keyOf(patient!, 'first')
    await expect(keyOf(impatient!, 'first')).rejects.toThrow('fetch failed')
  })
})
