// Most bodies are paragraphs with a little emphasis and a few links. Those need no parser: this reads them in one pass,
// several times as fast (a rebuild reads them all), and leaves everything else to the parser. Both give the same; a property
// test holds them to it.

/** What readers get of a body: HTML of the allow list, and its paragraphs. */
export interface Shown {
  readonly html: string
  readonly paragraphs: readonly string[]
}

/** Of each link in what readers get: the opened page learns nothing of the one that opened it. */
export const LINK_REL = 'noopener noreferrer'

/** Groups: text, slash, tag, href, entity. */
const TOKEN =
  /([^<>&\0]+)|<(\/?)([a-z][a-z0-9]*)>|<a href="(https?:\/\/[A-Za-z0-9\-._~:/?#@!$()*+,;=%]+)">|&(amp|lt|gt);/y

const INLINE = new Set(['b', 'strong', 'em', 'i', 'u', 's', 'sub', 'sup', 'small', 'mark', 'code', 'cite', 'a'])
const LEAF = new Set(['p', 'h2', 'h3', 'h4', 'h5', 'h6'])
const TOP = new Set(['ul', 'ol', 'blockquote'])
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>' }

/** The body when it is properly nested plain markup of which nothing has to be taken; null: it needs the parser. */
export const plainMarkup = (html: string): Shown | null => {
  const open: string[] = []
  const paragraphs: string[] = []
  let shown = ''
  let paragraph = ''
  const flush = () => {
    const text = paragraph.replace(/\s+/g, ' ').trim()
    if (text) paragraphs.push(text)
    paragraph = ''
  }
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < html.length) {
    const token = TOKEN.exec(html)
    if (!token) return null
    const [, text, slash, tag, href, entity] = token
    if (text !== undefined || entity !== undefined) {
      paragraph += text ?? ENTITIES[entity ?? '']
      shown += token[0]
    } else if (href !== undefined) {
      if (!fits('a', open)) return null
      open.push('a')
      shown += `<a href="${href}" rel="${LINK_REL}">`
    } else if (tag === 'br' && !slash) {
      flush()
      shown += '<br />'
    } else if (tag === undefined || (slash ? open.pop() !== tag : tag === 'a' || !fits(tag, open))) {
      return null
    } else {
      if (!slash) open.push(tag)
      if (!INLINE.has(tag)) flush()
      shown += token[0]
    }
  }
  flush()
  return open.length === 0 ? { html: shown, paragraphs } : null
}

/** Where an element may begin without a parser closing another one for it. */
const fits = (tag: string, open: readonly string[]): boolean => {
  const parent = open.at(-1)
  if (INLINE.has(tag)) return parent !== 'ul' && parent !== 'ol' && !open.includes(tag)
  if (tag === 'li') return parent === 'ul' || parent === 'ol'
  if (LEAF.has(tag)) return parent === undefined || (parent === 'blockquote' && open.length === 1)
  return TOP.has(tag) && parent === undefined
}
