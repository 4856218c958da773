// What an event means for readers, for every read model that shows articles to them.
import { type RecordedEvent } from '@stet/eventsourcing'
import { type LiveContent } from './content'
import { type ReaderEvents } from './events'

type Told = { readonly type: string; readonly data: unknown }

/** The content that readers see from the event on, null when they see none any more; undefined: it is not about that. */
export const shownBy = (event: Told): LiveContent | null | undefined => {
  const told = event as RecordedEvent<ReaderEvents>
  switch (told.type) {
    case 'ArticlePublished':
    case 'ArticleCorrected':
    case 'ArticleAmended':
      return told.data
    case 'ArticleUnpublished':
    case 'ArticleRetracted':
    case 'ArticleErased':
      return null
    case 'ArticleRedacted':
      return told.data.live
    default:
      told satisfies never
      return undefined
  }
}
