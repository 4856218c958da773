// Read model: what is to happen by itself, and what could not happen when it was due.
import { type Document, type Projection, type RecordedEvent } from '@stet/eventsourcing'
import { type ArticleEvents, ignoreReaders, ignoreWorking } from '../article/events'
import { type ScheduledKind } from '../article/scheduling'
import { ignoreDesk } from '../desk/events'
import { ignoreLists, type ListEvents } from '../lists/events'
import { ignoreFounding, type NewsroomEvents } from '../newsroom'
import { ignoreSlugs } from '../slugs/events'
import { ignoreViews } from '../views/events'

/**
 * `_id` is the schedule id, of a list's entry its list, article and change. Done and cancelled ones are gone: the history
 * has them. An entry that starts or ends by itself is `timed`: nobody does anything then, and it stays when it has passed.
 */
export interface ScheduledDocument extends Document {
  readonly articleId: string
  readonly kind: ScheduledKind | 'feature' | 'unfeature'
  /** Name of the list whose entry starts or ends, else null. */
  readonly list: string | null
  /** RFC 3339 UTC: as text they sort by time. */
  readonly at: string
  readonly zone: string | null
  readonly state: 'pending' | 'failed' | 'timed'
  /** Opaque subject id of who scheduled it: the change happens in their name. */
  readonly by: string
  /** Id of the event that set the time: what is done then is done once for it. */
  readonly scheduledBy: string
  /** Of the frozen content; null where there is none. */
  readonly headline: string | null
  readonly failure: { readonly rule: string; readonly reason: string } | null
}

type Scheduling = RecordedEvent<ArticleEvents, 'ArticleChangeScheduled' | 'ArticleChangeRescheduled'>
type Timing = RecordedEvent<ListEvents, 'ArticleFeatured' | 'ArticleFeatureTimed'>

const bySchedule = ({ data }: { readonly data: { readonly scheduleId: string } }) => [data.scheduleId]

const byEntry = ({ key, data }: { readonly key: string; readonly data: { readonly articleId: string } }) => [
  startOf(key, data.articleId),
  endOf(key, data.articleId),
]

export const scheduledChanges: Projection<ScheduledDocument, NewsroomEvents> = {
  name: 'scheduled-changes',
  version: 1,
  group: 'newsroom',
  // What is due costs what is due, however much is pending.
  indexes: [{ key: { state: 1, at: 1, _id: 1 } }],
  keys: {
    ArticleChangeScheduled: bySchedule,
    ArticleChangeRescheduled: bySchedule,
    ArticleChangeCancelled: bySchedule,
    ArticleChangePerformed: bySchedule,
    ArticleChangeFailed: bySchedule,
    ArticleRedacted: ({ data }) => data.scheduleIds,
    ArticleErased: ({ data }) => data.scheduleIds,
    ArticleFeatured: byEntry,
    ArticleFeatureTimed: byEntry,
    ArticleUnfeatured: byEntry,
  },
  on: {
    ...ignoreFounding,
    ...ignoreWorking,
    ArticleChangeScheduled: (_, event, id) => pending(event, id, event.metadata.actor),
    // Whoever moved it answers for it from then on.
    ArticleChangeRescheduled: (_, event, id) => pending(event, id, event.metadata.actor),
    ArticleChangeCancelled: () => null,
    ArticleChangePerformed: () => null,
    ArticleChangeFailed: (known, { data: { rule, reason } }) =>
      known && { ...known, state: 'failed', failure: { rule, reason } },
    ...ignoreReaders,
    ArticleRedacted: () => null,
    ArticleErased: () => null,
    ...ignoreDesk,
    ...ignoreLists,
    ArticleFeatured: (_, event, id) => timed(event, id),
    ArticleFeatureTimed: (_, event, id) => timed(event, id),
    ArticleUnfeatured: () => null,
    ...ignoreSlugs,
    ...ignoreViews,
  },
}

const pending = ({ id, key, data: { at, zone, change } }: Scheduling, _id: string, by: string): ScheduledDocument => ({
  _id,
  articleId: key,
  kind: change.kind,
  list: null,
  at,
  zone,
  state: 'pending',
  by,
  scheduledBy: id,
  headline: 'content' in change ? change.content.headline : null,
  failure: null,
})

const startOf = (list: string, articleId: string): string => `${list}:${articleId}:feature`
const endOf = (list: string, articleId: string): string => `${list}:${articleId}:unfeature`

/** The start or the end of an entry, by the key; null where it has none. */
const timed = ({ id, key: list, data, metadata }: Timing, _id: string): ScheduledDocument | null => {
  const { articleId, from, until, zone } = data
  const starts = _id === startOf(list, articleId)
  const at = starts ? from : until
  if (at === null) return null
  return {
    _id,
    articleId,
    kind: starts ? 'feature' : 'unfeature',
    list,
    at,
    zone,
    state: 'timed',
    by: metadata.actor,
    scheduledBy: id,
    headline: null,
    failure: null,
  }
}
