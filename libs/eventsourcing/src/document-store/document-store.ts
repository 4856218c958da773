// The way to MongoDB: one client per process, bounded waits, and one error for "it cannot be reached".
import { type Db, MongoClient, MongoError, MongoServerError } from 'mongodb'
import { Unavailable } from '../errors'
import { reviving } from './revive'

/** A connection to the database of one newsroom's read models. */
export interface DocumentStore {
  readonly client: MongoClient
  readonly db: Db
  /** True when the store answers. */
  ping(): Promise<boolean>
  close(): Promise<void>
}

/** Milliseconds; the driver's questions to a server take as long at most. */
const CONNECT_TIMEOUT = 3_000

/**
 * Opens a client; it connects with the first call and reconnects by itself. `url` is a MongoDB connection string of a
 * replica set (transactions need one) or of the embedded store. Calls fail within about 3 s while it cannot be reached.
 */
export const connectDocumentStore = ({ url, database }: { url: string; database: string }): DocumentStore => {
  const client = new MongoClient(url, {
    appName: 'stet',
    serverSelectionTimeoutMS: 3_000,
    connectTimeoutMS: CONNECT_TIMEOUT,
    waitQueueTimeoutMS: 3_000,
    // A store that accepts and never answers (frozen, partitioned) must not hold a request for ever.
    socketTimeoutMS: 10_000,
    heartbeatFrequencyMS: 2_000,
    maxPoolSize: 32,
    writeConcern: { w: 'majority' },
    readPreference: 'primary',
    ignoreUndefined: true,
  })
  // Without a listener the driver's 'error' events would end the process.
  client.on('error', () => undefined)
  const revived = reviving(client, CONNECT_TIMEOUT + 1_000)
  const db = client.db(database)
  return {
    client,
    db,
    ping: () =>
      db.command({ ping: 1 }).then(
        () => true,
        () => false,
      ),
    close: async () => {
      await revived.stop()
      await client.close()
    },
  }
}

/** The driver's classes for "no answer came", by name: they have no common ancestor but MongoError. */
const UNREACHABLE = new Set([
  'MongoNetworkError',
  'MongoNetworkTimeoutError',
  'MongoServerSelectionError',
  'MongoNotConnectedError',
  'MongoTopologyClosedError',
  'MongoClientClosedError',
  'MongoPoolClosedError',
  'MongoPoolClearedError',
  'MongoWaitQueueTimeoutError',
  'MongoOperationTimeoutError',
  'MongoExpiredSessionError',
  'PoolClearedOnNetworkError',
])
/** Shutting down, stepping down or not (yet) primary: the replica set is between two primaries. */
const NO_PRIMARY = new Set([89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436])

/** True when an error says nothing about the request, only that no answer could be had. */
export const unreachable = (error: unknown): boolean =>
  error instanceof MongoError &&
  (UNREACHABLE.has(error.name) ||
    error.hasErrorLabel('RetryableWriteError') ||
    (error instanceof MongoServerError &&
      // The driver wraps whatever ends a bulk write, a lost connection too, as an answer of the server.
      ((typeof error.code === 'number' && NO_PRIMARY.has(error.code)) || unreachable(error.errorResponse))))

/** Runs a call to the store; "cannot be reached" becomes Unavailable('document store'), anything else stays. */
export const reaching = async <T>(call: () => Promise<T>): Promise<T> => {
  try {
    return await call()
  } catch (error) {
    if (!unreachable(error)) throw error
    throw new Unavailable('document store', 'the document store cannot be reached', 1)
  }
}
