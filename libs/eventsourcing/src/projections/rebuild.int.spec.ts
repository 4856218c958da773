// Rebuilding beside a live group, and what cannot be folded: parked, shown, released.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { NotFound } from '../errors'
import { type AnyProjection } from '../projection'
import { type RunningProjections } from './contract'
import { dropOldGenerations } from './generation'
import { rebuildProjection } from './rebuild'
import {
  bytesOf,
  neighbours,
  type Note,
  notes,
  PROJECTIONS,
  type Rig,
  startRig,
  tags,
  until,
  written,
} from './rig.spec'
import { startProjections } from './start'
import { parkedDocuments, projectionStatus } from './status'

let rig: Rig
let running: RunningProjections | null
beforeEach(async () => {
  rig = await startRig()
  running = null
})
afterEach(async () => {
  await running?.stop()
  await rig.close()
})
const start = (projections: readonly AnyProjection[] = PROJECTIONS) =>
  (running = startProjections(rig.sources(projections)))
const note = (generation: string, id: string) => rig.documents.db.collection<Note>(generation).findOne({ _id: id })
const arrived = async (position: string) =>
  until(async () =>
    (await projectionStatus(rig.sources())).every(({ group, position: at }) => group === 'audience' || at === position),
  )

describe('a rebuild', () => {
  it('gives the same bytes, beside a group that goes on, from another process', async () => {
    const projections = start()
    let position = ''
    for (let i = 0; i < 10; i++)
      position = await rig.append(`note-${i}`, [written('a'), { type: 'NoteTagged', data: { tags: ['x', `y${i}`] } }])
    await arrived(position)
    const before = await Promise.all(PROJECTIONS.map(({ name }) => bytesOf(rig.documents, name)))
    const other = rig.sources(PROJECTIONS, rig.connect())
    const progress: number[] = []
    for (const { name } of PROJECTIONS) {
      const rebuilt = await rebuildProjection(other, name, {
        limits: { events: 3 },
        onProgress: ({ done }) => progress.push(done),
      })
      expect(rebuilt).toMatchObject({ name, generation: 2, stage: 'live', parked: 0 })
    }
    expect(progress.at(-1)).toBe(1)
    expect(await Promise.all(PROJECTIONS.map(({ name }) => bytesOf(rig.documents, name)))).toEqual(before)

    // The group has to notice by itself that others took the places of its read models.
    position = await rig.append('note-0', [written('b')])
    await until(async () => (await note('notes-v1-g2', '0'))?.text === 'b')
    expect(await note('notes-v1-g1', '0')).toEqual({ _id: '0', text: 'a', writes: 1 })
    await arrived(position)
    expect(projections.states().desk).toEqual({ state: 'running', error: null, parked: 0 })
    expect(await dropOldGenerations(rig.documents.db, PROJECTIONS)).toEqual([])
    const dropped = await dropOldGenerations(rig.documents.db, PROJECTIONS, { grace: 0 })
    expect([...dropped].sort()).toEqual(['neighbours-v1-g1', 'notes-v1-g1', 'tags-v1-g1', 'views-v1-g1'])
    expect(await note('notes-v1-g1', '0')).toBeNull()
  })

  it('joins while events keep coming', async () => {
    const projections = start()
    let writing = true
    let writes = 0
    const writer = (async () => {
      while (writing) {
        await rig.append('note-1', [written(`a${writes}`)])
        writes++
      }
    })()
    await until(async () => (await note('notes-v1-g1', '1')) !== null)
    const rebuilt = await projections.rebuild('notes', { limits: { events: 50 } })
    expect(rebuilt.id).toBe('notes-v1-g2')
    writing = false
    await writer
    await until(async () => (await note('notes-v1-g2', '1'))?.writes === writes)
    expect((await note('notes-v1-g2', '1'))?.text).toBe(`a${writes - 1}`)
  })

  it('starts over when an earlier one was cut off', async () => {
    start()
    const position = await rig.append('note-1', [written('a'), written('b'), written('c')])
    await arrived(position)
    const documents = rig.connect()
    const abort = new AbortController()
    const cut = rebuildProjection(rig.sources(PROJECTIONS, documents), 'notes', {
      limits: { events: 1 },
      signal: abort.signal,
    })
    const outcome = cut.catch((error: unknown) => error)
    await until(
      async () =>
        (await rig.documents.db.collection('projections').findOne({ name: 'notes', stage: 'building' })) ??
        (await rig.documents.db.collection('projections').findOne({ name: 'notes', generation: 2 })),
    )
    await documents.client.close(true)
    const rebuilt = await rebuildProjection(rig.sources(), 'notes')
    expect(rebuilt.stage).toBe('live')
    expect(await note(rebuilt.id, '1')).toEqual({ _id: '1', text: 'c', writes: 3 })
    const live = await rig.documents.db.collection('projections').find({ name: 'notes', stage: 'live' }).toArray()
    expect(live).toHaveLength(1)
    await documents.close()
    abort.abort()
    await outcome
  })

  it('refuses an unknown name', async () => {
    await expect(rebuildProjection(rig.sources(), 'nothing')).rejects.toThrow(NotFound)
  })
})

describe('an event that cannot be folded', () => {
  const broken = notes(text => text === 'poison')

  it('parks its document and no other one, until a rebuild with better code', async () => {
    const failing = [broken, tags, ...PROJECTIONS.slice(2)]
    const projections = start(failing)
    await rig.append('note-1', [written('a'), written('poison'), written('after')])
    const position = await rig.append('note-2', [written('b')])
    await arrived(position)
    expect(await note('notes-v1-g1', '1')).toEqual({ _id: '1', text: 'a', writes: 1 })
    expect(await note('notes-v1-g1', '2')).toEqual({ _id: '2', text: 'b', writes: 1 })
    await rig.append('note-1', [written('later')])
    await until(async () => (await projections.status())[0]?.parked === 3)
    const [parked] = await parkedDocuments(rig.sources())
    expect(parked).toMatchObject({ key: '1', generation: 'notes-v1-g1', error: 'cannot fold poison', events: 3 })
    expect(parked?.positions).toHaveLength(3)
    expect(projections.states().desk?.state).toBe('running')

    await projections.stop()
    const mended = start()
    await mended.rebuild('notes')
    expect(await note('notes-v1-g2', '1')).toEqual({ _id: '1', text: 'later', writes: 4 })
    expect((await mended.status())[0]?.parked).toBe(0)
    await dropOldGenerations(rig.documents.db, PROJECTIONS, { grace: 0 })
    expect(await parkedDocuments(rig.sources())).toEqual([])
  })

  it('halts the group of a read model that is computed as a whole, and no other group', async () => {
    const projections = start([notes(), tags, neighbours(text => text === 'poison')])
    await rig.append('note-1', [written('a')])
    await rig.append('note-2', [written('poison')])
    await until(() => Promise.resolve(projections.states().corpus?.state === 'halted'))
    expect(projections.states().corpus?.error).toContain('cannot fold poison')
    await until(async () => (await note('notes-v1-g1', '2'))?.text === 'poison')
    // What came before the poison was not lost.
    expect(await rig.documents.db.collection('neighbours-v1-g1').find({}).toArray()).toEqual([
      { _id: '1', order: 1, before: null },
    ])
    // An alarm, and no reason to serve nothing: not even after a restart.
    expect(await projections.ready()).toBe(true)
    await projections.stop()
    const again = start([notes(), tags, neighbours(text => text === 'poison')])
    await until(() => again.ready())
  })

  it('parks what the store refuses, not what is beside it', async () => {
    const unique: AnyProjection = { ...notes(), indexes: [{ key: { text: 1 }, unique: true }] }
    start([unique])
    await rig.append('note-1', [written('same')])
    await rig.append('note-2', [written('same')])
    await rig.append('note-3', [written('other')])
    await until(async () => (await note('notes-v1-g1', '3'))?.text === 'other')
    expect(await note('notes-v1-g1', '1')).not.toBeNull()
    expect(await note('notes-v1-g1', '2')).toBeNull()
    expect(await parkedDocuments(rig.sources())).toMatchObject([{ key: '2', events: 1 }])
  })
})
