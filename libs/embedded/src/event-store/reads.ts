// Reads that end: of a stream and of $all, in both directions.
import { setImmediate } from 'node:timers/promises'
import { badRequest, streamDeleted } from './errors'
import { isSoftDeleted, lastRevision, type StreamHead } from './head'
import type { EventLog } from './log'
import { isMetastream, ownerOf } from './model'
import type { Outlet } from './outlet'
import { lastRevisionAnswer, streamNotFound, type ReadRequest } from './protocol'

export const PAGE = 256

/** @throws Refusal when the stream is tombstoned or the request asks for what cannot be. */
export async function readStream(
  log: EventLog,
  outlet: Outlet,
  request: ReadRequest & { stream: string; limit: number },
): Promise<void> {
  const { stream, from, direction } = request
  const head = log.head(stream)
  refuseTombstoned(log, stream, head)
  if (!head || head.next === 0 || isSoftDeleted(head)) return outlet.send(streamNotFound(stream))
  if (direction === 'forwards' && from === 'end') throw badRequest('There is nothing to read forwards from the end.')

  const first = log.firstVisible(stream, head, Date.now())
  let next = from === 'start' ? 0 : from === 'end' ? lastRevision(head) : from
  if (direction === 'forwards') next = Math.max(next, first)
  else next = Math.min(next, lastRevision(head))
  let left = request.limit
  // What is appended meanwhile is not read: the head is that of the beginning.
  while (left > 0 && next >= first && next < head.next && !outlet.isClosed) {
    const room = direction === 'forwards' ? head.next - next : next - first + 1
    const { records, reached } = log.readStream(head, next, direction, Math.min(PAGE, left, room))
    if (reached === undefined) break
    for (const record of records) {
      // Where revisions were scavenged, a page reaches further than it was meant to.
      if (record.revision < first || record.revision >= head.next) continue
      await outlet.sendEvent(record)
      left--
    }
    next = reached + (direction === 'forwards' ? 1 : -1)
    if (left > 0) await setImmediate()
  }
  if (request.tellsLastRevision) await outlet.send(lastRevisionAnswer(lastRevision(head)))
}

/** @throws Refusal when it starts at a position where no event is. */
export async function readAll(log: EventLog, outlet: Outlet, request: ReadRequest & { limit: number }): Promise<void> {
  const { direction, filter } = request
  const end = log.lastPosition()
  let at = startOfAll(log, request, end)
  if (at === undefined) return
  let left = request.limit
  const turn = new Turn()
  while (left > 0 && !outlet.isClosed) {
    const { records, reached } = log.readAll(at, direction, Math.min(PAGE, filter ? PAGE : left))
    if (reached === undefined) return
    for (const record of records) {
      if (record.position > end) return
      if (filter && turn.isOver) await turn.next()
      if (filter && !filter.matches(record)) continue
      await outlet.sendEvent(record)
      if (--left === 0) return
    }
    at = reached
    await turn.next()
  }
}

/** Milliseconds that a reader may keep the others waiting: some filters take long over each record. */
const TURN_MS = 10

/** A reader's turn in the server's one thread. */
export class Turn {
  private until = performance.now() + TURN_MS

  get isOver(): boolean {
    return performance.now() > this.until
  }

  /** Lets the others have theirs. */
  async next(): Promise<void> {
    await setImmediate()
    this.until = performance.now() + TURN_MS
  }
}

/** The position to go on from, itself not included; undefined when there is nothing to read. */
function startOfAll(log: EventLog, { from, direction }: ReadRequest, end: number): number | undefined {
  if (from === 'start') return direction === 'forwards' ? 0 : undefined
  if (from === 'end') return direction === 'forwards' ? undefined : end + 1
  if (direction === 'forwards' && from > end) return undefined
  if (!log.isRecord(from)) throw badRequest(`There is no event at position ${from}.`)
  return direction === 'forwards' ? from - 1 : from
}

export function refuseTombstoned(log: EventLog, stream: string, head: StreamHead | undefined): void {
  if (head?.isTombstoned) throw streamDeleted(stream)
  if (isMetastream(stream) && log.head(ownerOf(stream))?.isTombstoned) throw streamDeleted(stream)
}
