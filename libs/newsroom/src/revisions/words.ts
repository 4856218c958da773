// What differs between two texts, in words: bounded in time whatever the texts, and in size whatever the difference.
import { diffArrays } from 'diff'
import { isMarkup, LINE_END, markupOf, type Token } from './tokens'

/** A stretch of one of the texts, or of both. */
export interface Part {
  readonly op: 'same' | 'removed' | 'added'
  readonly text: string
  /** Characters left out where the text has its first ` … `. */
  readonly skipped?: number
}

/** A piece of markup that came or went. */
export interface MarkupChange {
  readonly op: 'removed' | 'added'
  readonly markup: string
  /** The text that follows it. */
  readonly before: string
}

export interface WordDifference {
  readonly parts: readonly Part[]
  readonly markup: readonly MarkupChange[]
  /** False: there is more than is told. */
  readonly complete: boolean
}

// The search takes time in the square of the number of edits. Beyond these a stretch counts as written anew.
const MOST_LINES = 400
const MOST_WORDS = 1_000
/** In all stretches together: one that was written anew leaves something for those after it. */
const ALL_WORDS = 2_000

// What is told at most.
const MOST_PARTS = 2_000
const MOST_TEXT = 100_000
const MOST_MARKUP = 200
/** Characters of unchanged and of changed text that are shown whole, and of each end of what is longer. */
const WHOLE = { same: 400, changed: 20_000 } as const
const END = { same: 150, changed: 9_000 } as const
/** Characters of a piece of markup, and of the text beside it. */
const MARKUP = 500
const BESIDE = 60

interface Edit {
  readonly op: Part['op']
  readonly tokens: readonly Token[]
}

export const wordsBetween = (before: readonly Token[], after: readonly Token[]): WordDifference => {
  const told = new Told()
  for (const edit of readable(byLine(editsBetween(before, after)))) told.add(edit)
  return told.result()
}

/** Lines first, then the words of those that differ: edits far from one another cost no more than each of them. */
const editsBetween = (before: readonly Token[], after: readonly Token[]): Edit[] => {
  const budget = { words: ALL_WORDS }
  return changesIn(linesOf(before), linesOf(after), MOST_LINES).flatMap(change => {
    if ('same' in change) return [{ op: 'same' as const, tokens: tokensOf(change.same) }]
    const [removed, added] = [tokensOf(change.removed), tokensOf(change.added)]
    return wordEdits(removed, added, budget)
  })
}

const wordEdits = (removed: readonly Token[], added: readonly Token[], budget: { words: number }): Edit[] => {
  if (removed.length === 0 || added.length === 0) return rewritten(removed, added)
  const most = Math.min(budget.words, MOST_WORDS)
  const found = changesIn(removed, added, most)
  const edits = found.reduce((sum, it) => sum + ('removed' in it ? it.removed.length + it.added.length : 0), 0)
  // A search that was given up has cost as much as one that found the most.
  budget.words -= Math.min(edits, most)
  return found.flatMap(change =>
    'same' in change ? [{ op: 'same', tokens: change.same }] : rewritten(change.removed, change.added),
  )
}

const rewritten = (removed: readonly Token[], added: readonly Token[]): Edit[] => [
  ...(removed.length > 0 ? [{ op: 'removed' as const, tokens: removed }] : []),
  ...(added.length > 0 ? [{ op: 'added' as const, tokens: added }] : []),
]

type Change = { readonly same: readonly string[] } | { readonly removed: readonly string[]; readonly added: string[] }

/** What differs between two sequences, with at most so many edits; else all between their equal ends. */
const changesIn = (before: readonly string[], after: readonly string[], most: number): Change[] => {
  const shorter = Math.min(before.length, after.length)
  let head = 0
  while (head < shorter && before[head] === after[head]) head++
  let tail = 0
  while (tail < shorter - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++
  const removed = before.slice(head, before.length - tail)
  const added = after.slice(head, after.length - tail)
  const changes: Change[] = []
  const same = (items: readonly string[]) => {
    if (items.length > 0) changes.push({ same: items })
  }
  same(before.slice(0, head))
  const found = removed.length > 0 && added.length > 0 ? diffArrays(removed, added, { maxEditLength: most }) : undefined
  if (found) changes.push(...paired(found))
  else if (removed.length + added.length > 0) changes.push({ removed, added })
  same(before.slice(before.length - tail))
  return changes
}

/** What was removed and what was added in one place belong together. */
const paired = (
  found: readonly { readonly value: string[]; readonly added: boolean; readonly removed: boolean }[],
): Change[] => {
  const changes: Change[] = []
  let pending: { removed: string[]; added: string[] } | null = null
  for (const { value, added, removed } of found) {
    if (!added && !removed) {
      pending = null
      changes.push({ same: value })
      continue
    }
    if (!pending) changes.push((pending = { removed: [], added: [] }))
    const side = removed ? 'removed' : 'added'
    pending[side] = pending[side].concat(value)
  }
  return changes
}

/** Each line with its end. */
const linesOf = (tokens: readonly Token[]): string[] => {
  const lines: string[] = []
  let start = 0
  for (let at = 0; at < tokens.length; at++)
    if (tokens[at] === LINE_END || at === tokens.length - 1) {
      lines.push(tokens.slice(start, at + 1).join(BETWEEN))
      start = at + 1
    }
  return lines
}
/** Joins the tokens of a line to one text that can be compared, and parted again: NUL stands in no text. */
const BETWEEN = '\0\0'
const tokensOf = (lines: readonly string[]): Token[] => lines.flatMap(line => line.split(BETWEEN))

/** "…end.⏎[New.⏎]" rather than "…end.[⏎New.]⏎": what came or went between two lines is whole lines where it can be. */
const byLine = (edits: readonly Edit[]): Edit[] => {
  const result: Edit[] = []
  let next = edits[0]
  for (let index = 0; next; index++) {
    const edit: Edit = next
    next = edits[index + 1]
    const turn = edit.op !== 'same' && next?.op === 'same' ? lineBothBeginWith(edit.tokens, next.tokens) : 0
    if (turn === 0 || !next) {
      result.push(edit)
      continue
    }
    const line = edit.tokens.slice(0, turn)
    result.push({ op: 'same', tokens: line }, { op: edit.op, tokens: [...edit.tokens.slice(turn), ...line] })
    next = { op: 'same', tokens: next.tokens.slice(turn) }
  }
  return result.filter(({ tokens }) => tokens.length > 0)
}

/** Number of tokens up to the first end of a line, where both begin with them. */
const lineBothBeginWith = (a: readonly Token[], b: readonly Token[]): number => {
  const end = a.indexOf(LINE_END) + 1
  return end < a.length && a.slice(0, end).every((token, index) => token === b[index]) ? end : 0
}

/** A space alone between two changes belongs to them: "one two" became "three four", not word by word. */
const readable = (edits: readonly Edit[]): Edit[] => {
  const result: Edit[] = []
  let removed: (readonly Token[])[] = []
  let added: (readonly Token[])[] = []
  const flush = () => {
    result.push(...rewritten(removed.flat(), added.flat()))
    removed = []
    added = []
  }
  edits.forEach(({ op, tokens }, index) => {
    const within = removed.length > 0 && added.length > 0 && isSpace(tokens) && index < edits.length - 1
    if (op !== 'added' && (op === 'removed' || within)) removed.push(tokens)
    if (op !== 'removed' && (op === 'added' || within)) added.push(tokens)
    if (op !== 'same' || within) return
    flush()
    result.push({ op, tokens })
  })
  flush()
  return result
}

const isSpace = (tokens: readonly Token[]): boolean => tokens.length === 1 && tokens[0] === ' '

/** Collects what is told until it is enough. */
class Told {
  readonly #parts: Part[] = []
  readonly #markup: { op: 'removed' | 'added'; markup: string; before: string }[] = []
  /** Markup that waits for the text that follows it. */
  #open: { before: string }[] = []
  #text = 0
  #isFull = false
  #complete = true

  add({ op, tokens }: Edit): void {
    for (const token of tokens) {
      if (!isMarkup(token)) this.#beside(token)
      else if (op !== 'same') this.#change(op, token)
    }
    const text = tokens.filter(token => !isMarkup(token)).join('')
    if (text === '') return
    const part = shortened(op, text)
    this.#text += part.text.length
    // What follows what was left out would seem to stand beside what is told.
    this.#isFull ||= this.#text > MOST_TEXT || this.#parts.length >= MOST_PARTS
    if (!this.#isFull) this.#parts.push(part)
  }

  result(): WordDifference {
    const markup = this.#markup.map(({ before, ...change }) => ({
      ...change,
      before: whole(before.slice(0, BESIDE)).trim(),
    }))
    return { parts: merged(this.#parts), markup, complete: this.#complete && !this.#isFull }
  }

  #change(op: 'removed' | 'added', token: Token): void {
    if (this.#markup.length >= MOST_MARKUP) {
      this.#complete = false
      return
    }
    const change = { op, markup: cut(markupOf(token), MARKUP), before: '' }
    this.#markup.push(change)
    this.#open.push(change)
  }

  #beside(token: Token): void {
    if (this.#open.length === 0) return
    for (const change of this.#open) change.before += token
    this.#open = this.#open.filter(({ before }) => before.length < BESIDE)
  }
}

/** Stretches of one kind that only markup parted. */
const merged = (parts: readonly Part[]): Part[] => {
  const result: Part[] = []
  for (const part of parts) {
    const last = result.at(-1)
    if (last?.op === part.op && last.skipped === undefined && part.skipped === undefined)
      result[result.length - 1] = { op: part.op, text: last.text + part.text }
    else result.push(part)
  }
  return result
}

const shortened = (op: Part['op'], text: string): Part => {
  const kind = op === 'same' ? 'same' : 'changed'
  if (text.length <= WHOLE[kind]) return { op, text }
  const [head, tail] = [whole(text.slice(0, END[kind])), whole(text.slice(-END[kind]))]
  return { op, text: `${head} … ${tail}`, skipped: text.length - 2 * END[kind] }
}

const cut = (text: string, most: number): string => (text.length <= most ? text : `${whole(text.slice(0, most))}…`)

/** Without half a character at either end. */
const whole = (text: string): string => text.replace(/^\p{Surrogate}|\p{Surrogate}$/gu, '')
