// Every read model of the newsroom, by group (see GROUPS).
import { type AnyProjection } from '@stet/eventsourcing'
import { articleCards } from './cards/cards'
import { history } from './history/history'
import { curatedLists } from './lists/curated-lists'
import { deskArticles } from './desk/desk-articles'
import { articlePages } from './pages/article-pages'
import { popularity } from './popularity'
import { related } from './related'
import { scheduledChanges } from './schedule/scheduled-changes'
import { slugs } from './slugs/slugs'

const newsroom = [articlePages, articleCards, curatedLists, slugs, scheduledChanges, deskArticles]
const readership = [popularity]
const relation = [related]
const accounts = [history]

export const projections: readonly AnyProjection[] = [...newsroom, ...readership, ...relation, ...accounts]
