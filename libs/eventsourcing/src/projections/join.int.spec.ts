// Read models that meet: the one that joins may stand behind the others, or have looked further along the log.
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { type AnyProjection } from '../projection'
import { DEFAULT_LIMITS } from './batches'
import { liveGenerations } from './generation'
import { join, type Joined } from './join'
import { membersOf } from './members'
import { GROUPS, notes, type Rig, startRig, tags, until, written } from './rig.spec'
import { startProjections } from './start'
import { Suspicion, Wing } from './wing'

let rig: Rig
beforeEach(async () => {
  rig = await startRig()
})
afterEach(() => rig.close())

const checkpoints = async () =>
  (await liveGenerations(rig.documents.db, [notes(), tags])).map(({ checkpoint }) => checkpoint)
const positionOf = async (name: string) => (await checkpoints()).find(at => at.name === name)?.position ?? null

/** Runs one read model by itself until it stands at a position. */
const bringTo = async (projection: AnyProjection, position: string): Promise<void> => {
  const alone = startProjections({ ...rig.sources([projection]), limits: { quiet: 10 } })
  await until(async () => (await positionOf(projection.name)) === position)
  await alone.stop()
}

/** Lets the notes join the tags. */
const joining = async (): Promise<Joined> => {
  const { log, documents } = rig
  const tools = { log, documents, categories: GROUPS.desk, limits: DEFAULT_LIMITS, suspicion: new Suspicion() }
  const wing = new Wing(tools, await membersOf(documents, await liveGenerations(documents.db, [notes()])))
  return join(tools, wing, ['tags-v1-g1'], { replace: false })
}

const elsewhere = () => rig.append('views-1', [{ type: 'NotesViewed', data: { views: [['1', 1]] } }])

it('joins from behind, with what lies in between', async () => {
  await bringTo(notes(), await rig.append('note-1', [written('a')]))
  await bringTo(tags, await rig.append('note-1', [written('b')]))
  expect(await joining()).toBe('joined')
  expect(await rig.documents.db.collection('notes-v1-g1').findOne({})).toEqual({ _id: '1', text: 'b', writes: 2 })
  expect(await positionOf('notes')).toBe(await positionOf('tags'))
})

it('joins from ahead when nothing lies in between: the others come along', async () => {
  await bringTo(tags, await rig.append('note-1', [written('a')]))
  const position = await elsewhere()
  await bringTo(notes(), position)
  expect(await joining()).toBe('joined')
  expect((await checkpoints()).map(at => at.position)).toEqual([position, position])
})

it('does nothing when the others lack events that it has', async () => {
  const before = await rig.append('note-1', [written('a')])
  await bringTo(tags, before)
  await bringTo(notes(), await rig.append('note-1', [written('b')]))
  expect(await joining()).toBe('behind')
  expect(await positionOf('tags')).toBe(before)
})
