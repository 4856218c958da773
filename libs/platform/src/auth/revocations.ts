// Access that was ended before its time: recorded in the log, and so in the hands of every process that asks for tokens.
import { decoded, decider, type EventLog, streamOf } from '@stet/eventsourcing'

export interface AccessEvents {
  /** Tokens of this id, and tokens of this actor that were issued until then, are refused from now on. */
  AccessRevoked: { readonly id: string; readonly reason: string | null }
}

/** Ends access: of one token by its `jti`, or of an actor by its `sub`. */
export class RevokeAccess {
  id!: string
  reason!: string | null
}

/** Key of the one stream of them all. */
export const REVOCATIONS = 'revocations'

/** Revoking an actor again is no repeat: what was issued in the meantime goes too. */
export const access = decider<null, AccessEvents>()({
  category: 'access',
  commands: { RevokeAccess },
  initial: null,
  decide: { RevokeAccess: ({ id, reason }) => [{ type: 'AccessRevoked', data: { id, reason } }] },
  evolve: { AccessRevoked: () => null },
})

const STREAM = streamOf(access.category, REVOCATIONS)

/** Milliseconds for which what was read is taken for what there is. */
const KNOWN_FOR = 500

/** What of a token says whether it was revoked; `iat` in seconds. */
export interface Revocable {
  readonly jti: string
  readonly sub: string
  readonly iat: number
}

/**
 * What was revoked, as this process knows it. Nothing runs by itself: whoever has a token to judge has the list read on
 * when it is older than half a second, so that a revocation holds in every process within that and the time of one read.
 */
export class Revocations {
  /** When each id was revoked last, ms since 1970. */
  readonly #revokedAt = new Map<string, number>()
  #next = 0
  #lookedAt = -Infinity
  #looking: Promise<void> | null = null

  constructor(private readonly log: Pick<EventLog, 'readStream'>) {}

  /** Reads on when that is due. @throws Unavailable when it is due and cannot be done */
  async refresh(): Promise<void> {
    const needed = performance.now() - KNOWN_FOR
    // A look that others have begun may have begun too early for us; one that begins now has not.
    while (this.#lookedAt < needed) await (this.#looking ??= this.#look())
  }

  /** By what was read last. A token issued in the second of its actor's revocation counts as issued before it. */
  has({ jti, sub, iat }: Revocable): boolean {
    if (this.#revokedAt.size === 0) return false
    const revokedAt = this.#revokedAt.get(sub)
    return this.#revokedAt.has(jti) || (revokedAt !== undefined && iat * 1_000 <= revokedAt)
  }

  async #look(): Promise<void> {
    const began = performance.now()
    try {
      for await (const event of this.log.readStream(STREAM, { from: this.#next })) {
        // One that cannot be read may name anybody: then nobody is let in.
        const { type, data, at, revision } = decoded(event)
        this.#next = revision + 1
        if (type !== 'AccessRevoked') continue
        const { id } = data as AccessEvents['AccessRevoked']
        this.#revokedAt.set(id, Math.max(Date.parse(at), this.#revokedAt.get(id) ?? 0))
      }
      this.#lookedAt = began
    } finally {
      this.#looking = null
    }
  }
}
