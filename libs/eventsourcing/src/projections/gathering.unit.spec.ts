// Gathering: single reads that go together.
import { describe, expect, it } from '@jest/globals'
import { Gathering } from './gathering'

/** Reads that end when they are told to; every key is found as itself, but `none`. */
const gathered = () => {
  const reads: { readonly keys: readonly string[]; readonly end: (error?: Error) => void }[] = []
  const gathering = new Gathering<string>(
    keys =>
      new Promise((resolve, reject) => {
        const found = new Map(keys.filter(key => key !== 'none').map(key => [key, key]))
        reads.push({ keys, end: error => (error ? reject(error) : resolve(found)) })
      }),
  )
  return { gathering, reads }
}
const turn = () => new Promise(resolve => setImmediate(resolve))

describe('Gathering', () => {
  it('reads what is asked for at once together, each key once', async () => {
    const { gathering, reads } = gathered()
    const answers = Promise.all(['a', 'b', 'a', 'none'].map(key => gathering.get(key)))
    await turn()
    expect(reads.map(({ keys }) => keys)).toEqual([['a', 'b', 'none']])
    reads[0]?.end()
    expect(await answers).toEqual(['a', 'b', 'a', null])
  })

  it('gathers what is asked for while two reads are under way, and reads again what is being read', async () => {
    const { gathering, reads } = gathered()
    const first = gathering.get('a')
    await turn()
    const second = gathering.get('a')
    await turn()
    const third = Promise.all(['a', 'b', 'c'].map(key => gathering.get(key)))
    await turn()
    expect(reads.map(({ keys }) => keys)).toEqual([['a'], ['a']])
    reads[1]?.end()
    await turn()
    expect(reads[2]?.keys).toEqual(['a', 'b', 'c'])
    reads[0]?.end()
    reads[2]?.end()
    expect(await Promise.all([first, second, third])).toEqual(['a', 'a', ['a', 'b', 'c']])
  })

  it('tells a failure to those whose keys were read, and goes on', async () => {
    const { gathering, reads } = gathered()
    const failing = Promise.allSettled([gathering.get('a'), gathering.get('b')])
    await turn()
    reads[0]?.end(new Error('gone'))
    expect((await failing).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    const next = gathering.get('a')
    await turn()
    reads[1]?.end()
    expect(await next).toBe('a')
  })

  it('reads a hundred keys at once at most', async () => {
    const { gathering, reads } = gathered()
    const answers = Promise.all(Array.from({ length: 250 }, (_, i) => gathering.get(String(i))))
    await turn()
    for (let i = 0; i < 3; i++) {
      reads[i]?.end()
      await turn()
    }
    expect((await answers).at(-1)).toBe('249')
    expect(reads.map(({ keys }) => keys.length)).toEqual([100, 100, 50])
  })
})
