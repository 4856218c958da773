// Events of an article's desk stream, `desk-{uuid}`: talk and work around it, which make nobody's revision stale.

export interface DeskEvents {
  DeskNoteAdded: { readonly noteId: string; readonly text: string }
  /** The note has been dealt with. */
  DeskNoteResolved: { readonly noteId: string }
  /** Desk by its slug, person by an opaque subject id; null: nobody's. */
  ArticleAssigned: { readonly desk: string | null; readonly assignee: string | null }
  /** When the article is wanted, RFC 3339 UTC; null: no more. `zone`: the IANA zone that the time was given in, if any. */
  ArticleDueSet: { readonly due: string | null; readonly zone: string | null }
  /** The actor is editing it until then, unless they say so again: it informs and never blocks. Others may too. */
  ArticleClaimed: { readonly until: string }
  /** The actor is no longer editing it. */
  ArticleClaimReleased: Record<string, never>
  /**
   * The desk's talk was erased with the article, or because law or a court demands it. `final`: the article itself was
   * erased, and nothing is said about it any more.
   */
  DeskErased: { readonly authority: string; readonly reason: string; readonly final?: true }
}

/** For read models that are not about the desk. */
export const ignoreDesk = {
  DeskNoteAdded: 'ignore',
  DeskNoteResolved: 'ignore',
  ArticleAssigned: 'ignore',
  ArticleDueSet: 'ignore',
  ArticleClaimed: 'ignore',
  ArticleClaimReleased: 'ignore',
  DeskErased: 'ignore',
} as const satisfies Record<keyof DeskEvents, 'ignore'>
