// What an article consists of: the shapes that events carry and that answers are built from.

/** A section, tag or author: the slug is its identity, the name what readers see. */
export interface Term {
  readonly slug: string
  readonly name: string
  /** Vocabulary and code it came with, e.g. `mediatopic` and `11000000`. */
  readonly scheme?: string
  readonly code?: string
}

/** A byline author. */
export interface Author extends Term {
  /** As the newsroom writes it: `writer`, `photographer`. */
  readonly role?: string
}

/** A picture by reference; nothing is uploaded. Width and height in pixels. */
export interface Image {
  readonly url: string
  readonly width?: number
  readonly height?: number
  readonly alt?: string
  readonly caption?: string
  readonly credit?: string
}

export const CONTRIBUTOR_KINDS = ['agency', 'wire', 'person', 'photographer', 'document'] as const
export type ContributorKind = (typeof CONTRIBUTOR_KINDS)[number]

/** Who contributed to the report; without a kind it is only named. */
export interface Contributor {
  readonly name: string
  readonly kind?: ContributorKind
}

/** Where the report comes from: `Source: {outlet} with {contributors}`. */
export interface Source {
  readonly outlet: string
  readonly contributors: readonly Contributor[]
  /** What the supplier allows: `No use after 31 December`. */
  readonly usageTerms?: string
  /** Where the report stood first. */
  readonly originalUrl?: string
}

/** Title and description for search engines and cards of social networks. */
export interface Seo {
  readonly title?: string
  readonly description?: string
}

/** What editors write. `bodyHtml` is as submitted: sanitising happens in the read models. Absent values are null. */
export interface Content {
  readonly headline: string
  readonly section: Term | null
  readonly bodyHtml: string
  readonly summary: string | null
  /** What the article says in a few sentences. */
  readonly keyPoints: readonly string[]
  readonly tags: readonly Term[]
  readonly authors: readonly Author[]
  readonly image: Image | null
  /** BCP 47, canonical form. */
  readonly language: string
  readonly seo: Seo | null
  readonly canonicalUrl: string | null
}

/** What readers see of an article, but for its dates: what is approved, and what a schedule freezes. */
export interface PublishableContent extends Content {
  readonly section: Term
  readonly source: Source
  /** The editors' related articles, in order; unknown ones are shown once they are live. */
  readonly relatedIds: readonly string[]
  /** Articles that never stand beside it. */
  readonly blockedIds: readonly string[]
  readonly slug: string
  /** Revision of the article's stream that it was made from. */
  readonly revision: number
}

/** What readers see of an article: carried whole by every event that changes it. */
export interface LiveContent extends PublishableContent {
  /** First publication, RFC 3339 UTC: the time of the first event, or the original one of an imported item. */
  readonly firstPublishedAt: string
  /**
   * When readers could see it: since it went live, kept while it stays live; of an imported version, its original time.
   */
  readonly publishedAt: string
  /** This publication, or the imported version's original time; absent: the event's time. */
  readonly updatedAt?: string
}
