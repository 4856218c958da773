// `stet demo`: an invented newsroom, so that a first start shows a living one.
import { Inject } from '@nestjs/common'
import { type Config } from '@stet/platform'
import { Command, CommandRunner } from 'nest-commander'
import { setUpDemo } from '../demo/set-up'
import { Newsroom } from '../newsroom'
import { progressBar, write } from '../output'
import { CONFIG, Stores } from '../stores'

@Command({
  name: 'demo',
  description:
    'fill the newsroom with thirty invented articles, lists and a week of views; a second time changes nothing',
})
export class DemoCommand extends CommandRunner {
  constructor(
    private readonly newsroom: Newsroom,
    private readonly stores: Stores,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    super()
  }

  async run(): Promise<void> {
    const bar = progressBar()
    try {
      const tally = await setUpDemo({
        log: await this.stores.log(),
        aggregates: await this.stores.aggregates(),
        send: (key, command, commandId) => this.newsroom.send(key, command, commandId),
        now: Date.now(),
        onProgress: (done, total) => bar.show(done, total, 'demonstration'),
      })
      bar.stop()
      const { articles, lists, views } = tally
      const isNew = articles + lists + views > 0
      await write(
        isNew
          ? `Added ${articles} articles, ${lists} changes to lists and ${views} views.\n`
          : 'The demonstration is there already; nothing was changed.\n',
      )
      await write(`${this.next()}\n`)
    } finally {
      bar.stop()
    }
  }

  private next(): string {
    const { host, port, siteUrl } = this.config
    const site = siteUrl ?? `http://${host}:${port || 3000}`
    const look = [
      `${site}/reader/v1/articles?limit=5`,
      `${site}/reader/v1/popular?window=24h`,
      `${site}/reader/v1/lists/editors-choice`,
      `${site}/reader/v1/lists?section=sport`,
    ]
    const start = this.stores.standalone ? 'Start the server with npm start, then look at:' : 'Look at:'
    return [start, ...look.map(url => `  curl '${url}'`)].join('\n')
  }
}
