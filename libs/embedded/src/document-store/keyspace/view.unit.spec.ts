// Reading what is written and not stored yet, above what is.
import { randomInt } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { Unit } from './unit'
import { type Entry, name, Overlay, type Piece, type View } from './view'

const nothing: View = { get: () => undefined, range: () => ({ entries: [] }) }
const keyOf = (n: number) => Buffer.of(n >> 16, (n >> 8) & 255, n & 255)

function all(view: View, start: Buffer, end: Buffer, reverse: boolean, limit: number): string[] {
  const found: Entry[] = []
  for (let [from, to, more] = [start, end, true]; more;) {
    const { entries, rest }: Piece = view.range(from, to, reverse, limit)
    expect(entries.length).toBeLessThanOrEqual(limit)
    found.push(...entries)
    if (!rest) more = false
    else if (reverse) to = rest
    else from = rest
  }
  return found.map(({ key, value }) => `${key.readUIntBE(0, 3)}:${name(value)}`)
}

test('a range read by pieces, in either direction, is what was written last and not deleted', () => {
  for (let round = 0; round < 300; round++) {
    const model = new Map<number, string>()
    let view = new Overlay(nothing)
    for (let layer = 0; layer < 3; layer++) {
      for (let step = randomInt(60); step > 0; step--) {
        const n = randomInt(40)
        if (randomInt(3) === 0) {
          view.delete(keyOf(n))
          model.delete(n)
        } else {
          view.put(keyOf(n), Buffer.from(`${step}`))
          model.set(n, `${step}`)
        }
        if (randomInt(4) === 0) view.range(keyOf(0), keyOf(40), false, 1)
      }
      const [low, high] = [randomInt(40), randomInt(41)]
      const expected = [...model]
        .filter(([n]) => n >= low && n < high)
        .sort(([a], [b]) => a - b)
        .map(([n, value]) => `${n}:${value}`)
      for (const limit of [1, 2, 5, 100]) {
        expect(all(view, keyOf(low), keyOf(high), false, limit)).toEqual(expected)
        expect(all(view, keyOf(low), keyOf(high), true, limit)).toEqual([...expected].reverse())
      }
      view = new Overlay(view)
    }
  }
})

test('reading a little after each of very many writes takes no time that grows with what was written', () => {
  const view = new Overlay(nothing)
  const started = performance.now()
  for (let n = 0; n < 10_000; n++) {
    view.put(keyOf((n * 7_919) % 65_536), Buffer.of(0))
    view.range(keyOf(0), keyOf(65_536), n % 2 === 0, 1)
  }
  expect(performance.now() - started).toBeLessThan(5_000)
})

test('a unit is measured by what it holds, and refuses more also for a key that it has written', () => {
  const unit = new Unit(nothing, () => undefined)
  const key = keyOf(1)
  for (let i = 0; i < 3; i++) {
    unit.claim(key)
    unit.view.put(key, Buffer.allocUnsafe(100 * 1024 * 1024))
  }
  unit.claim(keyOf(2))
  unit.view.put(keyOf(2), Buffer.allocUnsafe(200 * 1024 * 1024))
  expect(() => unit.claim(key)).toThrow('at most')
  unit.view.delete(keyOf(2))
  unit.claim(key)
})
