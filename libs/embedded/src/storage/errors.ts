// What the storage refuses, each with a stable code and with what to do about it.

export type StorageErrorCode =
  'storage-full' | 'directory-locked' | 'newer-format' | 'older-format' | 'foreign-directory' | 'storage-damaged'

/** Any refusal of the embedded storage. `code` is stable; the message is for people. */
export class StorageError extends Error {
  constructor(
    readonly code: StorageErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.name = new.target.name
  }
}

/** The disk (or the map) has no room: nothing of the refused write was stored; writing works again once there is room. */
export class StorageFull extends StorageError {
  constructor(directory: string, cause: unknown) {
    super(
      'storage-full',
      `No room left to write in ${directory}: nothing of this write was stored. Free some space and try again.`,
      { cause },
    )
  }
}

/** Another live process owns the directory. */
export class DirectoryLocked extends StorageError {
  constructor(
    directory: string,
    readonly holderPid: number,
  ) {
    super(
      'directory-locked',
      `${directory} is in use by process ${holderPid}. Stop that process, or choose another directory with DATA_DIR.`,
    )
  }
}

/** The files were written by a newer program, or hold something else than was asked for. */
export class WrongFormat extends StorageError {}

/** A stored record is not what was written: truncated or altered on the disk. */
export class StorageDamaged extends StorageError {
  constructor(what: string) {
    super('storage-damaged', `${what} is damaged on disk and is not served. Restore the directory from a backup.`)
  }
}
