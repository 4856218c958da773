// Every query of the newsroom: readers' for one site, and editors'.
import { type AnyQueryDefinition, type QueryDefinition } from '@stet/eventsourcing'
import { type PageAnswer } from './answers'
import { deskArticlesQuery, deskCountsQuery } from './desk/desk-queries'
import { activityQuery, articleHistoryQuery, listHistoryQuery } from './history'
import { latestQuery } from './latest/latest'
import { editorsListQuery, editorsListsQuery } from './lists/editors-lists'
import { listQuery, listsQuery } from './lists/list-queries'
import { type GetPreview, pageQuery, previewQuery, relatedQuery } from './pages/page-queries'
import { popularQuery } from './popularity'
import { computedRelated, related } from './related'
import { scheduleQuery } from './schedule/schedule-queries'
import { type Site } from './site'

/** What editors ask of the read models. */
export const editorsQueries: readonly AnyQueryDefinition[] = [
  scheduleQuery,
  editorsListsQuery,
  editorsListQuery,
  deskArticlesQuery,
  deskCountsQuery,
  articleHistoryQuery,
  listHistoryQuery,
  activityQuery,
]

/** One definition per query class; build them once per process, since what is kept is kept per definition. */
export const newsroomQueries = (site: Site): AnyQueryDefinition[] => {
  const popular = popularQuery(site)
  const neighbours = { related, computedRelated, popular }
  return [
    pageQuery(site, neighbours),
    relatedQuery(site, neighbours),
    latestQuery(site),
    listQuery(site),
    listsQuery,
    popular,
  ]
}

/** What is shown of an article before readers see it: of editors and of readers, so it belongs to no bus of either. */
export const previewOf = (site: Site): QueryDefinition<GetPreview, PageAnswer> =>
  previewQuery(site, { related, computedRelated, popular: popularQuery(site) })
