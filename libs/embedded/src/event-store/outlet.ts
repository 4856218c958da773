// The answering side of a read: sends no faster than the client takes, so that a slow one costs bounded memory.
import type { ReadReq } from '@eventstore/db-client/generated/streams_pb'
import type { ServerWritableStream } from '@grpc/grpc-js'
import type { EventLog } from './log'
import { LINK_EVENT } from './model'
import { dataOf, linkResponse, withStructuredIds, type StoredRecord } from './record'

export type ReadCall = ServerWritableStream<ReadReq, Buffer>

export class Outlet {
  constructor(
    private readonly call: ReadCall,
    private readonly log: EventLog,
    private readonly shape: { resolveLinks: boolean; structuredIds: boolean },
  ) {}

  /** The client went away, or the server is closing. */
  get isClosed(): boolean {
    return this.call.cancelled || this.call.destroyed || this.call.writableEnded
  }

  /** Resolves at once while the client keeps up, else when it has taken what was sent. */
  async send(answer: Buffer): Promise<void> {
    if (this.isClosed) return
    // The call counts what it holds in answers, not in bytes: a large one is waited for by itself.
    if (answer.length > LARGE) await this.taken(done => this.call.write(answer, done))
    else if (!this.call.write(answer)) await this.taken()
  }

  /** Resolves when nothing waits to be taken any more, when `write` says that it is done, or when the client is gone. */
  private taken(write: (done: () => void) => void = () => {}): Promise<void> {
    return new Promise<void>(resolve => {
      const done = () => {
        for (const event of ENDS) this.call.off(event, done)
        resolve()
      }
      for (const event of ENDS) this.call.on(event, done)
      write(done)
    })
  }

  sendEvent(record: StoredRecord): Promise<void> {
    const answer =
      this.shape.resolveLinks && isLink(record) ? linkResponse(record, this.targetOf(record)) : record.response
    return this.send(this.shape.structuredIds ? withStructuredIds(answer) : answer)
  }

  /** What a link (`revision@stream`, -1 for the last) points to, if it can be read; a link to a link is not followed on. */
  private targetOf(link: StoredRecord): StoredRecord | undefined {
    const [, revision, stream] = /^(-?\d+)@(.+)$/s.exec(Buffer.from(dataOf(link)).toString('utf8')) ?? []
    const head = stream === undefined ? undefined : this.log.head(stream)
    if (!head || head.isTombstoned) return undefined
    const wanted = Number(revision) < 0 ? head.next - 1 : Number(revision)
    if (wanted >= head.next || wanted < this.log.firstVisible(stream!, head, Date.now())) return undefined
    return this.log.recordOf(head, wanted)
  }
}

const ENDS = ['drain', 'cancelled', 'close', 'error'] as const
/** Bytes. */
const LARGE = 65_536

/** The real server resolves only links stored as binary. */
const isLink = ({ type, isJson }: StoredRecord): boolean => type === LINK_EVENT && !isJson
