// The life of an article: drafted, sourced, related, published, taken back, imported. Pure: no framework, clock or I/O.
import { decider } from '@stet/eventsourcing'
import { drafting, DraftArticle, RelateArticles, ReviseArticle, SourceArticle } from './drafting'
import { type ArticleEvents } from './events'
import { ImportArticle, importing, importReservation } from './importing'
import { PublishArticle, publishing, slugReservation, UnpublishArticle } from './publishing'
import { type Article, evolveArticle, heldBack, noArticle } from './state'

export const article = decider<Article, ArticleEvents>()({
  category: 'article',
  commands: {
    DraftArticle,
    ReviseArticle,
    SourceArticle,
    RelateArticles,
    PublishArticle,
    UnpublishArticle,
    ImportArticle,
  },
  initial: noArticle,
  decide: { ...drafting, ...publishing, ...importing },
  evolve: evolveArticle,
  reserve: {
    PublishArticle: ({ slug }, state, context) =>
      heldBack(state, context) === null ? slugReservation(state, context, slug) : null,
    ImportArticle: importReservation,
  },
})
