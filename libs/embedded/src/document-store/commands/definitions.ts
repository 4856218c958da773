// Making, listing and dropping collections and indexes.
import { Int32 } from 'bson'
import { equal } from '../bson/order'
import { type Document, encode, isDocument, numeric } from '../bson/value'
import { CommandError } from '../errors'
import { describeIndex, type Index, parseIndex } from '../index/definition'
import { type Collection, namespaceOf } from '../keyspace/catalog'
import { indexDocuments, sameIndex } from '../keyspace/documents'
import { everything, find } from '../query/find'
import { examining } from '../query/scan'
import { parseFilter } from '../query/filter'
import { matches } from '../query/match'
import { OK } from '../wire/error-reply'
import { type Reply } from '../wire/message'
import { checkFields, type Context, wrongType } from './context'

export async function createCommand(context: Context): Promise<Reply> {
  checkFields(context, [])
  await context.engine.write(unit => {
    if (context.collection())
      throw new CommandError('NamespaceExists', `Collection ${context.namespace} already exists.`)
    context.collectionFor(unit)
  })
  return { document: { ok: OK } }
}

export async function dropCommand(context: Context): Promise<Reply> {
  checkFields(context, [])
  const document = await context.engine.define(
    () => context.collection(),
    unit => {
      const collection = context.collection()
      // As MongoDB since 7.0: what is not there is dropped already.
      if (!collection) return { ok: OK }
      context.engine.drop(unit, collection)
      return { nIndexesWas: new Int32(collection.indexes.length), ns: namespaceOf(collection), ok: OK }
    },
    context.until,
  )
  void context.engine.removeDropped()
  return { document }
}

export async function dropDatabaseCommand(context: Context): Promise<Reply> {
  checkFields(context, [])
  for (const collection of context.engine.catalog.list(context.database))
    await context.engine.define(
      () => collection,
      unit => {
        if (context.engine.catalog.find(collection.database, collection.name) === collection)
          context.engine.drop(unit, collection)
      },
      context.until,
    )
  void context.engine.removeDropped()
  return { document: { dropped: context.database, ok: OK } }
}

export function listCollectionsCommand(context: Context): Reply {
  checkFields(context, ['filter', 'nameOnly', 'authorizedCollections', 'cursor'])
  const filter = parseFilter(context.document('filter'))
  const documents = context.engine.catalog
    .list(context.database)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(collection => describeCollection(collection, context.flag('nameOnly')))
    .filter(document => matches(filter, document))
  return context.firstBatch(documents.map(encode), examining(), `${context.database}.$cmd.listCollections`)
}

function describeCollection(collection: Collection, nameOnly: boolean): Document {
  const { name, uuid, indexes } = collection
  if (nameOnly) return { name, type: 'collection' }
  return { name, type: 'collection', options: {}, info: { readOnly: false, uuid }, idIndex: describeIndex(indexes[0]!) }
}

export function listDatabasesCommand(context: Context): Reply {
  checkFields(context, ['filter', 'nameOnly', 'authorizedDatabases'])
  const names = [...new Set(context.engine.catalog.list().map(({ database }) => database))].sort()
  const filter = parseFilter(context.document('filter'))
  const databases = names
    .map((name): Document => ({ name, sizeOnDisk: numeric(0), empty: false }))
    .filter(document => matches(filter, document))
  return {
    document: { databases: context.flag('nameOnly') ? databases.map(({ name }) => ({ name })) : databases, ok: OK },
  }
}

/** Most indexes of a collection, that of _id among them, as in MongoDB. */
const MAX_INDEXES = 64

export async function createIndexesCommand(context: Context): Promise<Reply> {
  checkFields(context, ['indexes'])
  const given = context.array('indexes')
  if (given.length === 0) throw new CommandError('BadValue', 'Must specify at least one index to create')
  const fresh: Index[] = []
  const document = await context.engine.define(
    () => context.collection(),
    unit => {
      fresh.length = 0
      const existed = context.collection() !== undefined
      const collection = context.collectionFor(unit)
      const before = collection.indexes.length
      for (const specification of given) {
        if (!isDocument(specification)) throw wrongType('createIndexes', 'indexes.0', specification, 'object')
        const index = parseIndex(specification, collection.nextIndex + fresh.length)
        if (isNew([...collection.indexes, ...fresh], index)) fresh.push(index)
        if (before + fresh.length > MAX_INDEXES)
          throw new CommandError('CannotCreateIndex', `add index fails, too many indexes for ${context.namespace}`)
      }
      // What is committed is all: a unit that defines something writes no documents.
      const query = { filter: everything, sort: [], skip: 0, limit: 0 }
      const documents = () => find(() => context.engine.committed, collection, query, examining())
      for (const index of fresh) indexDocuments(unit, collection, index, documents())
      const counts = {
        numIndexesBefore: new Int32(before),
        numIndexesAfter: new Int32(before + fresh.length),
        createdCollectionAutomatically: !existed,
      }
      if (fresh.length === 0) return { ...counts, note: 'all indexes already exist', ok: OK }
      // From here on nothing can fail any more.
      collection.indexes = [...collection.indexes, ...fresh]
      collection.nextIndex += fresh.length
      collection.changedAt = context.engine.nextClock
      unit.changed.add(collection)
      return { ...counts, ok: OK }
    },
    context.until,
  )
  for (const index of fresh) index.ready = true
  return { document }
}

/** @throws when there is an index of the same name that is another, or the same index under another name. */
function isNew(indexes: Index[], index: Index): boolean {
  for (const present of indexes) {
    const isSame = present.id === 0 ? equal(present.key, index.key) : sameIndex(present, index)
    if (isSame && (present.id === 0 || present.name === index.name)) return false
    if (isSame)
      throw new CommandError('IndexOptionsConflict', `Index already exists with a different name: ${present.name}`)
    if (present.name === index.name)
      throw new CommandError(
        'IndexKeySpecsConflict',
        `An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. Please refer to our documentation. Requested index: ${index.name}`,
      )
  }
  return true
}

export function listIndexesCommand(context: Context): Reply {
  checkFields(context, ['cursor'])
  const collection = context.collection()
  if (!collection) throw new CommandError('NamespaceNotFound', `ns does not exist: ${context.namespace}`)
  return context.firstBatch(collection.indexes.map(describeIndex).map(encode), examining())
}
