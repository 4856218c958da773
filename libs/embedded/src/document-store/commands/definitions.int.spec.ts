// What a definition costs those who come beside it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, jest, test } from '@jest/globals'
import { MongoClient } from 'mongodb'
import { startDocumentStore } from '..'
import { Overlay } from '../keyspace/view'

test('an index is built without a look through its own entries for every piece of the documents', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'stet-test-'))
  const socketPath = join(folder, 'documents.sock')
  const store = await startDocumentStore({ socketPath, directory: join(folder, 'documents') })
  const client = new MongoClient(`mongodb://${encodeURIComponent(socketPath)}/?directConnection=true`)
  const docs = client.db('test').collection('docs')
  await docs.insertMany(Array.from({ length: 1_000 }, (_, n) => ({ n })))
  const range = jest.spyOn(Overlay.prototype, 'range')
  await docs.createIndex({ n: 1 })
  expect(range).not.toHaveBeenCalled()
  range.mockRestore()
  expect(await docs.countDocuments({ n: { $lt: 700 } })).toBe(700)
  await client.close()
  await store.close()
  rmSync(folder, { recursive: true })
})
