// Whatever is sent, in whatever order, by two processes, with repeats and stale revisions: what is cached is what a replay
// of the log gives, every command has one effect, and every repeat the first one's answer.
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Aggregate } from './aggregate'
import { type CommandOutcome } from './decider'
import { StaleRevision, StetError } from './errors'
import { connectEventLog } from './event-store'
import { decoded, type EventLog } from './event-log'
import { Aggregates } from './execute'
import {
  AddCoins,
  command,
  envelope,
  type Jar,
  jars,
  NameJar,
  OpenJar,
  temporaryEventStore,
} from './testing/store.fixture.spec'

let store: Awaited<ReturnType<typeof temporaryEventStore>>
let log: EventLog
beforeAll(async () => {
  store = await temporaryEventStore()
  log = connectEventLog({ url: store.url })
})
afterAll(async () => {
  await log.close()
  await store.remove()
})

const body = fc.oneof(
  fc.record({ kind: fc.constant('OpenJar' as const), label: fc.string({ unit: 'binary' }) }),
  fc.record({
    kind: fc.constant('AddCoins' as const),
    coins: fc.integer({ min: 0, max: 35 }),
    note: fc.option(fc.string(), { nil: undefined }),
  }),
  fc.record({ kind: fc.constant('NameJar' as const), name: fc.constantFrom('a', 'b') }),
)
const step = fc.record({
  body,
  /** Which process sends it. */
  process: fc.nat({ max: 1 }),
  jar: fc.nat({ max: 1 }),
  /** Which earlier command is repeated instead, counted from the last one. */
  repeat: fc.option(fc.nat({ max: 5 })),
  /** The revision it expects, relative to the current one; null: none. */
  expected: fc.option(fc.integer({ min: -2, max: 0 })),
  /** Sent at the same time as the one before. */
  together: fc.boolean(),
})

let runs = 0

test('cached state is what a replay gives', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async steps => {
      const run = ++runs
      const processes = [new Aggregates(log), new Aggregates(log, { cache: 2000 })] as const
      const keys = [`p${run}-0`, `p${run}-1`]
      const sent: (() => Promise<CommandOutcome>)[][] = []
      const outcomes = new Map<number, CommandOutcome>()
      const settled: Promise<void>[] = []

      for (const { body, process, jar, repeat, expected, together } of steps) {
        if (!together) await Promise.all(settled.splice(0))
        const key = keys[jar] as string
        const current = (await log.lastOf(`jar-${key}`))?.revision ?? -1
        const { kind, ...fields } = body
        const type = { OpenJar, AddCoins, NameJar }[kind]
        const filled = 'name' in fields ? { name: `${fields.name}-${run}` } : fields
        const sentEnvelope = envelope(key, expected === null ? {} : { expected: current + expected })
        const ways = processes.map(
          aggregates => () => aggregates.execute(jars, kind, command<object>(type, filled), sentEnvelope),
        )
        const index = repeat !== null && sent.length > repeat ? sent.length - 1 - repeat : sent.push(ways) - 1
        const send = sent[index]?.[process] as () => Promise<CommandOutcome>
        settled.push(
          send().then(
            outcome => {
              const before = outcomes.get(index)
              if (before?.changed) expect({ ...outcome, replayed: true }).toEqual({ ...before, replayed: true })
              if (outcome.changed) outcomes.set(index, outcome)
            },
            (error: unknown) => {
              expect(error).toBeInstanceOf(StetError)
              // Once applied, a command is never told that it is stale.
              if (error instanceof StaleRevision) expect(outcomes.get(index)?.changed ?? false).toBe(false)
            },
          ),
        )
      }
      await Promise.all(settled)

      for (const key of keys) {
        const replayed = new Aggregate(jars)
        for await (const event of log.readStream(`jar-${key}`)) replayed.fold(decoded(event))
        const { state, revision, position } = replayed
        for (const aggregates of processes) {
          const loaded = await aggregates.load<Jar>(jars, key)
          expect(loaded).toEqual(position === null ? null : { state, revision, position, events: revision + 1 })
        }
        // Every applied command stands in the log once, where its answer said.
        const applied = [...outcomes.values()].filter(({ id }) => id === key)
        expect([...replayed.commands.values()].map(command => command.position).sort()).toEqual(
          applied.map(outcome => outcome.position).sort(),
        )
      }
    }),
    { numRuns: 40 },
  )
})
