// What the specs of this room stand on: both embedded stores, and a small newsroom of notes that has every kind of read model.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { startDocumentStore, startEventStore } from '@stet/embedded'
import { connectDocumentStore, type DocumentStore } from '../document-store/document-store'
import { type EventLog, type EventToAppend } from '../event-log'
import { connectEventLog } from '../event-store'
import { type AnyProjection, type ComputedProjection, type Projection } from '../projection'
import { type ProjectionSources } from './contract'

export type NoteEvents = {
  NoteWritten: { readonly text: string }
  NoteTagged: { readonly tags: readonly string[] }
  NoteErased: Record<string, never>
  NotesViewed: { readonly views: readonly (readonly [string, number])[] }
}

export interface Note {
  readonly _id: string
  readonly text: string
  readonly writes: number
}

/** Counts every write: an event that had its effect twice shows. Throws for the texts that it is told to. */
export const notes = (throws: (text: string) => boolean = () => false, version = 1): Projection<Note, NoteEvents> => ({
  name: 'notes',
  version,
  group: 'desk',
  cached: 100,
  indexes: [{ key: { writes: -1, _id: 1 } }],
  on: {
    NoteWritten: (note, { data }, _id) => {
      if (throws(data.text)) throw new Error(`cannot fold ${data.text}`)
      return { _id, text: data.text, writes: (note?.writes ?? 0) + 1 }
    },
    NoteTagged: 'ignore',
    NoteErased: () => null,
    NotesViewed: 'ignore',
  },
})

export interface Tag {
  readonly _id: string
  readonly notes: readonly string[]
}

export const tags: Projection<Tag, NoteEvents> = {
  name: 'tags',
  version: 1,
  group: 'desk',
  keys: { NoteTagged: ({ data }) => data.tags },
  on: {
    NoteWritten: 'ignore',
    NoteTagged: (tag, event, _id) => ({ _id, notes: [...(tag?.notes ?? []), event.key] }),
    NoteErased: 'ignore',
    NotesViewed: 'ignore',
  },
}

export interface Views {
  readonly _id: string
  readonly views: number
}

export const views: Projection<Views, NoteEvents> = {
  name: 'views',
  version: 1,
  group: 'audience',
  keys: { NotesViewed: ({ data }) => data.views.map(([id]) => id) },
  on: {
    NoteWritten: 'ignore',
    NoteTagged: 'ignore',
    NoteErased: 'ignore',
    NotesViewed: (known, { data }, _id) => ({
      _id,
      views: data.views.reduce((sum, [id, n]) => (id === _id ? sum + n : sum), known?.views ?? 0),
    }),
  },
}

export interface Neighbour {
  readonly _id: string
  readonly order: number
  readonly before: string | null
}

/** Each note knows the one that was written before it: depends on the whole corpus, through a cache in memory. */
export const neighbours = (
  throws: (text: string) => boolean = () => false,
): ComputedProjection<Neighbour, NoteEvents> => ({
  kind: 'computed',
  name: 'neighbours',
  version: 1,
  group: 'corpus',
  on: { NoteWritten: 'fold', NoteTagged: 'ignore', NoteErased: 'ignore', NotesViewed: 'ignore' },
  async open(documents) {
    let last: Neighbour | null = null
    for await (const document of documents({ order: 1 })) last = document
    return {
      async fold(events, load) {
        const changes = new Map<string, Neighbour>()
        const known = await load(events.map(({ key }) => key))
        for (const event of events) {
          if (event.type !== 'NoteWritten') continue
          if (throws(event.data.text)) throw new Error(`cannot fold ${event.data.text}`)
          if (known.has(event.key) || changes.has(event.key)) continue
          last = { _id: event.key, order: (last?.order ?? 0) + 1, before: last?._id ?? null }
          changes.set(event.key, last)
        }
        return changes
      },
    }
  },
})

export const GROUPS = { desk: ['note'], audience: ['views'], corpus: ['note'] }
export const PROJECTIONS: readonly AnyProjection[] = [notes(), tags, views, neighbours()]

export interface Rig {
  readonly directory: string
  /** The document store's socket. */
  readonly documentsPath: string
  readonly log: EventLog
  /** The same log as code sees it that cannot decode the notes with these texts. */
  failing(texts: readonly string[]): EventLog
  readonly documents: DocumentStore
  /** Another connection to the same or to another database. */
  connect(database?: string): DocumentStore
  sources(projections?: readonly AnyProjection[], documents?: DocumentStore): ProjectionSources
  /** Appends to one stream, whatever its revision; the position of the last event. */
  append(stream: string, events: readonly Fact[]): Promise<string>
  stopDocuments(): Promise<void>
  startDocuments(): Promise<void>
  close(): Promise<void>
}

export type Fact = { [T in keyof NoteEvents]: { readonly type: T; readonly data: NoteEvents[T] } }[keyof NoteEvents]
export const written = (text: string): Fact => ({ type: 'NoteWritten', data: { text } })

/** Starts both stores in a folder of their own. */
export const startRig = async (): Promise<Rig> => {
  const directory = mkdtempSync(join(tmpdir(), 'stet-'))
  const es = join(directory, 'es')
  const doc = join(directory, 'doc.sock')
  const eventStore = await startEventStore({ socketPath: es, directory: join(directory, 'events') })
  const startStore = () =>
    startDocumentStore({ socketPath: doc, directory: join(directory, 'documents'), transactionLifetimeMs: 500 })
  let documentStore: Awaited<ReturnType<typeof startStore>> | null = await startStore()
  const log = connectEventLog({ url: `unix:${es}` })
  const logs = [log]
  const opened: DocumentStore[] = []
  const connect = (database = 'stet') => {
    const url = `mongodb://${encodeURIComponent(doc)}/?directConnection=true`
    const store = connectDocumentStore({ url, database })
    opened.push(store)
    return store
  }
  const documents = connect()
  const revisions = new Map<string, number>()
  return {
    directory,
    documentsPath: doc,
    log,
    documents,
    connect,
    failing(texts) {
      const up = (data: { text: string }) => {
        if (texts.includes(data.text)) throw new Error(`no ${data.text}`)
        return data
      }
      const types = ['NoteWritten', 'NoteTagged'].map(type => ({ type, from: 1, up }))
      const failing = connectEventLog({ url: `unix:${es}`, upcasters: types })
      logs.push(failing)
      return failing
    },
    sources: (projections = PROJECTIONS, store = documents) => ({ log, documents: store, projections, groups: GROUPS }),
    async append(stream, events) {
      const expected = revisions.get(stream) ?? -1
      const result = await log.append(stream, expected, events.map(recordable))
      if (!result.ok) throw new Error(`${stream} is at ${result.current}`)
      revisions.set(stream, result.revision)
      return result.position
    },
    async stopDocuments() {
      await documentStore?.close()
      documentStore = null
    },
    async startDocuments() {
      documentStore = await startStore()
    },
    async close() {
      await Promise.all(opened.map(store => store.close()))
      await Promise.all(logs.map(log => log.close()))
      await documentStore?.close()
      await eventStore.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

const recordable = ({ type, data }: Fact): EventToAppend => ({
  id: randomUUID(),
  type,
  data,
  metadata: {
    $correlationId: 'c',
    $causationId: 'c',
    commandId: randomUUID(),
    fingerprint: '',
    actor: 'spec',
    at: '2026-01-01T00:00:00.000Z',
  },
})

/** Waits for a condition, looking every few ms. */
export const until = async <T>(
  what: () => Promise<T | false | null | undefined>,
  milliseconds = 20_000,
): Promise<T> => {
  const end = performance.now() + milliseconds
  for (;;) {
    const result = await what()
    if (result !== false && result !== null && result !== undefined) return result
    if (performance.now() > end) throw new Error(`not within ${milliseconds} ms: ${what.toString()}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

/** The bytes of a live read model: every document as BSON, in the order of the ids. */
export const bytesOf = async ({ db }: DocumentStore, name: string): Promise<string> => {
  const live = await db.collection<{ _id: string }>('projections').findOne({ name, stage: 'live' })
  if (!live) return ''
  const documents = await db
    .collection(live._id, { raw: true })
    .find({}, { sort: { _id: 1 } })
    .toArray()
  return documents.map(document => Buffer.from(document as unknown as Uint8Array).toString('base64')).join('\n')
}
