// The errors of the document store, with the codes and code names of a real MongoDB server.
import { type Document } from './bson/value'

const codes = {
  InternalError: 1,
  BadValue: 2,
  FailedToParse: 9,
  Unauthorized: 13,
  TypeMismatch: 14,
  Overflow: 15,
  InvalidLength: 16,
  IllegalOperation: 20,
  NamespaceNotFound: 26,
  PathNotViable: 28,
  CannotBackfillArray: 34,
  ConflictingUpdateOperators: 40,
  CursorNotFound: 43,
  NamespaceExists: 48,
  MaxTimeMSExpired: 50,
  DollarPrefixedFieldName: 52,
  NotSingleValueField: 54,
  ImmutableField: 66,
  CannotCreateIndex: 67,
  InvalidOptions: 72,
  InvalidNamespace: 73,
  IndexOptionsConflict: 85,
  IndexKeySpecsConflict: 86,
  CommandNotFound: 59,
  NotExactValueField: 111,
  WriteConflict: 112,
  CommandNotSupported: 115,
  ConflictingOperationInProgress: 117,
  CommandFailed: 125,
  ExceededMemoryLimit: 146,
  InvalidPipelineOperator: 168,
  CannotIndexParallelArrays: 171,
  QueryPlanKilled: 175,
  InvalidIndexSpecificationOption: 197,
  TransactionTooOld: 225,
  NotImplemented: 238,
  SnapshotUnavailable: 246,
  NoSuchTransaction: 251,
  TransactionCommitted: 256,
  TransactionTooLarge: 257,
  OperationNotSupportedInTransaction: 263,
  QueryExceededMemoryLimitNoDiskUseAllowed: 292,
  DataCorruptionDetected: 296,
  UnsupportedOpQueryCommand: 352,
  BSONObjectTooLarge: 10334,
  DuplicateKey: 11000,
  InterruptedAtShutdown: 11600,
  OutOfDiskSpace: 14031,
  KeyTooLong: 17280,
  NotARetryableWriteCommand: 50768,
} as const

/** Errors that have no name in MongoDB are named after their codes. */
export type CodeName = keyof typeof codes | `Location${number}`

/** An error as a MongoDB server answers it: code, code name, message and, where they apply, labels and further fields. */
export class CommandError extends Error {
  readonly code: number
  constructor(
    readonly codeName: CodeName,
    message: string,
    readonly errorLabels: readonly string[] = [],
    /** Further fields of the answer, such as keyPattern and keyValue of a duplicate key. */
    readonly extra: Document = {},
  ) {
    super(message)
    this.name = 'CommandError'
    this.code = codeName in codes ? codes[codeName as keyof typeof codes] : Number(codeName.slice('Location'.length))
  }
}

/**
 * What this store does not have, refused with the code by which a server refuses what it does not know, and the words
 * that it has for that; never ignored.
 */
export function notImplemented(what: string, codeName: CodeName = 'NotImplemented', refusal?: string): CommandError {
  const absent = `the embedded document store has no ${what}; set MONGODB_URL to use a real MongoDB server`
  return new CommandError(codeName, refusal ? `${refusal}: ${absent}` : absent)
}

/** The second writer of a document, or a write against a snapshot that is too old: run the whole transaction again. */
export function writeConflict(): CommandError {
  return new CommandError(
    'WriteConflict',
    'Write conflict during plan execution and yielding is disabled. Please retry your operation or multi-document transaction.',
    ['TransientTransactionError'],
  )
}
