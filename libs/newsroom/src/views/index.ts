// Views: which ones count, and the coarse counts that the log keeps of them.
export * from './classify'
export * from './events'
export * from './view'
export * from './view-counter'
