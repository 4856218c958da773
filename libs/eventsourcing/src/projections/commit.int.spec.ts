// What a lost connection is to a group: nothing that a document did.
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { type RunningProjections } from './contract'
import { connectDocumentStore, type DocumentStore } from '../document-store/document-store'
import { rebuildProjection } from './rebuild'
import { type Note, notes, type Rig, startRig, tags, until, written } from './rig.spec'
import { startProjections } from './start'
import { parkedDocuments } from './status'

let rig: Rig
let gate: Gate
let documents: DocumentStore
let projections: RunningProjections
beforeEach(async () => {
  rig = await startRig()
  gate = await gateTo(rig.documentsPath, join(rig.directory, 'gate.sock'))
  documents = connectDocumentStore({
    url: `mongodb://${encodeURIComponent(gate.path)}/?directConnection=true`,
    database: 'stet',
  })
  projections = startProjections(rig.sources([notes(), tags], documents))
})
afterEach(async () => {
  await projections.stop()
  await documents.close()
  await gate.close()
  await rig.close()
})

/** The statement that writes documents of the notes, as it begins on the wire. */
const WRITE = Buffer.from('update\0\x0c\0\0\0notes-v1-g1\0')
/** A question that the gate keeps to itself. */
const UNANSWERED = 'unanswered'

it.each([true, false])(
  'parks nothing when connections end while documents are written (another one first: %s)',
  async another => {
    const text = async (id: string) =>
      (await rig.documents.db.collection<Note>('notes-v1-g1').findOne({ _id: id }))?.text
    await rig.append('note-1', [written('a')])
    await until(async () => (await text('1')) === 'a')
    for (const id of ['2', '3', '4']) {
      // The driver ends its pool with the first command that fails, and says less about those that fail after it.
      const asked = another ? documents.db.collection(UNANSWERED).findOne({}) : Promise.resolve()
      if (another) await gate.keeps(Buffer.from(UNANSWERED))
      const ended = gate.endsAt(WRITE)
      await rig.append(`note-${id}`, [written('b')])
      await ended
      await asked
      await until(async () => (await text(id)) === 'b')
    }
    expect(await parkedDocuments(rig.sources([notes(), tags]))).toEqual([])
    expect(projections.states().desk).toEqual({ state: 'running', error: null, parked: 0 })
  },
)

it('lets a rebuild go on when connections end while it writes', async () => {
  await rig.append('note-1', [written('a')])
  const rebuilt = Buffer.from('update\0\x0c\0\0\0notes-v1-g2\0')
  const asked = documents.db.collection(UNANSWERED).findOne({})
  await gate.keeps(Buffer.from(UNANSWERED))
  const ended = gate.endsAt(rebuilt)
  const rebuilding = rebuildProjection(rig.sources([notes(), tags], documents), 'notes')
  await ended
  await asked
  expect(await rebuilding).toMatchObject({ id: 'notes-v1-g2', stage: 'live', parked: 0 })
  const documentsOf = (id: string) => rig.documents.db.collection(id).find({}).toArray()
  expect(await documentsOf('notes-v1-g2')).toEqual([{ _id: '1', text: 'a', writes: 1 }])
})

/** A way to a socket that ends its connections when told. */
interface Gate {
  readonly path: string
  /** Does not pass the next message with `bytes` on; resolves once it has come. */
  keeps(bytes: Buffer): Promise<void>
  /** Ends every connection when one is about to carry `bytes`: that one last, and the one first that was kept waiting. */
  endsAt(bytes: Buffer): Promise<void>
  close(): Promise<void>
}

const gateTo = async (target: string, path: string): Promise<Gate> => {
  const incoming = new Set<Socket>()
  const kept = new Set<Socket>()
  const awaited = new Map<Buffer, (from: Socket) => void>()
  const comes = (bytes: Buffer) => new Promise<Socket>(resolve => awaited.set(bytes, resolve))
  const end = async (socket: Socket) => {
    const closed = once(socket, 'close')
    socket.destroy()
    await closed
  }
  const server: Server = createServer(socket => {
    const onward = connect(target)
    incoming.add(socket)
    socket.on('close', () => {
      incoming.delete(socket)
      kept.delete(socket)
      onward.destroy()
    })
    onward.on('close', () => socket.destroy())
    for (const each of [socket, onward]) each.on('error', () => undefined)
    onward.pipe(socket)
    socket.on('data', chunk => {
      for (const [bytes, come] of awaited)
        if (chunk.includes(bytes)) {
          awaited.delete(bytes)
          come(socket)
          return
        }
      onward.write(chunk)
    })
  })
  server.listen(path)
  await once(server, 'listening')
  return {
    path,
    async keeps(bytes) {
      kept.add(await comes(bytes))
    },
    async endsAt(bytes) {
      const writing = await comes(bytes)
      for (const socket of kept) await end(socket)
      for (const socket of incoming) if (socket !== writing) await end(socket)
      await end(writing)
    },
    async close() {
      for (const socket of incoming) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
