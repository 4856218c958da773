// findAndModify: one document found, changed or removed, and answered as it was before or is after.
import { Int32 } from 'bson'
import { type Document, field } from '../bson/value'
import { CommandError } from '../errors'
import { deleteDocument, insertDocument, replaceDocument } from '../keyspace/documents'
import { type Unit } from '../keyspace/unit'
import { parseFilter } from '../query/filter'
import { find, parseSort } from '../query/find'
import { parseProjection } from '../query/projection'
import { parseUpdate, type Update } from '../update/update'
import { OK } from '../wire/error-reply'
import { type Reply } from '../wire/message'
import { checkFields, type Context } from './context'
import { made, updated } from './writes'

const FIELDS = ['query', 'sort', 'remove', 'update', 'new', 'upsert', 'fields']

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
  return { document: await context.write(unit => run(context, unit, update)) }
}

function run(context: Context, unit: Unit, update: Update | undefined): Document {
  const filter = parseFilter(context.document('query'))
  const collection = context.collectionIn(unit)
  const query = { filter, sort: parseSort(context.document('sort')), skip: 0, limit: 1 }
  const [before] = find(() => unit.view, collection, query, context.examine())
  const projection = parseProjection(context.document('fields'))
  const answer = (lastErrorObject: Document, document?: Document): Document => ({
    lastErrorObject,
    value: document ? (projection?.(document) ?? document) : null,
    ok: OK,
  })
  if (before && collection) {
    if (!update) {
      deleteDocument(unit, collection, before)
      return answer({ n: new Int32(1) }, before.value)
    }
    const after = updated(before, update)
    replaceDocument(unit, collection, before, after)
    return answer({ n: new Int32(1), updatedExisting: true }, context.flag('new') ? after.value : before.value)
  }
  if (!update) return answer({ n: new Int32(0) })
  if (!context.flag('upsert')) return answer({ n: new Int32(0), updatedExisting: false })
  const document = made(update, filter)
  insertDocument(unit, context.collectionFor(unit), document)
  return answer(
    { n: new Int32(1), updatedExisting: false, upserted: document.id },
    context.flag('new') ? document.value : undefined,
  )
}
