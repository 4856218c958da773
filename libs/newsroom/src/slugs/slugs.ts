// Read model: which article a slug belongs to, also while that article is not live.
import { type Document, type Projection } from '@stet/eventsourcing'
import { ignoreReaders, ignoreWorking } from '../article/events'
import { ignoreDesk } from '../desk/events'
import { ignoreLists } from '../lists/events'
import { ignoreFounding, type NewsroomEvents } from '../newsroom'
import { ignoreViews } from '../views/events'

/** `_id` is the slug. */
export interface SlugDocument extends Document {
  readonly articleId: string
}

export const slugs: Projection<SlugDocument, NewsroomEvents> = {
  name: 'slugs',
  version: 1,
  group: 'newsroom',
  on: {
    ...ignoreFounding,
    ...ignoreWorking,
    ...ignoreReaders,
    ...ignoreDesk,
    ...ignoreLists,
    SlugReserved: (_, { data }, slug) => ({ _id: slug, articleId: data.articleId }),
    SlugReleased: () => null,
    ...ignoreViews,
  },
}
