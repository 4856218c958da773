// The engine: decider, execute, event store client, projections. It knows no word of the newsroom.
export * from './decider'
export * from './errors'
export * from './event'
export * from './event-log'
export * from './projection'
export * from './document-store/document-store'
export * from './projections'
