// What was acknowledged survives kill -9 at any instant, once and in order.
import { spawn, type ChildProcess } from 'node:child_process'
import { randomInt, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventStoreDBClient, jsonEvent, type ResolvedEvent } from '@eventstore/db-client'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { compiledRoom } from '../supervisor/entry'

const WRITERS = 64
const KILLS = 50
/** A start of the server is most of a round; a machine with other work takes its time for it. */
const KILLS_TIMEOUT = 300_000

let folder: string
let server: ChildProcess | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stet-test-'))
})
afterEach(async () => {
  await kill()
  rmSync(folder, { recursive: true })
})

const socketPath = () => join(folder, 'events.sock')
const connect = () => new EventStoreDBClient({ endpoint: `unix:${socketPath()}` as never }, { insecure: true })

async function start(): Promise<void> {
  const options = JSON.stringify({ socketPath: socketPath(), directory: join(folder, 'events') })
  const program = `require(${JSON.stringify(join(compiledRoom(), 'event-store'))}).startEventStore(${options}).then(() => process.send('ready'))`
  server = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  await once(server, 'message')
}

async function kill(): Promise<void> {
  if (!server || server.exitCode !== null || server.signalCode !== null) return
  const exit = once(server, 'exit')
  server.kill('SIGKILL')
  await exit
}

/** Appends 0, 1, 2, ... to its own stream on exact revisions until the server is gone; keeps what was acknowledged. */
async function write(client: EventStoreDBClient, stream: string, acknowledged: Map<string, number>): Promise<void> {
  for (let n = (acknowledged.get(stream) ?? -1) + 1; ; n++) {
    const expectedRevision = n === 0 ? 'no_stream' : BigInt(n - 1)
    // A repeat of what may have been written before the kill: the id is the same.
    const id = `00000000-0000-4000-8000-${stream.slice(-2)}${n.toString(16).padStart(10, '0')}`
    try {
      await client.appendToStream(stream, jsonEvent({ id, type: 'Counted', data: { n, filler: 'x'.repeat(500) } }), {
        expectedRevision,
      })
    } catch {
      return
    }
    acknowledged.set(stream, n)
  }
}

async function collect(reading: AsyncIterable<ResolvedEvent>): Promise<ResolvedEvent[]> {
  const read: ResolvedEvent[] = []
  for await (const resolved of reading) read.push(resolved)
  return read
}

test(
  `${KILLS} kills under ${WRITERS} writers lose nothing acknowledged and repeat nothing`,
  async () => {
    const run = randomUUID().slice(0, 8)
    const streams = Array.from({ length: WRITERS }, (_, k) => `count-${run}-${k.toString(16).padStart(2, '0')}`)
    const acknowledged = new Map<string, number>()
    for (let round = 0; round < KILLS; round++) {
      await start()
      const client = connect()
      const before = sum(acknowledged)
      const wanted = before + randomInt(20, 400)
      const writing = Promise.all(streams.map(stream => write(client, stream, acknowledged)))
      while (sum(acknowledged) < wanted) await new Promise(resolve => setImmediate(resolve))
      await kill()
      await writing
      await client.dispose()
    }

    await start()
    const client = connect()
    const all = await collect(client.readAll())
    const positions = all.map(({ event }) => event!.position!.commit)
    expect(positions.every((position, index) => index === 0 || position > positions[index - 1]!)).toBe(true)
    const inAll = new Map<string, number>()
    for (const { event } of all) inAll.set(event!.streamId, (inAll.get(event!.streamId) ?? 0) + 1)
    for (const stream of streams) {
      const events = (await collect(client.readStream(stream))).map(({ event }) => event!)
      const last = acknowledged.get(stream)!
      // One append per stream may have been written without its answer having arrived.
      expect(events.length - 1 === last || events.length - 1 === last + 1).toBe(true)
      expect(events.map(({ revision, data }) => [Number(revision), (data as { n: number }).n])).toEqual(
        events.map((_, n) => [n, n]),
      )
      expect(inAll.get(stream)).toBe(events.length)
    }
    await client.dispose()
  },
  KILLS_TIMEOUT,
)

const sum = (acknowledged: Map<string, number>): number =>
  [...acknowledged.values()].reduce((total, n) => total + n + 1, 0)
