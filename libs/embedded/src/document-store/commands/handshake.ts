// What a driver asks before and beside its work: who is there, what it can, whether it is well.
import { hostname } from 'node:os'
import { Int32, Long } from 'bson'
import { type Document, field, numeric } from '../bson/value'
import { MAX_DOCUMENT_BYTES } from '../bson/value'
import { OK } from '../wire/error-reply'
import { MAX_MESSAGE_BYTES, type Reply } from '../wire/message'
import { sessionOf } from '../sessions'
import { checkFields, type Context } from './context'

/** MongoDB 7.0 speaks 21; from 25 on a driver would expect the bulkWrite command. */
const WIRE_VERSION = 21
const VERSION = '7.0.0'
const SET_NAME = 'embedded'

export function helloCommand(context: Context): Reply {
  const me = `${hostname()}:0`
  const document: Document = {
    ...(context.command !== 'hello' ? { ismaster: true } : { isWritablePrimary: true }),
    helloOk: true,
    // A replica set of one: drivers retry writes and run transactions only against a set.
    setName: SET_NAME,
    setVersion: new Int32(1),
    secondary: false,
    hosts: [me],
    me,
    primary: me,
    maxBsonObjectSize: new Int32(MAX_DOCUMENT_BYTES),
    maxMessageSizeBytes: new Int32(MAX_MESSAGE_BYTES),
    maxWriteBatchSize: new Int32(100_000),
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

export function buildInfoCommand(): Reply {
  const versionArray = [...VERSION.split('.').map(Number), 0].map(number => new Int32(number))
  const modules = ['embedded']
  return {
    document: {
      version: VERSION,
      versionArray,
      modules,
      maxBsonObjectSize: new Int32(MAX_DOCUMENT_BYTES),
      bits: new Int32(64),
      ok: OK,
    },
  }
}

/** How much all queries have looked at, for tests and for the curious. */
export function serverStatusCommand({ store }: Context): Reply {
  const { examined, startedAt, cursors } = store
  return {
    document: {
      version: VERSION,
      process: 'stet embedded document store',
      pid: Long.fromNumber(process.pid),
      uptime: numeric(Math.floor((Date.now() - startedAt) / 1_000)),
      metrics: {
        queryExecutor: { scanned: Long.fromNumber(examined.keys), scannedObjects: Long.fromNumber(examined.documents) },
        cursor: { open: { total: Long.fromNumber(cursors.count) } },
      },
      ok: OK,
    },
  }
}

export function endSessionsCommand(context: Context): Reply {
  const sessions = field(context.body, context.command)
  for (const lsid of Array.isArray(sessions) ? sessions : []) context.store.sessions.end(sessionOf(lsid))
  return { document: { ok: OK } }
}
