// Slugs, sanitising and source lines.
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { hasText, paragraphsOf, sanitised, shownOf } from './html'
import { plainMarkup } from './plain-markup'
import { looksLikeUuid, slugCandidates, slugOf, slugOfName } from './slug'
import { sourceLine } from './source-line'

describe('slugs', () => {
  it.each([
    ['Harbour shut: "ice" isn’t gone', 'harbour-shut-ice-isnt-gone'],
    ['Überraschung im Café', 'uberraschung-im-cafe'],
    ['U\u0308berraschung', 'uberraschung'],
    ['Россия и мир', 'rossiya-i-mir'],
    ['Հայաստան', 'hayastan'],
    ['საქართველო', 'sakartvelo'],
    ['Azərbaycan şəhəri', 'azerbaycan-seheri'],
    ['☃ ☃', ''],
  ])('of %s is %s', (text, slug) => expect(slugOf(text)).toBe(slug))

  it('are words of at most 80 characters, never like an id, and stay so when made again', () => {
    const words = fc.array(
      fc.constantFrom('ice', 'überall', 'мир', 'x'.repeat(50), '3f0c1f5e', '8a5d', '0d8f6f1f2a01', '☃'),
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.uuid(),
          words.map(parts => parts.join('-')),
        ),
        text => {
          const slug = slugOf(text)
          expect(slug).toMatch(/^([a-z0-9]+(-[a-z0-9]+)*)?$/)
          expect(slugOf(slug)).toBe(slug)
          for (const candidate of slug ? slugCandidates(slug) : []) {
            expect(candidate.length).toBeLessThanOrEqual(80)
            expect(looksLikeUuid(candidate)).toBe(false)
          }
          expect(slugOfName(text)).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('numbers twenty candidates, all different', () => {
    expect(new Set(slugCandidates('x'.repeat(80))).size).toBe(20)
    expect(slugCandidates('ice').at(-1)).toBe('ice-20')
  })
})

describe('what readers get of HTML', () => {
  it.each([
    ['<p onclick="x()">a<script>b</script></p>', '<p>a</p>'],
    ['<h1>a</h1><div>b</div>', '<h2>a</h2>b'],
    ['<a href="javascript:x">a</a>', '<a rel="noopener noreferrer">a</a>'],
    ['<a href=" java\nscript:x">a</a>', '<a rel="noopener noreferrer">a</a>'],
    [
      '<a href="https://a.example/?b=1&amp;c" target="x" rel="opener">a</a>',
      '<a href="https://a.example/?b=1&amp;c" rel="noopener noreferrer">a</a>',
    ],
    ['<a href="mailto:desk@a.example">a</a>', '<a href="mailto:desk@a.example" rel="noopener noreferrer">a</a>'],
    ['<img src="data:image/svg+xml,x" onerror="x">', ''],
    ['<img src="//a.example/x.jpg">', ''],
    ['<img src="https://a.example/x.jpg" alt="x" onload="y">', '<img src="https://a.example/x.jpg" alt="x" />'],
    [
      '<figure data-embed="https://a.example/post/1"></figure>',
      '<figure data-embed="https://a.example/post/1"></figure>',
    ],
    ['<figure data-embed="javascript:x">a</figure>', '<figure>a</figure>'],
    ['<table><tr><td colspan="2" style="x">a</td></tr></table>', '<table><tr><td colspan="2">a</td></tr></table>'],
    ['<blockquote>a</blockquote><iframe src="https://a.example"></iframe>', '<blockquote>a</blockquote>'],
    ['<svg><script>x</script></svg><math><mi>y</mi></math>', ''],
    ['a < b &amp; c', 'a &lt; b &amp; c'],
    ['<p>a<b>b', '<p>a<b>b</b></p>'],
  ])('of %s is %s', (html, shown) => expect(sanitised(html)).toBe(shown))

  it('never holds a script, whatever was submitted, and stays the same when made again', () => {
    const piece = fc.constantFrom(
      '<', '>', '"', "'", '<p', '<a href=', 'javascript:', '<script>', '</script>', '<svg onload=x>', '<!--', '-->', '<![CDATA[',
      ']]>', '<style>', '<noscript>', '<textarea>', '<title>', ' onclick=x ', '<img src=x onerror=y>', '&lt;script&gt;', '<math>',
      '<table>', '<template>', 'text', '</p>', '`', '\0', '<xmp>', '<plaintext>', '&#x6a;avascript:',
    ) // prettier-ignore
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), pieces => {
        const shown = sanitised(pieces.join(''))
        expect(shown).not.toMatch(/<(script|svg|style|iframe|math|template|noscript|textarea|title|xmp|plaintext)/i)
        expect(shown).not.toMatch(/<[^>]*\son\w+\s*=/i)
        expect(shown).not.toMatch(/(href|src|cite|data-embed)="\s*(javascript|data):/i)
        expect(sanitised(shown)).toBe(shown)
      }),
      { numRuns: 500 },
    )
  })

  it('is the same with the parser and without', () => {
    const words = fc.constantFrom('Ice on the quay', ' ', '&amp;', '&lt;b&gt;', '“x”\n', '<br>', 'ü 😀', "it's")
    const nested = (tags: string[], inner: fc.Arbitrary<string>) =>
      fc.tuple(fc.constantFrom(...tags), fc.array(inner, { maxLength: 3 })).map(([tag, parts]) => {
        const opening = tag === 'a' ? 'a href="https://a.example/b?c=d#e"' : tag
        return `<${opening}>${parts.join('')}</${tag}>`
      })
    const inline = fc.oneof(words, nested(['b', 'em', 'a', 'sub'], fc.oneof(words, nested(['i', 'strong'], words))))
    const block = fc.oneof(
      nested(['p', 'h2', 'h4'], inline),
      nested(['ul', 'ol'], nested(['li'], inline)),
      nested(['blockquote'], fc.oneof(inline, nested(['p'], inline))),
      inline,
    )
    const wild = fc.constantFrom(
      '<p>',
      '</p>',
      '<li>',
      '<ul>',
      '</ul>',
      '<a href="https://a.example">',
      '</a>',
      '<h2>',
      'x',
      '<b>',
      '</b>',
      '<div>',
      '<br>',
    )
    const bodies = fc.oneof(
      fc.array(block, { maxLength: 5 }).map(parts => parts.join('')),
      fc.array(wild, { maxLength: 8 }).map(parts => parts.join('')),
    )
    let plain = 0
    fc.assert(
      fc.property(bodies, html => {
        const clean = sanitised(html)
        expect(shownOf(html)).toEqual({ html: clean, paragraphs: paragraphsOf(clean) })
        if (html && plainMarkup(html)) plain += 1
      }),
      { numRuns: 1000 },
    )
    expect(plain).toBeGreaterThan(300)
  })

  it('has paragraphs of text', () => {
    expect(paragraphsOf('<p>One  &amp;\n two</p><ul><li>Three<li>Fo<b>u</b>r</ul>five<br>six<p> </p>')).toEqual([
      'One & two',
      'Three',
      'Four',
      'five',
      'six',
    ])
    for (const silent of [
      '',
      '<style>p {}</style><p><img src="https://a.example/x" alt="> x"></p><!-- a -->',
      '<p>&nbsp;</p>',
    ])
      expect(hasText(silent)).toBe(false)
    for (const read of ['x', '<p>x</p>', '<script>x</script><p>x', '<p><i>–</i></p>']) expect(hasText(read)).toBe(true)
  })
})

describe('source lines', () => {
  const of = (language: string, ...names: string[]) =>
    sourceLine({ outlet: 'Harbour Gazette', contributors: names.map(name => ({ name })) }, language)

  it.each([
    ['en', [], 'Source: Harbour Gazette'],
    ['en-US', ['A'], 'Source: Harbour Gazette with A'],
    ['en', ['A', 'B'], 'Source: Harbour Gazette with A and B'],
    ['en', ['A', 'B', 'agencies'], 'Source: Harbour Gazette with A, B and agencies'],
    ['de-AT', ['A', 'B', 'C'], 'Quelle: Harbour Gazette mit A, B und C'],
    ['fr', ['A', 'B', 'C'], 'Source : Harbour Gazette avec A, B et C'],
    ['es', ['A', 'B', 'C'], 'Fuente: Harbour Gazette con A, B y C'],
    ['ru', ['A', 'B'], 'Источник: Harbour Gazette, при участии: A и B'],
    ['tr', ['A', 'B'], 'Kaynak: Harbour Gazette, katkıda bulunanlar: A ve B'],
    ['xx', ['A'], 'Source: Harbour Gazette with A'],
  ])('in %s of %j', (language, names, line) => expect(of(language, ...names)).toBe(line))

  it('names who took the pictures in a sentence of its own', () => {
    const photographer = { name: 'D', kind: 'photographer' as const }
    const line = (language: string, ...others: string[]) =>
      sourceLine({ outlet: 'Gazette', contributors: [photographer, ...others.map(name => ({ name }))] }, language)
    expect(line('en', 'A', 'B')).toBe('Source: Gazette with A and B. Photos: D')
    expect(line('de')).toBe('Quelle: Gazette. Fotos: D')
  })

  it.each(['it', 'pt', 'pl', 'uk', 'nl', 'hy', 'az', 'ka', 'ar', 'fa', 'sv', 'da', 'nb', 'cs', 'ca'])(
    'has a template of its own in %s',
    language => {
      expect(of(language, 'A', 'B')).not.toBe(of('en', 'A', 'B'))
      expect(of(language, 'A', 'B')).toMatch(/Harbour Gazette.*A.*B/)
    },
  )
})
