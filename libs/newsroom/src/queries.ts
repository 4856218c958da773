// Every query of the newsroom: readers' for one site, and editors'.
import { type AnyQueryDefinition } from '@stet/eventsourcing'
import { deskArticlesQuery, deskCountsQuery } from './desk/desk-queries'
import { latestQuery } from './latest/latest'
import { listQuery, listsQuery } from './lists/list-queries'
import { pageQuery, relatedQuery } from './pages/page-queries'
import { popularQuery } from './popularity'
import { computedRelated, related } from './related'
import { scheduleQuery } from './schedule/schedule-queries'
import { type Site } from './site'

/** What editors ask of the read models. */
export const editorsQueries: readonly AnyQueryDefinition[] = [scheduleQuery, deskArticlesQuery, deskCountsQuery]

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
