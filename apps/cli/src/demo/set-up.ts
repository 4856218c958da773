// Sets the demonstration up; what is there already stays as it is.
import { type Aggregates, CommandIdReused, type CommandOutcome, type EventLog } from '@stet/eventsourcing'
import { article as articles, curatedList } from '@stet/newsroom'
import { demoArticles, demoId, demoListCommands } from './newsroom'
import { DEMO_VIEWS, demoViewEvents } from './views'

export interface DemoTally {
  /** Articles that were not there before. */
  readonly articles: number
  /** Changes to lists that were not made before. */
  readonly lists: number
  /** Views that were recorded now. */
  readonly views: number
}

export interface DemoTarget {
  readonly log: EventLog
  readonly aggregates: Pick<Aggregates, 'load'>
  readonly send: (key: string, command: object, commandId: string) => Promise<CommandOutcome>
  /** The moment that the demonstration's times count back from, ms. */
  readonly now: number
  readonly onProgress?: (done: number, total: number) => void
}

/** Publishes the articles, fills the lists, records the views. Interrupted anywhere, the next run completes it. */
export const setUpDemo = async ({ log, aggregates, send, now, onProgress }: DemoTarget): Promise<DemoTally> => {
  const wanted = demoArticles(now)
  const listCommands = demoListCommands(now)
  const total = wanted.length + listCommands.length + 1
  const tally = { articles: 0, lists: 0, views: 0 }
  let done = 0
  for (const { id, article, command } of wanted) {
    onProgress?.(done++, total)
    // A second run has other times: an article that is there is not sent again.
    if (await aggregates.load(articles, id)) continue
    const { changed } = await send(id, command, demoId(`import ${article.key}`))
    if (changed) tally.articles++
  }
  for (const { list, command, commandId } of listCommands) {
    // Loaded first, so that a command which the list remembers is known to be a repeat.
    await aggregates.load(curatedList, list)
    onProgress?.(done++, total)
    try {
      const { changed, replayed } = await send(list, command, commandId)
      if (changed && !replayed) tally.lists++
    } catch (error) {
      // A second run has other times: what was done under this id before is done.
      if (!(error instanceof CommandIdReused)) throw error
    }
  }
  onProgress?.(done, total)
  if ((await log.lastOf(DEMO_VIEWS)) === null) {
    const events = demoViewEvents(now)
    const { ok } = await log.append(DEMO_VIEWS, -1, events)
    if (ok) tally.views = countOf(events.map(({ data }) => data as { views: readonly (readonly unknown[])[] }))
  }
  return tally
}

const countOf = (events: readonly { views: readonly (readonly unknown[])[] }[]): number =>
  events.flatMap(({ views }) => views).reduce((sum, [, count]) => sum + Number(count), 0)
