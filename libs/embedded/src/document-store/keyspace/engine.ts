// Writes and transactions over the keyspace: who may write what, and what becomes durable together.
import { type Database, type Transaction as Snapshot } from 'lmdb'
import { type Environment, openDatabase, openEnvironment, StorageFull } from '../../storage'
import { CommandError, writeConflict } from '../errors'
import { Catalog, type Collection } from './catalog'
import {
  after,
  catalogKey,
  clockKey,
  collectionIdIn,
  collectionPrefix,
  collectionsEnd,
  collectionsStart,
  countKey,
  DATABASE,
  FORMAT,
  living,
  sealed,
} from './layout'
import { readNumber, Unit } from './unit'
import { StoredView, type View } from './view'

/** A multi-document transaction: reads one snapshot, keeps its writes to itself until it commits. */
export class Transaction {
  readonly unit: Unit
  readonly touched = new Set<Collection>()
  private readonly waiters: (() => void)[] = []
  open = true

  constructor(
    readonly snapshot: Snapshot,
    readonly view: View,
    /** The clock of the snapshot. */
    readonly clock: number,
    claim: (transaction: Transaction, key: string) => void,
  ) {
    this.unit = new Unit(view, key => claim(this, key))
  }

  /** Resolves when it has committed or aborted, or when the time has come, by performance.now(). */
  ended(until: number): Promise<void> {
    if (!this.open) return Promise.resolve()
    return new Promise(resolve => {
      const timer = setTimeout(resolve, Math.min(until - performance.now(), LONGEST_TIMER))
      this.waiters.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  end(): void {
    this.open = false
    for (const resolve of this.waiters) resolve()
  }
}

/** Milliseconds; a longer one would be over at once. */
const LONGEST_TIMER = 2 ** 31 - 1

/** A plain write met a key that a transaction has written: it waits and is tried again. */
class Blocked extends Error {
  constructor(readonly owner: Transaction) {
    super('waiting for a transaction')
  }
}

/** Takes about as long as a bulk write of a few hundred documents. */
const REMOVED_AT_ONCE = 2_000

export class Engine {
  readonly catalog = new Catalog()
  /** The committed state. */
  readonly committed: View
  private readonly environment: Environment
  private readonly data: Database<Buffer, Buffer>
  /** The clock of the newest write that ran, which may not be committed yet. */
  private clock: number
  private committedClock: number
  private readonly transactions = new Set<Transaction>()
  /** Which open transaction has written a key. */
  private readonly owners = new Map<string, Transaction>()
  /** When a key was last written, oldest first, for as long as an open or coming snapshot may be older. */
  private readonly written = new Map<string, number>()
  private isClosing = false
  private removing?: Promise<void>

  constructor(directory: string) {
    this.environment = openEnvironment(directory, FORMAT, { living })
    this.data = openDatabase(this.environment.root, DATABASE)
    this.committed = new StoredView(this.data)
    this.clock = readNumber(this.committed, clockKey)
    this.committedClock = this.clock
    this.catalog.load(this.committed, this.clock)
    // Also not the id of one that was dropped and has left entries.
    const [last] = this.keys(collectionsEnd, collectionsStart, 1, true)
    if (last) this.catalog.reserve(collectionIdIn(last))
  }

  /**
   * Runs `body` against the newest state and stores what it put into the unit, together with other writes, synced to disk.
   * A throw of `body` stores nothing. Waits while a transaction has written something that `body` wants to write.
   * @throws MaxTimeMSExpired when it would wait beyond `until`, by performance.now()
   */
  async write<T>(body: (unit: Unit) => T, until = Infinity): Promise<T> {
    for (;;) {
      try {
        return await this.durably(() => {
          const unit = new Unit(this.committed, key => this.claimForWrite(key))
          const result = body(unit)
          if (!unit.isEmpty) this.store(unit)
          return result
        })
      } catch (error) {
        if (!(error instanceof Blocked)) throw error
        await this.waitFor(error.owner, until)
      }
    }
  }

  /** Like write, for a change of the catalog: first lets transactions end that have used the collection. */
  async define<T>(collection: () => Collection | undefined, body: (unit: Unit) => T, until?: number): Promise<T> {
    return this.write(unit => {
      const target = collection()
      const user = target && [...this.transactions].find(transaction => transaction.touched.has(target))
      if (user) throw new Blocked(user)
      return body(unit)
    }, until)
  }

  /** Drops a collection with a unit; its entries are left for `removeDropped`. */
  drop(unit: Unit, collection: Collection): void {
    unit.view.delete(catalogKey(collection.id))
    unit.view.delete(countKey(collection.id))
    unit.effects.push(() => this.catalog.remove(collection))
  }

  /**
   * Removes what dropped collections have left, by pieces, between which others write. What a crash, or want of room, leaves
   * is removed when this is called again, and a rewrite of the file leaves it out. Does not throw.
   */
  async removeDropped(): Promise<void> {
    this.removing ??= this.removePieces().finally(() => (this.removing = undefined))
    await this.removing
  }

  /** The number of documents of a collection. */
  countOf(collection: Collection): number {
    return readNumber(this.committed, countKey(collection.id))
  }

  begin(): Transaction {
    // Else the snapshot could be the one that an earlier read of this turn of the event loop had opened.
    this.environment.root.resetReadTxn()
    const snapshot = this.environment.root.useReadTransaction()
    const view = new StoredView(this.data, snapshot)
    const transaction = new Transaction(snapshot, view, readNumber(view, clockKey), (owner, key) =>
      this.claimFor(owner, key),
    )
    this.transactions.add(transaction)
    return transaction
  }

  /** Stores the writes of a transaction, and with them what `body` adds. */
  async commit(transaction: Transaction, body: (unit: Unit) => void): Promise<void> {
    try {
      await this.durably(() => {
        body(transaction.unit)
        if (!transaction.unit.isEmpty) this.store(transaction.unit)
      })
    } finally {
      this.end(transaction)
    }
  }

  /** Gives back what a transaction has; one that has not committed is aborted. */
  end(transaction: Transaction): void {
    if (!this.transactions.delete(transaction)) return
    for (const key of transaction.unit.claimed) this.owners.delete(key)
    transaction.snapshot.done()
    transaction.end()
    this.forgetOldWrites()
  }

  /** The clock that the running write will get: what it defines is invisible to older snapshots. */
  get nextClock(): number {
    return this.clock + 1
  }

  /** From here on nobody waits for a transaction: whoever does gets an error when that ends. */
  interrupt(): void {
    this.isClosing = true
  }

  async close(): Promise<void> {
    this.interrupt()
    await this.removing
    for (const transaction of [...this.transactions]) this.end(transaction)
    await this.environment.close()
  }

  private async waitFor(owner: Transaction, until: number): Promise<void> {
    if (!this.isClosing) await owner.ended(until)
    if (this.isClosing) throw new CommandError('InterruptedAtShutdown', 'interrupted at shutdown')
    if (performance.now() > until) throw new CommandError('MaxTimeMSExpired', 'operation exceeded time limit')
  }

  private async durably<T>(write: () => T): Promise<T> {
    try {
      const { value, clock } = await this.environment.commit(() => ({ value: write(), clock: this.clock }))
      this.environment.root.resetReadTxn()
      this.committedClock = Math.max(this.committedClock, clock)
      this.forgetOldWrites()
      return value
    } catch (error) {
      if (!(error instanceof StorageFull)) throw error
      this.takeBack()
      throw new CommandError('OutOfDiskSpace', error.message)
    }
  }

  private async removePieces(): Promise<void> {
    try {
      while (!this.isClosing && (await this.durably(() => this.removePiece())));
    } catch (error) {
      process.stderr.write(`document store: what was dropped is not removed yet: ${String(error)}\n`)
    }
  }

  /** False when there is nothing left. */
  private removePiece(): boolean {
    const dropped = this.firstDropped()
    if (dropped === undefined) return false
    const prefix = collectionPrefix(dropped)
    for (const key of this.keys(prefix, after(prefix), REMOVED_AT_ONCE)) this.data.removeSync(key)
    return true
  }

  /** A collection that has entries and is not in the catalog. */
  private firstDropped(): number | undefined {
    const present = new Set(this.catalog.list().map(({ id }) => id))
    for (let from: Buffer = collectionsStart; ;) {
      const [key] = this.keys(from, collectionsEnd, 1)
      if (!key) return undefined
      const id = collectionIdIn(key)
      if (!present.has(id)) return id
      from = after(collectionPrefix(id))
    }
  }

  private keys(start: Buffer, end: Buffer, limit: number, reverse = false): Buffer[] {
    return [...this.data.getKeys({ start, end, limit, reverse })]
  }

  private store(unit: Unit): void {
    this.clock++
    unit.store(
      this.committed,
      this.clock,
      (key, value) => this.data.putSync(key, sealed(key, value)),
      key => this.data.removeSync(key),
    )
    for (const key of unit.claimed) {
      this.written.delete(key) // so that it comes last
      this.written.set(key, this.clock)
    }
    for (const effect of unit.effects) effect()
  }

  /** What writes that were not stored had already told of themselves in memory did not happen. */
  private takeBack(): void {
    this.clock = this.committedClock
    // Not forgotten: they may have been written before that, later than an open snapshot.
    for (const [key, clock] of this.written) if (clock > this.clock) this.written.set(key, this.clock)
    this.catalog.load(this.committed, this.clock)
  }

  private claimForWrite(key: string): void {
    const owner = this.owners.get(key)
    if (owner) throw new Blocked(owner)
  }

  private claimFor(transaction: Transaction, key: string): void {
    const owner = this.owners.get(key)
    if ((owner && owner !== transaction) || (this.written.get(key) ?? 0) > transaction.clock) throw writeConflict()
    this.owners.set(key, transaction)
  }

  private forgetOldWrites(): void {
    let oldest = this.committedClock
    for (const { clock } of this.transactions) oldest = Math.min(oldest, clock)
    for (const [key, clock] of this.written) {
      if (clock > oldest) return
      this.written.delete(key)
    }
  }
}
