// What a command works with: its fields, its session or transaction, and the store.
import { Long } from 'bson'
import {
  type Document,
  encodeAnswer,
  field,
  isDocument,
  isNumeric,
  kindOf,
  MAX_DEPTH,
  tooDeep,
  toNumber,
  truthy,
  type Value,
} from '../bson/value'
import { type Cursors, type Progress } from '../cursors'
import { type CodeName, CommandError, notImplemented } from '../errors'
import { type Collection, hasCollection, namespaceOf } from '../keyspace/catalog'
import { type Engine, type Transaction } from '../keyspace/engine'
import { type Unit } from '../keyspace/unit'
import { type View } from '../keyspace/view'
import { type Examined, examining } from '../query/scan'
import { type SessionId, sessionOf, type Sessions } from '../sessions'
import { OK } from '../wire/error-reply'
import { bulkFields, type Reply, type Request } from '../wire/message'

/** What all commands of a server share. */
export interface Store {
  engine: Engine
  cursors: Cursors
  sessions: Sessions
}

const DATABASE_NAME = /^[^\0/\\. "$]+$/

export class Context {
  readonly database: string
  readonly body: Document
  readonly session?: SessionId
  readonly number?: bigint
  readonly transaction?: Transaction
  /** When it has to have ended, by performance.now(). */
  readonly until: number
  /** A statement failed, which a transaction does not survive. */
  failed = false

  constructor(
    readonly store: Store,
    readonly request: Request,
    readonly command: string,
  ) {
    this.body = request.body
    this.database = this.string('$db')
    if (!DATABASE_NAME.test(this.database) || Buffer.byteLength(this.database) > 63)
      throw new CommandError('InvalidNamespace', `Invalid database name: '${this.database}'`)
    const lsid = field(this.body, 'lsid')
    if (lsid !== undefined) this.session = sessionOf(lsid)
    if (tooDeep(this.body))
      throw new CommandError('Overflow', `BSONObj exceeds maximum nested object depth: ${MAX_DEPTH}`)
    const limit = this.count('maxTimeMS')
    this.until = limit ? performance.now() + limit : Infinity
    if (this.has('txnNumber')) this.number = this.long('txnNumber')
    this.checkTransactionFields()
    if (this.session && this.number !== undefined && this.has('autocommit') && !isTransactionEnd(command))
      this.transaction = store.sessions.transaction(this.session, this.number, this.has('startTransaction'))
  }

  get engine(): Engine {
    return this.store.engine
  }

  /** The state this command reads: that of its transaction, or what is committed. */
  readonly view = (): View => this.transaction?.unit.view ?? this.engine.committed

  /** The command's collection, which its own field names. */
  get collectionName(): string {
    return this.string(this.command)
  }

  get namespace(): string {
    return `${this.database}.${this.collectionName}`
  }

  collection(): Collection | undefined {
    const { transaction, database, collectionName } = this
    const found = this.engine.catalog.find(database, collectionName)
    if (!transaction) return found
    if (found ? found.changedAt > transaction.clock : hasCollection(transaction.view, database, collectionName))
      throw new CommandError(
        'SnapshotUnavailable',
        `Unable to read from a snapshot due to pending collection catalog changes to collection '${this.namespace}'; please retry the operation.`,
        ['TransientTransactionError'],
      )
    if (found) transaction.touched.add(found)
    return found
  }

  /** The collection as a unit sees it, which may have made it. */
  collectionIn(unit: Unit): Collection | undefined {
    return unit.created.get(this.namespace) ?? this.collection()
  }

  /** The collection for a write; made by it when there is none. */
  collectionFor(unit: Unit): Collection {
    const found = this.collectionIn(unit)
    if (found) return found
    if (this.transaction)
      throw new CommandError(
        'OperationNotSupportedInTransaction',
        `Cannot create namespace ${this.namespace} in multi-document transaction: the embedded document store wants collections to be created before.`,
      )
    const created = this.engine.catalog.draft(this.database, this.collectionName)
    created.changedAt = this.engine.nextClock
    unit.changed.add(created)
    unit.created.set(namespaceOf(created), created)
    unit.effects.push(() => this.engine.catalog.add(created))
    return created
  }

  /**
   * Runs a write in the command's transaction, or by itself, durable when this resolves; a retry is answered as before.
   * Resolves with the answer as bytes.
   */
  async write(body: (unit: Unit) => Document): Promise<Buffer> {
    const answer = (unit: Unit) => encodeAnswer(body(unit))
    if (this.transaction) return answer(this.transaction.unit)
    const { session, number } = this
    return this.engine.write(
      unit =>
        session && number !== undefined
          ? this.store.sessions.retryable(unit, session, number, () => answer(unit))
          : answer(unit),
      this.until,
    )
  }

  /** Counts what a query has looked at. */
  examine(): Examined {
    return examining(this.until)
  }

  /** An answer with the first of the documents; what is left of them stays open as a cursor. */
  firstBatch(documents: Iterable<Buffer, void>, progress: Progress, namespace = this.namespace): Reply {
    const cursor = this.document('cursor')
    for (const option of Object.keys(cursor))
      if (option !== 'batchSize') throw unknownField(`${this.command}.cursor`, option)
    const batch = this.store.cursors.start(
      namespace,
      documents[Symbol.iterator](),
      this.count('batchSize') ?? this.count('batchSize', cursor),
      this.flag('singleBatch'),
      progress,
      this,
    )
    return { document: { ok: OK }, cursor: { batch: 'firstBatch', ...batch, namespace } }
  }

  string(name: string): string {
    const value = field(this.body, name)
    if (typeof value !== 'string') throw wrongType(this.command, name, value, 'string')
    return value
  }

  /** A whole number of 64 bits. */
  long(name: string): bigint {
    const value = field(this.body, name)
    if (value instanceof Long) return value.toBigInt()
    if (value !== undefined && isNumeric(value) && Number.isSafeInteger(toNumber(value))) return BigInt(toNumber(value))
    throw wrongType(this.command, name, value, 'long')
  }

  document(name: string): Document {
    const value = field(this.body, name)
    if (value === undefined || value === null) return {}
    if (!isDocument(value)) throw wrongType(this.command, name, value, 'object')
    return value
  }

  array(name: string): Value[] {
    const value = field(this.body, name)
    if (!Array.isArray(value)) throw wrongType(this.command, name, value, 'array')
    return value
  }

  /** A whole number, not negative; undefined when absent. */
  count(name: string, within = this.body): number | undefined {
    const value = field(within, name)
    if (value === undefined || value === null) return undefined
    if (!isNumeric(value)) throw wrongType(this.command, name, value, 'number')
    const number = toNumber(value)
    if (!Number.isInteger(number) || number < 0)
      throw new CommandError('Location51024', `BSON field '${name}' value must be >= 0, actual value '${number}'`)
    return number
  }

  flag(name: string): boolean {
    return truthy(field(this.body, name))
  }

  private has(name: string): boolean {
    return field(this.body, name) !== undefined
  }

  /** Refuses fields of sessions and transactions that do not go together, in the order in which MongoDB looks at them. */
  private checkTransactionFields(): void {
    const { session, number, command } = this
    const [isJoined, isStart] = [this.has('autocommit'), this.has('startTransaction')]
    const refuse = (isBroken: boolean, message: string, codeName: CodeName = 'InvalidOptions') => {
      if (isBroken) throw new CommandError(codeName, message)
    }
    refuse(number !== undefined && !session, 'Transaction number requires a session ID to also be specified')
    refuse(number !== undefined && number < 0n, 'Transaction number cannot be negative')
    refuse(isJoined && number === undefined, "'autocommit' field requires a transaction number to also be specified")
    refuse(this.flag('autocommit'), 'Specifying autocommit=true is not allowed.')
    refuse(isStart && !isJoined, "'startTransaction' field requires 'autocommit' field to also be specified")
    refuse(isStart && !this.flag('startTransaction'), 'Specifying startTransaction=false is not allowed.')
    refuse(
      isJoined && this.has('writeConcern') && !isTransactionEnd(command),
      'writeConcern is not allowed within a multi-statement transaction',
    )
    refuse(
      number !== undefined && !isJoined && !retryable.has(command),
      `txnNumber may only be provided for multi-document transactions and retryable write commands. autocommit:false was not provided, and ${command} is not a retryable write command.`,
      'NotARetryableWriteCommand',
    )
  }
}

const retryable: ReadonlySet<string> = new Set(['insert', 'update', 'delete', 'findAndModify'])

/** Fields that any command may have; they ask for nothing that this store would do otherwise. */
const generic = new Set([
  '$db',
  'lsid',
  'txnNumber',
  'autocommit',
  'startTransaction',
  '$readPreference',
  'readConcern',
  'writeConcern',
  'maxTimeMS',
  'comment',
])

/** Refuses fields that the command does not have, or that this store does not. */
export function checkFields({ body, command, request }: Context, known: readonly string[]): void {
  for (const name of request.sequences.keys())
    if (!bulkFields.has(name) || !known.includes(name)) throw unknownField(command, name)
  for (const name of Object.keys(body))
    if (name !== command && !generic.has(name) && !known.includes(name)) throw unknownField(command, name)
  const level = isDocument(body['readConcern']) ? field(body['readConcern'], 'level') : undefined
  if (level === 'snapshot' && body['autocommit'] === undefined)
    throw notImplemented('read concern snapshot outside a transaction')
}

export function unknownField(where: string, name: string): CommandError {
  return notImplemented(
    `option '${name}' of ${where}`,
    'Location40415',
    `BSON field '${where}.${name}' is an unknown field.`,
  )
}

export function isTransactionEnd(command: string): boolean {
  return command === 'commitTransaction' || command === 'abortTransaction'
}

export function wrongType(command: string, name: string, value: Value, expected: string): CommandError {
  if (value === undefined)
    return new CommandError('FailedToParse', `BSON field '${command}.${name}' is missing but a required field`)
  return new CommandError(
    'TypeMismatch',
    `BSON field '${command}.${name}' is the wrong type '${kindOf(value)}', expected type '${expected}'`,
  )
}
