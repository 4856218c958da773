// The two embedded stores as processes of their own, each of which a test can end and start again.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { STORE_NODE_OPTIONS } from '@stet/embedded'

export interface StoreProcess {
  start(): Promise<void>
  /** SIGKILL. */
  kill(): Promise<void>
}

export interface Stores {
  readonly events: StoreProcess
  readonly documents: StoreProcess
  /** What points an app at them. */
  readonly env: Readonly<Record<string, string>>
  dispose(): Promise<void>
}

const main = join(__dirname, '../../dist/test/support/store-process.js')

const storeProcess = (kind: 'events' | 'documents', socket: string, directory: string): StoreProcess => {
  let child: ChildProcess | undefined
  process.on('exit', () => child?.kill('SIGKILL'))
  return {
    start: async () => {
      await rm(socket, { force: true })
      child = spawn(process.execPath, [...STORE_NODE_OPTIONS, main, kind, socket, directory], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      await once(child.stdout!, 'data')
    },
    kill: async () => {
      if (!child || child.exitCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

export const startStores = async (): Promise<Stores> => {
  const folder = await mkdtemp(join(tmpdir(), 'stet-stores-'))
  const events = storeProcess('events', join(folder, 'e.sock'), join(folder, 'events'))
  const documents = storeProcess('documents', join(folder, 'd.sock'), join(folder, 'documents'))
  await Promise.all([events.start(), documents.start()])
  return {
    events,
    documents,
    env: {
      EVENTSTORE_URL: `unix:${join(folder, 'e.sock')}`,
      MONGODB_URL: `mongodb://${encodeURIComponent(join(folder, 'd.sock'))}/?directConnection=true`,
    },
    dispose: async () => {
      await Promise.all([events.kill(), documents.kill()])
      await rm(folder, { recursive: true, force: true })
    },
  }
}
