// Sessions: what was answered to a retryable write, and the transaction a session has open.
import { setImmediate } from 'node:timers/promises'
import { Binary, Long } from 'bson'
import { documentOf, namedElements, namesOf } from './bson/raw'
import { encode, field, isDocument, type Value } from './bson/value'
import { CommandError } from './errors'
import { type Engine, type Transaction } from './keyspace/engine'
import { documentIn, sessionKey, sessionsEnd, sessionsStart } from './keyspace/layout'
import { type Unit } from './keyspace/unit'
import { type Piece, type View } from './keyspace/view'

/** A transaction that is not ended within this time is aborted, as in MongoDB. */
const TRANSACTION_LIFETIME = 60_000
const MAX_OPEN = 500
/** How many ended transactions are known as such, for a commit that is repeated; those that wrote are known for longer. */
const MAX_ENDED = 10_000
/** What was answered is remembered this long after a session's last write. */
const MEMORY = 60 * 60_000
/** Looked at together when old ones are deleted; they may be long, so it may be fewer. */
const RECORDS = 1_000

export interface SessionId {
  key: Buffer
  name: string
}

interface Open {
  session: SessionId
  number: bigint
  transaction: Transaction
  timer: NodeJS.Timeout
}
type Ended = { number: bigint; outcome: 'committed' | 'aborted' }

export class Sessions {
  private readonly open = new Map<string, Open>()
  private readonly ended = new Map<string, Ended>()
  /** The last thing that a session is about or waits to do. */
  private readonly turns = new Map<string, Promise<unknown>>()

  constructor(
    private readonly engine: Engine,
    private readonly onEnd: (transaction: Transaction) => void,
    private readonly lifetime = TRANSACTION_LIFETIME,
  ) {}

  /** Runs what a session asks for after all that it asked for before: it does one thing at a time. `run` does not throw. */
  async inTurn<T>({ name }: SessionId, run: () => Promise<T>): Promise<T> {
    const before = this.turns.get(name)
    const turn = before ? before.then(run) : run()
    this.turns.set(name, turn)
    try {
      return await turn
    } finally {
      if (this.turns.get(name) === turn) this.turns.delete(name)
    }
  }

  /** The transaction a command belongs to. @throws NoSuchTransaction when it is not open, TransactionTooOld. */
  transaction(session: SessionId, number: bigint, start: boolean): Transaction {
    if (!start) {
      const open = this.open.get(session.name)
      if (open?.number !== number) throw this.gone(session, number)
      return open.transaction
    }
    const last = this.lastNumber(session)
    if (number < last) throw tooOld(session, number, last)
    if (number === last)
      throw new CommandError(
        'ConflictingOperationInProgress',
        `Given transaction number ${number} has already been used in this session`,
      )
    this.abort(session)
    if (this.open.size >= MAX_OPEN)
      throw new CommandError(
        'ExceededMemoryLimit',
        `the embedded document store keeps at most ${MAX_OPEN} transactions open; end some, or set MONGODB_URL to use a real MongoDB server`,
        ['TransientTransactionError'],
      )
    const transaction = this.engine.begin()
    const timer = setTimeout(() => this.abort(session), this.lifetime).unref()
    this.open.set(session.name, { session, number, transaction, timer })
    return transaction
  }

  /** @throws NoSuchTransaction; a commit that was already done is answered as before. */
  async commit(session: SessionId, number: bigint): Promise<void> {
    const open = this.open.get(session.name)
    if (open?.number !== number) {
      if (this.wasCommitted(session, number)) return
      throw this.gone(session, number)
    }
    clearTimeout(open.timer)
    // From here on nobody aborts it: it may already be durable.
    this.open.delete(session.name)
    const wrote = !open.transaction.unit.isEmpty
    try {
      await this.engine.commit(open.transaction, unit => {
        if (wrote) remember(unit, session, number, [COMMITTED])
      })
      this.hasEnded(session, { number, outcome: 'committed' })
    } finally {
      this.onEnd(open.transaction)
    }
  }

  abort(session: SessionId, number?: bigint): void {
    const open = this.open.get(session.name)
    if (!open || (number !== undefined && open.number !== number)) {
      if (number !== undefined) throw this.gone(session, number)
      return
    }
    clearTimeout(open.timer)
    this.open.delete(session.name)
    this.hasEnded(session, { number: open.number, outcome: 'aborted' })
    this.engine.end(open.transaction)
    this.onEnd(open.transaction)
  }

  /** Aborts all that is open. */
  abortAll(): void {
    for (const { session } of this.open.values()) this.abort(session)
  }

  /** Ends what a session has open and forgets it. */
  end(session: SessionId): void {
    this.abort(session)
    this.ended.delete(session.name)
  }

  /** Runs a retryable write, or gives the answer it had the first time, as bytes. */
  retryable(unit: Unit, session: SessionId, number: bigint, run: () => Buffer): Buffer {
    const known = recordIn(unit.view, session)
    const last = this.lastNumber(session, known)
    if (number < last) throw tooOld(session, number, last)
    if (number === last) {
      if (known?.number === number && known.reply) return known.reply
      throw new CommandError(
        'InvalidOptions',
        'Must specify autocommit=false on all operations of a multi-statement transaction.',
      )
    }
    // What is open has a lower number.
    this.abort(session)
    const reply = run()
    remember(unit, session, number, [Buffer.from('\x03reply\0'), reply])
    return reply
  }

  /** Deletes what was remembered for sessions that ended long ago. */
  async forgetOld(now = Date.now()): Promise<void> {
    const isOld = (record?: Buffer) => record !== undefined && parseRecord(record).at < now - MEMORY
    for (let from: Buffer | undefined = sessionsStart; from; await setImmediate()) {
      const { entries, rest }: Piece = this.engine.committed.range(from, sessionsEnd, false, RECORDS)
      const old = entries.filter(({ value }) => isOld(value))
      if (old.length > 0)
        await this.engine.write(unit => {
          for (const { key } of old) if (isOld(unit.view.get(key))) unit.view.delete(key)
        })
      from = rest
    }
  }

  private hasEnded(session: SessionId, ended: Ended): void {
    this.ended.delete(session.name) // so that it comes last
    this.ended.set(session.name, ended)
    if (this.ended.size > MAX_ENDED) this.ended.delete(this.ended.keys().next().value!)
  }

  /** The highest number of a session so far, of a transaction or of a write. */
  private lastNumber(session: SessionId, known = recordIn(this.engine.committed, session)): bigint {
    const transaction = this.open.get(session.name) ?? this.ended.get(session.name)
    const numbers = [transaction?.number ?? -1n, known?.number ?? -1n] as const
    return numbers[0] > numbers[1] ? numbers[0] : numbers[1]
  }

  private wasCommitted(session: SessionId, number: bigint): boolean {
    const ended = this.ended.get(session.name)
    if (ended?.number === number) return ended.outcome === 'committed'
    const known = recordIn(this.engine.committed, session)
    return known !== undefined && known.number === number && known.committed
  }

  private gone(session: SessionId, number: bigint): CommandError {
    const last = this.lastNumber(session)
    if (number < last) return tooOld(session, number, last)
    if (this.wasCommitted(session, number))
      return new CommandError('TransactionCommitted', `Transaction with { txnNumber: ${number} } has been committed.`)
    const why = this.ended.get(session.name)?.number === number ? 'has been aborted' : 'is not in progress'
    return new CommandError('NoSuchTransaction', `Given transaction number ${number} ${why}.`, [
      'TransientTransactionError',
    ])
  }
}

/** The session of a command, from its lsid. */
export function sessionOf(lsid: Value): SessionId {
  const id = isDocument(lsid) ? field(lsid, 'id') : undefined
  if (!(id instanceof Binary) || id.position !== 16)
    throw new CommandError('FailedToParse', 'lsid needs an id of 16 bytes')
  const key = Buffer.from(id.buffer.subarray(0, 16))
  return { key, name: key.toString('hex') }
}

/** An element with the name `committed` that is true. */
const COMMITTED = Buffer.from('\x08committed\0\x01')

function remember(unit: Unit, session: SessionId, number: bigint, what: Buffer[]): void {
  const when = encode({ number: Long.fromBigInt(number), at: new Date() })
  unit.view.put(sessionKey(session.key), documentOf([when.subarray(4, -1), ...what]))
}

function tooOld(session: SessionId, number: bigint, last: bigint): CommandError {
  return new CommandError(
    'TransactionTooOld',
    `Transaction or retryable write with txnNumber ${number} is prohibited on session ${session.name} because a newer one with txnNumber ${last} has already started on this session.`,
  )
}

function recordIn(view: View, session: SessionId): ReturnType<typeof parseRecord> | undefined {
  const bytes = view.get(sessionKey(session.key))
  return bytes && parseRecord(bytes)
}

const FIELDS = namesOf(['number', 'at', 'committed', 'reply'])

/** Without decoding the answer, which may be long. */
function parseRecord(stored: Buffer): { number: bigint; at: number; committed: boolean; reply?: Buffer } {
  const bytes = documentIn(stored)
  const [number, at, committed, reply] = namedElements(bytes, FIELDS)!
  return {
    number: bytes.readBigInt64LE(number!.value),
    at: Number(bytes.readBigInt64LE(at!.value)),
    committed: committed !== undefined && bytes[committed.value] === 1,
    ...(reply && { reply: bytes.subarray(reply.value, reply.end) }),
  }
}
