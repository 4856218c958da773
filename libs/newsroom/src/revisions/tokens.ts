// Texts as sequences of words, so that what differs between two of them can be told in words.
import { Parser } from 'htmlparser2'
import { BLOCKS, SILENCED } from '../text/html'

/**
 * A word, a space, a sign, the end of a line, or a piece of markup, which begins with NUL: no text has one, and readers
 * see none of it.
 */
export type Token = string

export const LINE_END: Token = '\n'
const MARKUP = '\0'
export const isMarkup = (token: Token): boolean => token.startsWith(MARKUP)
export const markupOf = (token: Token): string => token.slice(MARKUP.length)

// Scripts that put no spaces between words are taken character by character.
const WORDS =
  /\n|[^\S\n]+|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]\p{M}*|[\p{L}\p{N}_][\p{L}\p{N}\p{M}_'’]*|[^]/gu

/** Words, spaces and signs of a text; joined they are the text. */
export const textTokens = (text: string): Token[] => text.match(WORDS) ?? []

/** Elements within elements cost the parser the square of their number: beyond so many tags HTML is taken as it is written. */
const MOST_TAGS = 20_000

/** What is to be read of HTML, a line per paragraph and white space collapsed, with the markup in its places. */
export const htmlTokens = (html: string): Token[] => {
  if (html.split('<').length > MOST_TAGS) return textTokens(html)
  const line = new Line()
  let silent = 0
  const parser = new Parser(
    {
      onopentag: (name, attributes) => {
        if (BLOCKS.has(name)) line.end()
        if (SILENCED.has(name)) silent += 1
        line.markup(opening(name, attributes))
      },
      onclosetag: name => {
        if (SILENCED.has(name)) silent -= 1
        if (!VOID.has(name)) line.markup(`</${name}>`)
        if (BLOCKS.has(name)) line.end()
      },
      ontext: text => {
        if (silent === 0) line.text(text)
        else if (text.trim()) line.markup(text.trim())
      },
      oncomment: text => line.markup(`<!--${text}-->`),
    },
    { decodeEntities: true },
  )
  parser.end(html)
  line.end()
  return line.tokens
}

const VOID = new Set('area base br col embed hr img input link meta param source track wbr'.split(' '))

const opening = (name: string, attributes: Readonly<Record<string, string>>): string =>
  `<${[name, ...Object.entries(attributes).map(([key, value]) => `${key}=${JSON.stringify(value)}`)].join(' ')}>`

/** Tokens of the lines so far: no line is empty, none begins with a space, and no two spaces follow one another. */
class Line {
  readonly tokens: Token[] = []
  #last: Token = LINE_END

  text(text: string): void {
    for (const token of textTokens(text.replace(/\s+/g, ' '))) {
      if (token === ' ' && (this.#last === ' ' || this.#last === LINE_END)) continue
      this.tokens.push(token)
      this.#last = token
    }
  }

  markup(markup: string): void {
    this.tokens.push(MARKUP + markup)
  }

  end(): void {
    if (this.#last === LINE_END) return
    this.tokens.push(LINE_END)
    this.#last = LINE_END
  }
}
