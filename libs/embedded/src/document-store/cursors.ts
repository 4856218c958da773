// Cursors: what a query has found and not yet given away.
import { randomBytes } from 'node:crypto'
import { CommandError } from './errors'
import { MAX_DOCUMENT_BYTES } from './bson/value'
import { type Transaction } from './keyspace/engine'
import { type Examined } from './query/scan'
import { type SessionId } from './sessions'

export interface Batch {
  documents: Buffer[]
  /** 0 when there is no more. */
  id: bigint
}

/** Where a cursor was made, or is asked for more. */
interface Place {
  session?: Pick<SessionId, 'name'>
  transaction?: Transaction
}

interface Cursor extends Place {
  namespace: string
  source: Iterator<Buffer, void>
  /** Found, but too much for the last batch. */
  next: Buffer
  /** What its source holds, how often it was asked for more, and until when it may go on. */
  progress: Progress
  /** Milliseconds that it may still take; while nobody asks for more none pass. */
  left: number
  usedAt: number
  /** Bytes. */
  held: number
}
export type Progress = Pick<Examined, 'held' | 'batch' | 'until'>

const FIRST_BATCH = 101
/** Idle cursors are closed after 10 minutes, as in MongoDB; they hold memory, never a snapshot. */
const IDLE = 10 * 60_000
const MAX_CURSORS = 10_000
/** Most bytes that all idle cursors hold together; beyond, the one that was not used for longest is closed. */
const MAX_HELD = 256 * 1024 * 1024

export class Cursors {
  /** The one that was not used for longest first. */
  private readonly open = new Map<bigint, Cursor>()
  private held = 0

  /** The first batch; what is left stays open under the batch's id. */
  start(
    namespace: string,
    source: Iterator<Buffer, void>,
    batchSize: number | undefined,
    single: boolean,
    progress: Progress,
    { session, transaction }: Place = {},
  ): Batch {
    const { documents, next } = take(source, undefined, batchSize ?? FIRST_BATCH)
    if (!next || single) return { documents, id: 0n }
    const id = randomBytes(8).readBigInt64BE() & 0x7fffffffffffffffn
    this.keep(id, { namespace, source, next, progress, session, transaction })
    return { documents, id }
  }

  more(id: bigint, namespace: string, batchSize: number | undefined, place: Place = {}): Batch {
    const cursor = this.open.get(id)
    if (!cursor) throw new CommandError('CursorNotFound', `cursor id ${id} not found`)
    checkPlace(id, cursor, place)
    if (cursor.namespace !== namespace)
      throw new CommandError(
        'Unauthorized',
        `Requested getMore on namespace '${namespace}', but cursor belongs to a different namespace ${cursor.namespace}`,
      )
    // One whose query fails stays closed: what is left of it would look like its end.
    this.kill(id)
    cursor.progress.until = performance.now() + cursor.left
    cursor.progress.batch++
    const { documents, next } = take(cursor.source, cursor.next, batchSize ?? Infinity)
    if (!next) return { documents, id: 0n }
    this.keep(id, { ...cursor, next })
    return { documents, id }
  }

  kill(id: bigint): boolean {
    this.held -= this.open.get(id)?.held ?? 0
    return this.open.delete(id)
  }

  killOf(transaction: Transaction): void {
    for (const [id, cursor] of this.open) if (cursor.transaction === transaction) this.kill(id)
  }

  closeIdle(idle = IDLE): void {
    const oldest = Date.now() - idle
    for (const [id, cursor] of this.open) if (cursor.usedAt <= oldest) this.kill(id)
  }

  private keep(id: bigint, cursor: Omit<Cursor, 'left' | 'usedAt' | 'held'>): void {
    const held = cursor.next.length + cursor.progress.held
    for (const oldest of this.open.keys()) {
      if (this.open.size < MAX_CURSORS && this.held + held <= MAX_HELD) break
      this.kill(oldest)
    }
    this.held += held
    const left = cursor.progress.until - performance.now()
    this.open.set(id, { ...cursor, left, usedAt: Date.now(), held })
  }
}

/** A cursor goes on only in the session and the transaction that it was made in. */
function checkPlace(id: bigint, made: Place, asked: Place): void {
  const [from, to] = [made.session?.name, asked.session?.name]
  if (from !== to)
    throw new CommandError(
      from === undefined ? 'Location50736' : to === undefined ? 'Location50737' : 'Location50738',
      `Cannot run getMore on cursor ${id}, which was created in session ${from ?? 'none'}, in session ${to ?? 'none'}`,
    )
  if (made.transaction !== asked.transaction)
    throw new CommandError(
      asked.transaction ? 'Location50739' : 'Location50740',
      `Cannot run getMore on cursor ${id}, which was ${made.transaction ? '' : 'not '}created in a transaction, ${asked.transaction ? 'in' : 'outside of'} one`,
    )
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
