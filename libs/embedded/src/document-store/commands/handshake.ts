// What a driver asks before and beside its work: who is there and what it can, and that sessions are over.
import { hostname } from 'node:os'
import { Int32 } from 'bson'
import { type Document, field, MAX_DOCUMENT_BYTES } from '../bson/value'
import { sessionOf } from '../sessions'
import { OK } from '../wire/error-reply'
import { MAX_BATCH, MAX_MESSAGE_BYTES, type Reply } from '../wire/message'
import { checkFields, type Context } from './context'

/** MongoDB 7.0 speaks 21; from 25 on a driver would expect the bulkWrite command. */
const WIRE_VERSION = 21

export function helloCommand(context: Context): Reply {
  const me = `${hostname()}:0`
  const document: Document = {
    [context.command === 'hello' ? 'isWritablePrimary' : 'ismaster']: true,
    helloOk: true,
    // A replica set of one: drivers retry writes and run transactions only against a set.
    setName: 'embedded',
    setVersion: new Int32(1),
    secondary: false,
    hosts: [me],
    me,
    primary: me,
    maxBsonObjectSize: new Int32(MAX_DOCUMENT_BYTES),
    maxMessageSizeBytes: new Int32(MAX_MESSAGE_BYTES),
    maxWriteBatchSize: new Int32(MAX_BATCH),
    localTime: new Date(),
    logicalSessionTimeoutMinutes: new Int32(30),
    connectionId: new Int32(1),
    minWireVersion: new Int32(0),
    maxWireVersion: new Int32(WIRE_VERSION),
    readOnly: false,
    ok: OK,
  }
  return { document }
}

export function pingCommand(context: Context): Reply {
  checkFields(context, [])
  return { document: { ok: OK } }
}

export function endSessionsCommand(context: Context): Reply {
  checkFields(context, [])
  const sessions = field(context.body, 'endSessions')
  for (const lsid of Array.isArray(sessions) ? sessions : []) context.store.sessions.end(sessionOf(lsid))
  return { document: { ok: OK } }
}
