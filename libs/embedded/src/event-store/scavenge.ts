// Scavenging: takes out of the log what $tb, $maxCount, $maxAge, deletions and tombstones made unreachable.
//
// It is how erasure ends. Positions stay valid as places to go on from; the event itself, its data and its metadata go. One
// that was cut short by the end of its process is gone on with by the next.
import { randomUUID } from 'node:crypto'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { writeDurably, type Environment } from '../storage'
import type { EventLog } from './log'
import { isMetastream, ownerOf } from './model'
import type { StoredRecord } from './record'

/** So few are looked at between two commits that writers wait for milliseconds. */
const PAGE = 256

const BEGUN_FILE = 'scavenge-begun'

/** Whether a scavenge of the log in `directory` was begun and has not ended. */
export const isScavengeBegun = (directory: string): boolean => existsSync(join(directory, BEGUN_FILE))

export class Scavenge {
  private running?: { id: string; done: Promise<void> }
  private isStopping = false

  constructor(
    private readonly environment: Environment,
    private readonly log: EventLog,
    /** Told each time that events were taken out of the log. */
    private readonly onRemoved: () => void,
    private readonly onDone: () => void,
  ) {}

  /** Goes on with what a process before this one had begun. */
  resume(): void {
    if (isScavengeBegun(this.environment.directory)) this.start()
  }

  /** Starts one unless one is running; it goes on after the answer. */
  start(): { id: string; isNew: boolean } {
    if (this.running) return { id: this.running.id, isNew: false }
    const id = randomUUID()
    writeDurably(this.environment.directory, BEGUN_FILE, Buffer.of())
    const done = this.run().finally(() => (this.running = undefined))
    // A full disk or a damaged record ends it early: what was taken out stays out, and the next one goes on.
    done.catch((error: unknown) => {
      process.stderr.write(`The scavenge ${id} ended early: ${String(error)}\n`)
      this.forget()
    })
    this.running = { id, done }
    return { id, isNew: true }
  }

  /** Resolves once none is running. */
  async stop(): Promise<void> {
    this.isStopping = true
    await this.running?.done.catch(() => {})
  }

  private async run(): Promise<void> {
    let at = 0
    while (!this.isStopping) {
      const { records, reached } = this.log.readAll(at, 'forwards', PAGE)
      if (reached === undefined) {
        this.onDone()
        return this.forget()
      }
      const unreachable = records.filter(record => this.isUnreachable(record))
      // Once more inside: a stream may have come to other metadata since. What is unreachable stays so unless that shrinks.
      if (unreachable.length > 0) {
        await this.environment.commit(() => {
          for (const record of unreachable)
            if (this.isUnreachable(record) && this.isFirst(record)) this.log.remove(record)
        })
        this.onRemoved()
      }
      at = reached
      await setImmediate()
    }
  }

  private forget(): void {
    rmSync(join(this.environment.directory, BEGUN_FILE), { force: true })
  }

  /**
   * What is left of a stream has no hole: an event that could still be reached when it was passed by stays, and those after
   * it, for the next scavenge.
   */
  private isFirst({ stream, revision }: StoredRecord): boolean {
    return revision === 0 || !this.log.recordOf(this.log.head(stream)!, revision - 1)
  }

  private isUnreachable({ stream, revision, isTombstone }: StoredRecord): boolean {
    const head = this.log.head(stream)
    if (!head || isTombstone) return false
    if (head.isTombstoned) return true
    if (isMetastream(stream) && this.log.head(ownerOf(stream))?.isTombstoned) return true
    return revision < this.log.firstVisible(stream, head, Date.now())
  }
}
