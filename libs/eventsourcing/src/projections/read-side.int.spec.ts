// Queries over the read models: waiting for a position, what is kept in memory and for how long, whose database it is.
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Invalid, RuleBroken, Unavailable } from '../errors'
import { awaiting, type QueryDefinition } from '../projection'
import { claimDatabase } from './claim'
import { type RunningProjections, type RunningReadSide } from './contract'
import { readSide } from './read-side'
import { neighbours, type Note, notes, PROJECTIONS, type Rig, startRig, until, views, written } from './rig.spec'
import { startProjections } from './start'

class GetNote {
  constructor(readonly id: string) {}
}
const known = PROJECTIONS[0] as ReturnType<typeof notes>
const getNote: QueryDefinition<GetNote, { note: Note | null; asOf: string }> = {
  query: GetNote,
  reads: [known],
  answer: async ({ id }, read, asOf) => ({ note: await read.of(known).get(id), asOf: asOf.toISOString() }),
}

let rig: Rig
let projections: RunningProjections
let side: RunningReadSide
beforeEach(async () => {
  rig = await startRig()
  projections = startProjections(rig.sources())
  side = readSide(rig.sources())
})
afterEach(async () => {
  side.stop()
  await projections.stop()
  await rig.close()
})

describe('a query', () => {
  it('sees what it waits for, every time', async () => {
    for (let i = 0; i < 20; i++) {
      const position = await rig.append('note-1', [written(`text ${i}`)])
      const { answer, position: held } = await side.answer(getNote, awaiting(new GetNote('1'), { position }))
      expect(answer.note?.text).toBe(`text ${i}`)
      expect(held).toBe(position)
    }
    expect(await until(() => side.ready())).toBe(true)
  })

  it('does not wait for an event that its read models do not follow', async () => {
    await rig.append('note-1', [written('a')])
    const position = await rig.append('views-1', [{ type: 'NotesViewed', data: { views: [['1', 1]] } }])
    const { answer, position: held } = await side.answer(getNote, awaiting(new GetNote('1'), { position }))
    expect(answer.note?.text).toBe('a')
    expect(held).toBe(position)
  })

  it('is told when a position is not reached, and when it is none', async () => {
    const position = await rig.append('note-1', [written('a')])
    const beyond = String(BigInt(position) + 1_000_000n)
    const waiting = side.answer(getNote, awaiting(new GetNote('1'), { position: beyond }))
    await expect(waiting).rejects.toThrow(Unavailable)
    await expect(side.answer(getNote, awaiting(new GetNote('1'), { position: '1e3' }))).rejects.toThrow(Invalid)
  })

  it('answers as of a time that it is given', async () => {
    await until(() => projections.ready())
    const asOf = new Date('2020-01-01T00:00:00.000Z')
    const { answer } = await side.answer(getNote, awaiting(new GetNote('1'), { asOf }))
    expect(answer).toEqual({ note: null, asOf: '2020-01-01T00:00:00.000Z' })
  })

  it('is answered from memory until that very document has changed', async () => {
    const position = await rig.append('note-1', [written('a')])
    await side.answer(getNote, awaiting(new GetNote('1'), { position }))
    await side.answer(getNote, new GetNote('1'))
    // Changed behind everybody's back: what is in memory shows.
    await rig.documents.db.collection<Note>('notes-v1-g1').updateOne({ _id: '1' }, { $set: { text: 'planted' } })
    const other = await rig.append('note-2', [written('b')])
    await side.answer(getNote, awaiting(new GetNote('2'), { position: other }))
    expect((await side.answer(getNote, new GetNote('1'))).answer.note?.text).toBe('a')
    await rig.append('note-1', [written('c')])
    await until(async () => (await side.answer(getNote, new GetNote('1'))).answer.note?.text === 'c')
  })

  describe('stands', () => {
    const ids: QueryDefinition<GetNote, string[]> = {
      query: GetNote,
      reads: [known],
      answer: async (_query, read) => (await read.of(known).find({}, { limit: 10 })).map(({ _id }) => _id),
    }
    const both: QueryDefinition<GetNote, number> = {
      query: GetNote,
      reads: [known],
      answer: async ({ id }, read) => (await read.ask(getNote, new GetNote(id))).note?.writes ?? 0,
    }
    const asked = async <Answer>(definition: QueryDefinition<GetNote, Answer>, position: string, id = '1') =>
      (await side.answer(definition, awaiting(new GetNote(id), { position }))).standing

    it('until one of the documents has changed that it was made of, wherever they were written', async () => {
      const position = await rig.append('note-1', [written('a')])
      const one = await asked(getNote, position)
      const within = await asked(both, position)
      const none = await asked(getNote, position, 'none')
      const all = await asked(ids, position)
      expect([one, within, none, all].map(standing => standing.holds())).toEqual(Array(4).fill(position))
      expect([one.read(known), within.read(known), all.read(known)]).toEqual([['1'], ['1'], []])

      // Moves the read model and writes nothing.
      const tagged = await rig.append('note-1', [{ type: 'NoteTagged', data: { tags: ['x'] } }])
      await asked(getNote, tagged)
      expect([one, within, none, all].map(standing => standing.holds())).toEqual(Array(4).fill(tagged))

      const other = await rig.append('note-2', [written('b')])
      await asked(getNote, other)
      expect([one, within, none, all].map(standing => standing.holds())).toEqual([other, other, other, null])

      await asked(getNote, await rig.append('note-1', [written('c')]))
      expect([one, within].map(standing => standing.holds())).toEqual([null, null])
      await asked(getNote, await rig.append('note-none', [written('d')]))
      expect(none.holds()).toBeNull()
    })

    it('no longer when its generation was replaced', async () => {
      const one = await asked(getNote, await rig.append('note-1', [written('a')]))
      await projections.rebuild('notes')
      await until(() => Promise.resolve(one.holds() === null && true))
      expect((await side.answer(getNote, new GetNote('1'))).standing.holds()).not.toBeNull()
    })
  })

  it('shares a kept answer with equal queries, and with none that asks for a position', async () => {
    let computed = 0
    const kept: QueryDefinition<GetNote, number> = {
      query: GetNote,
      reads: [views],
      keep: 1_000,
      answer: () => Promise.resolve(++computed),
    }
    const outer: QueryDefinition<GetNote, number> = {
      query: GetNote,
      reads: [views],
      answer: (query, read) => read.ask(kept, query),
    }
    await until(() => projections.ready())
    const answers = await Promise.all([side.answer(kept, new GetNote('1')), side.answer(outer, new GetNote('1'))])
    expect(answers.map(({ answer }) => answer)).toEqual([1, 1])
    expect((await side.answer(kept, new GetNote('2'))).answer).toBe(2)
    expect((await side.answer(outer, awaiting(new GetNote('1'), { position: '0' }))).answer).toBe(3)
    expect((await side.answer(kept, awaiting(new GetNote('1'), { asOf: new Date() }))).answer).toBe(4)
  })

  it('is not answered from memory once it does not stand any more, whatever drifts', async () => {
    const kept: QueryDefinition<GetNote, string | null> = {
      query: GetNote,
      reads: [views, known],
      keep: 1_000,
      drifting: [views],
      answer: async ({ id }, read) => {
        await read.of(views).get(id)
        return (await read.of(known).get(id))?.text ?? null
      },
    }
    const { standing } = await side.answer(
      kept,
      awaiting(new GetNote('1'), { position: await rig.append('note-9', [written('b')]) }),
    )
    const seen = await rig.append('views-1', [{ type: 'NotesViewed', data: { views: [['1', 1]] } }])
    await until(
      async () =>
        (await rig.documents.db.collection<{ position: string }>('projections').findOne({ name: 'views' }))
          ?.position === seen,
    )
    await side.answer(getNote, new GetNote('1'))
    expect(standing.holds()).not.toBeNull()
    for (let i = 0; i < 5; i++) {
      const position = await rig.append('note-1', [written(`text ${i}`)])
      await side.answer(getNote, awaiting(new GetNote('1'), { position }))
      expect((await side.answer(kept, new GetNote('1'))).answer).toBe(`text ${i}`)
    }
  })

  it('is not kept beyond the time at which the answer changes by itself, which outer answers hold for too', async () => {
    await until(() => projections.ready())
    let computed = 0
    const turn = Date.now() + 500
    const kept: QueryDefinition<GetNote, number> = {
      query: GetNote,
      reads: [views],
      keep: 1_000,
      answer: (_query, read, asOf) => {
        read.holdsUntil('2999-01-01T00:00:00.000Z')
        if (asOf.getTime() < turn) read.holdsUntil(new Date(turn).toISOString())
        computed++
        return Promise.resolve(asOf.getTime() < turn ? 1 : 2)
      },
    }
    const outer: QueryDefinition<GetNote, number> = {
      query: GetNote,
      reads: [views],
      answer: (query, read) => read.ask(kept, query),
    }
    const [first, second] = [await side.answer(outer, new GetNote('1')), await side.answer(kept, new GetNote('1'))]
    // A busy machine may have slept through the interval.
    if (Date.now() < turn) expect([first.answer, second.answer, computed]).toEqual([1, 1, 1])
    await until(() => Promise.resolve(Date.now() >= turn))
    expect([first.standing.holds(), second.standing.holds()]).toEqual([null, null])
    expect((await side.answer(kept, new GetNote('1'))).answer).toBe(2)
    expect((await side.answer(outer, new GetNote('1'))).standing.holds()).not.toBeNull()
  })

  it('is preceded by a look at what has moved, and looks go on while somebody relies on them', async () => {
    const looks: number[] = []
    let relied = true
    const looking = readSide({
      ...rig.sources(),
      onLook: ({ began }) => {
        looks.push(began)
        return relied
      },
    })
    const position = await rig.append('note-1', [written('a')])
    await looking.answer(getNote, awaiting(new GetNote('1'), { position }))
    expect(looks.length).toBeGreaterThan(0)
    // Idle looks would have ended after two seconds.
    const began = performance.now()
    while (performance.now() - began < 2_500) await new Promise(resolve => setImmediate(resolve))
    const before = looks.length
    expect(await until(() => Promise.resolve(looks.length > before))).toBe(true)
    relied = false
    looking.stop()
  })

  it('finds a document by a field, gathered with others', async () => {
    await until(() => projections.ready())
    const positions = [await rig.append('note-1', [written('a')]), await rig.append('note-2', [written('b')])]
    const byText: QueryDefinition<GetNote, (string | undefined)[]> = {
      query: GetNote,
      reads: [known],
      answer: async (_query, read) => {
        const notes = await Promise.all(['a', 'b', 'c', 'a'].map(text => read.of(known).having('text', text)))
        return notes.map(note => note?._id)
      },
    }
    const { answer } = await side.answer(byText, awaiting(new GetNote('1'), { position: positions[1] ?? '' }))
    expect(answer).toEqual(['1', '2', undefined, '1'])
  })

  it('is Unavailable while the document store is gone, and answered again after', async () => {
    await rig.append('note-1', [written('a')])
    await until(async () => (await side.answer(getNote, new GetNote('1')).catch(() => null))?.answer.note)
    await rig.stopDocuments()
    await until(() =>
      side.answer(getNote, new GetNote('1')).then(
        () => false,
        (error: unknown) => error instanceof Unavailable,
      ),
    )
    await rig.startDocuments()
    await until(() =>
      side.answer(getNote, new GetNote('1')).then(
        ({ answer }) => answer.note?.text === 'a',
        () => false,
      ),
    )
  })

  it('is Unavailable where nothing was ever built', async () => {
    const other = readSide(rig.sources([notes(undefined, 7), neighbours()]))
    const seventh: typeof getNote = {
      ...getNote,
      answer: async (_query, read, asOf) => ({
        note: await read.of(notes(undefined, 7)).get('1'),
        asOf: asOf.toISOString(),
      }),
    }
    await expect(other.answer(seventh, new GetNote('1'))).rejects.toThrow('has not been built yet')
    expect(await other.ready()).toBe(false)
    other.stop()
  })
})

describe('the database', () => {
  it("is one newsroom's, and no further than its log", async () => {
    const id = randomUUID()
    await Promise.all([claimDatabase(rig.sources(), id), claimDatabase(rig.sources(), id)])
    await claimDatabase(rig.sources(), id)
    await expect(claimDatabase(rig.sources(), randomUUID())).rejects.toThrow(`belongs to newsroom ${id}`)
    const position = await rig.append('note-1', [written('a')])
    await side.answer(getNote, awaiting(new GetNote('1'), { position }))
    await claimDatabase(rig.sources(), id)
    await projections.stop()
    await rig.documents.db
      .collection('projections')
      .updateOne({ name: 'notes' }, { $set: { position: String(BigInt(position) + 1n) } })
    await expect(claimDatabase(rig.sources(), id)).rejects.toThrow(RuleBroken)
  })
})
