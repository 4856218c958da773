// `stet import FILES`: ninjs items become articles, or new versions of them.
import { Command, CommandRunner, Option } from 'nest-commander'
import { importFiles } from '../import/importer'
import { filesOf } from '../import/sources'
import { Newsroom } from '../newsroom'
import { progressBar, say, write } from '../output'
import { Stores } from '../stores'

interface ImportFlags {
  readonly publish?: boolean
  readonly notes?: boolean
}

@Command({
  name: 'import',
  arguments: '<files...>',
  argsDescription: { 'files...': 'ninjs items: .json files, .ndjson or .jsonl files with one item a line, folders' },
  description: 'import ninjs items (IPTC 1.x, 2 and 3, Superdesk); a second import of an item updates its article',
})
export class ImportCommand extends CommandRunner {
  constructor(
    private readonly newsroom: Newsroom,
    private readonly stores: Stores,
  ) {
    super()
  }

  async run(paths: string[], { publish = false, notes = false }: ImportFlags): Promise<void> {
    const files = await filesOf(paths)
    const bytes = files.reduce((sum, { size }) => sum + size, 0)
    const bar = progressBar()
    try {
      const tally = await importFiles(files, {
        publish,
        send: (key, command) => this.newsroom.send(key, command),
        onFailure: (at, reason) => say(`${at}: ${reason}`),
        ...(notes
          ? { onNotes: (at: string, lines: readonly string[]) => lines.forEach(line => say(`${at}: ${line}`)) }
          : {}),
        onProgress: (done, { items, failed }) => bar.show(done, bytes, `${items} items, ${failed} failed`),
      })
      bar.stop()
      const { items, recorded, unchanged, held, canceled, failed, incomplete } = tally
      await write(
        `${items} items: ${recorded} recorded, ${unchanged} unchanged, ${held} held, ${canceled} canceled, ${failed} failed\n`,
      )
      if (incomplete && !notes) say(`Of ${incomplete} items something is not kept: --notes lists it.`)
      if (this.stores.standalone && recorded) say('Readers see it once the server runs: npm start')
      if (failed) process.exitCode = 1
    } finally {
      bar.stop()
    }
  }

  @Option({ flags: '--publish', description: 'publish at once what nothing holds back' })
  publishes(): boolean {
    return true
  }

  @Option({ flags: '--notes', description: 'list what of each item is not kept' })
  listsNotes(): boolean {
    return true
  }
}
