// What the command line prints: one line for a failure, aligned columns for a table.
import { describe, expect, it } from '@jest/globals'
import { Invalid, NotFound } from '@stet/eventsourcing'
import { cellsOf, rowsOf } from './commands/projections.command'
import { failureLine, table } from './output'

describe('a failure', () => {
  it('is one printable line, whatever was thrown', () => {
    expect(failureLine(new Error('first\n  second\u001b[31m\tthird'))).toBe('first second[31m third')
    expect(failureLine(new NotFound('there is no list x'))).toBe('there is no list x')
    expect(failureLine(new Invalid([{ pointer: '#/tags/3', detail: 'is too long' }]))).toBe('#/tags/3 is too long')
    expect(failureLine(new RangeError(''))).toBe('RangeError')
    expect(failureLine('thrown text')).toBe('thrown text')
  })
})

describe('a table', () => {
  it('aligns text to the left and numbers to the right', () => {
    expect(
      table(
        ['name', 'events'],
        [
          ['article-pages', 7],
          ['slugs', 12345],
        ],
      ),
    ).toBe('name           events\narticle-pages       7\nslugs           12345')
  })
})

describe('the rows of read models', () => {
  const generation = { id: 'x', group: 'newsroom', parked: 0, name: 'pages', version: 2 } as const
  const group = {
    group: 'newsroom',
    lag: { events: 1000, more: true, seconds: 39.6 },
    generations: [
      { ...generation, generation: 1, stage: 'retired' as const, position: null },
      { ...generation, generation: 2, stage: 'live' as const, position: '77', parked: 3 },
    ],
  }

  it('show the lag where it is known, and what was never built', () => {
    const projections = [
      { name: 'pages', version: 2, group: 'newsroom' },
      { name: 'cards', version: 1, group: 'newsroom' },
      { name: 'related', version: 1, group: 'related' },
    ]
    expect(rowsOf([group], projections).map(cellsOf)).toEqual([
      ['pages', 2, 1, 'retired', 'newsroom', '-', '-', 0],
      ['pages', 2, 2, 'live', 'newsroom', '77', '1000+ events, 40 s', 3],
      ['cards', 1, '-', 'absent', 'newsroom', '-', '-', 0],
    ])
  })
})
