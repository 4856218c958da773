// Whether it was for want of room that a write failed: then it is refused, and works again once there is some. Anything else
// is a disk that fails.
import { closeSync, fsyncSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'

const MDB_MAP_FULL = -30_792
const FULL = [MDB_MAP_FULL, constants.errno.ENOSPC, constants.errno.EFBIG, constants.errno.EDQUOT]
const PROBE_BYTES = 1_048_576

/** Whether LMDB, or the file system, has no room for what was written to the environment in `directory`. */
export function isFull(error: unknown, directory: string): boolean {
  const number = numberOf(error)
  return number === constants.errno.EIO ? isRefusedRoom(directory) : FULL.includes(number)
}

/**
 * LMDB tells a write that ended short as an I/O error. It has taken what room there was, also to a quota or a limit on file
 * sizes: the next one is refused by the kernel's own word.
 */
function isRefusedRoom(directory: string): boolean {
  const probe = join(directory, '.room')
  try {
    const file = openSync(probe, 'w', 0o600)
    try {
      writeSync(file, Buffer.alloc(PROBE_BYTES), 0, PROBE_BYTES, statSync(join(directory, 'data.mdb')).size)
      writeSync(file, Buffer.alloc(PROBE_BYTES))
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    return false
  } catch (error) {
    return FULL.includes(numberOf(error))
  } finally {
    rmSync(probe, { force: true })
  }
}

/** LMDB's code is the number that the system gave; Node's own errors have it, negative, as errno. */
export function numberOf(error: unknown): number {
  const { code, errno } = error as { code?: unknown; errno?: number }
  return typeof code === 'number' ? code : -(errno ?? 0)
}
