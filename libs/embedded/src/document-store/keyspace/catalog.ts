// The collections and their indexes: in memory for use, in the keyspace for the next start.
import { randomBytes } from 'node:crypto'
import { Binary, Int32 } from 'bson'
import { decode, type Document, encode, field } from '../bson/value'
import { CommandError } from '../errors'
import { copyTraits, idIndex, type Index, parseIndex } from '../index/definition'
import { catalogEnd, catalogKey, catalogStart, documentIn, idOfCatalogKey } from './layout'
import { entriesOf, type View } from './view'

export interface Collection {
  readonly id: number
  readonly database: string
  readonly name: string
  readonly uuid: Binary
  /** The first is that of _id. */
  indexes: Index[]
  nextIndex: number
  /** The clock when the collection or its indexes last changed: an older snapshot cannot be read through them. */
  changedAt: number
  isDropped?: true
}

export class Catalog {
  private readonly byNamespace = new Map<string, Collection>()
  private nextId = 1

  /**
   * Reads all again, as of `clock`. Collections and indexes that are known stay the objects they are, for open
   * transactions hold them, and keep what is known of their entries beyond what is stored.
   */
  load(view: View, clock: number): void {
    const known = new Map(this.list().map(collection => [collection.id, collection]))
    this.byNamespace.clear()
    for (const { key, value } of entriesOf(view, catalogStart, catalogEnd)) {
      const stored = parseCollection(idOfCatalogKey(key), decode(documentIn(value)))
      const collection = known.get(stored.id)
      this.add(collection ? reset(collection, stored, clock) : stored)
      this.reserve(stored.id)
    }
  }

  /** No collection gets this id any more, nor a lower one. */
  reserve(id: number): void {
    this.nextId = Math.max(this.nextId, id + 1)
  }

  find(database: string, name: string): Collection | undefined {
    return this.byNamespace.get(`${database}.${name}`)
  }

  list(database?: string): Collection[] {
    const all = [...this.byNamespace.values()]
    return database === undefined ? all : all.filter(collection => collection.database === database)
  }

  /** A collection that is not yet in the catalog. */
  draft(database: string, name: string): Collection {
    checkName(database, name)
    return {
      id: this.nextId++,
      database,
      name,
      uuid: new Binary(randomBytes(16), Binary.SUBTYPE_UUID),
      indexes: [idIndex()],
      nextIndex: 1,
      changedAt: 0,
    }
  }

  add(collection: Collection): void {
    this.byNamespace.set(namespaceOf(collection), collection)
  }

  remove(collection: Collection): void {
    collection.isDropped = true
    this.byNamespace.delete(namespaceOf(collection))
  }
}

/** Whether a state, which may be older than what is known in memory, has a collection of this name. */
export function hasCollection(view: View, database: string, name: string): boolean {
  for (const { value } of entriesOf(view, catalogStart, catalogEnd)) {
    const stored = decode(documentIn(value))
    if (field(stored, 'database') === database && field(stored, 'name') === name) return true
  }
  return false
}

export function namespaceOf(collection: Collection): string {
  return `${collection.database}.${collection.name}`
}

/** Key and value under which a collection is kept. */
export function storedCollection(collection: Collection): [Buffer, Buffer] {
  const indexes = collection.indexes.slice(1).map(index => ({
    id: new Int32(index.id),
    name: index.name,
    key: index.key,
    unique: index.unique,
    partialFilterExpression: index.partial?.document,
    arrays: [...index.traits.arrays].sort(),
    shortened: index.traits.shortened,
  }))
  const { database, name, uuid, nextIndex } = collection
  return [catalogKey(collection.id), encode({ database, name, uuid, nextIndex: new Int32(nextIndex), indexes })]
}

function parseCollection(id: number, stored: Document): Collection {
  return {
    id,
    database: field(stored, 'database') as string,
    name: field(stored, 'name') as string,
    uuid: field(stored, 'uuid') as Binary,
    indexes: [idIndex(), ...(field(stored, 'indexes') as Document[]).map(storedIndex)],
    nextIndex: (field(stored, 'nextIndex') as Int32).value,
    changedAt: 0,
  }
}

function reset(collection: Collection, stored: Collection, clock: number): Collection {
  const known = new Map(collection.indexes.map(index => [index.id, index]))
  collection.indexes = stored.indexes.map(index => {
    const same = known.get(index.id)
    return same ? Object.assign(same, { stored: index.stored }) : index
  })
  collection.nextIndex = stored.nextIndex
  collection.changedAt = Math.min(collection.changedAt, clock)
  return collection
}

function storedIndex(stored: Document): Index {
  const { id, arrays, shortened, ...specification } = stored
  const traits = { arrays: new Set(arrays as string[]), shortened: shortened as boolean }
  return { ...parseIndex(specification, (id as Int32).value), traits, stored: copyTraits(traits), ready: true }
}

function checkName(database: string, name: string): void {
  if (name === '' || name.startsWith('.') || name.endsWith('.') || /[\0$]/.test(name))
    throw new CommandError('InvalidNamespace', `Invalid collection name: ${database}.${name}`)
  if (name.startsWith('system.')) throw new CommandError('InvalidNamespace', `cannot write to '${database}.${name}'`)
  if (Buffer.byteLength(`${database}.${name}`) > 255)
    throw new CommandError(
      'InvalidNamespace',
      `Fully qualified namespace is too long. Namespace: ${database}.${name} Max: 255`,
    )
}
