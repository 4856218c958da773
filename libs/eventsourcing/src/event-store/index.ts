// The event store client: the only room of the application that imports @eventstore/db-client.
export { connectEventLog, type EventLogOptions, type ObservedAppend } from './event-store-log'
