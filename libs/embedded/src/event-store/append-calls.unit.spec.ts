// A batch call is read no faster than what it sent is committed.
import { randomUUID } from 'node:crypto'
import { Duplex } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import type { ServerDuplexStream } from '@grpc/grpc-js'
import { expect, test } from '@jest/globals'
import { BatchCalls } from './append-calls'
import type { BatchChunk } from './batch-messages'
import { Unfinished } from './incoming'
import type { Appended, Writes } from './writes'

test('what waits for a commit is bounded in bytes, and reading goes on when some of it is answered', async () => {
  const committing: (() => void)[] = []
  const append = () => new Promise<Appended>(resolve => committing.push(() => resolve({ revision: 0, position: 1 })))
  const calls = new BatchCalls({ append } as unknown as Writes, new Unfinished())
  const sent = 100
  let answers = 0
  const call = new Duplex({
    objectMode: true,
    read() {},
    write(_answer, _encoding, done) {
      answers++
      done()
    },
  })
  calls.handle(call as unknown as ServerDuplexStream<BatchChunk, Buffer>)
  const data = Buffer.alloc(1_048_576)
  for (let n = 0; n < sent; n++)
    call.push({
      correlationId: { text: `${n}`, bytes: Buffer.of() },
      target: { stream: 's', expected: 'any' },
      proposed: [{ id: randomUUID(), type: 'T', contentType: 'application/json', metadata: Buffer.of(), data }],
      isFinal: true,
    } satisfies BatchChunk)
  while (!call.isPaused() && committing.length < sent) await setImmediate()
  expect(committing).toHaveLength(64)
  while (answers < sent) {
    expect(committing.length).toBeGreaterThan(0)
    for (const commit of committing.splice(0)) commit()
    await setImmediate()
  }
  expect(answers).toBe(sent)
})
