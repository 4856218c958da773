// No room, a disk that fails, files that are cut off or altered: refused, reported, never served.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { compiledRoom } from '../supervisor/entry'
import { startEventStore } from '.'

let folder: string
let server: ChildProcess | undefined
let complaints: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stet-test-'))
})
afterEach(async () => {
  if (server?.exitCode === null && server.signalCode === null) {
    const exit = once(server, 'exit')
    server.kill('SIGKILL')
    await exit
  }
  rmSync(folder, { recursive: true })
})

const options = () => ({ socketPath: join(folder, 'events.sock'), directory: join(folder, 'events') })
const dataFile = () => join(options().directory, 'data.mdb')
const connect = () => new EventStoreDBClient({ endpoint: `unix:${options().socketPath}` as never }, { insecure: true })
const event = (n: number) => jsonEvent({ type: 'Counted', data: { n, filler: 'x'.repeat(500) } })
async function numbers(client: EventStoreDBClient, stream: string): Promise<number[]> {
  const read: number[] = []
  for await (const { event } of client.readStream(stream)) read.push((event!.data as { n: number }).n)
  return read
}
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)

/** A server in a process of its own. At SIGUSR2 its disk fails: what it writes goes nowhere and cannot be synced. */
async function start(): Promise<void> {
  const room = JSON.stringify(join(compiledRoom(), 'event-store'))
  const program = `
    const fs = require('node:fs')
    process.on('SIGUSR2', () => {
      for (const fd of fs.readdirSync('/proc/self/fd')) {
        let file = ''
        try { file = fs.readlinkSync('/proc/self/fd/' + fd) } catch {}
        if (!file.endsWith('data.mdb')) continue
        // The lowest free number is given again. /dev/null takes every byte and refuses to sync.
        fs.closeSync(Number(fd))
        fs.openSync('/dev/null', 'r+')
      }
      process.send('failing')
    })
    require(${room}).startEventStore(${JSON.stringify(options())}).then(() => process.send('ready'))`
  server = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'inherit', 'pipe', 'ipc'] })
  complaints = ''
  server.stderr!.on('data', (chunk: Buffer) => (complaints += chunk.toString()))
  await once(server, 'message')
}

/** Files of the server may not grow beyond so many bytes. */
function limitFileSize(bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(server!.pid), `--fsize=${bytes}:unlimited`])
}

const onLinux = process.platform === 'linux' ? describe : describe.skip

onLinux('a disk', () => {
  test('without room refuses appends with what to do, serves reads, and takes appends again when there is room', async () => {
    await start()
    const client = connect()
    await client.appendToStream('s', event(0))
    limitFileSize(statSync(dataFile()).size + 200_000)
    let written = 1
    let last = event(written)
    let refused: Error | undefined
    while (!refused)
      refused = await client.appendToStream('s', last).then(
        () => void (last = event(++written)),
        (error: Error) => error,
      )
    expect(refused.message).toContain('No room left to write')
    expect(await numbers(client, 's')).toEqual(upTo(written))
    // Every writer that waits is refused, not only the one that found the disk full.
    const others = await Promise.allSettled(upTo(20).map(n => client.appendToStream(`other-${n}`, event(n))))
    expect(others.every(({ status }) => status === 'rejected')).toBe(true)

    limitFileSize('unlimited')
    // Its id is not one that is known: sent again it is no retry.
    await client.appendToStream('s', last)
    expect(await numbers(client, 's')).toEqual(upTo(++written))
    const expectedRevision = BigInt(written - 1)
    await client.appendToStream('s', [event(written), event(written + 1)], { expectedRevision })
    expect(await numbers(client, 's')).toEqual(upTo(written + 2))
    await client.dispose()
    server!.kill('SIGKILL')
    await once(server!, 'exit')
    await start()
    const again = connect()
    expect(await numbers(again, 's')).toEqual(upTo(written + 2))
    await again.dispose()
  })

  test('that does not sync stops the server: nothing of it is acknowledged, and what was before is there', async () => {
    await start()
    const client = connect()
    for (const n of upTo(10)) await client.appendToStream('s', event(n))
    server!.kill('SIGUSR2')
    await once(server!, 'message')
    const exit = once(server!, 'exit')
    const attempts = upTo(5).map(n => client.appendToStream('s', event(10 + n)))
    const outcomes = await Promise.allSettled(attempts)
    expect(outcomes.map(({ status }) => status)).toEqual(attempts.map(() => 'rejected'))
    expect(await exit).toEqual([null, 'SIGKILL'])
    expect(complaints).toContain('nothing written from here on could be relied on')
    await client.dispose()

    await start()
    const again = connect()
    expect(await numbers(again, 's')).toEqual(upTo(10))
    await again.dispose()
  })
})

describe('a file', () => {
  const STREAMS = 5
  const PER_STREAM = 60
  let whole: Buffer

  beforeEach(async () => {
    const store = await startEventStore(options())
    const client = connect()
    for (const n of upTo(PER_STREAM))
      for (const s of upTo(STREAMS)) await client.appendToStream(`stream-${s}`, event(n), { expectedRevision: 'any' })
    await client.setStreamMetadata('stream-0', { truncateBefore: 1 })
    await client.dispose()
    await store.close()
    whole = readFileSync(dataFile())
  })

  /** Everything that can be read, or that it was refused. */
  async function readable(): Promise<unknown> {
    let store
    try {
      store = await startEventStore(options())
    } catch (error) {
      expect((error as Error).message).toMatch(/damaged on disk and is not served/)
      return 'refused'
    }
    const client = connect()
    try {
      const streams = []
      for (const s of upTo(STREAMS)) streams.push(await numbers(client, `stream-${s}`))
      let all = 0
      for await (const _ of client.readAll()) all++
      return { streams, all }
    } catch (error) {
      expect((error as Error).message).toMatch(/DATA_LOSS/)
      return 'refused'
    } finally {
      await client.dispose()
      await store.close()
    }
  }

  test('that was cut off anywhere is refused', async () => {
    const before = await readable()
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), async length => {
        writeFileSync(dataFile(), whole)
        truncateSync(dataFile(), length)
        const found = await readable()
        // Its last pages may be free ones.
        if (found === 'refused') return
        expect(length).toBeGreaterThan(whole.length / 2)
        expect(found).toEqual(before)
      }),
      { numRuns: 40 },
    )
  })

  test('with a flipped bit anywhere is refused, or answers as if nothing had happened', async () => {
    const before = await readable()
    expect(before).toMatchObject({ all: STREAMS * PER_STREAM + 1 })
    let refused = 0
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(7), async (at, bit) => {
        const altered = Buffer.from(whole)
        altered[at]! ^= 1 << bit
        writeFileSync(dataFile(), altered)
        const found = await readable()
        if (found === 'refused') refused++
        else expect(found).toEqual(before)
      }),
      { numRuns: 120 },
    )
    expect(refused).toBeGreaterThan(0)
  })
})
