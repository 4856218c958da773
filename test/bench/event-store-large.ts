// An event store with five million events in a million streams, one of which has a million: start, memory, last pages.
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BACKWARDS, END, type EventStoreDBClient } from '@eventstore/db-client'
import { connect, event } from './event-store'
import { type Measure, atMost, below, quantile, rounded, stated } from './measures'
import { inParallel } from './seed-log'
import { startServer } from './support'

const STREAMS = Number(process.env.BENCH_STREAMS ?? 1_000_000)
const PER_STREAM = 4
const LONG = STREAMS
const ALL = STREAMS * PER_STREAM + LONG + 1_000

/** What the store keeps in memory of its own: the tail of the log (32 MiB), recent event ids, and what Node itself takes. */
const MEMORY_MIB = 256

export const eventStoreLarge = async (): Promise<Measure[]> => {
  const folder = await mkdtemp(join(tmpdir(), 'stet-bench-'))
  const directory = join(folder, 'events')
  try {
    const seeding = performance.now()
    const seeder = await startServer(
      'seed-event-store.js',
      directory,
      String(STREAMS),
      String(PER_STREAM),
      String(LONG),
    )
    if (seeder.exitCode === null) await once(seeder, 'exit')
    const seeded = (performance.now() - seeding) / 1_000

    const starting = performance.now()
    const server = await startServer('../support/store-process.js', 'events', join(folder, 'e.sock'), directory)
    const started = performance.now() - starting
    const client = connect(join(folder, 'e.sock'))
    await client.appendToStream('first', event())
    const answered = performance.now() - starting
    const fresh = ownMemory(server)
    // Streams from all over the log, and appends to as many.
    await inParallel(20_000, 16, n => lastPage(client, `s-${(n * 7_919) % STREAMS}`, 4))
    await inParallel(20_000, 64, n => client.appendToStream(`s-${(n * 7_907) % STREAMS}`, event()))
    const used = ownMemory(server)
    const [long, short] = await lastPages(client)
    await client.dispose()
    server.kill('SIGKILL')
    const gigabytes = statSync(join(directory, 'data.mdb')).size / 2 ** 30
    return [
      stated('events', `${rounded(ALL)}, ${gigabytes.toFixed(1)} GiB, written in ${rounded(seeded)} s`),
      below('start', started, 'ms', 2_000),
      stated('start and the first append', `${rounded(answered)} ms`),
      stated('memory of its own, fresh', `${rounded(fresh)} MiB`),
      below('memory of its own, after reading and writing 20,000 streams', used, 'MiB', MEMORY_MIB),
      atMost('the last page of the long stream, p50, beside one of a thousand events', long, short, 'ms', 1.5),
    ]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** MiB that are the process's own; the file's pages that it has mapped are the system's cache. */
const ownMemory = ({ pid }: ChildProcess): number =>
  Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1_024

const lastPage = async (client: EventStoreDBClient, stream: string, count: number): Promise<void> => {
  let seen = 0
  const page = client.readStream(stream, { direction: BACKWARDS, fromRevision: END, maxCount: count })
  for await (const _ of page) seen++
  if (seen !== count) throw new Error(`${stream} answered with ${seen} events`)
}

/** Milliseconds for the last 20 events of the long and the short stream, in turn. */
const lastPages = async (client: EventStoreDBClient): Promise<[long: number, short: number]> => {
  const times = { long: [] as number[], short: [] as number[] }
  for (let n = -200; n < 1_000; n++)
    for (const stream of ['long', 'short'] as const) {
      const started = performance.now()
      await lastPage(client, stream, 20)
      if (n >= 0) times[stream].push(performance.now() - started)
    }
  const p50 = (values: number[]) =>
    quantile(
      values.sort((a, b) => a - b),
      0.5,
    )
  return [p50(times.long), p50(times.short)]
}
