// One embedded store as a process of its own, so that a test can end it and start it again: KIND SOCKET DIRECTORY.
import { startDocumentStore, startEventStore } from '@stet/embedded'

const [kind, socketPath, directory] = process.argv.slice(2)
if (!socketPath || !directory) throw new Error('usage: store-process KIND SOCKET DIRECTORY')
const start = kind === 'events' ? startEventStore : startDocumentStore
void start({ socketPath, directory }).then(() => console.log('listening'))
