// What both embedded stores stand on: durable files with group commit, and one owner per directory.
export { openEnvironment, type Environment, type EnvironmentFormat, type EnvironmentOptions } from './environment'
export {
  DirectoryLocked,
  StorageDamaged,
  StorageError,
  StorageFull,
  WrongFormat,
  type StorageErrorCode,
} from './errors'
export { lockDirectory, readHolder, type DirectoryLock, type Holder } from './directory-lock'
export { requestRewrite } from './rewrite'
export { syncDirectory } from './files'
