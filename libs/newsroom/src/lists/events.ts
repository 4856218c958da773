// Events of a curated list's stream, `list-{name}`, and the lists that exist from the start.

/** When an entry is shown: from `from` on and before `until`, RFC 3339 UTC; null: without a bound. */
export interface Period {
  readonly from: string | null
  readonly until: string | null
  /** The IANA zone that the times were given in, if any. */
  readonly zone: string | null
}

/** What a list is beside its entries. */
export interface ListSettings {
  /** What readers see on a card that is featured in it. */
  readonly label: string
  /** Slug of the section whose front it stands on; null: of none. */
  readonly section: string | null
  /** Entries that it holds, beyond which the last ones fall off; null: as many as any list may hold. */
  readonly capacity: number | null
}

/** An article in a list. */
export interface ListEntry extends Period {
  readonly articleId: string
  /** The place that it is pinned at, null: it is not. */
  readonly pin: number | null
  readonly reason: string | null
}

/** Places count from 0, over all entries, whether readers see them now or not. */
export interface ListEvents {
  ListCreated: ListSettings
  /** Absent = unchanged. */
  ListChanged: Partial<ListSettings>
  /** The article stands at `place` from now on; an entry of it that is over gives way. */
  ArticleFeatured: Period & { readonly articleId: string; readonly place: number; readonly reason: string | null }
  /** A pinned one stays pinned, there. */
  ArticleMoved: { readonly articleId: string; readonly place: number }
  /** It stays at this place whatever is put before it; null: no longer. */
  ArticlePinned: { readonly articleId: string; readonly place: number | null }
  ArticleFeatureTimed: Period & { readonly articleId: string }
  /** All entries in a new order; those that are pinned are so where they stand now. */
  ListReordered: { readonly articleIds: readonly string[] }
  /** The list is again what it was at an earlier revision. */
  ListRestored: ListSettings & {
    readonly restoredFrom: number
    /** As they were, those of articles that readers do not see among them. */
    readonly entries: readonly ListEntry[]
  }
  /** An editor took it off, or it made room in a full list. */
  ArticleUnfeatured: {
    readonly articleId: string
    readonly cause: 'editor' | 'capacity'
    readonly reason: string | null
  }
}

/** For read models that are not about lists. */
export const ignoreLists = {
  ListCreated: 'ignore',
  ListChanged: 'ignore',
  ArticleFeatured: 'ignore',
  ArticleMoved: 'ignore',
  ArticlePinned: 'ignore',
  ArticleFeatureTimed: 'ignore',
  ListReordered: 'ignore',
  ListRestored: 'ignore',
  ArticleUnfeatured: 'ignore',
} as const satisfies Record<keyof ListEvents, 'ignore'>

/** Curated lists that exist from the start, in the order that decides a card's label. */
export const BUILT_IN_LISTS = [{ name: 'editors-choice', label: "Editor's choice" }] as const

/** Label of a list that exists from the start, else null. */
export const builtInLabel = (name: string): string | null =>
  BUILT_IN_LISTS.find(list => list.name === name)?.label ?? null
