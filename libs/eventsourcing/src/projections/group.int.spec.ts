// A group beside the log: live, after failures, and beside another process.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { type RunningProjections } from './contract'
import { startProjections } from './start'
import { type Note, notes, PROJECTIONS, type Rig, startRig, until, written } from './rig.spec'

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
const start = (...options: Parameters<typeof startProjections>) => {
  const projections = startProjections(...options)
  running.push(projections)
  return projections
}
const note = (id: string) => rig.documents.db.collection<Note>('notes-v1-g1').findOne({ _id: id })

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
    expect(desk).toMatchObject({ group: 'desk', position, end: position, lag: { events: 0, more: false, seconds: 0 } })
    expect(desk).toMatchObject({ state: 'running', error: null, parked: 0 })
    expect(PROJECTIONS.map(({ name }) => name)).toEqual(['notes', 'tags', 'views', 'neighbours'])
    expect(notes().name).toBe('notes')
  })
})
