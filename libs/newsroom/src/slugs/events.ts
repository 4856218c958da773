// Events of a slug's stream, `slug-{slug}`: a reservation that outlives a crash between reserving and publishing.

export interface SlugEvents {
  /** `since`: the revision at which the article had yielded it once; an earlier reservation does not count any more. */
  SlugReserved: { readonly articleId: string; readonly since?: number }
  SlugReleased: { readonly articleId: string }
}

/** For read models that are not about addresses. */
export const ignoreSlugs = { SlugReserved: 'ignore', SlugReleased: 'ignore' } as const satisfies Record<
  keyof SlugEvents,
  'ignore'
>
