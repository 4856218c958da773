// The newsroom: its domain, read models and queries. Pure: no framework call, no clock, no I/O.
export * from './answers'
export * from './article/content'
export * from './article/events'
export * from './lists/events'
export * from './newsroom'
export * from './ninjs'
export * from './slugs/events'
export * from './views/events'
