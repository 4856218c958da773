// A group beside the log: live, in batches of any size, after failures, and beside another process.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Unavailable } from '../errors'
import { comparePositions } from '../event'
import { type ProjectionsOptions, type RunningProjections } from './contract'
import { bytesOf, type Fact, type Note, notes, PROJECTIONS, type Rig, startRig, tags, until, written } from './rig.spec'
import { startProjections } from './start'

let rig: Rig
let running: RunningProjections[]
beforeEach(async () => {
  rig = await startRig()
  running = []
})
afterEach(async () => {
  await Promise.all(running.map(projections => projections.stop()))
  await rig.close()
})
const start = (options: ProjectionsOptions) => {
  const projections = startProjections(options)
  running.push(projections)
  return projections
}
const note = (id: string, generation = 'notes-v1-g1') =>
  rig.documents.db.collection<Note>(generation).findOne({ _id: id })
const all = (documents = rig.documents) => Promise.all(PROJECTIONS.map(({ name }) => bytesOf(documents, name)))

describe('a group', () => {
  it('folds what is in the log and what comes', async () => {
    await rig.append('note-1', [written('a'), written('b')])
    const projections = start(rig.sources())
    await until(async () => (await note('1'))?.text === 'b')
    const position = await rig.append('note-2', [written('c')])
    await until(async () => (await note('2'))?.text === 'c')
    expect(await note('1')).toEqual({ _id: '1', text: 'b', writes: 2 })
    await until(async () => (await projections.status()).find(({ group }) => group === 'corpus')?.position === position)
    expect(await until(() => projections.ready())).toBe(true)
    const [desk] = await projections.status()
    expect(desk).toMatchObject({ group: 'desk', position, lag: { events: 0, more: false, seconds: 0 } })
    expect(desk).toMatchObject({ state: 'running', error: null, parked: 0 })
  })

  it('moves its checkpoint over what is not its own, and loses nothing that comes meanwhile', async () => {
    const views = (n: number) =>
      rig.append(`views-${n}`, Array<Fact>(50).fill({ type: 'NotesViewed', data: { views: [['1', 1]] } }))
    start({ ...rig.sources(), limits: { quiet: 20 } })
    await rig.append('note-1', [written('a')])
    const flood = await views(0)
    await until(() => stand('notes', flood))
    for (let n = 1; n <= 30; n++) await Promise.all([views(n), rig.append('note-1', [written(`${n}`)])])
    const last = await views(31)
    await until(() => stand('notes', last))
    await until(() => stand('tags', last))
    expect(await note('1')).toEqual({ _id: '1', text: '30', writes: 31 })
    // Whoever starts from there reads what follows, and nothing twice.
    await Promise.all(running.map(projections => projections.stop()))
    const again = start(rig.sources())
    await until(() => again.ready())
    await rig.append('note-1', [written('b')])
    await until(async () => (await note('1'))?.text === 'b')
    expect((await note('1'))?.writes).toBe(32)
  })

  it('takes up a read model that has looked further along the log than itself', async () => {
    const old = startProjections(rig.sources([tags]))
    await rig.append('note-1', [written('a'), { type: 'NoteTagged', data: { tags: ['t'] } }])
    await until(() => old.ready())
    await old.stop()
    const flood = await rig.append('views-1', [{ type: 'NotesViewed', data: { views: [['1', 1]] } }])
    // Of two that hold the same one stands further along, as a rebuild beside the other may leave it.
    const alone = startProjections({ ...rig.sources([notes()]), limits: { quiet: 10 } })
    await until(() => stand('notes', flood))
    await alone.stop()
    start(rig.sources([notes(), tags]))
    await until(() => stand('tags', flood))
    await rig.append('note-1', [written('b'), { type: 'NoteTagged', data: { tags: ['t'] } }])
    await until(async () => (await note('1'))?.text === 'b')
    expect((await note('1'))?.writes).toBe(2)
    // Each read model is committed by itself.
    const tag = () => rig.documents.db.collection<{ _id: string; notes: string[] }>('tags-v1-g1').findOne({})
    await until(async () => (await tag())!.notes.length > 1)
    expect(await tag()).toEqual({ _id: 't', notes: ['1', '1'] })
  })

  /** Whether a read model stands at a position. */
  const stand = async (name: string, position: string): Promise<boolean> =>
    (await rig.documents.db.collection('projections').findOne({ name }))?.position === position

  it('gives the same bytes in batches of 1, 7 and 500', async () => {
    let round = 0
    const recorded: [string, Fact][] = []
    await fc.assert(
      fc.asyncProperty(history, async facts => {
        round++
        for (const [stream, fact] of facts) {
          await rig.append(`${stream}${round}`, [fact])
          recorded.push([`${stream}${round}`, fact])
        }
        const results: string[][] = []
        for (const events of [1, 7, 500]) {
          const documents = rig.connect(`round${round}-${events}`)
          const projections = startProjections({ ...rig.sources(PROJECTIONS, documents), limits: { events, wait: 20 } })
          await until(() => projections.ready())
          await projections.stop()
          results.push(await all(documents))
          expect(await documents.db.collection('notes-v1-g1').find().sort({ _id: 1 }).toArray()).toEqual(
            notesOf(recorded),
          )
        }
        expect(results[1]).toEqual(results[0])
        expect(results[2]).toEqual(results[0])
      }),
      { numRuns: 3 },
    )
  })

  it('does every effect once beside a process that is cut off again and again', async () => {
    const positions: (string | null)[] = []
    const steady = start({ ...rig.sources(), limits: { events: 5, wait: 5 } })
    let [writing, rounds, cuts] = [true, 0, 0]
    const writer = (async () => {
      for (; cuts < 5; rounds++)
        for (const id of ['1', '2', '3']) {
          await rig.append(`note-${id}`, [written('first'), written('second'), written(`${id}.${rounds}`)])
          await rig.append(`views-${id}`, [{ type: 'NotesViewed', data: { views: [[id, 1]] } }])
        }
      writing = false
    })()
    const watcher = (async () => {
      while (writing) {
        const checkpoint = await rig.documents.db
          .collection<{ _id: string; position: string | null }>('projections')
          .findOne({ _id: 'notes-v1-g1' })
        if (checkpoint) positions.push(checkpoint.position)
        await new Promise(resolve => setTimeout(resolve, 5))
      }
    })()
    while (writing) {
      const documents = rig.connect()
      const other = startProjections({ ...rig.sources(PROJECTIONS, documents), limits: { events: 3, wait: 5 } })
      await new Promise(resolve => setTimeout(resolve, 150))
      // Its connections go away in the middle of whatever it does, transactions included.
      await documents.client.close(true)
      await other.stop()
      cuts++
    }
    await Promise.all([writer, watcher])
    await until(async () => (await steady.status()).every(({ lag }) => lag.events === 0))
    for (const id of ['1', '2', '3'])
      expect(await note(id)).toEqual({ _id: id, text: `${id}.${rounds - 1}`, writes: 3 * rounds })
    const viewed = await rig.documents.db
      .collection('views-v1-g1')
      .find({}, { sort: { _id: 1 } })
      .toArray()
    expect(viewed).toEqual(['1', '2', '3'].map(_id => ({ _id, views: rounds })))
    for (const [index, position] of positions.entries())
      expect(comparePositions(position, positions[index - 1] ?? null)).toBeGreaterThanOrEqual(0)
  })

  it('goes on by itself after the document store was gone', async () => {
    const errors: unknown[] = []
    const projections = start({ ...rig.sources(), onError: (_group, error) => errors.push(error) })
    await rig.append('note-1', [written('a')])
    await until(async () => (await note('1'))?.text === 'a')
    await rig.stopDocuments()
    const position = await rig.append('note-1', [written('b')])
    await until(() => Promise.resolve(projections.states().desk?.state === 'backing-off'))
    await rig.startDocuments()
    await until(async () => (await note('1'))?.text === 'b')
    expect(await note('1')).toEqual({ _id: '1', text: 'b', writes: 2 })
    await until(async () =>
      (await projections.status()).every(({ group, position: at }) => group === 'audience' || at === position),
    )
    expect(errors.length).toBeGreaterThan(0)
    for (const error of errors) expect(error).toBeInstanceOf(Unavailable)
  })

  it('is not ready while it fails for longer than it may', async () => {
    const projections = start({ ...rig.sources(), failingFor: 100 })
    const patient = start({ ...rig.sources(PROJECTIONS, rig.connect()) })
    await rig.append('note-1', [written('a')])
    await until(() => projections.ready())
    await until(() => patient.ready())
    await rig.stopDocuments()
    await rig.append('note-1', [written('b')])
    await until(async () => !(await projections.ready()))
    expect(await patient.ready()).toBe(true)
    await rig.startDocuments()
    await until(() => projections.ready())
  })

  it('takes over when the other process ends', async () => {
    const first = startProjections(rig.sources())
    await rig.append('note-1', [written('a')])
    await until(async () => (await note('1'))?.text === 'a')
    const second = start(rig.sources(PROJECTIONS, rig.connect()))
    // Both want this one; whoever loses stands by.
    for (let i = 0; i < 20; i++) await rig.append('note-1', [written(`a${i}`)])
    await until(async () => (await note('1'))?.text === 'a19')
    await first.stop()
    await rig.append('note-1', [written('b')])
    await until(async () => (await note('1'))?.text === 'b')
    expect((await note('1'))?.writes).toBe(22)
    await until(() => second.ready())
  })

  it('builds a new version beside the old one, which goes on', async () => {
    const old = start(rig.sources())
    for (let i = 0; i < 40; i++)
      await rig.append(`note-${i}`, [written('a'), { type: 'NoteTagged', data: { tags: ['t'] } }])
    await until(() => old.ready())
    const next = [notes(undefined, 2), ...PROJECTIONS.slice(1)]
    const deployed = start(rig.sources(next, rig.connect()))
    await until(() => deployed.ready())
    await rig.append('note-0', [written('b')])
    await until(async () => (await note('0', 'notes-v2-g1'))?.text === 'b')
    await until(async () => (await note('0', 'notes-v1-g1'))?.text === 'b')
    await old.stop()
    const position = await rig.append('note-0', [written('c')])
    await until(async () => (await note('0', 'notes-v2-g1'))?.text === 'c')
    expect(await note('0', 'notes-v2-g1')).toEqual({ _id: '0', text: 'c', writes: 3 })
    // One set again: what was shared and what is new stand together.
    await until(() => allAt(position, 'notes-v1-g1'))
  })

  it('takes over what two versions share, whichever of them ends', async () => {
    const versions = [PROJECTIONS, [notes(undefined, 2), ...PROJECTIONS.slice(1)]] as const
    const old = start(rig.sources(versions[0]))
    await rig.append('note-0', [written('a'), { type: 'NoteTagged', data: { tags: ['t'] } }])
    await until(() => old.ready())
    const deployed = start(rig.sources(versions[1], rig.connect()))
    await until(() => deployed.ready())
    // Until both have settled: one leads, the other one brings on what is its own alone.
    const stateOf = (process: RunningProjections) => process.states().desk?.state
    let n = 0
    await until(async () => {
      await rig.append('note-0', [written(`more ${n++}`)])
      return [old, deployed].some(process => stateOf(process) === 'standby')
    })
    const [ending, staying] = stateOf(old) === 'standby' ? [deployed, old] : [old, deployed]
    await until(() => allAt(null, ''))
    await ending.stop()
    const position = await rig.append('note-0', [written('last')])
    await until(() => allAt(position, staying === old ? 'notes-v2-g1' : 'notes-v1-g1'))
  })

  /** Whether all checkpoints of the group but one stand together: at a position, or anywhere. */
  const allAt = async (position: string | null, but: string): Promise<boolean> => {
    const checkpoints = await rig.documents.db
      .collection('projections')
      .find({ group: 'desk', _id: { $ne: but as never } })
      .toArray()
    const wanted: unknown = position ?? checkpoints[0]?.position
    return checkpoints.length > 1 && checkpoints.every(at => at.position === wanted)
  }
})

/** The notes after these facts, worked out without a group: what the batches have to arrive at. */
const notesOf = (facts: readonly (readonly [string, Fact])[]): Note[] => {
  const notes = new Map<string, Note>()
  for (const [stream, { type, data }] of facts) {
    const _id = stream.slice(stream.indexOf('-') + 1)
    if (type === 'NoteWritten') notes.set(_id, { _id, text: data.text, writes: (notes.get(_id)?.writes ?? 0) + 1 })
    if (type === 'NoteErased') notes.delete(_id)
  }
  return [...notes.values()].sort((one, other) => (one._id < other._id ? -1 : 1))
}

/** Histories over few notes, so that a document changes often within a batch and over batches. */
const id = fc.constantFrom('1', '2', '3', '4')
const history = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.tuple(
        id.map(id => `note-${id}`),
        fc.string().map(written),
      ),
    },
    {
      weight: 2,
      arbitrary: fc.tuple(
        id.map(id => `note-${id}`),
        fc.array(fc.constantFrom('x', 'y', 'z')).map((tags): Fact => ({ type: 'NoteTagged', data: { tags } })),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(
        id.map(id => `note-${id}`),
        fc.constant<Fact>({ type: 'NoteErased', data: {} }),
      ),
    },
    {
      weight: 2,
      arbitrary: fc.tuple(
        fc.constant('views-a'),
        fc
          .array(fc.tuple(id, fc.integer({ min: 1, max: 9 })))
          .map((views): Fact => ({ type: 'NotesViewed', data: { views } })),
      ),
    },
  ),
  { minLength: 1, maxLength: 40 },
)
