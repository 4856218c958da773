// Related articles: what the definition promises, and that batches and restarts make no difference.
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Corpus, TERMS_KEPT } from './corpus'
import { RELATED_STORED, type RelatedDocument } from './related'
import { idOf, listOf, published, run, type Text, unpublished } from './related.fixture.spec'
import { termsOf } from './terms'

const SUBJECTS = ['harbour crane ferry dock', 'vineyard grape harvest cellar', 'tram depot rails timetable']
const about = (subject: number, extra = '') => `${SUBJECTS[subject]} ${SUBJECTS[subject]} ${extra}`

describe('terms', () => {
  it('are words in NFC and lower case, the first five characters, of text that is shown', () => {
    const { occurrences, length } = termsOf({
      headline: 'Ferries FERRY',
      summary: 'Ա՛յ e\u0301cole',
      bodyHtml: '<p>Ferryman</p><p>𝒜𝒷𝒸𝒹ℯ𝒻 R2D2</p><script>hidden()</script>',
    })
    expect(Object.fromEntries(occurrences)).toEqual({ ferri: 1, ferry: 2, ա: 1, յ: 1, école: 1, 𝒜𝒷𝒸𝒹ℯ: 1, r2d2: 1 })
    expect(length).toBe(8)
  })
})

describe('a corpus', () => {
  it('compares no term that more than a quarter of the articles have', () => {
    const corpus = new Corpus()
    const add = (id: string, words: readonly string[]) => {
      const occurrences = new Map(words.map(word => [word, 1]))
      const vector = { id, ...corpus.choose(occurrences, words.length), length: words.length, publishedAt: 0, tags: [] }
      corpus.add(vector)
      return vector
    }
    for (let i = 0; i < 20; i++) add(`other${i}`, [`word${i}`, ...(i < 6 ? ['often'] : []), ...(i < 4 ? ['rare'] : [])])
    const { terms, others } = add('last', ['often', 'rare'])
    expect(terms.map(([term]) => term)).toEqual(['rare'])
    expect(others).toEqual(['often'])
  })

  it('keeps the 60 terms of most weight', () => {
    const corpus = new Corpus()
    const occurrences = new Map(
      Array.from({ length: 100 }, (_, i) => [`t${String(i).padStart(2, '0')}`, i < 80 ? 1 : 3]),
    )
    const { terms, others } = corpus.choose(occurrences, 140)
    expect(terms).toHaveLength(TERMS_KEPT)
    expect(terms.filter(([, tf]) => tf === 3)).toHaveLength(20)
    expect(others).toEqual(Array.from({ length: 40 }, (_, i) => `t${40 + i}`))
  })

  it('finds an article as similar to an equal one as to itself', () => {
    const corpus = new Corpus()
    const terms = [['dock', 2] as const, ['ferry', 1] as const]
    for (const id of ['a', 'b']) corpus.add({ id, terms, others: [], length: 3, publishedAt: 0, tags: [] })
    corpus.add({ id: 'c', terms: [['tram', 1]], others: [], length: 1, publishedAt: 0, tags: [] })
    const { best } = corpus.similar(corpus.slotOf('a')!, 30)
    expect(best.map(({ slot, similarity }) => [corpus.idOf(slot), similarity])).toEqual([['b', expect.closeTo(1, 12)]])
  })
})

describe('related articles', () => {
  it('are about the same, each with the terms it shares, and stand in both lists', async () => {
    const store = await run(
      [
        published(1, 1, { body: about(0) }),
        published(2, 2, { body: about(1) }),
        published(3, 3, { body: about(0, 'storm') }),
      ],
      500,
    )
    expect(listOf(store, 1)).toEqual([
      { id: idOf(3), score: expect.any(Number), terms: ['crane', 'dock', 'ferry', 'harbo'], tags: [] },
    ])
    expect(listOf(store, 3).map(({ id }) => id)).toEqual([idOf(1)])
    expect(listOf(store, 2)).toEqual([])
  })

  it('gain the stated bonus for shared tags and lose at most half with age', async () => {
    const body = about(2)
    const at = (tags: string[], publishedAt?: string) => ({ body, tags, ...(publishedAt && { publishedAt }) })
    const score = async (a: Text, b: Text) => listOf(await run([published(1, 1, a), published(2, 2, b)], 1), 1)[0]
    const plain = await score(at([]), at([]))
    expect(plain?.score).toBe(1_000_000)
    const tagged = await score(at(['rail', 'city', 'x']), at(['city', 'rail', 'y']))
    expect(tagged).toMatchObject({ score: 1_100_000, tags: ['city', 'rail'] })
    const most = ['a', 'b', 'c', 'd']
    expect((await score(at(most), at(most)))?.score).toBe(1_150_000)
    expect((await score(at([]), at([], '2026-03-02T00:00:00Z')))?.score).toBe(750_000)
    expect((await score(at([]), at([], '1996-01-01T00:00:00Z')))?.score).toBe(500_000)
  })

  it('are of one language only, and follow an article that changes its language', async () => {
    const events = [
      published(1, 1, { body: about(0), language: 'en-GB' }),
      published(2, 2, { body: about(0), language: 'de' }),
      published(3, 3, { body: about(0), language: 'en' }),
    ]
    expect(listOf(await run(events, 1), 1).map(({ id }) => id)).toEqual([idOf(3)])
    const store = await run([...events, published(1, 4, { body: about(0), language: 'de' })], 1)
    expect(listOf(store, 3)).toEqual([])
    expect(listOf(store, 2).map(({ id }) => id)).toEqual([idOf(1)])
  })

  it('leave every list when they are taken back, and lists too short for a page are computed anew', async () => {
    const events = Array.from({ length: 40 }, (_, i) => published(i, i + 1, { body: about(0, `word${i}`) }))
    const noise = Array.from({ length: 200 }, (_, i) => published(100 + i, 100 + i, { body: `noise${i} other${i}` }))
    const all = [...noise, ...events.map((event, i) => ({ ...event, position: String(1_000 + i) }))]
    const before = await run(all, 500)
    expect(listOf(before, 0)).toHaveLength(RELATED_STORED)
    const gone = listOf(before, 0).slice(0, 12)
    const back = gone.map(({ id }, i) => unpublished(Number(id.slice(-12)), 2_000 + i))
    const after = await run([...all, ...back], 500)
    const ids = new Set(gone.map(({ id }) => id))
    for (const [id] of after) {
      expect(ids.has(id)).toBe(false)
      const list = listOf(after, Number(id.slice(-12)))
      expect(list.filter(entry => ids.has(entry.id))).toEqual([])
    }
    expect(listOf(after, 0).length).toBeGreaterThanOrEqual(10)
  })

  it('keep the lists that held an article which is published again', async () => {
    const noise = Array.from({ length: 120 }, (_, i) => published(100 + i, i + 1, { body: `noise${i} other${i}` }))
    const events = [
      ...noise,
      ...Array.from({ length: 25 }, (_, i) => published(i, 200 + i, { body: about(i % 2, `word${i}`) })),
    ]
    const before = await run(events, 500)
    const after = await run([...events, published(0, 300, { body: about(0, 'word0 again') })], 500)
    const holders = (store: ReadonlyMap<string, string>) =>
      [...store.keys()].filter(id => listOf(store, Number(id.slice(-12))).some(entry => entry.id === idOf(0)))
    expect(holders(before).length).toBeGreaterThan(5)
    expect(holders(after)).toEqual(expect.arrayContaining(holders(before)))
  })
})

describe('the same log', () => {
  const change = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('publish' as const), article: fc.nat(24), text: texts() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('unpublish' as const), article: fc.nat(24) }) },
  )

  it('gives the same bytes in batches of 1, 7 and 500 and with restarts anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { minLength: 20, maxLength: 90 }),
        fc.array(fc.nat(90), { maxLength: 12 }),
        async (changes, restarts) => {
          const events = changes.map((one, i) =>
            one.kind === 'publish' ? published(one.article, i + 1, one.text) : unpublished(one.article, i + 1),
          )
          const whole = await run(events, 500)
          expect(await run(events, 1)).toEqual(whole)
          expect(await run(events, 7)).toEqual(whole)
          expect(await run(events, 1, new Set(restarts))).toEqual(whole)
          expect(await run(events, 7, new Set(restarts.map(restart => restart % 13)))).toEqual(whole)
          invariants(whole)
        },
      ),
      { numRuns: 25 },
    )
  })

  const invariants = (store: ReadonlyMap<string, string>) => {
    const languages = new Map([...store].map(([id, text]) => [id, (JSON.parse(text) as RelatedDocument).language]))
    for (const [id, text] of store) {
      const { list } = JSON.parse(text) as RelatedDocument
      expect(list.length).toBeLessThanOrEqual(RELATED_STORED)
      expect(new Set(list.map(entry => entry.id)).size).toBe(list.length)
      for (const [i, entry] of list.entries()) {
        expect(entry.id).not.toBe(id)
        expect(languages.get(entry.id)).toBe(languages.get(id))
        expect(Number.isSafeInteger(entry.score) && entry.score > 0).toBe(true)
        const next = list[i + 1]
        if (next) expect(entry.score > next.score || (entry.score === next.score && entry.id < next.id)).toBe(true)
      }
    }
  }

  function texts(): fc.Arbitrary<Text> {
    const word = fc.nat(60).map(number => `w${Math.floor(number ** 1.3)}`)
    return fc.record({
      body: fc.array(word, { minLength: 0, maxLength: 90 }).map(words => words.join(' ')),
      language: fc.constantFrom('en', 'en', 'en-GB', 'hy'),
      tags: fc.uniqueArray(fc.constantFrom('rail', 'port', 'wine', 'city'), { maxLength: 3 }),
      publishedAt: fc.constantFrom('2026-01-01T00:00:00Z', '2025-06-01T12:00:00Z', '2026-02-03T04:05:06Z'),
    })
  }
})
