// Fills the directory of an event store with events of 1 KB, through its own writes but without a client, which would
// take an hour: DIRECTORY STREAMS PER_STREAM LONG. `long` has LONG events, `short` a thousand, `s-N` PER_STREAM each.
import { randomUUID } from 'node:crypto'
import { EventLog, FORMAT } from '../../libs/embedded/src/event-store/log'
import { Writes } from '../../libs/embedded/src/event-store/writes'
import { openEnvironment } from '../../libs/embedded/src/storage'

const [directory, streams, perStream, long] = process.argv.slice(2)
const GROUP = 250

const metadata = Buffer.from(JSON.stringify({ actor: 'bench' }))
const data = Buffer.from(JSON.stringify({ text: 'x'.repeat(950) }))
const events = (count: number) =>
  Array.from({ length: count }, () => ({ id: randomUUID(), type: 'Measured', json: true, metadata, data }))

const seed = async (): Promise<void> => {
  const environment = openEnvironment(directory!, FORMAT)
  const writes = new Writes(environment, new EventLog(environment), () => {})
  for (let n = 0; n < 1_000; n += 500) await writes.append('short', 'any', events(500))
  // The long stream grows among the others, as a stream of that length does.
  const rounds = Number(streams) / GROUP
  const each = Math.ceil(Number(long) / rounds)
  for (let round = 0, written = 0; round < rounds; round++) {
    const appends = Array.from({ length: GROUP }, (_, n) =>
      writes.append(`s-${round * GROUP + n}`, 'no_stream', events(Number(perStream))),
    )
    const next = Math.min(each, Number(long) - written)
    written += next
    if (next > 0) appends.push(writes.append('long', 'any', events(next)))
    await Promise.all(appends)
  }
  await environment.close()
  console.log('seeded')
}

void seed()
