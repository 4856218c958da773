// findAndModify: one document found, changed or removed, and answered as it was before or is after.
import { Int32 } from 'bson'
import { type Document, field, isDocument, type Value } from '../bson/value'
import { CommandError } from '../errors'
import { deleteDocument, insertDocument, replaceDocument, storable } from '../keyspace/documents'
import { type Unit } from '../keyspace/unit'
import { parseFilter } from '../query/filter'
import { find, parseSort } from '../query/find'
import { parseProjection } from '../query/projection'
import { parseUpdate, type Update, upserted } from '../update/update'
import { OK } from '../wire/error-reply'
import { type Reply } from '../wire/message'
import { checkFields, type Context } from './context'
import { hintOf } from './reads'
import { updated } from './writes'

const FIELDS = [
  'query',
  'sort',
  'remove',
  'update',
  'new',
  'upsert',
  'fields',
  'hint',
  'bypassDocumentValidation',
  'stmtId',
]

export async function findAndModifyCommand(context: Context): Promise<Reply> {
  checkFields(context, FIELDS)
  const remove = context.flag('remove')
  const given = field(context.body, 'update')
  if (remove && given !== undefined)
    throw new CommandError('FailedToParse', 'Cannot specify both an update and remove=true')
  if (!remove && given === undefined)
    throw new CommandError('FailedToParse', 'Either an update or remove=true must be specified')
  if (remove && (context.flag('upsert') || context.flag('new')))
    throw new CommandError(
      'FailedToParse',
      "Cannot specify both upsert=true or new=true and remove=true: 'remove' always returns the deleted document",
    )
  const update = remove ? undefined : parseUpdate(given)
  const now = new Date()
  return { document: await context.write(unit => run(context, unit, update, now)) }
}

function run(context: Context, unit: Unit, update: Update | undefined, now: Date): Document {
  const filter = parseFilter(context.document('query'))
  const collection = context.collectionIn(unit)
  const query = { filter, sort: parseSort(context.document('sort')), skip: 0, limit: 1, hint: hintOf(context) }
  const [before] = collection ? find(() => unit.view, collection, query, context.examine()) : []
  const shown = (document: Document | undefined): Value => {
    const projection = parseProjection(context.document('fields'))
    return document ? (projection?.(document) ?? document) : null
  }
  if (before && collection) {
    if (!update) {
      deleteDocument(unit, collection, before)
      return { lastErrorObject: { n: new Int32(1) }, value: shown(before.value), ok: OK }
    }
    const after = updated(before, update, now)
    replaceDocument(unit, collection, before, after)
    const value = shown(context.flag('new') ? after.value : before.value)
    return { lastErrorObject: { n: new Int32(1), updatedExisting: true }, value, ok: OK }
  }
  if (!update || !context.flag('upsert')) {
    const lastErrorObject = { n: new Int32(0), ...(update && { updatedExisting: false }) }
    return { lastErrorObject, value: null, ok: OK }
  }
  const document = storable(upserted(update, filter, now))
  insertDocument(unit, context.collectionFor(unit), document)
  const id = field(document.value, '_id')
  const value = context.flag('new') ? shown(document.value) : null
  return {
    lastErrorObject: { n: new Int32(1), updatedExisting: false, upserted: isDocument(id) ? { ...id } : id },
    value,
    ok: OK,
  }
}
