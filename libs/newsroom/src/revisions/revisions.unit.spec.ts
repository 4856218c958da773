// What differs between two revisions, told so that people can read it, and within bounds whatever the texts are.
import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { differenceBetween } from './difference'
import { brief, changesBetween } from './fields'
import { htmlTokens, isMarkup, textTokens } from './tokens'
import { type Part, wordsBetween } from './words'

const words = (before: string, after: string) =>
  wordsBetween(textTokens(before), textTokens(after)).parts.map(({ op, text }) =>
    op === 'same' ? text : op === 'added' ? `+${text}+` : `-${text}-`,
  )
const html = (before: string, after: string) => wordsBetween(htmlTokens(before), htmlTokens(after))
const side = (parts: readonly Part[], without: 'added' | 'removed') =>
  parts
    .filter(({ op }) => op !== without)
    .map(({ text }) => text)
    .join('')

describe('two texts', () => {
  it.each([
    ['The bridge closes on Monday', 'The bridge opens on Monday', ['The bridge ', '-closes-', '+opens+', ' on Monday']],
    ['one two', 'three four', ['-one two-', '+three four+']],
    ['', 'new', ['+new+']],
    ['Мост закрыт', 'Мост открыт', ['Мост ', '-закрыт-', '+открыт+']],
    ['橋が閉まる', '橋が開く', ['橋が', '-閉まる-', '+開く+']],
    ["l'été", "l'hiver", ["-l'été-", "+l'hiver+"]],
    ['a 😀 b', 'a 😁 b', ['a ', '-😀-', '+😁+', ' b']],
  ])('%j and %j', (before, after, told) => expect(words(before, after)).toEqual(told))

  it('are both there in what is told', () => {
    const text = fc.array(fc.constantFrom('a', 'b', ' ', '.', 'ä', '\n', '漢', '😀'), { maxLength: 60 })
    fc.assert(
      fc.property(text, text, (a, b) => {
        const [before, after] = [a.join(''), b.join('')]
        const { parts, complete } = wordsBetween(textTokens(before), textTokens(after))
        expect([side(parts, 'added'), side(parts, 'removed'), complete]).toEqual([before, after, true])
      }),
    )
  })
})

describe('two bodies', () => {
  it('are compared as they are read, whatever the white space between elements', () => {
    expect(html('<p>One  two.</p>\n\n<p>Three.</p>', '<p>One\ntwo.</p><p>Three.</p>')).toEqual({
      parts: [{ op: 'same', text: 'One two.\nThree.\n' }],
      markup: [],
      complete: true,
    })
  })

  it('tell which words changed, and which paragraph came', () => {
    expect(html('<p>One two.</p>', '<p>New.</p><p>One three.</p>').parts).toEqual([
      { op: 'added', text: 'New.\n' },
      { op: 'same', text: 'One ' },
      { op: 'removed', text: 'two' },
      { op: 'added', text: 'three' },
      { op: 'same', text: '.\n' },
    ])
  })

  it('tell of a paragraph that came as of a whole one', () => {
    expect(html('<p>One <b>two</b>.</p>', '<p><b>One</b> two.</p><p>New.</p>').parts).toEqual([
      { op: 'same', text: 'One two.\n' },
      { op: 'added', text: 'New.\n' },
    ])
  })

  it('tell of markup that came, went, moved or changed, with the text beside it', () => {
    expect(html('<p>a <b>big</b> house</p>', '<p>a big <b>house</b></p>')).toMatchObject({
      parts: [{ op: 'same', text: 'a big house\n' }],
      markup: [
        { op: 'removed', markup: '<b>', before: 'big house' },
        { op: 'removed', markup: '</b>', before: 'house' },
        { op: 'added', markup: '<b>', before: 'house' },
        { op: 'added', markup: '</b>', before: '' },
      ],
    })
    expect(html('<p><a href="https://a.example">x</a></p>', '<p><a href="https://b.example">x</a></p>').markup).toEqual(
      [
        { op: 'removed', markup: '<a href="https://a.example">', before: 'x' },
        { op: 'added', markup: '<a href="https://b.example">', before: 'x' },
      ],
    )
    expect(html('<p>x</p><script>one()</script>', '<p>x</p><script>two()</script>').markup).toEqual([
      { op: 'removed', markup: 'one()', before: '' },
      { op: 'added', markup: 'two()', before: '' },
    ])
  })

  it('never show NUL, whatever was submitted', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('<', '>', '/', 'p', 'b', ' ', '&', '"', '!', '-', 'a') }), text => {
        const tokens = htmlTokens(text)
        expect(tokens.filter(token => !isMarkup(token)).join('')).not.toContain('\0')
        expect(JSON.stringify(html('', text))).not.toContain('\\u0000')
      }),
    )
  })
})

describe('bounds', () => {
  const body = (seed: number, paragraphs: number) =>
    Array.from(
      { length: paragraphs },
      (_, p) => `<p>${Array.from({ length: 80 }, (_, i) => `w${(p * 80 + i * seed) % 4_001}`).join(' ')}</p>`,
    ).join('')

  it('long texts that stayed are shortened', () => {
    const text = 'word '.repeat(10_000)
    const { parts } = wordsBetween(textTokens(`${text}one`), textTokens(`${text}two`))
    expect(parts[0]).toMatchObject({ op: 'same', skipped: 49_700 })
    expect(parts.slice(1)).toEqual([
      { op: 'removed', text: 'one' },
      { op: 'added', text: 'two' },
    ])
  })

  it('what was written anew counts as that, and what was edited in many places is still told in words', () => {
    const [before, after] = [body(7, 900), body(11, 900)]
    const told = html(before, after)
    expect(JSON.stringify(told).length).toBeLessThan(150_000)
    const edited = before.replace(/w1234\b/g, 'EDITED')
    const { parts } = html(before, edited)
    expect(parts.filter(({ op }) => op === 'added').every(({ text }) => text === 'EDITED')).toBe(true)
    expect(parts.filter(({ op }) => op === 'removed').every(({ text }) => text === 'w1234')).toBe(true)
  })

  it('one paragraph that was written anew leaves the others told in words', () => {
    const anew = (seed: number) => `<p>${Array.from({ length: 2_000 }, (_, i) => `v${i * seed}`).join(' ')}</p>`
    const { parts } = html(`${anew(3)}<p>Kept.</p><p>One two.</p>`, `${anew(5)}<p>Kept.</p><p>One three.</p>`)
    expect(parts.slice(-4)).toEqual([
      { op: 'same', text: '\nKept.\nOne ' },
      { op: 'removed', text: 'two' },
      { op: 'added', text: 'three' },
      { op: 'same', text: '.\n' },
    ])
  })

  it('a body of nothing but tags is compared as it is written', () => {
    const { parts, markup } = html('<b>'.repeat(100_000), '<i>'.repeat(100_000))
    expect(parts.map(({ op }) => op)).toEqual(['same', 'removed', 'added', 'same'])
    expect(markup).toEqual([])
  })

  it('says so when there is more than is told', () => {
    const many = Array.from({ length: 300 }, (_, i) => `<b>${i}</b>`).join(' ')
    const { complete, markup, parts } = html(`<p>${many.replace(/<.?b>/g, '')}</p>`, `<p>${many}</p><p>New.</p>`)
    expect(complete).toBe(false)
    expect(markup).toHaveLength(200)
    expect(side(parts, 'removed')).toMatch(/^0 .* 299\nNew\.\n$/)
  })
})

describe('fields', () => {
  const news = { slug: 'news', name: 'News' }
  it('are told as suits them, and only those that differ', () => {
    const before = { headline: 'A b', tags: [news, { slug: 'a', name: 'A' }, { slug: 'b', name: 'B' }], image: null }
    const after = { headline: 'A c', tags: [{ slug: 'b', name: 'B!' }, news, { slug: 'c', name: 'C' }], image: null }
    expect(differenceBetween({ ...before, stage: 'draft' }, { ...after, stage: 'live' })).toEqual([
      {
        field: 'headline',
        kind: 'text',
        complete: true,
        parts: [
          { op: 'same', text: 'A ' },
          { op: 'removed', text: 'b' },
          { op: 'added', text: 'c' },
        ],
      },
      {
        field: 'tags',
        kind: 'items',
        removed: [{ slug: 'a', name: 'A' }],
        added: [{ slug: 'c', name: 'C' }],
        changed: [{ from: { slug: 'b', name: 'B' }, to: { slug: 'b', name: 'B!' } }],
        reordered: true,
      },
      { field: 'stage', kind: 'value', from: 'draft', to: 'live' },
    ])
    expect(differenceBetween(before, before)).toEqual([])
  })

  it('are carried by a refusal in brief', () => {
    const changes = changesBetween(
      { headline: 'a', bodyHtml: 'x'.repeat(20_000), summary: null },
      { headline: 'b', bodyHtml: 'y', summary: null },
    )
    expect(brief(changes)).toEqual([
      { field: 'headline', from: 'a', to: 'b' },
      { field: 'bodyHtml', large: true },
    ])
    const many = Array.from({ length: 10 }, (_, i) => ({ field: `f${i}`, from: 'x'.repeat(10_000), to: '' }))
    expect(JSON.stringify(brief(many)).length).toBeLessThan(70_000)
  })
})
