// The end of a process whose files are open.

/**
 * Ends the process as a crash would: what was acknowledged is on the disk. `process.exit` waits for LMDB's writing thread, which
 * may wait for this one to give it what to write, for ever.
 */
export function endAtOnce(reason = ''): void {
  process.stderr.write(reason)
  process.kill(process.pid, 'SIGKILL')
}
