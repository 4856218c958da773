// The shape of a demonstration article. Places, outlets and events in the demonstration are invented.

/** An article of the demonstration; everything else about it follows from these. */
export interface DemoArticle {
  /** Its name within the demonstration, for ever: the article's identity derives from it. */
  readonly key: string
  readonly language: 'en' | 'de'
  readonly headline: string
  readonly summary: string
  /** Plain text, one paragraph each. */
  readonly paragraphs: readonly string[]
  readonly tags: readonly string[]
  readonly byline: string
  /** Who contributed to it, after the outlet. */
  readonly contributors: readonly { readonly name: string; readonly kind?: 'agency' | 'wire' | 'document' }[]
  /** Hours between its publication and the moment the demonstration is set up. */
  readonly hoursAgo: number
  /** Views relative to the others; the popular lists follow it. */
  readonly interest: number
  /** Keys of articles that the editors relate by hand. */
  readonly related?: readonly string[]
}

/** A section of the demonstration with its names in both languages. */
export interface DemoSection {
  readonly slug: string
  readonly names: Readonly<Record<DemoArticle['language'], string>>
  readonly articles: readonly DemoArticle[]
}
