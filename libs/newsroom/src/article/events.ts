// Events of an article's stream, `article-{uuid}`. Wire names and shapes are a contract: upcast, never renamed.
import { type Content, type LiveContent, type Source } from './content'

/** Where an imported article came from. */
export interface WireOrigin {
  /** The item's identity: guid or uri. */
  readonly uri: string
  readonly profile: 'ninjs-1' | 'ninjs-3' | 'superdesk'
  /** The item's own version; later versions win, by version and then by `versionCreated`. */
  readonly version: string | null
  /** RFC 3339 UTC. */
  readonly versionCreated: string | null
}

export interface ArticleEvents {
  /** The working copy begins. `wantedSlug` is reserved at publication only. */
  ArticleDrafted: Content & { readonly wantedSlug: string | null }
  /** The working copy changed: absent = unchanged, null = cleared. */
  ArticleRevised: { readonly changes: Partial<Content & { readonly wantedSlug: string | null }> }
  ArticleSourced: Source
  /** The editors' related articles, in order. */
  ArticleRelated: { readonly articleIds: readonly string[] }
  /** A version of a wire item arrived; `held` says why it may not be published (withheld, embargoed), else null. */
  WireItemReceived: WireOrigin & {
    readonly held: string | null
    /** End of an embargo, RFC 3339 UTC: from then on `held` holds nothing back. */
    readonly heldUntil?: string
    /** SHA-256 of the normalised item: the same version again changes nothing, whatever editors did since. */
    readonly digest?: string
    /** What of the item was not understood: JSON pointers with a reason. */
    readonly notUnderstood: readonly string[]
  }
  /** Readers see this, whole, from now on. */
  ArticlePublished: LiveContent
  /** Readers get 410 from now on; gone from every list. */
  ArticleUnpublished: { readonly reason: string | null }
}
