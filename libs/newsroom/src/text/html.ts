// What readers get of the HTML that was submitted: an allow list, and the text alone. docs/html.md lists it for editors.
import { Parser } from 'htmlparser2'
import sanitizeHtml from 'sanitize-html'
import { LINK_REL, plainMarkup, type Shown } from './plain-markup'

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
/** Elements that begin and end a paragraph. */
export const BLOCKS: ReadonlySet<string> = new Set(
  (
    'p br hr h1 h2 h3 h4 h5 h6 ul ol li dl dt dd pre blockquote figure figcaption table caption thead tbody tfoot tr th td ' +
    'div section article header footer aside main nav address'
  ).split(' '),
)

/** What readers get of a submitted body. */
export const shownOf = (html: string): Shown => {
  const plain = plainMarkup(html)
  if (plain) return plain
  const clean = sanitised(html)
  return { html: clean, paragraphs: paragraphsOf(clean) }
}

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

/** True when something of it is to be read. */
export const hasText = (html: string): boolean => BEGINS_WITH_TEXT.test(html) || paragraphsOf(html).length > 0

/** Saves the parser for what editors mostly write: a few plain elements, then a word. */
const BEGINS_WITH_TEXT = /^(?:\s|<(?:p|div|section|h[1-6]|b|strong|em|i|ul|ol|li|blockquote)>)*[\p{L}\p{N}]/u
/** The same as a set. */
export const SILENCED: ReadonlySet<string> = new Set(SILENT)

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
    a: (tagName, { rel: _, ...attribs }) => ({ tagName, attribs: { ...attribs, rel: LINK_REL } }),
    figure: (tagName, attribs) => ({
      tagName,
      attribs: /^https?:\/\//.test(attribs['data-embed'] ?? '') ? attribs : {},
    }),
  },
  exclusiveFilter: ({ tag, attribs }) => tag === 'img' && !attribs.src,
}
