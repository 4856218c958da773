// Events that cannot be decoded, under a running group: parked by key or halted, counted, shown, released by a rebuild.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { type RunningProjections } from './contract'
import { Halted } from './fold'
import { neighbours, type Note, notes, type Rig, startRig, tags, until, written } from './rig.spec'
import { startProjections } from './start'
import { parkedDocuments, projectionStatus } from './status'

let rig: Rig
let running: RunningProjections[]
let errors: unknown[]
beforeEach(async () => {
  rig = await startRig()
  running = []
  errors = []
})
afterEach(async () => {
  await Promise.all(running.map(projections => projections.stop()))
  await rig.close()
})
const failing = () => ({ ...rig.sources(), log: rig.failing(['poison']) })
const start = (sources = failing()) => {
  const projections = startProjections({ ...sources, onError: (_group, error) => errors.push(error) })
  running.push(projections)
  return projections
}
const note = (id: string, generation = 'notes-v1-g1') =>
  rig.documents.db.collection<Note>(generation).findOne({ _id: id })

describe('an event that cannot be decoded', () => {
  it('parks its document in a read model keyed by the stream, and no other one', async () => {
    await rig.append('note-1', [written('a'), written('poison'), written('after')])
    const position = await rig.append('note-2', [written('b')])
    const projections = start()
    await until(async () => (await note('2'))?.text === 'b')
    expect(await note('1')).toEqual({ _id: '1', text: 'a', writes: 1 })
    await rig.append('note-1', [written('later')])
    await until(async () => (await projections.status())[0]?.parked === 3)
    expect(projections.states().desk).toEqual({ state: 'running', error: null, parked: 3 })
    const [parked] = await parkedDocuments(rig.sources())
    expect(parked).toMatchObject({ generation: 'notes-v1-g1', key: '1', events: 3 })
    expect(parked?.error).toContain('event 1 of stream note-1')
    // Whoever cannot decode it either sees where every group stands.
    const [desk] = await projectionStatus(failing())
    expect(desk).toMatchObject({ parked: 3, lag: { events: 0 } })
    expect(desk?.position).not.toBe(position)
  })

  it('is released by a rebuild of code that decodes it', async () => {
    await rig.append('note-1', [written('a'), written('poison'), written('after')])
    const old = start()
    await until(async () => (await old.status())[0]?.parked === 2)
    expect((await old.rebuild('notes')).parked).toBe(2)
    await old.stop()
    const mended = start(rig.sources())
    const { id, parked } = await mended.rebuild('notes')
    expect(parked).toBe(0)
    expect(await note('1', id)).toEqual({ _id: '1', text: 'after', writes: 3 })
    expect((await mended.status())[0]?.parked).toBe(0)
    await until(() => Promise.resolve(mended.states().desk?.parked === 0))
    await until(async () => (await mended.status()).every(({ lag }) => lag.events === 0))
  })

  it('halts the group of a read model that is computed as a whole, after what came before it', async () => {
    await rig.append('note-1', [written('a')])
    await rig.append('note-2', [written('poison')])
    await rig.append('note-3', [written('c')])
    const projections = start()
    await until(() => Promise.resolve(projections.states().corpus?.state === 'halted'))
    expect(projections.states().corpus?.error).toContain('event 0 of stream note-2')
    expect(errors.some(error => error instanceof Halted)).toBe(true)
    const neighboursOf = () => rig.documents.db.collection('neighbours-v1-g1').find({}).toArray()
    expect(await neighboursOf()).toEqual([{ _id: '1', order: 1, before: null }])
    const corpus = (await projections.status()).find(({ group }) => group === 'corpus')
    expect(corpus).toMatchObject({ state: 'halted', lag: { events: 2, more: false } })
    await projections.stop()
    start(rig.sources())
    await until(async () => (await neighboursOf()).length === 3)
  })

  it('halts the group of a read model with keys of its own for that type', async () => {
    await rig.append('note-1', [written('a')])
    await rig.append('note-2', [{ type: 'NoteTagged', data: { tags: ['x'], text: 'poison' } as never }])
    await rig.append('note-1', [written('b')])
    const projections = start({ ...failing(), projections: [notes(), tags] })
    await until(() => Promise.resolve(projections.states().desk?.state === 'halted'))
    expect(projections.states().desk?.error).toMatch(/^tags: no keys for NoteTagged .*event 0 of stream note-2/)
    expect(await note('1')).toEqual({ _id: '1', text: 'a', writes: 1 })
  })

  it('does nothing to read models that ignore its type', async () => {
    await rig.append('note-1', [written('a'), { type: 'NoteTagged', data: { tags: [], text: 'poison' } as never }])
    await rig.append('note-1', [written('b')])
    const projections = start({ ...failing(), projections: [notes(), neighbours()] })
    await until(async () => (await note('1'))?.text === 'b')
    await until(() => projections.ready())
    expect((await projections.status()).map(({ parked }) => parked)).toEqual([0, 0])
  })
})
