// Events of a curated list's stream, `list-{name}`, and the lists that exist from the start.

export interface ListEvents {
  ListCreated: { readonly label: string }
  /** The article stands at the end of the list (its place, once places exist). */
  ArticleFeatured: { readonly articleId: string }
  ArticleUnfeatured: { readonly articleId: string }
}

/** For read models that are not about lists. */
export const ignoreLists = {
  ListCreated: 'ignore',
  ArticleFeatured: 'ignore',
  ArticleUnfeatured: 'ignore',
} as const satisfies Record<keyof ListEvents, 'ignore'>

/** Curated lists that exist from the start, in the order that decides a card's label. */
export const BUILT_IN_LISTS = [{ name: 'editors-choice', label: "Editor's choice" }] as const
