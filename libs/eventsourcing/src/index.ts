// The engine: decider, execute, event store client, projections. It knows no word of the newsroom.
export * from './decider'
export * from './errors'
export * from './event'
export * from './event-log'
export * from './projection'
export * from './document-store/document-store'
export * from './projections'
export { Aggregates, type AggregatesOptions, type Current, type Loaded } from './execute'
export { codecOf, type Codec, type StoredEvent, type Upcaster } from './codec'
export { found, type Founding } from './founding'
export {
  AGGREGATES,
  type AnyQueryDefinition,
  commandHandlers,
  EVENT_LOG,
  queryHandlers,
  READ_SIDE,
  type ReadSide,
} from './handlers'
export { eventIdOf, fingerprintOf } from './identity'
export { connectEventLog, type EventLogOptions, type ObservedAppend } from './event-store'
export { type Due, scheduledCommandId, startTimetable, type TimetableOptions } from './timetable'
