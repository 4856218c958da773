// An article as publishing it now would show it, for whoever looks before readers do.
import { type RecordedEvent } from '@stet/eventsourcing'
import { derivedSlug, liveOf, publishableOf } from './publishing'
import { type ArticleEvents } from './events'
import { type Article, differs, drafted } from './state'

type Published = RecordedEvent<ArticleEvents, 'ArticlePublished'>

/**
 * The event that publishing the working copy at `at` would record, and whether readers would see a change. What holds it
 * back (an embargo, a review) is left aside; what is missing of it is not. An address that is not reserved yet may turn out
 * to be another article's.
 * @throws RuleBroken for what is missing, or when the article was erased; NotFound when there is none
 */
export const wouldBePublished = (
  article: Article,
  key: string,
  at: string,
): { readonly event: Published; readonly changes: boolean } => {
  const { headline, wantedSlug } = drafted(article, key)
  const reserved = wantedSlug ?? article.slug ?? derivedSlug(headline, key)
  const meta = { commandId: key, actor: '', at, correlationId: key }
  const { revision } = article
  const data = liveOf(publishableOf(article, { ...meta, key, revision, reserved }), article, meta)
  return {
    changes: differs(article),
    event: {
      ...{ type: 'ArticlePublished', data, id: key, stream: `article-${key}`, category: 'article', key, at },
      ...{ revision: revision + 1, position: '0' },
      metadata: {
        ...{ $correlationId: key, $causationId: key, commandId: key, fingerprint: '', actor: '', at, schemaVersion: 1 },
      },
    },
  }
}
