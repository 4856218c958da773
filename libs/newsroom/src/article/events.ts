// Events of an article's stream, `article-{uuid}`. Wire names and shapes are a contract: upcast, never renamed.
import { type Content, type LiveContent, type PublishableContent, type Source } from './content'

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

/** A change that is to happen by itself. Content is frozen when it is scheduled: later revisions do not leak in. */
export type ScheduledChange =
  | { readonly kind: 'publish'; readonly content: PublishableContent }
  | { readonly kind: 'correct'; readonly content: PublishableContent; readonly note: string }
  | { readonly kind: 'unpublish'; readonly reason: string | null }

/** What happens at the desk: readers see nothing of it. */
export interface WorkingEvents {
  /** The working copy begins. `wantedSlug` is reserved at publication only. */
  ArticleDrafted: Content & { readonly wantedSlug: string | null }
  /** The working copy changed: absent = unchanged, null = cleared. */
  ArticleRevised: {
    readonly changes: Partial<Content & { readonly wantedSlug: string | null }>
    /** The revision whose content came back by it. */
    readonly restoredFrom?: number
    /** The revision that it was written on, where others' changes to other fields since were kept. */
    readonly mergedFrom?: number
  }
  ArticleSourced: Source
  /** The editors' related articles, in order, and those that never stand beside it. */
  ArticleRelated: { readonly articleIds: readonly string[]; readonly blockedIds: readonly string[] }
  /** A version of a wire item arrived; `held` says why it may not be published (withheld, embargoed), else null. */
  WireItemReceived: WireOrigin & {
    readonly held: string | null
    /** End of an embargo, RFC 3339 UTC: from then on `held` holds nothing back. */
    readonly heldUntil?: string
    /** SHA-256 of the normalised item: the same version again changes nothing, whatever editors did since. */
    readonly digest?: string
    /** First publication by the wire, and of this version; RFC 3339 UTC. The article's first publication keeps them. */
    readonly firstPublishedAt?: string
    readonly publishedAt?: string
    /** What of the item was not understood: JSON pointers with a reason. */
    readonly notUnderstood: readonly string[]
  }
  /** The working copy is up for review. */
  ArticleSubmitted: { readonly note: string | null }
  /** The review found something to mend. */
  ArticleSentBack: { readonly note: string }
  /** The working copy may be published as it stood at `revision`; the next change of it ends that. */
  ArticleApproved: { readonly revision: number; readonly note: string | null }
  /** Nothing publishes the article before this time (RFC 3339 UTC); null ends the embargo. */
  ArticleEmbargoed: { readonly until: string | null; readonly reason: string | null }
  /** Not to be published; out of the desk's lists until it is restored. */
  ArticleSpiked: { readonly reason: string | null }
  ArticleRestored: { readonly reason: string | null }
  ArticleChangeScheduled: {
    /** Also the id of the command that scheduled it. */
    readonly scheduleId: string
    /** RFC 3339 UTC. */
    readonly at: string
    /** The IANA zone that the time was given in, if any. */
    readonly zone: string | null
    readonly change: ScheduledChange
  }
  /** To another time, or with what is approved now. */
  ArticleChangeRescheduled: {
    readonly scheduleId: string
    readonly at: string
    readonly zone: string | null
    readonly change: ScheduledChange
  }
  /** Called off; of a failed one: seen. */
  ArticleChangeCancelled: { readonly scheduleId: string; readonly reason: string | null }
  /** What was scheduled was done, by the events of the same command. */
  ArticleChangePerformed: {
    readonly scheduleId: string
    readonly due: string
    /** Whole seconds after it was due; more than a few: nothing ran then. */
    readonly lateSeconds: number
  }
  /** What was scheduled had become impossible: `rule` names what forbade it. */
  ArticleChangeFailed: {
    readonly scheduleId: string
    readonly due: string
    readonly rule: string
    readonly reason: string
  }
  /** The article gives up an address that it had before: another article may take it. */
  ArticleSlugYielded: { readonly slug: string }
}

/** What readers see: whole where there is something to see. */
export interface ReaderEvents {
  /** Readers see this, whole, from now on. */
  ArticlePublished: LiveContent
  /** As published, with a note to readers on what was wrong. */
  ArticleCorrected: LiveContent & { readonly note: string }
  /** A slip was mended without a note: the history knows, readers are not told. */
  ArticleAmended: LiveContent
  /** Readers get 410 from now on; gone from every list. */
  ArticleUnpublished: { readonly reason: string | null }
  /** The page stays with the notice and without the text; gone from every list. */
  ArticleRetracted: { readonly notice: string; readonly reason: string | null }
  /** What law or a court demands was taken out of the history: this is what remains of the article. */
  ArticleRedacted: Erasure & Remains
  /** The article was erased: nothing of it remains but that there was one. */
  ArticleErased: Erasure & Pick<Remains, 'slugs'>
}

/** On whose word something left the history. */
export interface Erasure {
  readonly authority: string
  readonly reason: string
  /** Scheduled changes that went with it. */
  readonly scheduleIds: readonly string[]
}

/** An article as it stands after a redaction: the event begins its stream anew. */
export interface Remains {
  /** What was retracted is taken back altogether. */
  readonly stage: 'draft' | 'live' | 'unpublished' | 'spiked'
  readonly working: Content & { readonly wantedSlug: string | null }
  readonly source: Source | null
  readonly relatedIds: readonly string[]
  readonly blockedIds: readonly string[]
  readonly live: LiveContent | null
  readonly slugs: readonly string[]
  /** Addresses that it gave up, with the revision at which it did. */
  readonly yielded: Readonly<Record<string, number>>
  readonly firstPublishedAt: string | null
  /** RFC 3339 UTC: what nobody may publish yet is not set free by a redaction. */
  readonly embargo: string | null
  /** Opaque subject ids: who began it, and who wrote what is not live yet. */
  readonly drafter: string | null
  readonly writers: readonly string[]
  /** The wire's last version, by name and digest: the same one, sent again, changes nothing. */
  readonly wire: WorkingEvents['WireItemReceived'] | null
}

export type ArticleEvents = WorkingEvents & ReaderEvents

/** For read models that show readers' side only. */
export const ignoreWorking = {
  ArticleDrafted: 'ignore',
  ArticleRevised: 'ignore',
  ArticleSourced: 'ignore',
  ArticleRelated: 'ignore',
  WireItemReceived: 'ignore',
  ArticleSubmitted: 'ignore',
  ArticleSentBack: 'ignore',
  ArticleApproved: 'ignore',
  ArticleEmbargoed: 'ignore',
  ArticleSpiked: 'ignore',
  ArticleRestored: 'ignore',
  ArticleChangeScheduled: 'ignore',
  ArticleChangeRescheduled: 'ignore',
  ArticleChangeCancelled: 'ignore',
  ArticleChangePerformed: 'ignore',
  ArticleChangeFailed: 'ignore',
  ArticleSlugYielded: 'ignore',
} as const satisfies Record<keyof WorkingEvents, 'ignore'>

/** For read models that are not about what readers see. */
export const ignoreReaders = {
  ArticlePublished: 'ignore',
  ArticleCorrected: 'ignore',
  ArticleAmended: 'ignore',
  ArticleUnpublished: 'ignore',
  ArticleRetracted: 'ignore',
  ArticleRedacted: 'ignore',
  ArticleErased: 'ignore',
} as const satisfies Record<keyof ReaderEvents, 'ignore'>
