// Answers as they are kept for many readers: until something changes, for a moment, or with an ending that all share and
// that is renewed by itself.
import { contentTag, type HotAnswer, type HotBody } from '@stet/platform'

type Series = HotAnswer['series']

/** Milliseconds that an answer is kept which changes as time passes, and after which one request renews it. */
const FADES = 250
const RENEWED = 150

/** Stays the same until a read model moves. */
export const lasting = (body: HotBody, series: Series): HotAnswer => ({ current: () => body, series })

/** Is kept for a moment; while one request renews it the others are still served. */
export const fading = (body: HotBody, series: Series): HotAnswer => {
  const until = performance.now() + FADES
  let renewal = until - FADES + RENEWED
  return {
    current: () => {
      const now = performance.now()
      if (now <= renewal) return body
      renewal = until
      return null
    },
    series,
  }
}

/** What many answers end with. */
export interface Ending {
  /** JSON, its UTF-8 bytes as a Latin-1 string. */
  readonly text: string
  /** What it shows, for purging. */
  readonly keys: readonly string[]
}

interface KnownEnding extends Ending {
  readonly generation: number
  readonly asked: number
}

/** Milliseconds that an ending is shown at most after it was asked for, and after which it is asked for again. */
const ENDING_SHOWN = 500
const ENDING_RENEWED = 250

/** One ending for all answers of a kind: asked for again, by nobody's request, before it is too old. */
export class SharedEnding {
  #known: KnownEnding | null = null
  #asking: { readonly generation: number; readonly ending: Promise<Ending> } | null = null

  /** What was asked for at another `generation` is not shown any more. */
  constructor(
    private readonly hot: { readonly generation: number },
    private readonly ask: () => Promise<Ending>,
  ) {}

  /** The ending as it may be shown now; null when it has to be asked for. */
  current(): Ending | null {
    const age = performance.now() - (this.#known?.asked ?? 0)
    if (this.#known?.generation !== this.hot.generation || age > ENDING_SHOWN) return null
    if (age > ENDING_RENEWED) this.#ask().catch(() => undefined)
    return this.#known
  }

  async get(): Promise<Ending> {
    return this.current() ?? this.#ask()
  }

  #ask(): Promise<Ending> {
    const { generation } = this.hot
    if (this.#asking?.generation === generation) return this.#asking.ending
    const asked = performance.now()
    const asking = {
      generation,
      ending: this.ask()
        .then(({ text, keys }) => {
          const before = this.#known
          // Whoever shows it compares: the same string is the same at a glance.
          const ending = before?.text === text ? before : { text, keys }
          this.#known = { text: ending.text, keys: ending.keys, generation, asked }
          return this.#known
        })
        .finally(() => {
          if (this.#asking === asking) this.#asking = null
        }),
    }
    this.#asking = asking
    return asking.ending
  }
}

/** An answer that ends with a member that others share. */
export class EndedAnswer implements HotAnswer {
  #ending: Ending
  #body: HotBody
  readonly #length: number

  constructor(
    /** The answer up to the shared ending. */
    own: string,
    ending: Ending,
    private readonly shared: SharedEnding,
    /** Headers of an answer that shows these keys as well. */
    private readonly headers: (keys: readonly string[]) => HotBody['headers'],
    readonly series: Series,
  ) {
    this.#ending = ending
    this.#length = own.length
    this.#body = this.#joined(own, ending)
  }

  get body(): HotBody {
    return this.#body
  }

  current(): HotBody | null {
    const ending = this.shared.current()
    if (ending === null) return null
    if (ending.text !== this.#ending.text) {
      this.#ending = ending
      this.#body = this.#joined(this.#body.text.slice(0, this.#length), ending)
    }
    return this.#body
  }

  #joined(own: string, ending: Ending): HotBody {
    const text = `${own}${ending.text}}`
    return { text, etag: tagOf(text), headers: this.headers(ending.keys) }
  }
}

/** The UTF-8 bytes of a text, a character each. */
export const latin1 = (text: string): string => Buffer.from(text).toString('latin1')

/** Strong tag of such a text. */
export const tagOf = (text: string): string => contentTag(Buffer.from(text, 'latin1'))
