// Popularity beside its published definition: the score of each window from the views themselves, and the hundred candidates.
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { POPULAR_WINDOWS, type PopularWindow } from '../answers'
import { popularIds } from './popular-query'
import { type ArticlePopularity } from './popularity'
import { idOf, published, readOf, run, START, viewed } from './popularity.fixture.spec'

/** Width of a bucket, half-life and what is kept, in minutes. */
const DEFINITION = {
  '1h': { width: 1, halfLife: 21, kept: 60 },
  '24h': { width: 60, halfLife: 12 * 60, kept: 192 * 60 },
  '7d': { width: 60, halfLife: 84 * 60, kept: 192 * 60 },
} as const satisfies Record<PopularWindow, unknown>
const FIELD = { '1h': 'score1h', '24h': 'score24h', '7d': 'score7d' } as const

type Views = readonly (readonly [minute: number, count: number])[]

/** l_H of views at minutes since START. */
const byDefinition = (views: Views, window: PopularWindow): number => {
  const { width, halfLife, kept } = DEFINITION[window]
  const bucket = (minute: number) => Math.floor((START + minute) / width)
  const newest = Math.max(...views.map(([minute]) => bucket(minute)))
  const sum = views
    .filter(([minute]) => newest - bucket(minute) < kept / width)
    .reduce((sum, [minute, count]) => sum + count * 2 ** (((bucket(minute) - newest) * width) / halfLife), 0)
  return (newest * width) / halfLife + Math.log2(sum)
}

const scoresOf = async (views: Views) => {
  const store = await run([published(1), ...views.map(([minute, count]) => viewed(minute, [1, count]))], 500)
  const document = JSON.parse(store.get(idOf(1)) ?? 'null') as ArticlePopularity
  return POPULAR_WINDOWS.map(window => [window, document[FIELD[window]] ?? NaN] as const)
}

describe('the score of a window', () => {
  it('is worth one view more where the number has doubled or a half-life has passed', async () => {
    const once = new Map(await scoresOf([[0, 8]]))
    const doubled = new Map(await scoresOf([[0, 16]]))
    for (const window of POPULAR_WINDOWS) {
      expect(doubled.get(window)).toBeCloseTo(once.get(window)! + 1, 5)
      const later = new Map(await scoresOf([[DEFINITION[window].halfLife, 8]]))
      expect(later.get(window)).toBeCloseTo(once.get(window)! + 1, 5)
    }
  })

  it('is the one of the definition, rounded to millionths', async () => {
    const view = fc.tuple(fc.nat(14_000), fc.integer({ min: 1, max: 500 }))
    await fc.assert(
      fc.asyncProperty(fc.array(view, { minLength: 1, maxLength: 40 }), async views => {
        for (const [window, score] of await scoresOf(views)) {
          expect(Math.abs(score - byDefinition(views, window))).toBeLessThan(2e-6)
          expect(Math.abs(score * 1e6 - Math.round(score * 1e6))).toBeLessThan(1e-2)
        }
      }),
      { numRuns: 100 },
    )
  })
})

describe('the candidates of a ranking', () => {
  // Of two articles the one with the newer views has the higher score, the one with the older views the higher number:
  // within the window, but a few half-lives away. By the score of a longer half-life the older one would come in.
  const AGO = { '1h': 55, '24h': 23 * 60, '7d': 160 * 60 } as const

  it.each(POPULAR_WINDOWS)('are the hundred with the highest scores: %s', async window => {
    const ago = AGO[window]
    /** So many articles with eight views now, and one with others long ago. */
    const ranked = async (recent: number, older: number) => {
      const others = Array.from({ length: recent }, (_, i) => i + 1)
      const store = await run(
        [
          ...[...others, 500].map(article => published(article)),
          viewed(0, [500, older]),
          ...others.map(article => viewed(ago, [article, 8])),
        ],
        500,
      )
      return popularIds({ window }, readOf(store), new Date((START + ago) * 60_000))
    }
    expect((await ranked(99, 10))[0]).toBe(idOf(500))
    expect(await ranked(130, 10)).toEqual(Array.from({ length: 100 }, (_, i) => idOf(i + 1)))
    // By the score of a shorter one it would not.
    expect((await ranked(130, 200))[0]).toBe(idOf(500))
  })
})
