// Catch-up subscriptions: what the log has from a place on, then, without a seam, what is appended.
//
// Each subscription pulls at its client's pace, from memory while it is near the log's end and from the disk otherwise;
// its place is a position (and a revision), so it can neither miss nor repeat an event.
import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { badRequest, streamDeleted } from './errors'
import type { LiveTail } from './live'
import { isSoftDeleted, lastRevision } from './head'
import type { EventLog } from './log'
import type { Outlet } from './outlet'
import { caughtUp, checkpoint, confirmation, type ReadRequest } from './protocol'
import { PAGE, Turn, refuseTombstoned } from './reads'

/** Runs until the client goes away. @throws Refusal when it starts at a position where no event is. */
export async function subscribeToAll(
  log: EventLog,
  live: LiveTail,
  outlet: Outlet,
  request: ReadRequest,
): Promise<void> {
  const { from, filter } = request
  await outlet.send(confirmation(randomUUID()))
  if (typeof from === 'number' && !log.isRecord(from)) throw badRequest(`There is no event at position ${from}.`)
  let at = from === 'start' ? 0 : from === 'end' ? live.lastPosition : from
  let isLive = false
  let sinceCheckpoint = 0
  const turn = new Turn()

  while (!outlet.isClosed) {
    const recent = live.after(at, PAGE)
    const { records, reached } = recent
      ? { records: recent, reached: recent.at(-1)?.position }
      : log.readAll(at, 'forwards', PAGE)
    for (const record of records) {
      if (filter && turn.isOver) await turn.next()
      if (!filter || filter.matches(record)) await outlet.sendEvent(record)
      if (filter && ++sinceCheckpoint === filter.checkpointInterval) {
        sinceCheckpoint = 0
        await outlet.send(checkpoint(record.position))
      }
      if (outlet.isClosed) return
    }
    at = reached ?? at
    if (at < live.lastPosition) {
      await turn.next()
      continue
    }
    if (!isLive) {
      isLive = true
      sinceCheckpoint = 0
      if (filter && at > 0) await outlet.send(checkpoint(at))
      await outlet.send(caughtUp())
    }
    await live.grownBeyond(at)
  }
}

/** Runs until the client goes away. @throws Refusal when the stream is tombstoned, or once it is. */
export async function subscribeToStream(
  log: EventLog,
  live: LiveTail,
  outlet: Outlet,
  { stream, from }: ReadRequest & { stream: string },
): Promise<void> {
  const head = log.head(stream)
  refuseTombstoned(log, stream, head)
  await outlet.send(confirmation(randomUUID()))
  let revision = from === 'start' ? -1 : from === 'end' ? lastRevision(head) : from
  let at = -1
  let isLive = false

  while (!outlet.isClosed) {
    const recent = at < 0 ? undefined : live.after(at, PAGE)
    if (recent) {
      for (const record of recent) {
        if (record.stream !== stream || record.revision <= revision) continue
        await outlet.sendEvent(record)
        if (record.isTombstone) throw streamDeleted(stream)
        revision = record.revision
      }
      at = recent.at(-1)?.position ?? at
    } else {
      // Everything up to here is in the index; what follows is found in memory.
      const snapshot = live.lastPosition
      revision = await sendHistory(log, outlet, stream, revision)
      at = snapshot
    }
    if (at < live.lastPosition) continue
    if (!isLive) {
      isLive = true
      await outlet.send(caughtUp())
    }
    await live.grownBeyond(at)
  }
}

/** Sends what the index has of a stream after `revision`; answers with the last revision sent. */
async function sendHistory(log: EventLog, outlet: Outlet, stream: string, revision: number): Promise<number> {
  const head = log.head(stream)
  if (!head || (isSoftDeleted(head) && !head.isTombstoned)) return revision
  let next = Math.max(revision + 1, log.firstVisible(stream, head, Date.now()))
  while (next < head.next && !outlet.isClosed) {
    const { records, reached } = log.readStream(head, next, 'forwards', Math.min(PAGE, head.next - next))
    if (reached === undefined) break
    // Later ones, which a page over scavenged revisions may reach, come as live events.
    for (const record of records) if (record.revision < head.next) await outlet.sendEvent(record)
    next = reached + 1
    await setImmediate()
  }
  if (head.isTombstoned) {
    const tombstone = log.recordOf(head, Infinity)
    if (tombstone) await outlet.sendEvent(tombstone)
    throw streamDeleted(stream)
  }
  return Math.max(revision, head.next - 1)
}
