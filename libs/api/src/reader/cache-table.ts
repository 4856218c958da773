// How long caches between us and readers may keep an answer (docs/operations.md shows the same table).

export const CACHE = {
  article: 'public, max-age=5, stale-while-revalidate=60',
  list: 'public, max-age=5, stale-while-revalidate=60',
  popular: 'public, max-age=1, stale-while-revalidate=10',
} as const
export type CacheKind = keyof typeof CACHE
