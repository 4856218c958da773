// Events of a slug's stream, `slug-{slug}`: a reservation that outlives a crash between reserving and publishing.

export interface SlugEvents {
  SlugReserved: { readonly articleId: string }
  SlugReleased: { readonly articleId: string }
}
