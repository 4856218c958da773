// Every form of url that the configuration offers opens a client; nothing is connected yet.
import { expect, test } from '@jest/globals'
import { closeClient, openClient } from './client'

test.each([
  'unix:/run/stet/es.sock',
  'esdb://localhost:2113?tls=false',
  'esdb://admin:secret@localhost:2113',
  'esdb+discover://cluster.example:2113',
  'kurrentdb://localhost:2113?tls=false',
  'kurrentdb+discover://cluster.example:2113',
  'esdb://one.example:2113,two.example:2113,three.example:2113?nodePreference=leader',
])('%s', async url => {
  const client = openClient(url)
  await closeClient(client, 1)
})

test('anything else says what is expected', () => {
  expect(() => openClient('mongodb://localhost')).toThrow(/esdb/)
})
