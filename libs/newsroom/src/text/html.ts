// What readers get of the HTML that was submitted: an allow list, and the text alone. docs/html.md lists it for editors.
import { Parser } from 'htmlparser2'
import sanitizeHtml from 'sanitize-html'

/** Elements that readers are shown, with the attributes that stay; of everything else the text stays. */
export const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  p: [],
  br: [],
  hr: [],
  h2: [],
  h3: [],
  h4: [],
  h5: [],
  h6: [],
  ul: [],
  ol: ['start'],
  li: [],
  dl: [],
  dt: [],
  dd: [],
  strong: [],
  b: [],
  em: [],
  i: [],
  u: [],
  s: [],
  sub: [],
  sup: [],
  small: [],
  mark: [],
  code: [],
  pre: [],
  abbr: ['title'],
  cite: [],
  q: ['cite'],
  time: ['datetime'],
  blockquote: ['cite'],
  a: ['href', 'title', 'rel'],
  img: ['src', 'alt', 'title', 'width', 'height'],
  figure: ['data-embed'],
  figcaption: [],
  table: [],
  caption: [],
  thead: [],
  tbody: [],
  tfoot: [],
  tr: [],
  th: ['colspan', 'rowspan', 'scope'],
  td: ['colspan', 'rowspan'],
}

/** Of these not even the text is shown. */
const SILENT = [
  'script',
  'style',
  'textarea',
  'option',
  'noscript',
  'template',
  'title',
  'iframe',
  'object',
  'svg',
  'math',
]
const BLOCKS = new Set(
  (
    'p br hr h1 h2 h3 h4 h5 h6 ul ol li dl dt dd pre blockquote figure figcaption table caption thead tbody tfoot tr th td ' +
    'div section article header footer aside main nav address'
  ).split(' '),
)

/** The HTML that readers get: only what ALLOWED names; links open nothing but http, https, mailto and the site itself. */
export const sanitised = (html: string): string => sanitizeHtml(html, OPTIONS)

/** Paragraphs of the text, white space collapsed, in order. */
export const paragraphsOf = (html: string): string[] => {
  const paragraphs: string[] = []
  let current = ''
  let silent = 0
  const flush = () => {
    const paragraph = current.replace(/\s+/g, ' ').trim()
    if (paragraph) paragraphs.push(paragraph)
    current = ''
  }
  const parser = new Parser(
    {
      onopentagname: name => {
        if (SILENCED.has(name)) silent += 1
        if (BLOCKS.has(name)) flush()
      },
      onclosetag: name => {
        if (SILENCED.has(name)) silent -= 1
        if (BLOCKS.has(name)) flush()
      },
      ontext: text => {
        if (silent === 0) current += text
      },
    },
    { decodeEntities: true },
  )
  parser.end(html)
  flush()
  return paragraphs
}

/** The text alone, '' when nothing of it is to be read. */
export const plainText = (html: string): string => paragraphsOf(html).join('\n')

const SILENCED = new Set(SILENT)
const REL = 'noopener noreferrer'

const OPTIONS: sanitizeHtml.IOptions = {
  allowedTags: Object.keys(ALLOWED),
  allowedAttributes: Object.fromEntries(Object.entries(ALLOWED).map(([tag, attributes]) => [tag, [...attributes]])),
  allowedSchemes: ['http', 'https', 'mailto'],
  allowedSchemesByTag: { img: ['http', 'https'] },
  allowedSchemesAppliedToAttributes: ['href', 'src', 'cite', 'data-embed'],
  allowProtocolRelative: false,
  nonTextTags: SILENT,
  parseStyleAttributes: false,
  disallowedTagsMode: 'discard',
  transformTags: {
    h1: 'h2',
    a: (tagName, { rel: _, ...attribs }) => ({ tagName, attribs: { ...attribs, rel: REL } }),
    figure: (tagName, attribs) => ({
      tagName,
      attribs: /^https?:\/\//.test(attribs['data-embed'] ?? '') ? attribs : {},
    }),
  },
  exclusiveFilter: ({ tag, attribs }) => tag === 'img' && !attribs.src,
}
