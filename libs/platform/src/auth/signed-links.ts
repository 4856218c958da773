// Links that open one thing to whoever has them, until they end: an id and a time under an HMAC (RFC 2104, SHA-256).
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { join } from 'node:path'
import { type Config } from '../config'
import { keptSecret } from './key-file'

/** Where the key lies in a data directory, unless PREVIEW_KEY is given. */
export const LINK_KEY = 'keys/preview.key'

/** Signs links and opens them. Processes that share a key open each other's links; another key ends all of them. */
export class SignedLinks {
  #key: Promise<string> | null = null

  constructor(private readonly config: Pick<Config, 'dataDir' | 'previewKey'>) {}

  /** A token of 72 characters for a UUID, good until then. */
  async sign(id: string, until: Date): Promise<string> {
    const claim = Buffer.alloc(CLAIM)
    claim.write(id.replaceAll('-', ''), 'hex')
    claim.writeUIntBE(Math.floor(until.getTime() / 1_000), ID, TIME)
    return Buffer.concat([claim, await this.#mac(claim)]).toString('base64url')
  }

  /** The UUID that a token opens now; null when we never signed it or it has ended. */
  async idOf(token: string, now: Date): Promise<string | null> {
    if (!FORM.test(token)) return null
    const bytes = Buffer.from(token, 'base64url')
    const claim = bytes.subarray(0, CLAIM)
    if (!timingSafeEqual(bytes.subarray(CLAIM), await this.#mac(claim))) return null
    if (claim.readUIntBE(ID, TIME) * 1_000 <= now.getTime()) return null
    return claim.toString('hex', 0, ID).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  }

  async #mac(claim: Buffer): Promise<Buffer> {
    return createHmac('sha256', await this.#secret())
      .update(PURPOSE)
      .update(claim)
      .digest()
  }

  /** Read when it is first needed: a process that is never asked needs no key. */
  #secret(): Promise<string> {
    const { previewKey, dataDir } = this.config
    if (previewKey !== null) return Promise.resolve(previewKey)
    const reading = (this.#key ??= keptSecret(
      join(dataDir, LINK_KEY),
      async () => `${randomBytes(32).toString('hex')}\n`,
    ))
    reading.catch(() => (this.#key = null))
    return reading
  }
}

/** What the key signs is of use for nothing else. */
const PURPOSE = 'stet preview link 1\n'

/** Bytes. */
const ID = 16
const TIME = 6
const CLAIM = ID + TIME
const FORM = /^[A-Za-z0-9_-]{72}$/
