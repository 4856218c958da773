// What clients have begun to append is bounded, in bytes and in number, and given back.
import { randomUUID } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { Duplex } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { AppendReq } from '@eventstore/db-client/generated/streams_pb'
import type { ServerDuplexStream } from '@grpc/grpc-js'
import { expect, test } from '@jest/globals'
import { BatchCalls, appendCall } from './append-calls'
import type { BatchChunk } from './batch-messages'
import { Incoming, Unfinished } from './incoming'
import type { Appended, Writes } from './writes'

const MIB = 1_048_576

const event = (size: number) => ({
  id: randomUUID(),
  type: 'T',
  contentType: 'application/json',
  metadata: Buffer.of(),
  data: Buffer.alloc(size),
})

/** A batch call as its server sees it, and the appends of it that wait for a commit. */
function batchCall() {
  const committing: (() => void)[] = []
  const append = () => new Promise<Appended>(resolve => committing.push(() => resolve({ revision: 0, position: 1 })))
  const answers: Buffer[] = []
  const sent: BatchChunk[] = []
  let isAsked = false
  const stream = new Duplex({
    objectMode: true,
    read() {
      isAsked = sent.length === 0
      if (!isAsked) stream.push(sent.shift())
    },
    write(answer: Buffer, _encoding, done) {
      answers.push(answer)
      done()
    },
  })
  const calls = new BatchCalls({ append } as unknown as Writes, new Unfinished())
  calls.handle(stream as unknown as ServerDuplexStream<BatchChunk, Buffer>)
  const send = (text: string, chunk: Partial<BatchChunk>) => {
    sent.push({ correlationId: { text, bytes: Buffer.of() }, proposed: [], isFinal: false, ...chunk })
    if (isAsked) {
      isAsked = false
      stream.push(sent.shift())
    }
  }
  /** Waits until all that was sent has been read, or none of it in some turns of the event loop. */
  const readAsFarAsItIs = async () => {
    for (let [last, turns] = [sent.length, 0]; sent.length > 0 && turns < 20; turns++) {
      await setImmediate()
      if (sent.length !== last) [last, turns] = [sent.length, 0]
    }
  }
  return { stream, send, readAsFarAsItIs, committing, answers }
}

test('what waits for a commit is bounded in bytes, and reading goes on when some of it is answered', async () => {
  const { send, readAsFarAsItIs, committing, answers } = batchCall()
  const target = { stream: 's', expected: 'any' } as const
  for (let n = 0; n < 100; n++) send(randomUUID(), { target, proposed: [event(MIB)], isFinal: true })
  await readAsFarAsItIs()
  // The message after the one that fills it was asked for before.
  expect(committing).toHaveLength(65)
  while (answers.length < 100) {
    expect(committing.length).toBeGreaterThan(0)
    for (const commit of committing.splice(0)) commit()
    await setImmediate()
  }
})

test('what is begun and not finished on one call is bounded in number', async () => {
  const { stream, send, readAsFarAsItIs } = batchCall()
  const errors: Error[] = []
  stream.on('error', error => errors.push(error))
  for (let n = 0; n < 4_096; n++) send(randomUUID(), {})
  await readAsFarAsItIs()
  expect(errors).toEqual([])
  send(randomUUID(), {})
  await readAsFarAsItIs()
  expect(errors).toEqual([expect.objectContaining({ message: expect.stringContaining('At most 4096') as unknown })])
})

test.each(['cancelled', 'error'])('an append of the older call gives back its bytes when that is %s', ending => {
  const unfinished = new Unfinished()
  const call = new EventEmitter()
  appendCall({} as Writes, unfinished)(call as never, () => {})
  const proposed = new AppendReq.ProposedMessage().setData(new Uint8Array(MIB))
  proposed.getMetadataMap().set('type', 'T').set('content-type', 'application/json')
  call.emit('data', new AppendReq().setProposedMessage(proposed))
  expect(unfinished.bytes).toBeGreaterThan(MIB)
  call.emit(ending)
  expect(unfinished.bytes).toBe(0)
})

test('one append may not have all the bytes of all, and one that is refused has none', async () => {
  const unfinished = new Unfinished()
  const incoming = new Incoming(unfinished)
  for (let n = 0; n < 17; n++) incoming.take(() => incoming.add(event(MIB)))
  expect(unfinished.bytes).toBe(0)
  await expect(incoming.appendTo({} as Writes)).rejects.toThrow('at most 16777216 bytes')
})
