// `stet scavenge`: what was erased leaves the files of the embedded stores, beside a running server or without one.
import { Inject } from '@nestjs/common'
import { scavengeEmbeddedStores } from '@stet/embedded'
import { type Config } from '@stet/platform'
import { Command, CommandRunner } from 'nest-commander'
import { setTimeout as pause } from 'node:timers/promises'
import { UsageError, write } from '../output'
import { CONFIG, Stores } from '../stores'

/** How long read models are waited for that a running projector is just advancing, ms. */
const PATIENCE = 30_000
const EVERY = 100

@Command({
  name: 'scavenge',
  description: 'end erasures: truncate what was cut short, then write the embedded stores anew without what was erased',
})
export class ScavengeCommand extends CommandRunner {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly stores: Stores,
  ) {
    super()
  }

  async run(): Promise<void> {
    const { dataDir, eventStoreUrl, mongodbUrl } = this.config
    const { finishErasures } = await import('@stet/api')
    const erasures = await finishErasures(await this.stores.log(), await this.stores.aggregates())
    await write(`the streams of ${erasures} erasures and redactions are truncated\n`)
    if (eventStoreUrl !== null || mongodbUrl !== null)
      throw new UsageError(
        'stet scavenge writes embedded stores anew only. On servers, when stet projections shows no lag: ' +
          'stet projections --drop-old, then a scavenge of each node of EventStoreDB (POST /admin/scavenge), ' +
          'and compact of each collection on each member of MongoDB. See docs/operations.md',
      )
    const parked = await this.followed()
    const interrupted = new AbortController()
    const interrupt = (): void =>
      interrupted.abort(new UsageError('not waited for any longer; the scavenge itself goes on'))
    process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
    try {
      await scavengeEmbeddedStores({ dataDir, signal: interrupted.signal })
    } catch (error) {
      throw interrupted.signal.aborted ? (interrupted.signal.reason as Error) : error
    } finally {
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
    }
    await write(`${dataDir} was written anew: nothing of what was erased is left in its files\n`)
    if (parked > 0)
      throw new UsageError(
        `but for ${parked} documents that are parked and stand as they were: mend the cause, stet rebuild NAME, ` +
          'stet projections --drop-old, then stet scavenge again',
      )
  }

  /** Rewritten before the read models have followed, their file would hold the old bytes as free space afterwards. */
  private async followed(): Promise<number> {
    const { unfollowed } = await import('@stet/api')
    const sources = await this.stores.readModels()
    for (const until = performance.now() + PATIENCE; ; await pause(EVERY)) {
      const { behind, old, parked } = await unfollowed(sources)
      if (old.length > 0)
        throw new UsageError(
          `${old.join(', ')} may hold what was erased and follows no more: stet projections --drop-old, then again`,
        )
      if (behind.length === 0) return parked
      if (this.stores.standalone || performance.now() > until)
        throw new UsageError(
          `${behind.join(', ')} has not followed the erasure yet: let the server run until stet projections shows no lag`,
        )
    }
  }
}
