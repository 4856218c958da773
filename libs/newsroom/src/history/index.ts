// The history, for editors: who did what, when, from which revision, through which client, why.
export { history, type HistoryDocument, type HistoryEntry } from './history'
export {
  activityQuery,
  articleHistoryQuery,
  GetActivity,
  GetArticleHistory,
  GetListHistory,
  HistoryAnswer,
  listHistoryQuery,
} from './history-queries'
