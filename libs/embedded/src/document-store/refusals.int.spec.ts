// What MongoDB has and this store does not is refused, with the server's code and what to do; it never acts otherwise in silence.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Document, Int32, MongoClient, Timestamp } from 'mongodb'
import { type DocumentStore, startDocumentStore } from '.'

let folder: string
let store: DocumentStore
let client: MongoClient

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stet-test-'))
  const socketPath = join(folder, 'documents.sock')
  store = await startDocumentStore({ socketPath, directory: join(folder, 'documents') })
  client = new MongoClient(`mongodb://${encodeURIComponent(socketPath)}/?directConnection=true`)
  await client.db('test').collection<{ _id: number }>('x').insertOne({ _id: 1 })
})
afterAll(async () => {
  await client.close()
  await store.close()
  rmSync(folder, { recursive: true })
})

const pipeline = (...stages: Document[]): Document => ({ aggregate: 'x', pipeline: stages, cursor: {} })
const update = (u: Document): Document => ({ update: 'x', updates: [{ q: { _id: 7 }, u }] })

test.each<[what: string, code: number, command: Document]>([
  ['a command', 59, { dropIndexes: 'x', index: '*' }],
  ['an option of a command', 40415, { create: 'x', capped: true }],
  ['an option of an index', 197, { createIndexes: 'x', indexes: [{ key: { a: 1 }, name: 'a', sparse: true }] }],
  ['an order by a name that has lost its place', 238, { find: 'x', sort: { b: 1, 7: 1 } }],
  ['such an index', 238, { createIndexes: 'x', indexes: [{ key: { b: 1, 7: 1 }, name: 'b7' }] }],
  ['such an order of elements', 238, update({ $push: { a: { $each: [], $sort: { b: 1, 7: 1 } } } })],
  ['a stage', 40324, pipeline({ $unwind: '$a' })],
  ['stages in another order', 238, pipeline({ $limit: 1 }, { $match: { _id: 1 } })],
  ['a group', 238, pipeline({ $group: { _id: '$a', n: { $sum: '$b' } } })],
  ['an option of a cursor', 40415, { aggregate: 'x', pipeline: [], cursor: { tailable: true } }],
  ['an operator of a query', 2, { find: 'x', filter: { a: { $elemMatch: { b: 1 } } } }],
  ['an operator over queries', 2, { find: 'x', filter: { $nor: [{ a: 1 }] } }],
  ['a regular expression', 238, { find: 'x', filter: { a: { $in: [/^a/] } } }],
  ['a kind of value', 238, { insert: 'x', documents: [{ at: new Timestamp({ t: 1, i: 1 }) }] }],
  ['a name that begins with a dollar', 52, { insert: 'x', documents: [{ a: { $b: 1 } }] }],
  ['an operator of an update', 9, update({ $currentDate: { a: true } })],
  ['an option of a query', 40415, { find: 'x', hint: '_id_' }],
  ['a number of a statement', 40415, { insert: 'x', documents: [{ _id: 2 }], stmtId: new Int32(3) }],
  ['numbers of statements', 40415, { update: 'x', updates: [{ q: { _id: 7 }, u: { a: 1 } }], stmtIds: [new Int32(3)] }],
  ['the number of a findAndModify', 40415, { findAndModify: 'x', query: {}, remove: true, stmtId: new Int32(3) }],
  ['an option of an explanation', 40415, { explain: { find: 'x' }, frobnicate: 1 }],
  ['an option of a statement', 40415, { update: 'x', updates: [{ q: {}, u: { $set: { a: 1 } }, collation: {} }] }],
])('%s is refused with %i', async (_what, code, command) => {
  const refused: unknown = await client
    .db('test')
    .command(command)
    .then(
      ({ writeErrors }) => {
        const [{ code, errmsg }] = writeErrors as [{ code: number; errmsg: string }]
        return { code, message: errmsg }
      },
      (error: unknown) => error,
    )
  expect(refused).toMatchObject({ code, message: expect.stringContaining('set MONGODB_URL to use a real') as unknown })
})
