// Giving up an address that leads to the article, so that another one may have it.
import { type DecideContext, type NewEvent, RuleBroken } from '@stet/eventsourcing'
import { IsSlug } from '../validation'
import { type ArticleEvents } from './events'
import { type Article, drafted } from './state'

/** Readers who come by the old address find nothing any more, or what takes its place. */
export class YieldSlug {
  @IsSlug() slug!: string
}

export const yielding = {
  YieldSlug({ slug }: YieldSlug, article: Article, { key }: DecideContext): readonly NewEvent<ArticleEvents>[] {
    // Also of an erased article: its addresses are all that is left of it.
    if (article.stage !== 'erased') drafted(article, key)
    const hasIt = article.slugs.includes(slug)
    if (!hasIt && slug in article.yielded) return []
    if (!hasIt) throw new RuleBroken('not-its-slug', `${slug} is no address of article ${key}: nothing to yield`)
    if (slug === article.slug)
      throw new RuleBroken(
        'current-slug',
        `${slug} is the address of article ${key}: publish it with another one first`,
      )
    const scheduled = Object.values(article.schedules).some(
      ({ change }) => 'content' in change && change.content.slug === slug,
    )
    if (scheduled)
      throw new RuleBroken(
        'scheduled-slug',
        `a scheduled change of article ${key} has the address ${slug}: cancel it first`,
      )
    return [{ type: 'ArticleSlugYielded', data: { slug } }]
  },
}
