// The newsroom: its domain, read models and queries. Pure: no framework call, no clock, no I/O.
export * from './answers'
export * from './article/article'
export * from './article/content'
export { AmendArticle, CorrectArticle } from './article/correcting'
export { DraftArticle, RelateArticles, ReviseArticle, SourceArticle } from './article/drafting'
export * from './article/editors-view'
export { confirmationFor, erasable, EraseArticle, RedactArticle, redacted } from './article/erasing'
export * from './article/events'
export { ImportArticle, type ImportedContent } from './article/importing'
export { BringBackRevision, rememberedOf, RestoreRevision } from './article/restoring'
export { DEFAULT_POLICY, type Policy } from './article/policy'
export { PublishArticle, RetractArticle, UnpublishArticle } from './article/publishing'
export {
  ApproveArticle,
  EmbargoArticle,
  RestoreArticle,
  SendBackArticle,
  SpikeArticle,
  SubmitArticle,
} from './article/reviewing'
export { CancelScheduledChange, PerformScheduledChange, RescheduleChange, ScheduleChange } from './article/scheduling'
export { wouldBePublished } from './article/would-be'
export { YieldSlug } from './article/yielding'
export { type Article } from './article/state'
export * from './cards'
export * from './deciders'
export * from './desk/desk'
export * from './desk/desk-answers'
export * from './desk/desk-articles'
export * from './desk/desk-queries'
export * from './desk/desk-view'
export * from './desk/events'
export * from './history'
export * from './latest/latest'
export * from './limits/limits'
export * from './lists/commands'
export * from './lists/curated-lists'
export * from './lists/editors-lists'
export { type CuratedList, type Entry } from './lists/entries'
export * from './lists/events'
export * from './lists/list-queries'
export * from './lists/lists'
export * from './newsroom'
export * from './ninjs'
export * from './pages/article-pages'
export * from './pages/page-queries'
export * from './popularity'
export * from './projections'
export * from './queries'
export * from './related'
export * from './revisions'
export * from './schedule/schedule-queries'
export * from './schedule/scheduled-changes'
export * from './slugs/events'
export * from './slugs/slug'
export * from './slugs/slugs'
export * from './text/html'
export * from './text/slug'
export * from './text/source-line'
export * from './upcasters'
export {
  assertValid,
  IsHttpUrl,
  IsId,
  IsLanguage,
  IsNonBlank,
  IsShaped,
  IsSlug,
  IsText,
  IsTimestamp,
  nonBlank,
  nullable,
  shape,
} from './validation'
export { schemaConverters, violationsOf } from './validation'
export * from './views'
