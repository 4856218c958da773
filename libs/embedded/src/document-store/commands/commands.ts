// The commands by name, and how one is run: with its transaction, and with an answer whatever happens.
import { CommandError, notImplemented } from '../errors'
import { type SessionId, sessionOf } from '../sessions'
import { errorReply, OK } from '../wire/error-reply'
import { type Reply, type Request } from '../wire/message'
import { aggregateCommand } from './aggregate'
import { checkFields, Context, isTransactionEnd, type Store } from './context'
import * as definitions from './definitions'
import { findAndModifyCommand } from './find-and-modify'
import * as handshake from './handshake'
import * as reads from './reads'
import * as writes from './writes'

type Command = (context: Context) => Reply | Promise<Reply>

const inTransactions: Record<string, Command> = {
  find: reads.findCommand,
  getMore: reads.getMoreCommand,
  killCursors: reads.killCursorsCommand,
  distinct: reads.distinctCommand,
  aggregate: aggregateCommand,
  insert: writes.insertCommand,
  update: writes.updateCommand,
  delete: writes.deleteCommand,
  findAndModify: findAndModifyCommand,
  commitTransaction: commitCommand,
  abortTransaction: abortCommand,
}

const outside: Record<string, Command> = {
  hello: handshake.helloCommand,
  isMaster: handshake.helloCommand,
  ismaster: handshake.helloCommand,
  ping: handshake.pingCommand,
  count: reads.countCommand,
  endSessions: handshake.endSessionsCommand,
  create: definitions.createCommand,
  drop: definitions.dropCommand,
  dropDatabase: definitions.dropDatabaseCommand,
  listCollections: definitions.listCollectionsCommand,
  listDatabases: definitions.listDatabasesCommand,
  createIndexes: definitions.createIndexesCommand,
  listIndexes: definitions.listIndexesCommand,
  explain: reads.explainCommand,
}

/** Runs a request; errors become answers. */
export async function runCommand(store: Store, request: Request): Promise<Reply> {
  const { lsid, txnNumber } = request.body
  if (lsid === undefined || txnNumber === undefined) return run(store, request)
  try {
    return await store.sessions.inTurn(sessionOf(lsid), () => run(store, request))
  } catch (error) {
    return errorReply(error)
  }
}

async function run(store: Store, request: Request): Promise<Reply> {
  let context: Context | undefined
  try {
    const name = Object.keys(request.body)[0] ?? ''
    const command = commandNamed(name)
    if (request.legacy && command !== handshake.helloCommand)
      throw new CommandError(
        'UnsupportedOpQueryCommand',
        `Unsupported OP_QUERY command: ${name}. The client driver may require an upgrade.`,
      )
    context = new Context(
      store,
      request.legacy ? { ...request, body: { $db: 'admin', ...request.body } } : request,
      name,
    )
    if (context.transaction && !Object.hasOwn(inTransactions, name))
      throw new CommandError(
        'OperationNotSupportedInTransaction',
        `Cannot run '${name}' in a multi-document transaction.`,
      )
    const reply = await command(context)
    if (context.failed) abort(context)
    return reply
  } catch (error) {
    if (context?.transaction && !isTransactionEnd(context.command)) abort(context)
    return errorReply(error)
  }
}

function commandNamed(name: string): Command {
  if (Object.hasOwn(inTransactions, name)) return inTransactions[name]!
  if (Object.hasOwn(outside, name)) return outside[name]!
  throw notImplemented(`command ${name}`, 'CommandNotFound', `no such command: '${name}'`)
}

/** A transaction does not survive an error of one of its commands. */
function abort({ store, session }: Context): void {
  if (session) store.sessions.abort(session)
}

async function commitCommand(context: Context): Promise<Reply> {
  const { session, number } = transactionOf(context)
  await context.store.sessions.commit(session, number)
  return { document: { ok: OK } }
}

function abortCommand(context: Context): Reply {
  const { session, number } = transactionOf(context)
  context.store.sessions.abort(session, number)
  return { document: { ok: OK } }
}

function transactionOf(context: Context): { session: SessionId; number: bigint } {
  checkFields(context, [])
  const { session, number, command } = context
  if (!session || number === undefined)
    throw new CommandError('CommandFailed', `${command} must be run within a transaction`)
  return { session, number }
}
