// What a history of the event store may be, and the rules of the store as plainly as they can be said.
import fc from 'fast-check'

const STREAMS = 3
/** Events are drawn from few ids, so that retries and near-retries are common. */
const IDS = 12

export type Expected = 'any' | 'no_stream' | 'stream_exists' | number
export type Step =
  | { do: 'append'; stream: number; expected: Expected; ids: number[] }
  | { do: 'delete' | 'tombstone' | 'check' | 'checkBackwards'; stream: number }
  | { do: 'limit'; stream: number; maxCount?: number; maxAge?: number; truncateBefore?: number }
  | { do: 'read'; stream: number; from: number; count: number; backwards: boolean }
  | { do: 'readAll'; from: number; count: number; backwards: boolean }
  | { do: 'listenToAll'; from: number | 'start' | 'end'; filter: 'stream' | 'type' }
  | { do: 'listenToStream'; stream: number; from: number | 'start' | 'end' }
  | { do: 'restart' | 'checkAll' }

const streamOf = fc.nat(STREAMS - 1)
export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 10,
      arbitrary: fc.record({
        do: fc.constant('append' as const),
        stream: streamOf,
        expected: fc.oneof(fc.constantFrom<Expected>('any', 'no_stream', 'stream_exists'), fc.nat(8)),
        ids: fc.array(fc.nat(IDS - 1), { maxLength: 4 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constantFrom('check' as const, 'checkBackwards' as const), stream: streamOf }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), stream: streamOf }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('tombstone' as const), stream: fc.constant(STREAMS - 1) }) },
    {
      weight: 2,
      arbitrary: fc.record(
        {
          do: fc.constant('limit' as const),
          stream: streamOf,
          maxCount: fc.integer({ min: 1, max: 4 }),
          // So long that nothing of this run comes of age; that it hides what is older is the contract's.
          maxAge: fc.constant(3_600),
          truncateBefore: fc.nat(8),
        },
        { requiredKeys: ['do', 'stream'] },
      ),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('read' as const),
        stream: streamOf,
        from: fc.nat(12),
        count: fc.integer({ min: 1, max: 5 }),
        backwards: fc.boolean(),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('readAll' as const),
        from: fc.nat(20),
        count: fc.integer({ min: 1, max: 9 }),
        backwards: fc.boolean(),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('listenToAll' as const),
        from: fc.oneof(fc.constantFrom('start' as const, 'end' as const), fc.nat(20)),
        filter: fc.constantFrom('stream' as const, 'type' as const),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('listenToStream' as const),
        stream: streamOf,
        from: fc.oneof(fc.constantFrom('start' as const, 'end' as const), fc.nat(8)),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('restart' as const, 'checkAll' as const) }) },
  ),
  { minLength: 5, maxLength: 50 },
)

type ModelStream = {
  ids: string[]
  tombstoned: boolean
  hasMetadata: boolean
  maxCount?: number
  truncateBefore?: number
}
const missing = (): ModelStream => ({ ids: [], tombstoned: false, hasMetadata: false })
const isDeleted = (stream: ModelStream) => stream.truncateBefore === Infinity

export class Model {
  readonly streams = new Map<number, ModelStream>()
  /** What was written, in order: "stream@revision". */
  readonly all: string[] = []
  private recent = new Map<string, { stream: number; revision: number }>()

  of = (stream: number) => this.streams.get(stream) ?? missing()

  restart() {
    this.recent.clear()
  }

  append(name: number, expected: Expected, ids: string[]): number | 'mismatch' | 'deleted' {
    const stream = this.of(name)
    const last = stream.ids.length - 1
    if (stream.tombstoned) return 'deleted'
    if (expected === 'any' || expected === 'stream_exists') {
      const places = ids.map(id => this.recent.get(id)).map(place => (place?.stream === name ? place : undefined))
      const mayRetry = expected === 'any' || !isDeleted(stream)
      if (mayRetry && places[0]) return places.includes(undefined) ? 'mismatch' : places.at(-1)!.revision
      if (expected === 'stream_exists' && isDeleted(stream)) return 'deleted'
      if (expected === 'stream_exists' && last < 0 && !stream.hasMetadata) return 'mismatch'
    } else {
      const after = expected === 'no_stream' ? -1 : expected
      const there = stream.ids.slice(after + 1, after + 1 + ids.length)
      if (after < last && ids.length > 0 && there.join() === ids.join()) return after + ids.length
      const isAfresh = expected === 'no_stream' && isDeleted(stream) && ids.length > 0 && ids[0] !== there[0]
      if (after !== last && !isAfresh) return 'mismatch'
    }
    if (ids.length === 0) return last
    const truncateBefore = isDeleted(stream) ? stream.ids.length : stream.truncateBefore
    this.streams.set(name, { ...stream, ids: [...stream.ids, ...ids], truncateBefore })
    for (const [index, id] of ids.entries()) {
      if (!this.recent.has(id)) this.recent.set(id, { stream: name, revision: last + 1 + index })
      this.all.push(`${name}@${last + 1 + index}`)
    }
    return last + ids.length
  }

  delete(name: number): 'ok' | 'mismatch' | 'deleted' {
    const stream = this.of(name)
    if (stream.tombstoned) return 'deleted'
    if (stream.ids.length === 0) return 'mismatch'
    this.streams.set(name, { ids: stream.ids, tombstoned: false, hasMetadata: true, truncateBefore: Infinity })
    return 'ok'
  }

  tombstone(name: number): 'ok' | 'deleted' {
    const stream = this.of(name)
    if (stream.tombstoned) return 'deleted'
    this.streams.set(name, { ...stream, tombstoned: true })
    return 'ok'
  }

  limit(name: number, maxCount?: number, truncateBefore?: number) {
    const stream = this.of(name)
    const back = isDeleted(stream) && truncateBefore === undefined ? stream.ids.length : truncateBefore
    this.streams.set(name, { ...stream, hasMetadata: true, maxCount, truncateBefore: back })
  }

  visible(name: number): number[] | 'missing' | 'deleted' {
    const { ids, tombstoned, maxCount = Infinity, truncateBefore = 0 } = this.of(name)
    if (tombstoned) return 'deleted'
    if (ids.length === 0 || truncateBefore === Infinity) return 'missing'
    const first = Math.max(truncateBefore, ids.length - maxCount)
    return ids.map((_, revision) => revision).filter(revision => revision >= first)
  }
}
