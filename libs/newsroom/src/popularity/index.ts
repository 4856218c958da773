// Popularity: what is read most, per window, section and language.
export * from './buckets'
export * from './popular-query'
export * from './popularity'
