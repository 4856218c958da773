// What both embedded stores stand on: durable files with group commit, and one owner per directory.
export { openEnvironment, openFiles, type Environment, type EnvironmentOptions } from './environment'
export { checkFile } from './check'
export { takeClosed } from './closing'
export { endAtOnce } from './end'
export { DIGEST_BYTES, cutKey, openDatabase } from './database'
export { Digest, entriesOf, putAll } from './copy'
export {
  DirectoryLocked,
  StorageDamaged,
  StorageError,
  StorageFull,
  WrongFormat,
  type StorageErrorCode,
} from './errors'
export { checkFormat, type EnvironmentFormat } from './format'
export { LOCK_FOLDER, lockDirectory, readHolder, socketsOf, type DirectoryLock, type Holder } from './directory-lock'
export { isRewriteRequested, requestRewrite } from './rewrite'
export { isFull } from './room'
export { SEAL_BYTES, isSound, seal } from './seal'
export { syncDirectory, writeDurably } from './files'
