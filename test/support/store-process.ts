// One embedded store as a process of its own, so that a test can end it and start it again: KIND SOCKET DIRECTORY.
import { startDocumentStore, startEventStore } from '@stet/embedded'

const [kind, socketPath, directory] = process.argv.slice(2)
if (!socketPath || !directory) throw new Error('usage: store-process KIND SOCKET DIRECTORY')
const start = kind === 'events' ? startEventStore : startDocumentStore
// The supervisor and docker-compose.yml give the document store the same.
void start({ socketPath, directory, transactionLifetimeMs: 5_000 }).then(() => console.log('listening'))
