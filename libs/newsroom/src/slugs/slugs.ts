// Read model: which article a slug belongs to, also while that article is not live.
import { type Document, type Projection } from '@stet/eventsourcing'
import { type NewsroomEvents } from '../newsroom'

/** `_id` is the slug. */
export interface SlugDocument extends Document {
  readonly articleId: string
}

export const slugs: Projection<SlugDocument, NewsroomEvents> = {
  name: 'slugs',
  version: 1,
  group: 'newsroom',
  on: {
    NewsroomFounded: 'ignore',
    ArticleDrafted: 'ignore',
    ArticleRevised: 'ignore',
    ArticleSourced: 'ignore',
    ArticleRelated: 'ignore',
    WireItemReceived: 'ignore',
    ArticlePublished: 'ignore',
    ArticleUnpublished: 'ignore',
    ListCreated: 'ignore',
    ArticleFeatured: 'ignore',
    ArticleUnfeatured: 'ignore',
    SlugReserved: (_, { data }, slug) => ({ _id: slug, articleId: data.articleId }),
    SlugReleased: () => null,
    ArticlesViewed: 'ignore',
  },
}
