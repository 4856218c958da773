// Random histories of writes, retries, transactions that overlap and restarts, against a plain model in memory.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type ClientSession, type Db, type Document, Long, MongoClient, MongoServerError, UUID } from 'mongodb'
import { startDocumentStore, type DocumentStore } from '.'

const COLLECTIONS = ['a', 'b'] as const
const SESSIONS = 3
const CONFLICT = 112
const DUPLICATE = 11_000

interface Doc {
  _id: number
  n: number
  t: number[]
  /** Unique among the documents of a collection that have one. */
  u?: number
}
type Change = { inc: number } | { push: number } | { add: number } | { pull: number } | { u: number | null }
type Write =
  | { do: 'insert'; id: number; n: number; u?: number }
  | { do: 'replace'; id: number; n: number; u?: number; upsert: boolean }
  | { do: 'update'; id: number; change: Change; upsert: boolean }
  | { do: 'modify'; id: number; by: number; after: boolean; upsert: boolean }
  | { do: 'incAll'; from: number }
  | { do: 'delete'; id: number }
type Step =
  | { step: 'write'; in: number; collection: 0 | 1; write: Write }
  | { step: 'begin' | 'commit' | 'abort' | 'check'; in: number }
  | { step: 'retry' | 'restart' }

const id = fc.nat(3)
const small = fc.nat(4)
const u = fc.option(fc.nat(2), { nil: undefined })
const writes: fc.Arbitrary<Write> = fc.oneof(
  fc.record({ do: fc.constant('insert' as const), id, n: small, u }),
  fc.record({ do: fc.constant('replace' as const), id, n: small, u, upsert: fc.boolean() }),
  fc.record({
    do: fc.constant('update' as const),
    id,
    change: fc.oneof(
      fc.record({ inc: small }),
      fc.record({ push: small }),
      fc.record({ add: small }),
      fc.record({ pull: small }),
      fc.record({ u: fc.option(fc.nat(2)) }),
    ),
    upsert: fc.boolean(),
  }),
  fc.record({ do: fc.constant('modify' as const), id, by: small, after: fc.boolean(), upsert: fc.boolean() }),
  fc.record({ do: fc.constant('incAll' as const), from: small }),
  fc.record({ do: fc.constant('delete' as const), id }),
)
/** -1 is outside of transactions. */
const place = fc.integer({ min: -1, max: SESSIONS - 1 })
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        step: fc.constant('write' as const),
        in: place,
        collection: fc.constantFrom(0 as const, 1 as const),
        write: writes,
      }),
    },
    { weight: 4, arbitrary: fc.record({ step: fc.constantFrom('begin' as const, 'commit' as const), in: fc.nat(2) }) },
    { weight: 1, arbitrary: fc.record({ step: fc.constant('abort' as const), in: fc.nat(2) }) },
    { weight: 4, arbitrary: fc.record({ step: fc.constant('check' as const), in: place }) },
    { weight: 3, arbitrary: fc.record({ step: fc.constant('retry' as const) }) },
    { weight: 1, arbitrary: fc.record({ step: fc.constant('restart' as const) }) },
  ),
  { minLength: 10, maxLength: 60 },
)

type State = Map<number, Doc>[]
interface Open {
  state: State
  /** When its snapshot was taken. */
  clock: number
  claimed: Set<string>
}

/** A refusal: of the second writer, or of a key that is taken. */
class Refused extends Error {
  constructor(readonly code: number) {
    super(`code ${code}`)
  }
}
/** A plain write would wait for a transaction. */
class Waits extends Error {}

const copy = (state: State): State => state.map(documents => new Map(documents))

/** The rules of the store, as plainly as they can be said. */
class Model {
  state: State = COLLECTIONS.map(() => new Map<number, Doc>())
  readonly open: (Open | undefined)[] = Array.from({ length: SESSIONS }, () => undefined)
  private clock = 0
  private readonly writtenAt = new Map<string, number>()

  begin(session: number): void {
    this.open[session] = { state: copy(this.state), clock: this.clock, claimed: new Set() }
  }

  /** All that a transaction wrote, over what others have committed since: nobody else wrote the same. */
  commit(session: number, changes: (from: State, to: State) => void): void {
    const { state, claimed } = this.open[session]!
    changes(state, this.state)
    this.clock++
    for (const key of claimed) this.writtenAt.set(key, this.clock)
    this.open[session] = undefined
  }

  /** The documents that a write matched or made. @throws Refused, Waits */
  write(session: number, collection: number, write: Write): Document {
    const open = session < 0 ? undefined : this.open[session]
    const before = (open?.state ?? this.state)[collection]!
    const documents = new Map(before)
    const claimed = new Set<string>()
    const claim = (key: string) => {
      const name = `${collection}/${key}`
      if (this.open.some(other => other && other !== open && other.claimed.has(name)))
        throw open ? new Refused(CONFLICT) : new Waits()
      if (open && (this.writtenAt.get(name) ?? 0) > open.clock) throw new Refused(CONFLICT)
      claimed.add(name)
    }
    const put = (_id: number, next: Doc | undefined) => {
      claim(`${_id}`)
      const old = documents.get(_id)
      if (old?.u !== next?.u) {
        if (old?.u !== undefined) claim(`u${old.u}`)
        if (next?.u !== undefined) {
          claim(`u${next.u}`)
          if ([...documents.values()].some(({ u }) => u === next.u)) throw new Refused(DUPLICATE)
        }
      }
      if (next) documents.set(_id, next)
      else documents.delete(_id)
    }
    const keep = () => {
      if (open) for (const key of claimed) open.claimed.add(key)
      else if (claimed.size > 0) {
        this.clock++
        for (const key of claimed) this.writtenAt.set(key, this.clock)
      }
    }
    try {
      const answer = outcome(write, documents, put, key => claim(key))
      ;(open?.state ?? this.state)[collection] = documents
      keep()
      return answer
    } catch (error) {
      // The answer to a write that is refused is remembered too, with what it had looked at.
      if (!open && error instanceof Refused) keep()
      if (open) this.open[session] = undefined
      throw error
    }
  }
}

function outcome(
  write: Write,
  documents: Map<number, Doc>,
  put: (id: number, next: Doc | undefined) => void,
  claim: (key: string) => void,
): Document {
  const old = 'id' in write ? documents.get(write.id) : undefined
  switch (write.do) {
    case 'insert':
      claim(`${write.id}`)
      if (old) throw new Refused(DUPLICATE)
      put(write.id, made(write))
      return { n: 1 }
    case 'replace':
      if (!old && !write.upsert) return { n: 0 }
      put(write.id, made(write))
      return { n: 1, nModified: old && !same(old, made(write)) ? 1 : 0 }
    case 'update': {
      if (!old && !write.upsert) return { n: 0, nModified: 0 }
      const next = changed(old ?? ({ _id: write.id } as Doc), write.change)
      put(write.id, next)
      return { n: 1, nModified: old && !same(old, next) ? 1 : 0 }
    }
    case 'modify': {
      const next = old ?? (write.upsert ? ({ _id: write.id } as Doc) : undefined)
      if (!next) return { value: null }
      put(write.id, changed(next, { inc: write.by }))
      return { value: write.after ? documents.get(write.id) : (old ?? null) }
    }
    case 'incAll': {
      const matched = [...documents.values()].filter(({ n }) => n >= write.from)
      for (const document of matched) put(document._id, changed(document, { inc: 1 }))
      return { n: matched.length, nModified: matched.length }
    }
    case 'delete':
      if (old) put(write.id, undefined)
      return { n: old ? 1 : 0 }
  }
}

const made = ({ id, n, u }: { id: number; n: number; u?: number }): Doc => ({
  _id: id,
  n,
  t: [n],
  ...(u !== undefined && { u }),
})
const same = (a: Doc, b: Doc) => a.n === b.n && a.u === b.u && JSON.stringify(a.t) === JSON.stringify(b.t)

function changed({ ...document }: Doc, change: Change): Doc {
  const t = (document.t as number[] | undefined) ?? []
  if ('inc' in change) document.n = ((document.n as number | undefined) ?? 0) + change.inc
  else if ('push' in change) document.t = [...t, change.push].sort((a, b) => a - b).slice(-3)
  else if ('add' in change) document.t = t.includes(change.add) ? t : [...t, change.add]
  else if ('pull' in change) {
    if ('t' in document) document.t = t.filter(item => item !== change.pull)
  } else if (change.u === null) delete document.u
  else document.u = change.u
  return document
}

function operators(change: Change): Document {
  if ('inc' in change) return { $inc: { n: change.inc } }
  if ('push' in change) return { $push: { t: { $each: [change.push], $sort: 1, $slice: -3 } } }
  if ('add' in change) return { $addToSet: { t: change.add } }
  if ('pull' in change) return { $pull: { t: change.pull } }
  return change.u === null ? { $unset: { u: '' } } : { $set: { u: change.u } }
}

function command(collection: string, write: Write): Document {
  switch (write.do) {
    case 'insert':
      return { insert: collection, documents: [made(write)] }
    case 'replace':
      return { update: collection, updates: [{ q: { _id: write.id }, u: made(write), upsert: write.upsert }] }
    case 'update':
      return {
        update: collection,
        updates: [{ q: { _id: write.id }, u: operators(write.change), upsert: write.upsert }],
      }
    case 'modify': {
      const { id, by, after, upsert } = write
      return { findAndModify: collection, query: { _id: id }, update: { $inc: { n: by } }, new: after, upsert }
    }
    case 'incAll':
      return {
        update: collection,
        updates: [{ q: { n: { $gte: write.from } }, u: { $inc: { n: 1 } }, multi: true }],
      }
    case 'delete':
      return { delete: collection, deletes: [{ q: { _id: write.id }, limit: 1 }] }
  }
}

let folder: string
let store: DocumentStore
let client: MongoClient
let runs = 0

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stet-test-'))
  await start()
})
afterAll(async () => {
  await stop()
  rmSync(folder, { recursive: true })
})

async function start(): Promise<void> {
  const socketPath = join(folder, 'documents.sock')
  store = await startDocumentStore({ socketPath, directory: join(folder, 'documents') })
  client = new MongoClient(`mongodb://${encodeURIComponent(socketPath)}/?directConnection=true`)
}
async function stop(): Promise<void> {
  await client.close()
  await store.close()
}

interface Answer {
  n?: number
  nModified?: number
  value?: Doc | null
  writeErrors?: { code: number }[]
}

/** What the store answers, in the model's words. */
async function answered(sent: Promise<Document>): Promise<Document | number> {
  try {
    const { n, nModified, value, writeErrors } = (await sent) as Answer
    if (writeErrors) return writeErrors[0]!.code
    return { ...(n !== undefined && { n }), ...(nModified !== undefined && { nModified }), value }
  } catch (error) {
    if (error instanceof MongoServerError) return error.code as number
    throw error
  }
}

class Run {
  private readonly model = new Model()
  private readonly name = `run${runs++}`
  private sessions: (ClientSession | undefined)[] = []
  /** The session of all plain writes, known to the server beyond a restart. */
  private readonly plain = new UUID()
  private number = 0
  private last?: { command: Document; answer: Document | number }

  private get db(): Db {
    return client.db(this.name)
  }

  async history(steps: Step[]): Promise<void> {
    for (const name of COLLECTIONS)
      await this.db
        .collection(name)
        .createIndexes([
          { key: { n: 1 } },
          { key: { t: -1, n: 1 } },
          { key: { u: 1 }, unique: true, partialFilterExpression: { u: { $exists: true } } },
        ])
    for (const step of steps) await this.step(step)
    for (const session of this.sessions) await session?.endSession()
    await this.check(-1)
    await this.db.dropDatabase()
  }

  private async step(step: Step): Promise<void> {
    const { model } = this
    const open = 'in' in step && step.in >= 0 ? model.open[step.in] : undefined
    const session = 'in' in step ? this.sessions[step.in] : undefined
    switch (step.step) {
      case 'begin': {
        if (open) return
        const fresh = (this.sessions[step.in] ??= client.startSession())
        if (fresh.inTransaction()) await fresh.abortTransaction()
        fresh.startTransaction()
        await this.db.collection('a').findOne({}, { session: fresh })
        return model.begin(step.in)
      }
      case 'commit':
        if (!open) return
        await session!.commitTransaction()
        return model.commit(step.in, (from, to) => {
          for (const name of open.claimed) {
            const [collection, key] = name.split('/') as [string, string]
            if (key.startsWith('u')) continue
            const document = from[Number(collection)]!.get(Number(key))
            if (document) to[Number(collection)]!.set(Number(key), document)
            else to[Number(collection)]!.delete(Number(key))
          }
        })
      case 'abort':
        if (!open) return
        await session!.abortTransaction()
        model.open[step.in] = undefined
        return
      case 'check':
        return this.check(step.in)
      case 'retry':
        if (this.last) expect(await answered(this.send(this.last.command))).toEqual(this.last.answer)
        return this.check(-1)
      case 'restart':
        await stop()
        await start()
        this.sessions = []
        model.open.fill(undefined)
        return this.check(-1)
      case 'write':
        if (step.in < 0 || open) return this.write(step.in, step.collection, step.write)
    }
  }

  private async write(session: number, collection: 0 | 1, write: Write): Promise<void> {
    let expected: Document | number
    try {
      expected = this.model.write(session, collection, write)
    } catch (error) {
      if (error instanceof Waits) return
      if (!(error instanceof Refused)) throw error
      expected = error.code
    }
    const sent = command(COLLECTIONS[collection], write)
    // A write of many is not retryable.
    const numbered = session < 0 && write.do !== 'incAll'
    if (numbered) Object.assign(sent, { lsid: { id: this.plain }, txnNumber: Long.fromNumber(++this.number) })
    const answer = await answered(
      session < 0 ? this.send(sent) : this.db.command(sent, { session: this.sessions[session] }),
    )
    if (typeof expected === 'number') expect(answer).toBe(expected)
    else expect(answer).toMatchObject(expected)
    if (numbered) this.last = { command: sent, answer }
  }

  private send(command: Document): Promise<Document> {
    const session = client.startSession()
    if ('lsid' in command) Object.assign(session.serverSession.id, command['lsid'])
    const { lsid: _lsid, ...rest } = command
    return this.db.command(rest, { session }).finally(() => void (session.hasEnded = true))
  }

  /** What is read, whole and through each index, inside a transaction or outside. */
  private async check(place: number): Promise<void> {
    const open = place < 0 ? undefined : this.model.open[place]
    if (place >= 0 && !open) return
    const session = place < 0 ? undefined : this.sessions[place]
    for (const [i, name] of COLLECTIONS.entries()) {
      const expected = [...(open?.state ?? this.model.state)[i]!.values()].sort((a, b) => a._id - b._id)
      const docs = this.db.collection<Doc>(name)
      expect(await docs.find({}, { session }).sort({ _id: 1 }).toArray()).toEqual(expected)
      const byN = docs.find({ n: { $gte: 2 } }, { session }).sort({ n: 1, _id: 1 })
      expect(await byN.toArray()).toEqual(expected.filter(({ n }) => n >= 2).sort((a, b) => a.n - b.n || a._id - b._id))
      const byElement = await docs.find({ t: 1 }, { session }).toArray()
      expect(byElement.map(({ _id }) => _id).sort()).toEqual(
        expected.filter(({ t }) => (t as number[] | undefined)?.includes(1)).map(({ _id }) => _id),
      )
      const byU = await docs
        .find({ u: { $gte: 0 } }, { session })
        .sort({ u: 1 })
        .toArray()
      expect(byU.map(({ _id }) => _id)).toEqual(
        expected
          .filter(({ u }) => u !== undefined)
          .sort((a, b) => a.u! - b.u!)
          .map(({ _id }) => _id),
      )
      expect(await docs.countDocuments({}, { session })).toBe(expected.length)
    }
  }
}

test('any history leaves what the model says', async () => {
  await fc.assert(
    fc.asyncProperty(steps, history => new Run().history(history)),
    { numRuns: Number(process.env.MODEL_RUNS ?? 40) },
  )
})
