// Stand-ins for the two servers on one machine: an event store and a document store, in a child process of their own.
export { startDocumentStore } from './document-store'
export { startEventStore, type EventStoreOptions, type RunningStore } from './event-store'
export { DirectoryLocked, StorageError, StorageFull } from './storage'
export {
  findRunningStores,
  startEmbeddedStores,
  STORE_NODE_OPTIONS,
  type EmbeddedOptions,
  type EmbeddedStores,
  type StoreUrls,
} from './supervisor/supervisor'
export { scavengeEmbeddedStores, type ScavengeOptions } from './supervisor/scavenge'
export { backupEmbeddedStores, type Backup, type BackupOptions, type BackupProgress } from './supervisor/backup'
