// Articles and lists as they were, and what a refusal tells of what changed since.
import { Inject, Injectable } from '@nestjs/common'
import { AGGREGATES, Aggregates, Gone, type Loaded, NotFound, type StaleRevision } from '@stet/eventsourcing'
import {
  type Article,
  article as articleDecider,
  articleFields,
  brief,
  type BriefChange,
  changesBetween,
  curatedList,
  type CuratedList,
  listFields,
} from '@stet/newsroom'
import { type Category } from './address'

@Injectable()
export class Revisions {
  constructor(@Inject(AGGREGATES) private readonly aggregates: Aggregates) {}

  /** An article as of revisions. @throws NotFound for what never was, Gone for what was erased */
  async article(id: string, revisions: readonly number[]): Promise<readonly Loaded<Article>[]> {
    const now = await this.aggregates.load<Article>(articleDecider, id)
    if (!now) throw new NotFound(`there is no article ${id}`)
    return this.existing(revisions, now, now.state.since, earlier =>
      this.aggregates.asOf<Article>(articleDecider, id, earlier),
    )
  }

  /** A list as of revisions. @throws NotFound for what never was */
  async list(name: string, revisions: readonly number[]): Promise<readonly Loaded<CuratedList>[]> {
    const now = await this.aggregates.load<CuratedList>(curatedList, name)
    if (!now) throw new NotFound(`nothing was done to a list ${name} yet`)
    return this.existing(revisions, now, 0, earlier => this.aggregates.asOf<CuratedList>(curatedList, name, earlier))
  }

  /** Latest revision of an article, of a list. */
  async latest(category: Category, key: string): Promise<number> {
    return (await this.aggregates.load(category === 'list' ? curatedList : articleDecider, key))?.revision ?? -1
  }

  /** What changed between the revision that a command was written on and the current one; none when nobody can tell. */
  async changesSince(category: Category, key: string, { expected, current }: StaleRevision): Promise<BriefChange[]> {
    if (expected >= current) return []
    try {
      const both = [expected, current]
      const [seen, now] =
        category === 'list'
          ? (await this.list(key, both)).map(({ state }) => listFields(state))
          : (await this.article(key, both)).map(({ state }) => articleFields(state))
      return seen && now ? brief(changesBetween(seen, now)) : []
    } catch {
      // The refusal stands, also where what was cannot be read any more.
      return []
    }
  }

  private async existing<State>(
    revisions: readonly number[],
    now: Loaded<State>,
    since: number,
    asOf: (earlier: readonly number[]) => Promise<readonly (Loaded<State> | null)[]>,
  ): Promise<readonly Loaded<State>[]> {
    for (const revision of revisions) {
      if (revision > now.revision)
        throw new NotFound(`there is no revision ${revision}: the current one is ${now.revision}`)
      if (revision < since) throw new Gone(`revision ${revision} was erased`)
    }
    // The current one is in memory already.
    const earlier = revisions.filter(revision => revision !== now.revision)
    const found = earlier.length === 0 ? [] : await asOf(earlier)
    return revisions.map(revision => {
      const loaded = revision === now.revision ? now : found[earlier.indexOf(revision)]
      if (!loaded) throw new Gone(`revision ${revision} was erased`)
      return loaded
    })
  }
}
