// The command side: load, decide, append. Keeps folded streams in memory, answers repeats, survives races and outages.
import { type LRUCache } from 'lru-cache'
import { Aggregate, aggregateCache } from './aggregate'
import { type AnyDecider, type CommandOutcome, type DecideContext, type Envelope } from './decider'
import { CommandIdReused, Contended, NotFound, StaleRevision, StetError, Unavailable } from './errors'
import { type EventMetadata, streamOf } from './event'
import { decoded, type EventLog, type EventToAppend } from './event-log'
import { eventIdOf, fingerprintOf, scopeOf } from './identity'
import { asRecorded } from './json'
import { Lanes } from './lanes'
import { Past, type PastState } from './past'
import { Patience } from './patience'
import { reserve } from './reservation'

export interface AggregatesOptions {
  /** Bytes (roughly) of folded state that are kept in memory. */
  readonly cache?: number
  /** Commands that may wait for one stream, and in all. */
  readonly waitingPerStream?: number
  readonly waiting?: number
  /** Milliseconds that a command may take while the store does not answer. */
  readonly patience?: number
}

/** Folded state of a stream, as of a revision of it. */
export interface Loaded<State> {
  readonly state: State
  readonly revision: number
  readonly position: string
}

/** Folded state of a stream, fresh from the log. */
export interface Current<State> extends Loaded<State> {
  /** Events that the stream holds: those before the event that it began anew with, if any, are gone. */
  readonly events: number
}

/** How often a command is decided before its stream is called contended. */
const DECISIONS = 5

/** Everything that stays the same over the attempts of one command. */
interface Order {
  readonly decider: AnyDecider
  readonly name: string
  readonly command: object
  readonly envelope: Envelope
  readonly stream: string
  readonly fingerprint: string
  readonly patience: Patience
  /** The state that the sender had seen; loaded once, when it is needed for a merge. */
  seen?: PastState
}

type Decided = readonly { readonly type: string; readonly data: unknown }[]

/** All consistency boundaries of a process. One per process and event log. */
export class Aggregates {
  readonly #cache: LRUCache<string, Aggregate>
  readonly #lanes: Lanes
  readonly #past: Past
  readonly #patience: number

  constructor(
    private readonly log: EventLog,
    options: AggregatesOptions = {},
  ) {
    this.#cache = aggregateCache(options.cache ?? 64 * 1024 * 1024)
    this.#lanes = new Lanes(options.waitingPerStream ?? 256, options.waiting ?? 4096)
    this.#patience = options.patience ?? 5000
    this.#past = new Past(log)
  }

  /**
   * Executes `command` (under its name in the decider) on the stream that the envelope addresses.
   *
   * Throws what the decider throws, NotFound (see `exists`), StaleRevision, CommandIdReused, Contended, UndecodableEvent
   * (nobody decides on half a history), and Unavailable: then the outcome may be unknown, and sending the same command id
   * again tells.
   */
  async execute(decider: AnyDecider, name: string, command: object, envelope: Envelope): Promise<CommandOutcome> {
    if (!Object.hasOwn(decider.decide, name)) throw new TypeError(`${decider.category} decides no ${name}`)
    const stream = streamOf(decider.category, envelope.key)
    const fingerprint = fingerprintOf(name, stream, command)
    const patience = new Patience(this.#patience)
    return this.#lanes.run(stream, async () => {
      if (patience.over) throw new Contended(`${stream} is busy: try again later`)
      return this.#perform({ decider, name, command, envelope, stream, fingerprint, patience })
    })
  }

  /** The stream's state with every event that the log holds now; null without a stream. Throws UndecodableEvent. */
  async load<State = unknown>(decider: AnyDecider, key: string): Promise<Current<State> | null> {
    const stream = streamOf(decider.category, key)
    const patience = new Patience(this.#patience)
    return this.#lanes.run(stream, async () => {
      const aggregate = this.#cache.get(stream) ?? new Aggregate(decider)
      await this.#catchUp(stream, aggregate, patience)
      const { state, revision, position } = aggregate
      if (position === null) return null
      return { state: state as State, revision, position, events: revision - aggregate.first + 1 }
    })
  }

  /**
   * States of a stream as they were after these revisions, in their order; null for a revision that the log does not
   * hold (any more). One pass over the stream, beside the states that commands are decided on. Throws Contended when too
   * many ask at once, Unavailable when the store does not answer or the stream is too long to be read in time.
   */
  async asOf<State = unknown>(
    decider: AnyDecider,
    key: string,
    revisions: readonly number[],
  ): Promise<readonly (Loaded<State> | null)[]> {
    const found = await this.#past.asOf(
      decider,
      streamOf(decider.category, key),
      revisions,
      new Patience(this.#patience),
    )
    return found as readonly (Loaded<State> | null)[]
  }

  async #perform(order: Order): Promise<CommandOutcome> {
    const { decider, envelope, stream, fingerprint, patience } = order
    let { aggregate, fresh } = await this.#first(order)
    for (let decisions = 0; decisions < DECISIONS;) {
      const applied = aggregate.commands.get(scopeOf(envelope))
      if (applied) {
        if (applied.fingerprint !== fingerprint) throw new CommandIdReused()
        const { revision, position, merged } = applied
        // Also when the first time was cut short after its event.
        if (aggregate.first > 0 && revision === aggregate.first) await this.#truncate(order, revision)
        return { id: envelope.key, revision, position, replayed: true, changed: true, ...(merged && { merged }) }
      }

      // What is appended proves that the state it was decided on is the current one. A refusal and "nothing to do"
      // prove nothing: unless the state is fresh from the log, they are decided again on one that is.
      let events: Decided
      try {
        events = await this.#decide(order, aggregate)
      } catch (refusal) {
        if (fresh || !(refusal instanceof StetError) || refusal instanceof Unavailable) throw refusal
        const moved = await this.#catchUp(stream, aggregate, patience)
        if (!moved) throw refusal
        fresh = true
        continue
      }
      if (events.length === 0) {
        if (!fresh && (await this.#catchUp(stream, aggregate, patience))) {
          fresh = true
          continue
        }
        const { revision, position } = aggregate
        return {
          id: envelope.key,
          revision,
          position: position ?? '0',
          replayed: false,
          changed: false,
          ...mergedAt(envelope, revision),
        }
      }

      decisions++
      const merged = mergedAt(envelope, aggregate.revision)
      const result = await this.#append(order, aggregate, events)
      if (result.ok) {
        if (events.some(({ type }) => aggregate.begins(type))) await this.#truncate(order, result.revision)
        return {
          id: envelope.key,
          revision: result.revision,
          position: result.position,
          replayed: false,
          changed: true,
          ...merged,
        }
      }
      if (result.current < aggregate.revision) {
        // The log is shorter than what was folded of it: it is another one, so nothing that is cached holds.
        this.#cache.delete(stream)
        aggregate = new Aggregate(decider)
      }
      await this.#catchUp(stream, aggregate, patience)
      fresh = true
    }
    throw new Contended(`${stream} was changed by others ${DECISIONS} times in a row: try again later`)
  }

  /**
   * Where to begin. Cached state is good enough when an append can prove it; not for a reservation, which would reserve
   * what an outdated state asks for. A stream that is not in memory is taken for a new one, when nothing but an append
   * can come of that and the command cannot be a repeat (which the store would take for the first one): creating costs
   * one round trip then, and fails at no_stream when the stream exists after all.
   */
  async #first({
    decider,
    name,
    envelope,
    stream,
    patience,
  }: Order): Promise<{ aggregate: Aggregate; fresh: boolean }> {
    const cached = this.#cache.get(stream)
    const aggregate = cached ?? new Aggregate(decider)
    const creating = envelope.fresh === true && envelope.expected === undefined && !decider.exists?.[name]
    const provable = !decider.reserve?.[name] && (cached ?? creating)
    if (provable) return { aggregate, fresh: false }
    await this.#catchUp(stream, aggregate, patience)
    return { aggregate, fresh: true }
  }

  async #decide(order: Order, aggregate: Aggregate): Promise<Decided> {
    const { decider, name, command, envelope, patience } = order
    const { revision, state } = aggregate
    const { expected, permit } = envelope
    permit?.(state, { category: decider.category, actor: envelope.actor })
    const stale = expected !== undefined && expected !== revision
    const merge = stale && envelope.merge && expected < revision ? decider.merge?.[name] : undefined
    if (stale && !merge) throw new StaleRevision(expected, revision)

    const needed = decider.exists?.[name]?.(command as never, envelope.key)
    if (needed !== undefined && !(await this.#exists(needed, patience))) throw new NotFound(`there is no ${needed}`)

    const { commandId, actor, at, correlationId, causationId, client, key } = envelope
    const context: Omit<DecideContext, 'reserved'> = {
      ...{ commandId, actor, at, correlationId, key, revision },
      ...(causationId === undefined ? {} : { causationId }),
      ...(client === undefined ? {} : { client }),
    }
    if (merge && stale) {
      // What the sender had seen may be gone since.
      if (expected < aggregate.first) throw new StaleRevision(expected, revision)
      const seen = await this.#seen(order, expected, revision)
      const merged = merge(command as never, seen as never, state as never, { ...context, expected })
      permit?.(this.#after(order, aggregate, merged), { category: decider.category, actor })
      return merged
    }
    const reservation = decider.reserve?.[name]?.(command as never, state as never, context) ?? null
    const reserved =
      reservation &&
      (await reserve(this.log, reservation, stream => toAppend(order, stream, reservation.event, 0), patience))
    // Object.hasOwn has been asked in execute.
    const decide = decider.decide[name] as NonNullable<(typeof decider.decide)[string]>
    const events = decide(command as never, state as never, { ...context, reserved })
    permit?.(this.#after(order, aggregate, events), { category: decider.category, actor })
    return events
  }

  /** The state that events lead to which are not appended yet. */
  #after(order: Order, { state, revision, position }: Aggregate, decided: Decided): unknown {
    const next = new Aggregate(order.decider)
    Object.assign(next, { state, revision, position })
    this.#fold(order, next, toAppendAll(order, decided), position ?? '0')
    return next.state
  }

  /** The state that the sender of a stale command had seen. */
  async #seen(order: Order, expected: number, current: number): Promise<unknown> {
    const { decider, stream, patience } = order
    order.seen ??= (await this.#past.asOf(decider, stream, [expected], patience))[0] ?? undefined
    if (!order.seen) throw new StaleRevision(expected, current)
    return order.seen.state
  }

  async #exists(stream: string, patience: Patience): Promise<boolean> {
    // Streams do not vanish: what was folded once is there.
    if ((this.#cache.peek(stream)?.revision ?? -1) >= 0) return true
    return (await patience.insist(() => this.log.lastOf(stream))) !== null
  }

  async #append(order: Order, aggregate: Aggregate, decided: Decided) {
    const { stream, patience } = order
    const events = toAppendAll(order, decided).map(event => withRemembered(event, aggregate))
    const before = aggregate.revision
    try {
      // After Unavailable the outcome is unknown: the same ids at the same revision make the store recognise a repeat.
      const result = await patience.insist(() => this.log.append(stream, before, events))
      if (!result.ok) return result
      if (result.revision !== before + events.length) {
        this.#cache.delete(stream)
        return result
      }
      this.#fold(order, aggregate, events, result.position)
      this.#cache.set(stream, aggregate)
      return result
    } catch (error) {
      this.#cache.delete(stream)
      throw error
    }
  }

  async #truncate({ stream, patience }: Order, before: number): Promise<void> {
    this.#past.forget(stream)
    await patience.insist(() => this.log.truncateBefore(stream, before))
  }

  /** Folds events as they are read back, all of them at the position of the last one. */
  #fold({ decider, envelope, stream }: Order, into: Aggregate, events: readonly EventToAppend[], position: string) {
    const { category } = decider
    const { key, at } = envelope
    for (const { id, type, data, metadata: given } of events) {
      const metadata = { ...given, schemaVersion: this.log.versionOf(type) }
      into.fold({ type, data, id, stream, category, key, revision: into.revision + 1, position, at, metadata })
    }
  }

  /** Folds what the log holds beyond the aggregate; true when there was something. */
  async #catchUp(stream: string, aggregate: Aggregate, patience: Patience): Promise<boolean> {
    const before = aggregate.revision
    try {
      await patience.insist(async () => {
        for await (const event of this.log.readStream(stream, { from: aggregate.revision + 1 }))
          aggregate.fold(decoded(event))
      })
    } catch (error) {
      this.#cache.delete(stream)
      throw error
    }
    if (aggregate.revision > before || (before >= 0 && !this.#cache.has(stream))) this.#cache.set(stream, aggregate)
    return aggregate.revision > before
  }
}

/** What the stream knows of its commands goes with it over an event that it begins anew with. */
const withRemembered = (event: EventToAppend, aggregate: Aggregate): EventToAppend =>
  aggregate.begins(event.type) === 'remember'
    ? { ...event, metadata: { ...event.metadata, applied: aggregate.remembered } }
    : event

const toAppendAll = (order: Order, decided: Decided): EventToAppend[] =>
  decided.map((event, index) => toAppend(order, order.stream, event, index))

const mergedAt = ({ merge, expected }: Envelope, revision: number): Pick<CommandOutcome, 'merged'> =>
  merge && expected !== undefined && expected < revision ? { merged: true } : {}

/** The event with everything that is recorded beside it; data as it will be read back. */
const toAppend = (
  { envelope, fingerprint }: Order,
  stream: string,
  { type, data }: { readonly type: string; readonly data: unknown },
  index: number,
): EventToAppend => {
  const { commandId, actor, at, correlationId, causationId, client, expected } = envelope
  const metadata: Omit<EventMetadata, 'schemaVersion'> = {
    $correlationId: correlationId,
    $causationId: causationId ?? commandId,
    commandId,
    fingerprint,
    actor,
    at,
    ...(client !== undefined && { client }),
    ...(expected !== undefined && { expected }),
  }
  return { id: eventIdOf(stream, metadata, index), type, data: asRecorded(data), metadata }
}
