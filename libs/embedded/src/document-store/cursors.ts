// Cursors: what a query has found and not yet given away.
import { randomBytes } from 'node:crypto'
import { CommandError } from './errors'
import { MAX_DOCUMENT_BYTES } from './bson/value'
import { type Transaction } from './keyspace/engine'
import { type Examined } from './query/scan'

export interface Batch {
  documents: Buffer[]
  /** 0 when there is no more. */
  id: bigint
}

interface Cursor {
  namespace: string
  source: Iterator<Buffer, void>
  /** Found, but too much for the last batch. */
  next: Buffer
  /** What its source holds, and until when it may go on. */
  progress: Progress
  /** Milliseconds that it may still take; while nobody asks for more none pass. */
  left: number
  transaction?: Transaction
  usedAt: number
}
type Progress = Pick<Examined, 'held' | 'until'>

const FIRST_BATCH = 101
/** Idle cursors are closed after 10 minutes, as in MongoDB; they hold memory, never a snapshot. */
const IDLE = 10 * 60_000
const MAX_CURSORS = 10_000
/** Most bytes that all idle cursors hold together; beyond, the one that was not used for longest is closed. */
const MAX_HELD = 256 * 1024 * 1024

export class Cursors {
  private readonly open = new Map<bigint, Cursor>()

  /** The first batch; what is left stays open under the batch's id. */
  start(
    namespace: string,
    source: Iterator<Buffer, void>,
    batchSize: number | undefined,
    single: boolean,
    progress: Progress,
    transaction?: Transaction,
  ): Batch {
    const { documents, next } = take(source, undefined, batchSize ?? FIRST_BATCH)
    if (!next || single) return { documents, id: 0n }
    if (this.open.size >= MAX_CURSORS) this.closeOldest()
    let held = next.length + progress.held
    for (const cursor of this.open.values()) held += cursor.next.length + cursor.progress.held
    while (held > MAX_HELD && this.open.size > 0) held -= this.closeOldest()
    const id = randomBytes(8).readBigInt64BE() & 0x7fffffffffffffffn
    const left = progress.until - performance.now()
    this.open.set(id, { namespace, source, next, progress, left, transaction, usedAt: Date.now() })
    return { documents, id }
  }

  more(id: bigint, namespace: string, batchSize: number | undefined, transaction?: Transaction): Batch {
    const cursor = this.open.get(id)
    if (!cursor || cursor.transaction !== transaction)
      throw new CommandError('CursorNotFound', `cursor id ${id} not found`)
    if (cursor.namespace !== namespace)
      throw new CommandError(
        'Unauthorized',
        `Requested getMore on namespace '${namespace}', but cursor belongs to a different namespace ${cursor.namespace}`,
      )
    // One whose query fails stays closed: what is left of it would look like its end.
    this.open.delete(id)
    cursor.progress.until = performance.now() + cursor.left
    const { documents, next } = take(cursor.source, cursor.next, batchSize ?? Infinity)
    if (!next) return { documents, id: 0n }
    const left = cursor.progress.until - performance.now()
    this.open.set(id, { ...cursor, next, left, usedAt: Date.now() })
    return { documents, id }
  }

  kill(id: bigint): boolean {
    return this.open.delete(id)
  }

  killOf(transaction: Transaction): void {
    for (const [id, cursor] of this.open) if (cursor.transaction === transaction) this.open.delete(id)
  }

  closeIdle(idle = IDLE): void {
    const oldest = Date.now() - idle
    for (const [id, cursor] of this.open) if (cursor.usedAt <= oldest) this.open.delete(id)
  }

  /** Gives the bytes that it held. */
  private closeOldest(): number {
    let oldest: [bigint, Cursor] | undefined
    for (const entry of this.open) if (!oldest || entry[1].usedAt < oldest[1].usedAt) oldest = entry
    if (!oldest) return 0
    this.open.delete(oldest[0])
    return oldest[1].next.length + oldest[1].progress.held
  }
}

/** Up to `count` documents and 16 MiB, and the one after them. */
function take(
  source: Iterator<Buffer, void>,
  first: Buffer | undefined,
  count: number,
): { documents: Buffer[]; next?: Buffer } {
  const documents: Buffer[] = []
  let bytes = 0
  let next = first
  for (;;) {
    if (!next) {
      const result = source.next()
      if (result.done) return { documents }
      next = result.value
    }
    bytes += next.length
    if (documents.length >= count || (documents.length > 0 && bytes > MAX_DOCUMENT_BYTES)) return { documents, next }
    documents.push(next)
    next = undefined
  }
}
