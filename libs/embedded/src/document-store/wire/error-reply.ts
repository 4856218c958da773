// An error as the answer of a command.
import { Double, Int32 } from 'bson'
import { type Document } from '../bson/value'
import { StorageDamaged } from '../../storage'
import { CommandError } from '../errors'
import { type Reply } from './message'

export const OK = new Double(1)

export function errorReply(thrown: unknown): Reply {
  const error = thrown instanceof CommandError ? thrown : unexpected(thrown)
  return { document: { ok: new Double(0), ...describeError(error) } }
}

/** The fields by which an error is told, in an answer or in one of its writeErrors. */
export function describeError(error: CommandError): Document {
  const { message, code, codeName, errorLabels, extra } = error
  return {
    errmsg: message,
    code: new Int32(code),
    codeName,
    ...(errorLabels.length > 0 && { errorLabels: [...errorLabels] }),
    ...extra,
  }
}

function unexpected(thrown: unknown): CommandError {
  if (thrown instanceof StorageDamaged) {
    process.stderr.write(`${thrown.message}\n`)
    return new CommandError('DataCorruptionDetected', thrown.message)
  }
  const reason = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
  process.stderr.write(`document store: ${reason}\n`)
  return new CommandError('InternalError', thrown instanceof Error ? thrown.message : String(thrown))
}
