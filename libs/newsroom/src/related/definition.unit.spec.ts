// Related articles beside their published definition, computed the plain way: over generated newsrooms, and at the bounds.
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Corpus } from './corpus'
import { relatedByDefinition, type Step } from './definition.fixture.spec'
import { idOf, listOf, published, run, type Text, unpublished } from './related.fixture.spec'

const AT = '2026-01-01T00:00:00.000Z'
const step = (article: number, text: Text | null) => ({ article, text: text && { ...PLAIN, ...text } })
const PLAIN = { language: 'en', tags: [], publishedAt: AT } as const
type Told = ReturnType<typeof step>

const events = (steps: readonly Told[]) =>
  steps.map(({ article, text }, i) => (text ? published(article, i + 1, text) : unpublished(article, i + 1)))
const byDefinition = (steps: readonly Told[]) =>
  relatedByDefinition(steps.map(({ article, text }): Step => ({ id: idOf(article), text })))

/** Compares all lists. Sums in another order may differ in the last millionth, and so may the order of such places. */
const expectEqual = async (steps: readonly Told[]) => {
  const store = await run(events(steps), 7)
  const expected = byDefinition(steps)
  expect([...store.keys()].sort()).toEqual([...expected.keys()].sort())
  let places = 0
  for (const article of new Set(steps.map(({ article }) => article))) {
    if (!store.has(idOf(article))) continue
    const ours = listOf(store, article)
    const theirs = expected.get(idOf(article))!
    const known = new Map(theirs.map(place => [place.id, place]))
    expect([article, ours.length]).toEqual([article, theirs.length])
    for (const [i, { id, score, terms, tags }] of ours.entries()) {
      expect(Math.abs(score - theirs[i]!.score * 1e6)).toBeLessThan(2)
      const { score: wanted, ...why } = known.get(id) ?? theirs[i]!
      expect({ id, terms, tags }).toEqual(why)
      expect(Math.abs(score - wanted * 1e6)).toBeLessThan(2)
      places++
    }
  }
  return places
}

/** Words of unequal length and frequency, so that no two sums are equal by chance. */
const words = (max: number) =>
  fc.array(
    fc.nat(80).map(number => `w${Math.floor(number ** 1.3)}`),
    { minLength: 1, maxLength: max },
  )
const texts: fc.Arbitrary<Text> = fc.record({
  body: fc.oneof(words(12), words(120)).map(all => all.join(' ')),
  language: fc.constantFrom('en', 'en', 'en', 'en-GB', 'hy'),
  tags: fc.uniqueArray(fc.constantFrom('rail', 'port', 'wine', 'city'), { maxLength: 4 }),
  publishedAt: fc.constantFrom(AT, '2025-11-02T00:00:00.000Z', '2025-06-01T12:00:00.000Z'),
})

describe('related articles equal their definition', () => {
  it('whatever is published, again or no more', async () => {
    let places = 0
    const happening = fc.oneof(
      { weight: 5, arbitrary: fc.tuple(fc.nat(60), texts) },
      { weight: 1, arbitrary: fc.tuple(fc.nat(60), fc.constant(null)) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { minLength: 30, maxLength: 70 }), async all => {
        places += await expectEqual(all.map(([article, text]) => step(article, text)))
      }),
      { numRuns: 25 },
    )
    expect(places).toBeGreaterThan(1_000)
  })

  it('in a newsroom whose articles have more candidates and terms than count', async () => {
    const random = numbers(7)
    const pick = (size: number) => Math.floor(random() * size)
    const steps = Array.from({ length: 220 }, (_, article) => {
      const subject = pick(4)
      const body = Array.from({ length: 20 + pick(120) }, () =>
        random() < 0.4 ? `s${subject}${String.fromCharCode(97 + pick(18))}` : `w${Math.floor(1_500 ** random())}`,
      ).join(' ')
      const publishedAt = new Date(Date.parse(AT) - pick(200) * 86_400_000).toISOString()
      return step(article, { body, publishedAt, tags: ['a', 'b', 'c', 'd'].filter(() => random() < 0.3) })
    })
    expect(await expectEqual(steps)).toBeGreaterThan(3_000)
  })
})

describe('the bounds of the definition', () => {
  it('are 30 candidates by text: tags help the thirtieth into the list, and not the next one', async () => {
    // The n-th article shares the subject and has n words of its own: the longer, the less similar.
    const about = (n: number, tags: readonly string[] = []) =>
      step(n, { body: `ferry harbour ${Array.from({ length: n }, (_, i) => `own${n}x${i}`).join(' ')}`, tags })
    const noise = Array.from({ length: 200 }, (_, i) => step(1_000 + i, { body: `noise${i} other${i}` }))
    const listWith = async (tagged: number) => {
      const others = Array.from({ length: 40 }, (_, i) => about(i + 1, i + 1 === tagged ? ['a', 'b', 'c'] : []))
      const asked = step(0, { body: 'ferry harbour', tags: ['a', 'b', 'c'] })
      return listOf(await run(events([...noise, ...others, asked]), 500), 0).map(({ id }) => id)
    }
    const firstTwenty = Array.from({ length: 20 }, (_, i) => idOf(i + 1))
    expect((await listWith(30)).includes(idOf(30))).toBe(true)
    expect(await listWith(31)).toEqual(firstTwenty)
  })

  it('are the newest 2,000 postings of a term, the article itself among them', () => {
    const corpus = new Corpus()
    const add = (id: string, term: string) =>
      corpus.add({ id, terms: [[term, 1]], others: [], length: 1, publishedAt: 0, tags: [] })
    for (let i = 0; i < 6_100; i++) add(`noise${i}`, `noise${i}`)
    const shared = Array.from({ length: 2_005 }, (_, i) => add(`shared${i}`, 'ferry'))
    const { best } = corpus.similar(shared.at(-1)!, 3_000)
    expect(best.map(({ slot }) => slot).sort((a, b) => a - b)).toEqual(shared.slice(-2_000, -1))
  })

  it('are five shared terms, in the order in which they weigh', async () => {
    // Rarer is heavier: the i-th term stands in i + 1 other articles too.
    const terms = ['fffff', 'aaaaa', 'eeeee', 'bbbbb', 'ddddd', 'ccccc']
    const noise = Array.from({ length: 60 }, (_, i) =>
      step(100 + i, { body: [`n${i}`, ...terms.filter((_, rank) => i < rank + 1)].join(' ') }),
    )
    const pair = [1, 2].map(article => step(article, { body: terms.join(' ') }))
    const [first] = listOf(await run(events([...noise, ...pair]), 500), 2)
    expect(first).toMatchObject({ id: idOf(1), terms: terms.slice(0, 5) })
    expect(byDefinition([...noise, ...pair]).get(idOf(2))![0]!.terms).toEqual(terms.slice(0, 5))
  })
})

/** The same numbers from 0 to 1 on every run: a linear congruential generator, constants of Numerical Recipes. */
const numbers = (seed: number) => () => (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32
