// `stet backup DIR`: a copy of the embedded stores and of the signing key, beside a running server or without one.
import { Inject } from '@nestjs/common'
import { backupEmbeddedStores } from '@stet/embedded'
import { type Config, LINK_KEY, SIGNING_KEY } from '@stet/platform'
import { Command, CommandRunner } from 'nest-commander'
import { progressBar, UsageError, write } from '../output'
import { CONFIG } from '../stores'

/** The last is that of a terminal that is closed, or a connection that is lost. */
const ENDS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

@Command({
  name: 'backup',
  arguments: '<dir>',
  argsDescription: { dir: 'a new folder outside of the data directory; DATA_DIR pointed at it is the restore' },
  description: 'copy the embedded stores into a new folder at one consistent point, while the server runs or not',
})
export class BackupCommand extends CommandRunner {
  constructor(@Inject(CONFIG) private readonly config: Config) {
    super()
  }

  async run([target = '']: string[]): Promise<void> {
    const { dataDir } = this.config
    this.refuseServers()
    const interrupted = new AbortController()
    const interrupt = (): void =>
      interrupted.abort(new UsageError('the backup was interrupted; nothing of it was kept'))
    for (const signal of ENDS) process.once(signal, interrupt)
    const bar = progressBar()
    try {
      const backup = await backupEmbeddedStores({
        dataDir,
        target,
        // With the keys, tokens and links that were given out stay good; the files of the first ones are made again from it.
        files: [SIGNING_KEY, LINK_KEY],
        signal: interrupted.signal,
        onProgress: ({ done, total }) => bar.show(done, total, `${mebibytes(done)} MiB copied and read again`),
      })
      bar.stop()
      await write(
        `${backup.target} is a backup of ${dataDir}: ${backup.events} events up to position ${backup.position}, ` +
          `${mebibytes(backup.bytes)} MiB, read again and found whole\n`,
      )
    } finally {
      bar.stop()
      for (const signal of ENDS) process.off(signal, interrupt)
    }
  }

  /** Servers have means of their own, and know more than we do about copying theirs. */
  private refuseServers(): void {
    const given = [
      this.config.eventStoreUrl === null ? [] : ["EVENTSTORE_URL names a server: use EventStoreDB's own backup"],
      this.config.mongodbUrl === null ? [] : ["MONGODB_URL names a server: use MongoDB's own backup (mongodump)"],
    ].flat()
    if (given.length)
      throw new UsageError(`stet backup copies embedded stores only. ${given.join('. ')}. See docs/operations.md`)
  }
}

const mebibytes = (bytes: number): string => (bytes / 1_048_576).toFixed(1)
