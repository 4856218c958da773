// Answers as they are kept for many readers: until something changes, for a moment, or with an ending that all share and
// that is renewed by itself.
import { type Standing } from '@stet/eventsourcing'
import { contentTag, type HotAnswer, type HotBody } from '@stet/platform'

type Series = HotAnswer['series']
/** For how long an answer stands. */
type Stands = Pick<Standing, 'holds'>

/** Milliseconds that an answer is kept which changes as time passes, and after which one request renews it. */
const FADES = 250
const RENEWED = 150

/** Stays the same until something that it shows has changed. */
export const lasting = (body: HotBody, stands: Stands, series: Series): HotAnswer => ({
  current: () => (stands.holds() === null ? null : body),
  position: () => stands.holds() ?? '',
  series,
})

/** Is kept for a moment; while one request renews it the others are still served. */
export const fading = (body: HotBody, stands: Stands, series: Series): HotAnswer => {
  const until = performance.now() + FADES
  let renewal = until - FADES + RENEWED
  const { current, position } = lasting(body, stands, series)
  return {
    current: () => {
      const now = performance.now()
      if (now <= renewal) return current()
      renewal = until
      return null
    },
    position,
    series,
  }
}

/** What many answers end with. */
export interface Ending {
  /** The same object for as long as it is the same. */
  readonly shown: Shown
  readonly stands: Stands
}

export interface Shown {
  /** JSON, its UTF-8 bytes as a Latin-1 string. */
  readonly text: string
  /** What it shows, for purging. */
  readonly keys: readonly string[]
}

interface KnownEnding extends Ending {
  readonly asked: number
}

/** Milliseconds that an ending is shown at most after it was asked for, and after which it is asked for again. */
const ENDING_SHOWN = 250
const ENDING_RENEWED = 125

/** One ending for all answers of a kind: asked for again, by nobody's request, before it is too old. */
export class SharedEnding {
  #known: KnownEnding | null = null
  #asking: Promise<Ending> | null = null

  constructor(private readonly ask: () => Promise<Ending>) {}

  /** The ending as it may be shown now; null when it has to be asked for. */
  current(): Ending | null {
    if (!this.#known || this.#known.stands.holds() === null) return null
    const age = performance.now() - this.#known.asked
    if (age > ENDING_SHOWN) return null
    if (age > ENDING_RENEWED) this.#ask().catch(() => undefined)
    return this.#known
  }

  async get(): Promise<Ending> {
    for (;;) {
      const known = this.current()
      if (known) return known
      const joined = this.#asking !== null
      const ending = await this.#ask()
      // What was asked for before a change is not for those who ask after it.
      if (!joined || ending.stands.holds() !== null) return ending
    }
  }

  #ask(): Promise<Ending> {
    const asked = performance.now()
    this.#asking ??= this.ask()
      .then(({ shown, stands }) => {
        const before = this.#known?.shown
        this.#known = { shown: before && same(before, shown) ? before : shown, stands, asked }
        return this.#known
      })
      .finally(() => (this.#asking = null))
    return this.#asking
  }
}

const same = (a: Shown, b: Shown): boolean => a.text === b.text && a.keys.join() === b.keys.join()

/** An answer that ends with a member that others share. */
export class EndedAnswer implements HotAnswer {
  readonly #stands: Stands
  #shown: Shown
  #body: HotBody
  readonly #length: number

  constructor(
    /** The answer up to the shared ending. */
    own: { readonly text: string; readonly stands: Stands },
    { shown }: Ending,
    private readonly shared: SharedEnding,
    /** Headers of an answer that shows these keys as well. */
    private readonly headers: (keys: readonly string[]) => HotBody['headers'],
    readonly series: Series,
  ) {
    this.#stands = own.stands
    this.#shown = shown
    this.#length = own.text.length
    this.#body = this.#joined(own.text, shown)
  }

  get body(): HotBody {
    return this.#body
  }

  current(): HotBody | null {
    if (this.#stands.holds() === null) return null
    const ending = this.shared.current()
    if (ending === null) return null
    if (ending.shown !== this.#shown) {
      this.#shown = ending.shown
      this.#body = this.#joined(this.#body.text.slice(0, this.#length), ending.shown)
    }
    return this.#body
  }

  position(): string {
    return this.#stands.holds() ?? ''
  }

  #joined(own: string, shown: Shown): HotBody {
    const text = `${own}${shown.text}}`
    return { text, etag: tagOf(text), headers: this.headers(shown.keys) }
  }
}

/** The UTF-8 bytes of a text, a character each. */
export const latin1 = (text: string): string => Buffer.from(text).toString('latin1')

/** Strong tag of such a text. */
export const tagOf = (text: string): string => contentTag(Buffer.from(text, 'latin1'))
