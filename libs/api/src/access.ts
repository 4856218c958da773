// Which role may call which operation: the one table. Guards, the OpenAPI document and docs/http.md derive from it.
import { type SomeRoles } from '@stet/platform'

const desk = ['reporter', 'editor', 'chief', 'service'] as const satisfies SomeRoles
/** Without the wires. */
const writers = ['reporter', 'editor', 'chief'] as const satisfies SomeRoles
const people = ['editor', 'chief'] as const satisfies SomeRoles
const editors = ['editor', 'chief', 'service'] as const satisfies SomeRoles

/** By operationId (see Describe). What is not here is open (`@Open()`) or stops the start. */
export const MAY = {
  draftArticle: desk,
  reviseArticle: desk,
  sourceArticle: desk,
  relateArticles: desk,
  getEditorsArticle: desk,
  previewArticle: desk,
  createPreviewLink: people,

  submitArticle: writers,
  sendBackArticle: people,
  approveArticle: people,
  embargoArticle: editors,
  spikeArticle: people,
  restoreArticle: people,

  publishArticle: editors,
  correctArticle: editors,
  amendArticle: people,
  unpublishArticle: editors,
  retractArticle: people,
  redactArticle: ['chief'],
  eraseArticle: ['chief'],
  yieldSlug: people,

  scheduleChange: people,
  rescheduleChange: people,
  cancelScheduledChange: people,
  getSchedule: writers,

  listDeskArticles: desk,
  countDeskArticles: desk,
  getDesk: desk,
  addNote: writers,
  resolveNote: writers,
  assignArticle: editors,
  setDue: editors,
  claimArticle: writers,
  releaseClaim: writers,

  createList: editors,
  changeList: editors,
  featureArticle: editors,
  moveArticle: editors,
  pinArticle: editors,
  unpinArticle: editors,
  timeFeature: editors,
  reorderList: editors,
  restoreListRevision: editors,
  unfeatureArticle: editors,
  listEditorsLists: desk,
  getEditorsList: desk,

  getArticleHistory: desk,
  getListHistory: desk,
  getActivity: writers,
  getArticleRevision: desk,
  compareArticleRevisions: desk,
  restoreArticleRevision: writers,
  getListRevision: desk,
  compareListRevisions: desk,
  /** Each command of it by its own row. */
  sendBatch: desk,

  importNinjs: ['service'],

  listEvents: ['analyst'],
} as const satisfies Readonly<Record<string, SomeRoles>>

/** The roles of an operation, null for one that the table does not have. */
export const rolesOf = (operation: string): SomeRoles | null =>
  Object.hasOwn(MAY, operation) ? MAY[operation as keyof typeof MAY] : null
