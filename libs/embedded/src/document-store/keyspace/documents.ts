// Documents and their index entries: every change of a document goes through here.
import { equal, keyOf } from '../bson/order'
import { type Element, hasTextId, idTextOf, namedElements, type Names, namesOf, picked } from '../bson/raw'
import { decodeStored, type Document, encode, field, type Value } from '../bson/value'
import { CommandError } from '../errors'
import { type Index } from '../index/definition'
import { extractKeys, extractRows, keyOfRow, plainEntry, storedPattern, type StoredPart } from '../index/keys'
import { matches } from '../query/match'
import { show } from '../bson/show'
import { type Collection, namespaceOf } from './catalog'
import { documentIn, entryValue, idKeyIn, indexPrefix, MAX_ID_KEY, MAX_VALUES, PREFIX_BYTES, shortened } from './layout'
import { type Unit } from './unit'
import { name, type View } from './view'

/** A document as stored; decoded when somebody looks inside. */
export class StoredDocument {
  readonly bytes: Buffer
  private decoded?: Document

  constructor(
    readonly idKey: Buffer,
    stored: Buffer,
  ) {
    this.bytes = documentIn(stored)
  }

  get value(): Document {
    return (this.decoded ??= decodeStored(this.bytes))
  }

  get id(): Value {
    return hasTextId(this.bytes) ? idTextOf(this.bytes) : field(this.value, '_id')
  }

  /** What was decoded, let go of: whoever holds many documents holds their bytes. */
  forgetValue(): void {
    this.decoded = undefined
  }

  private names?: Names
  private elements?: (Element | undefined)[]
  private part?: Document

  /** The elements of these fields; undefined where only `value` will do. */
  elementsOf(names: Names): (Element | undefined)[] | undefined {
    if (this.names !== names) {
      this.names = names
      this.part = undefined
      this.elements = namedElements(this.bytes, names)
    }
    return this.elements
  }

  /** At least these fields. */
  partOf(names: Names): Document {
    if (this.decoded) return this.decoded
    const elements = this.elementsOf(names)
    return elements ? (this.part ??= decodeStored(picked(this.bytes, elements))) : this.value
  }
}

export function idKeyOf(id: Value): Buffer {
  const key = keyOf(id)
  if (key.length > MAX_ID_KEY)
    throw new CommandError(
      'KeyTooLong',
      `the embedded document store takes an _id of at most ${MAX_ID_KEY} bytes as a key, not ${key.length}`,
    )
  return key
}

export function documentKey(collection: Collection, idKey: Buffer): Buffer {
  return indexPrefix(collection.id, 0, idKey)
}

export function documentWith(view: View, collection: Collection, idKey: Buffer): StoredDocument | undefined {
  const stored = view.get(documentKey(collection, idKey))
  return stored && new StoredDocument(idKey, stored)
}

/** A document ready to be stored, from a value that has an _id. */
export function storable(document: Document, bytes = encode(document)): StoredDocument {
  const id = field(document, '_id')
  checkId(id)
  return new StoredDocument(idKeyOf(id), bytes)
}

export function checkId(id: Value): void {
  if (Array.isArray(id)) throw new CommandError('InvalidOptions', "The '_id' value cannot be of type array")
  if (id === undefined) throw new CommandError('InvalidOptions', "The '_id' value cannot be of type undefined")
}

/**
 * Adds a document; `isNew` when it is known that there is none with its _id.
 * @throws DuplicateKey when its _id or another unique key is taken.
 */
export function insertDocument(unit: Unit, collection: Collection, document: StoredDocument, isNew = false): void {
  const key = documentKey(collection, document.idKey)
  unit.claim(key)
  if (!isNew && unit.view.get(key)) throw duplicate(collection, collection.indexes[0]!, [document.id])
  const changes = indexChanges(unit, collection, undefined, document)
  unit.view.put(key, document.bytes)
  apply(unit, changes)
  unit.count(collection, 1)
}

/** Puts another document with the same _id in its place; false when the bytes are the same, which is no write. */
export function replaceDocument(
  unit: Unit,
  collection: Collection,
  before: StoredDocument,
  after: StoredDocument,
): boolean {
  if (before.bytes.equals(after.bytes)) return false
  const key = documentKey(collection, before.idKey)
  unit.claim(key)
  const changes = indexChanges(unit, collection, before, after)
  unit.view.put(key, after.bytes)
  apply(unit, changes)
  return true
}

export function deleteDocument(unit: Unit, collection: Collection, document: StoredDocument): void {
  const key = documentKey(collection, document.idKey)
  unit.claim(key)
  const changes = indexChanges(unit, collection, document, undefined)
  unit.view.delete(key)
  apply(unit, changes)
  unit.count(collection, -1)
}

/** Adds documents to one index, as building it does with all. */
export function indexDocuments(
  unit: Unit,
  collection: Collection,
  index: Index,
  documents: Iterable<StoredDocument>,
): void {
  const look = lookOf(collection, [index])
  for (const document of documents) {
    const changes: Changes = { added: [], removed: [] }
    addChanges(changes, unit, collection, index, look, undefined, document)
    apply(unit, changes)
  }
}

/** Entries of indexes that come and go; known before the first is written, for one may be taken. */
interface Changes {
  added: { key: Buffer; value: Buffer }[]
  removed: Buffer[]
}

function apply(unit: Unit, changes: Changes): void {
  for (const key of changes.removed) unit.view.delete(key)
  for (const { key, value } of changes.added) unit.view.put(key, value)
}

function indexChanges(unit: Unit, collection: Collection, before?: StoredDocument, after?: StoredDocument): Changes {
  const changes: Changes = { added: [], removed: [] }
  const { indexes } = collection
  if (indexes.length === 1) return changes
  const look = lookOf(collection, indexes)
  if (before && after && look.isAtPathsAlone && sameElements(before, after, look.names)) return changes
  for (let i = 1; i < indexes.length; i++) addChanges(changes, unit, collection, indexes[i]!, look, before, after)
  return changes
}

/** What the indexes of a collection look at in a document. */
interface Look {
  /** The first steps of all their paths. */
  names: Names
  /** What the entries of each begin with, and its pattern by these names. */
  entries: ReadonlyMap<Index, { prefix: Buffer; parts: readonly StoredPart[] }>
  /** No partial filter looks at more. */
  isAtPathsAlone: boolean
}

function lookOf({ id }: Collection, indexes: readonly Index[]): Look {
  let look = looks.get(indexes)
  if (!look) {
    const names = namesOf(indexes.flatMap(({ pattern }) => pattern.map(({ path }) => path[0]!)))
    const entries = new Map(
      indexes.map(index => [index, { prefix: indexPrefix(id, index.id), parts: storedPattern(index.pattern, names) }]),
    )
    looks.set(indexes, (look = { names, entries, isAtPathsAlone: !indexes.some(({ partial }) => partial) }))
  }
  return look
}

/** Asked for every document that is written; a collection whose indexes change has another list of them. */
const looks = new WeakMap<readonly Index[], Look>()

function sameElements(a: StoredDocument, b: StoredDocument, names: Names): boolean {
  const [mine, others] = [a.elementsOf(names), b.elementsOf(names)]
  return (
    mine !== undefined &&
    others !== undefined &&
    mine.every((one, place) => {
      const other = others[place]
      if (!one || !other) return one === other
      return a.bytes.compare(b.bytes, other.start, other.end, one.start, one.end) === 0
    })
  )
}

function addChanges(
  changes: Changes,
  unit: Unit,
  collection: Collection,
  index: Index,
  look: Look,
  before?: StoredDocument,
  after?: StoredDocument,
): void {
  const old = before ? entryKeys(unit, collection, index, look, before) : []
  const fresh = after ? entryKeys(unit, collection, index, look, after) : []
  const removed = without(old, fresh)
  const added = without(fresh, old)
  const { idKey } = (after ?? before)!
  if (index.unique) {
    for (const key of removed) unit.claim(key)
    for (const key of added) {
      unit.claim(key)
      const owner = unit.view.get(key)
      if (owner && !idKeyIn(key, owner, true).equals(idKey))
        throw duplicate(collection, index, valuesOf(after!.value, index, key))
    }
  }
  const value = entryValue(idKey, index.unique)
  for (const key of removed) changes.removed.push(key)
  for (const key of added) changes.added.push({ key, value })
}

/** The keys that are not among the others; there may be very many of a document with a long array. */
function without(keys: Buffer[], others: Buffer[]): Buffer[] {
  if (others.length === 0) return keys
  if (keys.length === 1 && others.length === 1) return keys[0]!.equals(others[0]!) ? [] : keys
  const names = new Set(others.map(name))
  return keys.filter(key => !names.has(name(key)))
}

/** The entries of a document in an index; those of a unique one without the _id, so that two documents meet in one. */
function entryKeys(
  unit: Unit,
  collection: Collection,
  index: Index,
  { names, entries }: Look,
  document: StoredDocument,
): Buffer[] {
  if (index.partial && !matches(index.partial.filter, document.value)) return []
  const { prefix, parts } = entries.get(index)!
  const { bytes, idKey } = document
  const elements = document.elementsOf(names)
  const suffix = index.unique ? undefined : idKey
  const single = elements && plainEntry(prefix, bytes, parts, elements, MAX_VALUES, suffix)
  if (single) return [single]
  const { keys, arrays } = extractKeys(document.partOf(names), index.pattern)
  const { traits, stored } = index
  for (const path of arrays) {
    traits.arrays.add(path)
    if (!stored.arrays.has(path)) unit.changed.add(collection)
  }
  return keys.map(key => {
    const values = shortened(key)
    if (values !== key) {
      traits.shortened = true
      if (!stored.shortened) unit.changed.add(collection)
    }
    return Buffer.concat(suffix ? [prefix, values, suffix] : [prefix, values])
  })
}

/** The values of a document that its entry in a unique index stands for: of an array, the element that is taken. */
function valuesOf(document: Document, index: Index, entry: Buffer): Value[] {
  const values = entry.subarray(PREFIX_BYTES)
  return extractRows(document, index.pattern).rows.find(row => shortened(keyOfRow(row, index.pattern)).equals(values))!
}

function duplicate(collection: Collection, index: Index, values: Value[]): CommandError {
  const keyValue: Document = {}
  index.pattern.forEach(({ dotted }, i) => (keyValue[dotted] = values[i]))
  return new CommandError(
    'DuplicateKey',
    `E11000 duplicate key error collection: ${namespaceOf(collection)} index: ${index.name} dup key: ${show(keyValue)}`,
    [],
    { keyPattern: index.key, keyValue },
  )
}

export function sameIndex(a: Index, b: Index): boolean {
  return equal(a.key, b.key) && a.unique === b.unique && equal(a.partial?.document ?? null, b.partial?.document ?? null)
}
