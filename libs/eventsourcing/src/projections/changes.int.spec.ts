// What commits say they have written, to whoever looks at some time later.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { awaiting, type QueryDefinition } from '../projection'
import { changesSince } from './changes'
import { readSide } from './read-side'
import { type notes, PROJECTIONS, type Rig, startRig, written } from './rig.spec'
import { startProjections } from './start'

class GetCount {}
const known = PROJECTIONS[0] as ReturnType<typeof notes>
const getCount: QueryDefinition<GetCount, number> = {
  query: GetCount,
  reads: [known],
  answer: (_query, read) => read.of(known).count({}),
}
const GENERATION = 'notes-v1-g1'

describe('the changes of a generation', () => {
  let rig: Rig
  beforeEach(async () => {
    rig = await startRig()
  })
  afterEach(() => rig.close())

  const since = async (position: string | null) =>
    (await changesSince(rig.documents.db, new Map([[GENERATION, position]]))).get(GENERATION)

  it('are named commit by commit, and all that is not remembered may have changed', async () => {
    const projections = startProjections(rig.sources())
    const side = readSide(rig.sources())
    const positions: string[] = []
    for (let i = 0; i < 40; i++) {
      const position = await rig.append(`note-${i}`, [written('a')])
      // Committed before the next one comes: a commit each.
      await side.answer(getCount, awaiting(new GetCount(), { position }))
      positions.push(position)
    }
    const last = positions.length - 1
    expect(await since(positions[last] ?? '')).toEqual([])
    expect(await since(positions[last - 2] ?? '')).toEqual([`${last - 1}`, `${last}`])
    expect(await since(positions[last - 31] ?? '')).toHaveLength(31)
    expect(await since(positions[last - 32] ?? '')).toBeNull()
    expect(await since(null)).toBeNull()
    const tagged = await rig.append('note-1', [{ type: 'NoteTagged', data: { tags: ['x'] } }])
    await side.answer(getCount, awaiting(new GetCount(), { position: tagged }))
    expect(await since(positions[last] ?? '')).toEqual([])
    side.stop()
    await projections.stop()
  })

  it('are not named when there are too many of them, and none are when nothing was written', async () => {
    for (let i = 0; i < 65; i++) await rig.append(`note-${i}`, [written('a')])
    const position = await rig.append('note-65', [written('a')])
    expect(await since(null)).toEqual([])
    const projections = startProjections({ ...rig.sources(), limits: { events: 66 } })
    const side = readSide(rig.sources())
    await side.answer(getCount, awaiting(new GetCount(), { position }))
    expect(await since(null)).toBeNull()
    expect(await since(position)).toEqual([])
    side.stop()
    await projections.stop()
  })
})
