// `stet rebuild NAME`: a read model is built anew from the log, beside the running one, and takes its place.
import { rebuildProjection } from '@stet/eventsourcing'
import { Command, CommandRunner } from 'nest-commander'
import { progressBar, UsageError, write } from '../output'
import { Stores } from '../stores'

@Command({
  name: 'rebuild',
  arguments: '<name>',
  argsDescription: { name: 'name of the read model, e.g. article-pages; stet projections lists them' },
  description: 'build a read model anew from the log; readers see the old one until the new one has caught up',
})
export class RebuildCommand extends CommandRunner {
  constructor(private readonly stores: Stores) {
    super()
  }

  async run([name = '']: string[]): Promise<void> {
    const sources = await this.stores.readModels()
    const interrupted = new AbortController()
    const interrupt = (): void =>
      interrupted.abort(new UsageError('the rebuild was interrupted; the old read model stays'))
    process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
    const bar = progressBar()
    try {
      let events = 0
      const { version, generation, position, parked } = await rebuildProjection(sources, name, {
        signal: interrupted.signal,
        onProgress: progress => {
          events = progress.events
          bar.show(Math.round(progress.done * 1000), 1000, `${name}: ${events} events`)
        },
      })
      bar.stop()
      await write(
        `${name} version ${version}, generation ${generation} is live at ${position ?? 'the start of the log'}: ` +
          `${events} events, ${parked} parked\n`,
      )
    } finally {
      bar.stop()
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
    }
  }
}
