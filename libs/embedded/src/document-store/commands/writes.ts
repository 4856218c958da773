// insert, update, delete: many statements in one command, ordered or not.
import { Int32, ObjectId } from 'bson'
import { keyOf } from '../bson/order'
import { BOOL, eachElement, idElementOf, idTextOf, isPlain, OBJECT } from '../bson/raw'
import {
  checkStorable,
  decode,
  decodeStored,
  type Document,
  encodeAnswer,
  field,
  isDocument,
  isNumeric,
  MAX_DEPTH,
  MAX_DOCUMENT_BYTES,
  numeric,
  tooDeep,
  toNumber,
  truthy,
  type Value,
} from '../bson/value'
import { type CodeName, CommandError } from '../errors'
import {
  deleteDocument,
  documentWith,
  idKeyOf,
  checkId,
  insertDocument,
  replaceDocument,
  storable,
  StoredDocument,
} from '../keyspace/documents'
import { type Collection } from '../keyspace/catalog'
import { MAX_ID_KEY } from '../keyspace/layout'
import { type Unit } from '../keyspace/unit'
import { find, type Query } from '../query/find'
import { type Examined } from '../query/scan'
import { type Filter, parseFilter } from '../query/filter'
import { applyUpdate, parseUpdate, type Update, upserted } from '../update/update'
import { describeError, OK } from '../wire/error-reply'
import { MAX_BATCH, type Reply } from '../wire/message'
import { checkFields, type Context, unknownField } from './context'

const COMMON = ['ordered', 'bypassDocumentValidation']

export async function insertCommand(context: Context): Promise<Reply> {
  checkFields(context, [...COMMON, 'documents'])
  const documents = statements(context, 'documents').map(prepared)
  const document = await context.write(unit => {
    const collection = context.collectionFor(unit)
    let n = 0
    const writeErrors = each(context, documents, document => {
      if (document instanceof CommandError) throw document
      insertDocument(unit, collection, document)
      n++
    })
    return result(context, { n: new Int32(n) }, writeErrors)
  })
  return { document }
}

/** A document to insert, with an _id in the first place; or what is wrong with it, which is told when its turn comes. */
function prepared(bytes: Buffer): StoredDocument | CommandError {
  return attempt(() => {
    if (bytes.length > MAX_DOCUMENT_BYTES)
      throw new CommandError(
        'BadValue',
        `object to insert too large. size in bytes: ${bytes.length}, max size: ${MAX_DOCUMENT_BYTES}`,
      )
    const document = decode(bytes)
    checkStorable(document)
    if (Object.keys(document)[0] !== '_id') {
      const { _id, ...rest } = document
      return storable({ _id: _id === undefined ? new ObjectId() : _id, ...rest })
    }
    const id = field(document, '_id')
    checkId(id)
    return new StoredDocument(idKeyOf(id), bytes)
  })
}

/** What is to become of the documents that are found, and of none. */
interface UpdateStatement {
  upsert: boolean
  find: (unit: Unit, collection: Collection, examined: Examined) => Iterable<StoredDocument>
  changed: (before: StoredDocument) => StoredDocument
  made: () => StoredDocument
  /** Nothing found means that there is no document with the _id of the one that is made. */
  isById?: boolean
}

const UPDATE = ['q', 'u', 'multi', 'upsert']

export async function updateCommand(context: Context): Promise<Reply> {
  checkFields(context, [...COMMON, 'updates'])
  const updates = statements(context, 'updates').map(bytes => plainReplacement(bytes) ?? updateStatement(bytes))
  const document = await context.write(unit => {
    let [n, nModified] = [0, 0]
    const upserts: Value[] = []
    const examined = context.examine()
    let collection = context.collectionIn(unit)
    const writeErrors = each(context, updates, (statement, index) => {
      if (statement instanceof CommandError) throw statement
      // All are found before the first is changed: a changed document must not be found again at its new place in an index.
      const found = collection ? [...statement.find(unit, collection, examined)] : []
      // Of a statement that fails at one of them nothing is counted, what it has changed stays.
      const changed = found.filter(before => replaceDocument(unit, collection!, before, statement.changed(before)))
      nModified += changed.length
      n += found.length
      if (found.length > 0 || !statement.upsert) return
      const document = statement.made()
      insertDocument(unit, (collection ??= context.collectionFor(unit)), document, statement.isById)
      n++
      upserts.push({ index: new Int32(index), _id: document.id })
    })
    const counts = { n: numeric(n), nModified: numeric(nModified), ...(upserts.length > 0 && { upserted: upserts }) }
    return result(context, counts, writeErrors)
  })
  return { document }
}

/** The replacement of one document by another one with the same _id, its bytes kept; undefined for anything else. */
function plainReplacement(bytes: Buffer): UpdateStatement | undefined {
  let [q, u, upsert] = [0, 0, false]
  let isPlainStatement = true
  const isWhole = eachElement(bytes, 0, (start, nameEnd) => {
    const name = bytes.toString('latin1', start + 1, nameEnd)
    const type = bytes[start]
    if (name === 'q' && type === OBJECT) q = nameEnd + 1
    else if (name === 'u' && type === OBJECT) u = nameEnd + 1
    else if (name === 'upsert' && type === BOOL) upsert = bytes[nameEnd + 1] === 1
    else if (name !== 'multi' || type !== BOOL || bytes[nameEnd + 1] !== 0) isPlainStatement = false
  })
  if (!isWhole || !isPlainStatement || q === 0 || u === 0) return undefined
  const document = bytes.subarray(u, u + bytes.readInt32LE(u))
  if (document.length > MAX_DOCUMENT_BYTES || !isPlain(document)) return undefined
  const id = idElementOf(document)
  const query = bytes.subarray(q, q + bytes.readInt32LE(q))
  // The filter's only element is the document's first one.
  if (query.length !== id.end + 1 || query.compare(document, id.start, id.end, id.start, id.end) !== 0) return undefined
  const idKey = keyOf(idTextOf(document))
  if (idKey.length > MAX_ID_KEY) return undefined
  return new Replacement(new StoredDocument(idKey, document), upsert)
}

/** A class, as very many are made. */
class Replacement implements UpdateStatement {
  readonly isById = true

  constructor(
    private readonly document: StoredDocument,
    readonly upsert: boolean,
  ) {}

  find(unit: Unit, collection: Collection): StoredDocument[] {
    const before = documentWith(unit.view, collection, this.document.idKey)
    return before ? [before] : []
  }

  changed(): StoredDocument {
    return this.document
  }

  made(): StoredDocument {
    return this.document
  }
}

/** A statement and its filter; what is wrong with its fields is wrong with the whole command. */
function statementOf(bytes: Buffer, where: string, known: string[]): { statement: Document; q: Document } {
  const statement = decode(bytes)
  if (tooDeep(statement))
    throw new CommandError('Overflow', `BSONObj exceeds maximum nested object depth: ${MAX_DEPTH}`)
  for (const name of Object.keys(statement)) if (!known.includes(name)) throw unknownField(where, name)
  const q = field(statement, 'q')
  if (!isDocument(q))
    throw new CommandError('TypeMismatch', `BSON field '${where}.q' is the wrong type, expected type 'object'`)
  return { statement, q }
}

function updateStatement(bytes: Buffer): UpdateStatement | CommandError {
  const { statement, q } = statementOf(bytes, 'update.updates', UPDATE)
  const multi = truthy(field(statement, 'multi'))
  const upsert = truthy(field(statement, 'upsert'))
  return attempt(() => {
    const update = parseUpdate(field(statement, 'u'))
    if (multi && update.kind === 'replace')
      throw new CommandError('FailedToParse', 'multi update is not supported for replacement-style update')
    const query: Query = { filter: parseFilter(q), sort: [], skip: 0, limit: multi ? 0 : 1 }
    return {
      upsert,
      find: (unit, collection, examined) => find(() => unit.view, collection, query, examined),
      changed: before => updated(before, update),
      made: () => made(update, query.filter),
    }
  })
}

/** A document after an update; its _id is equal, and so is its key. */
export function updated(before: StoredDocument, update: Update): StoredDocument {
  return sized(applyUpdate(update, decodeStored(before.bytes)), 'Location17419', 'Resulting document after update')
}

/** What an upsert inserts when nothing is found. */
export function made(update: Update, filter: Filter): StoredDocument {
  return sized(upserted(update, filter), 'Location17420', 'Document to upsert')
}

/** BSON of up to 16 KiB more than a document may have is told as such; what is larger is no BSON, as in MongoDB. */
function sized(document: Document, code: CodeName, what: string): StoredDocument {
  const bytes = encodeAnswer(document)
  if (bytes.length > MAX_DOCUMENT_BYTES) throw new CommandError(code, `${what} is larger than ${MAX_DOCUMENT_BYTES}`)
  return storable(document, bytes)
}

const DELETE = ['q', 'limit']

export async function deleteCommand(context: Context): Promise<Reply> {
  checkFields(context, [...COMMON, 'deletes'])
  const deletes = statements(context, 'deletes').map(bytes => {
    const { statement, q } = statementOf(bytes, 'delete.deletes', DELETE)
    const limit = field(statement, 'limit')
    if (!isNumeric(limit) || ![0, 1].includes(toNumber(limit)))
      throw new CommandError('FailedToParse', 'The limit field in delete objects must be 0 or 1')
    return attempt(() => ({ filter: parseFilter(q), limit: toNumber(limit) }))
  })
  const document = await context.write(unit => {
    let n = 0
    const collection = context.collectionIn(unit)
    const examined = context.examine()
    const writeErrors = each(context, deletes, statement => {
      if (statement instanceof CommandError) throw statement
      if (!collection) return
      const query: Query = { ...statement, sort: [], skip: 0 }
      for (const found of [...find(() => unit.view, collection, query, examined)]) {
        deleteDocument(unit, collection, found)
        n++
      }
    })
    return result(context, { n: numeric(n) }, writeErrors)
  })
  return { document }
}

function statements(context: Context, name: string): Buffer[] {
  const given = context.request.sequences.get(name)
  if (!given)
    throw new CommandError('FailedToParse', `BSON field '${context.command}.${name}' is missing but a required field`)
  if (given.length === 0 || given.length > MAX_BATCH)
    throw new CommandError(
      'InvalidLength',
      `Write batch sizes must be between 1 and ${MAX_BATCH}. Got ${given.length} operations.`,
    )
  return given
}

/** Characters of the messages of all errors of a command; what comes then has none. */
const MAX_MESSAGES = 1024 * 1024

/** Runs statements in order; the first that fails ends an ordered command, and any that fails ends a transaction. */
function each<T>(context: Context, items: T[], run: (item: T, index: number) => void): Document[] {
  let length = 0
  const ordered = field(context.body, 'ordered') === undefined || context.flag('ordered')
  const errors: Document[] = []
  for (const [index, item] of items.entries()) {
    try {
      run(item, index)
    } catch (error) {
      // A conflict is of the whole transaction, and the time is that of the whole command.
      if (!(error instanceof CommandError) || error.errorLabels.length > 0) throw error
      if (error.codeName === 'MaxTimeMSExpired') throw error
      const { codeName: _name, errmsg, ...described } = describeError(error)
      // As MongoDB does, so that the answer to very many failures is not too large to be one.
      errors.push({ index: new Int32(index), ...described, errmsg: length > MAX_MESSAGES ? '' : errmsg })
      length += error.message.length
      if (ordered || context.transaction) break
    }
  }
  return errors
}

function result(context: Context, counts: Document, writeErrors: Document[]): Document {
  if (writeErrors.length > 0 && context.transaction) context.failed = true
  return { ...counts, ...(writeErrors.length > 0 && { writeErrors }), ok: OK }
}

function attempt<T>(run: () => T): T | CommandError {
  try {
    return run()
  } catch (error) {
    if (error instanceof CommandError) return error
    throw error
  }
}
