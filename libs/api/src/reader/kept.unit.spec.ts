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

describe('an answer that lasts', () => {
  it('is the same object for ever', () => {
    expect(lasting(body, series).current()).toBe(body)
  })
})

describe('an answer that fades', () => {
  it('is renewed by one request while the others still have it, and gone after a quarter of a second', async () => {
    const began = performance.now()
    const answer = fading(body, series)
    expect(answer.current()).toBe(body)
    await passes(160)
    const renewing = answer.current()
    const others = answer.current()
    // A busy machine may have slept through the interval.
    if (performance.now() - began < 250) expect([renewing, others]).toEqual([null, body])
    await passes(260)
    expect(answer.current()).toBeNull()
  })
})

describe('a shared ending', () => {
  const shared = () => {
    const hot = { generation: 0 }
    const asked: string[] = []
    const next = { text: '[1]' }
    const ending = new SharedEnding(hot, async () => {
      asked.push(next.text)
      await new Promise(resolve => setImmediate(resolve))
      return { text: next.text, keys: [`article:${next.text}`] }
    })
    return { hot, asked, next, ending }
  }

  it('is asked for once by all who need it', async () => {
    const { asked, ending } = shared()
    expect(ending.current()).toBeNull()
    await Promise.all([ending.get(), ending.get()])
    await ending.get()
    expect(asked).toEqual(['[1]'])
    expect(ending.current()).toMatchObject({ text: '[1]', keys: ['article:[1]'] })
  })

  it('is not shown after a change, nor when it is half a second old', async () => {
    const { hot, asked, ending } = shared()
    const during = ending.get()
    hot.generation++
    await during
    expect(ending.current()).toBeNull()
    await ending.get()
    expect(asked).toHaveLength(2)
    await passes(510)
    expect(ending.current()).toBeNull()
  })

  it('is renewed while it is shown, and every answer that ends with it follows', async () => {
    const { next, ending } = shared()
    const own = latin1('{"article":"Ä","popular":')
    const answer = new EndedAnswer(
      own,
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
  })
})
