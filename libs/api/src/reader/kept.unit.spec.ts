// Kept answers: what lasts, what fades, and the ending that many share.
import { describe, expect, it } from '@jest/globals'
import { contentTag, Metrics } from '@stet/platform'
import { EndedAnswer, fading, lasting, latin1, SharedEnding, tagOf } from './kept'

const metrics = new Metrics({ app: 'test' })
const series = (status: 200 | 304) => metrics.requests('GET', '/page', status)
const body = { text: '{}', etag: '"1"', headers: {} }
const passes = async (milliseconds: number) => {
  const end = performance.now() + milliseconds
  while (performance.now() < end) await new Promise(resolve => setImmediate(resolve))
}

/** Stands until it is told that something has changed. */
const standing = () => {
  const stands = { position: '5' as string | null, holds: () => stands.position }
  return stands
}

describe('an answer that lasts', () => {
  it('is the same object for as long as it stands, and says how far it goes by now', () => {
    const stands = standing()
    const answer = lasting(body, stands, series)
    expect(answer.current()).toBe(body)
    stands.position = '9'
    expect(answer.current()).toBe(body)
    expect(answer.position()).toBe('9')
    stands.position = null
    expect(answer.current()).toBeNull()
  })
})

describe('an answer that fades', () => {
  it('is renewed by one request while the others still have it, and gone after a quarter of a second', async () => {
    const began = performance.now()
    const answer = fading(body, standing(), series)
    expect(answer.current()).toBe(body)
    await passes(160)
    const renewing = answer.current()
    const others = answer.current()
    // A busy machine may have slept through the interval.
    if (performance.now() - began < 250) expect([renewing, others]).toEqual([null, body])
    await passes(260)
    expect(answer.current()).toBeNull()
  })

  it('is gone at once when it does not stand any more', () => {
    const stands = standing()
    const answer = fading(body, stands, series)
    stands.position = null
    expect(answer.current()).toBeNull()
  })
})

describe('a shared ending', () => {
  const shared = () => {
    const asked: string[] = []
    const next = { text: '[1]', stands: standing() }
    const ending = new SharedEnding(async () => {
      const { text, stands } = next
      asked.push(text)
      await new Promise(resolve => setImmediate(resolve))
      return { shown: { text, keys: [`article:${text}`] }, stands }
    })
    return { asked, next, ending }
  }

  it('is asked for once by all who need it', async () => {
    const { asked, ending } = shared()
    expect(ending.current()).toBeNull()
    await Promise.all([ending.get(), ending.get()])
    await ending.get()
    expect(asked).toEqual(['[1]'])
    expect(ending.current()).toMatchObject({ shown: { text: '[1]', keys: ['article:[1]'] } })
  })

  it('is not shown after a change, nor to who asks after it, nor when it is a quarter of a second old', async () => {
    const { asked, next, ending } = shared()
    const before = next.stands
    const during = ending.get()
    before.position = null
    next.stands = standing()
    const after = ending.get()
    await during
    await after
    expect(asked).toHaveLength(2)
    expect((await after).stands).toBe(next.stands)
    next.stands.position = null
    expect(ending.current()).toBeNull()
    next.stands = standing()
    await ending.get()
    expect(asked).toHaveLength(3)
    await passes(260)
    expect(ending.current()).toBeNull()
  })

  it('is renewed while it is shown, and every answer that ends with it follows', async () => {
    const { next, ending } = shared()
    const own = latin1('{"article":"Ä","popular":')
    const stands = standing()
    const answer = new EndedAnswer(
      { text: own, stands },
      await ending.get(),
      ending,
      keys => ({ 'surrogate-key': keys.join(' ') }),
      series,
    )
    const first = answer.current()
    expect(first).toBe(answer.body)
    expect(Buffer.from(first?.text ?? '', 'latin1').toString()).toBe('{"article":"Ä","popular":[1]}')
    next.text = '[2,3]'
    const deadline = performance.now() + 5_000
    while (answer.current()?.text !== `${own}[2,3]}` && performance.now() < deadline) {
      await ending.get()
      await passes(5)
    }
    const second = answer.current()
    expect(second?.text).toBe(`${own}[2,3]}`)
    expect(second?.headers).toEqual({ 'surrogate-key': 'article:[2,3]' })
    expect(second?.etag).toBe(contentTag(Buffer.from('{"article":"Ä","popular":[2,3]}')))
    expect(second?.etag).toBe(tagOf(second?.text ?? ''))
    expect(answer.current()).toBe(second)
    expect(answer.position()).toBe('5')
    stands.position = null
    await ending.get()
    expect(answer.current()).toBeNull()
  })
})
