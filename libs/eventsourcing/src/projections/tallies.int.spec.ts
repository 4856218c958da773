// How many documents count for a name: exact in batches of any size, and without a trace of what came to nothing.
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type QueryDefinition } from '../projection'
import { readSide } from './read-side'
import { bytesOf, type Fact, type Note, notes, type Rig, startRig, until, written } from './rig.spec'
import { startProjections } from './start'

let rig: Rig
beforeEach(async () => {
  rig = await startRig()
})
afterEach(() => rig.close())

/** Every note counts for its text, and once more for all. */
const tallied = { ...notes(), tallies: ({ text }: Note) => [text, 'all', 'all'] }
const TEXTS = ['a', 'b', 'c']

class CountNotes {}
const countNotes: QueryDefinition<CountNotes, number[]> = {
  query: CountNotes,
  reads: [tallied],
  answer: (_, read) => read.of(tallied).tallies([...TEXTS, 'all', 'none']),
}

const facts = fc.array(
  fc.tuple(fc.constantFrom('note-1', 'note-2', 'note-3', 'note-4'), fc.constantFrom(...TEXTS, null)),
  { minLength: 5, maxLength: 30 },
)

it('is what counting them would give, and the same bytes in batches of 1, 7 and 500', async () => {
  const texts = new Map<string, string>()
  let round = 0
  await fc.assert(
    fc.asyncProperty(facts, async history => {
      round++
      for (const [stream, text] of history) {
        const erased: Fact = { type: 'NoteErased', data: {} }
        await rig.append(stream, [text === null ? erased : written(text)])
        if (text === null) texts.delete(stream)
        else texts.set(stream, text)
      }
      const bytes: string[] = []
      for (const events of [1, 7, 500]) {
        const documents = rig.connect(`round${round}-${events}`)
        const sources = rig.sources([tallied], documents)
        const projections = startProjections({ ...sources, limits: { events, wait: 20 } })
        const side = readSide(sources)
        await until(() => projections.ready())
        await until(() => side.ready())
        const { answer } = await side.answer(countNotes, new CountNotes())
        const counted = TEXTS.map(text => [...texts.values()].filter(known => known === text).length)
        expect(answer).toEqual([...counted, texts.size, 0])
        side.stop()
        await projections.stop()
        bytes.push(await bytesOf(documents, 'notes'))
      }
      expect(bytes[1]).toEqual(bytes[0])
      expect(bytes[2]).toEqual(bytes[0])
    }),
    { numRuns: 3 },
  )
}, 60_000)
