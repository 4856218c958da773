// Read model: every article at any stage, as editors find it in lists and count it.
import { createHash } from 'node:crypto'
import { type Document, type Projection, type RecordedEvent } from '@stet/eventsourcing'
import { type LiveContent } from '../article/content'
import { type ArticleEvents } from '../article/events'
import { type WorkingCopy } from '../article/submitted'
import { ignoreLists } from '../lists/events'
import { ignoreFounding, type NewsroomEvents } from '../newsroom'
import { ignoreSlugs } from '../slugs/events'
import { headsOf, wordsOf } from '../text/words'
import { ignoreViews } from '../views/events'
import { claimed, released } from './desk'
import { type DeskEvents } from './events'

export const DESK_STAGES = ['draft', 'live', 'unpublished', 'retracted', 'spiked'] as const
export type DeskStage = (typeof DESK_STAGES)[number]
export const REVIEW_STATUSES = ['none', 'submitted', 'sent-back', 'approved'] as const
export type ReviewStatus = (typeof REVIEW_STATUSES)[number]

/** `_id` is the article's id. Times are RFC 3339 UTC: as text they sort by time. */
export interface DeskArticle extends Document {
  readonly stage: DeskStage
  readonly review: ReviewStatus
  /** Of the article's stream. */
  readonly revision: number
  /**
   * The last event of the article's stream: talk at the desk is no change of the article. Empty: there is no article, as
   * there is none to a rebuild between what was said at the desk and the redaction that the article's stream begins with.
   */
  readonly updatedAt: string
  readonly updatedBy: string
  readonly headline: string
  readonly summary: string | null
  readonly section: { readonly slug: string; readonly name: string } | null
  readonly language: string
  /** Slugs of the byline. */
  readonly authors: readonly string[]
  /** Of the latest publication. */
  readonly slug: string | null
  readonly wantedSlug: string | null
  readonly embargo: string | null
  /** Changes that will happen by themselves, the earliest first. */
  readonly scheduled: readonly { readonly scheduleId: string; readonly at: string }[]
  readonly isScheduled: boolean
  readonly desk: string | null
  readonly assignee: string | null
  readonly due: string | null
  readonly zone: string | null
  readonly openNotes: number
  readonly claims: readonly { readonly by: string; readonly until: string }[]
  readonly words: readonly string[]
  readonly heads: readonly string[]
  readonly everPublished: boolean
  /** Of what readers see and editors can change, by field: what is under review is told from what is live by them. */
  readonly working: Digests
  readonly live: Digests | null
}

type Digests = Readonly<Record<string, string>>
type Of<T extends keyof ArticleEvents> = RecordedEvent<ArticleEvents, T>
type AnyArticleEvent = RecordedEvent<ArticleEvents>

// Newest first, ties by id. A list walks one of these in its order; what else is asked for is looked at on the way.
const newest = { updatedAt: -1, _id: -1 } as const
const earliest = { due: 1, _id: 1 } as const

export const deskArticles: Projection<DeskArticle, NewsroomEvents> = {
  name: 'desk-articles',
  version: 2,
  group: 'desk',
  indexes: [
    { key: newest },
    { key: { heads: 1, ...newest } },
    { key: { assignee: 1, ...newest } },
    { key: { isScheduled: 1, ...newest } },
    { key: { review: 1, ...newest } },
    { key: { desk: 1, ...newest } },
    { key: { desk: 1, stage: 1, ...newest } },
    { key: { authors: 1, ...newest } },
    { key: { 'section.slug': 1, ...newest } },
    { key: { 'section.slug': 1, stage: 1, ...newest } },
    { key: { stage: 1, ...newest } },
    { key: { language: 1, ...newest } },
    { key: earliest },
    { key: { assignee: 1, ...earliest } },
    { key: { desk: 1, ...earliest } },
    { key: { 'section.slug': 1, ...earliest } },
  ],
  tallies: ({ stage, review, section, desk, updatedAt }) =>
    updatedAt === '' ? [] : scopesOf(section?.slug ?? null, desk).map(scope => tallyOf(scope, stage, review)),
  on: {
    ...ignoreFounding,
    ArticleDrafted: (known, event, id) => drafted(known, event, id),
    ArticleRevised: (article, event) =>
      article && written(withCopy(article, event.data.changes, digestsOf(event.data.changes)), event),
    ArticleSourced: (article, event) => article && written(digested(article, { source: event.data }), event),
    ArticleRelated: (article, event) =>
      article &&
      written(digested(article, { relatedIds: event.data.articleIds, blockedIds: event.data.blockedIds }), event),
    WireItemReceived: (article, event) => article && touched(article, event),
    ArticleSubmitted: (article, event) => article && touched({ ...article, review: 'submitted' }, event),
    ArticleSentBack: (article, event) => article && touched({ ...article, review: 'sent-back' }, event),
    ArticleApproved: (article, event) => article && touched({ ...article, review: 'approved' }, event),
    ArticleEmbargoed: (article, event) => article && touched({ ...article, embargo: event.data.until }, event),
    ArticleSpiked: (article, event) => article && touched({ ...article, stage: 'spiked' }, event),
    ArticleRestored: (article, event) =>
      article && touched({ ...article, stage: article.everPublished ? 'unpublished' : 'draft' }, event),
    ArticleChangeScheduled: (article, event) => article && touched(scheduled(article, event.data), event),
    ArticleChangeRescheduled: (article, event) => article && touched(scheduled(article, event.data), event),
    ArticleChangeCancelled: (article, event) => article && touched(unscheduled(article, event.data), event),
    ArticleChangePerformed: (article, event) => article && touched(unscheduled(article, event.data), event),
    ArticleChangeFailed: (article, event) => article && touched(unscheduled(article, event.data), event),
    ArticleSlugYielded: (article, event) => article && touched(article, event),
    ArticlePublished: (article, event) => article && touched(shown(article, event.data), event),
    ArticleCorrected: (article, event) => article && touched(shown(article, event.data), event),
    ArticleAmended: (article, event) => article && touched(shown(article, event.data), event),
    ArticleUnpublished: (article, event) => article && touched({ ...article, stage: 'unpublished', live: null }, event),
    ArticleRetracted: (article, event) => article && touched({ ...article, stage: 'retracted', live: null }, event),
    ArticleRedacted: (article, event, id) => redacted(article, event, id),
    ArticleErased: () => null,
    DeskNoteAdded: (known, _, id) => atDesk(known, id, ({ openNotes }) => ({ openNotes: openNotes + 1 })),
    DeskNoteResolved: (known, _, id) => atDesk(known, id, ({ openNotes }) => ({ openNotes: openNotes - 1 })),
    ArticleAssigned: (known, { data: { desk, assignee } }, id) => atDesk(known, id, () => ({ desk, assignee })),
    ArticleDueSet: (known, { data: { due, zone } }, id) => atDesk(known, id, () => ({ due, zone })),
    ArticleClaimed: (known, event, id) => atDesk(known, id, article => ({ claims: claimsAfter(article, event) })),
    ArticleClaimReleased: (known, event, id) => atDesk(known, id, article => ({ claims: claimsAfter(article, event) })),
    DeskErased: article => (article && article.updatedAt !== '' ? { ...article, ...nobodys } : null),
    ...ignoreLists,
    ...ignoreSlugs,
    ...ignoreViews,
  },
}

/** What the counts of a desk, a section, or both are kept under; without either: of all articles. */
export const tallyOf = (scope: string, stage: DeskStage, review: ReviewStatus): string => `${scope} ${stage} ${review}`

export const scopeOf = (section: string | null, desk: string | null): string =>
  [section !== null && `section=${section}`, desk !== null && `desk=${desk}`].filter(Boolean).join('&')

const scopesOf = (section: string | null, desk: string | null): readonly string[] => [
  ...new Set([scopeOf(null, null), scopeOf(section, null), scopeOf(null, desk), scopeOf(section, desk)]),
]

const nobodys = { desk: null, assignee: null, due: null, zone: null, openNotes: 0, claims: [] } as const

const drafted = (known: DeskArticle | null, event: Of<'ArticleDrafted'>, _id: string): DeskArticle =>
  touched(begun(_id, event.data, known), event)

const begun = (_id: string, copy: WorkingCopy, known: DeskArticle | null): DeskArticle => {
  const { desk, assignee, due, zone, openNotes, claims } = known ?? nobodys
  return withCopy({ ...nothing(_id), desk, assignee, due, zone, openNotes, claims }, copy, digestsOf(copy))
}

const nothing = (_id: string): DeskArticle => ({
  ...{ _id, stage: 'draft', review: 'none', revision: 0, updatedAt: '', updatedBy: '', headline: '', summary: null },
  ...{ section: null, language: '', authors: [], slug: null, wantedSlug: null, embargo: null, scheduled: [] },
  ...{ isScheduled: false, ...nobodys, words: [], heads: [], everPublished: false },
  ...{ working: digestsOf({ source: null, relatedIds: [], blockedIds: [] }), live: null },
})

const atDesk = (
  known: DeskArticle | null,
  id: string,
  change: (article: DeskArticle) => Partial<DeskArticle>,
): DeskArticle => {
  const article = known ?? nothing(id)
  return { ...article, ...change(article) }
}

const touched = (article: DeskArticle, { revision, at, metadata }: AnyArticleEvent): DeskArticle => ({
  ...article,
  revision,
  updatedAt: at,
  updatedBy: metadata.actor,
})

/** Somebody wrote: what was approved is no longer what there is. */
const written = (article: DeskArticle, event: AnyArticleEvent): DeskArticle =>
  touched({ ...article, review: article.review === 'approved' ? 'none' : article.review }, event)

const withCopy = (article: DeskArticle, changes: Partial<WorkingCopy>, digests: Digests): DeskArticle => {
  const { headline = article.headline, summary = article.summary, language = article.language } = changes
  const { wantedSlug = article.wantedSlug, section = article.section, authors } = changes
  return searchable({
    ...article,
    headline,
    summary,
    language,
    wantedSlug,
    section: section && { slug: section.slug, name: section.name },
    authors: authors?.map(({ slug }) => slug) ?? article.authors,
    working: { ...article.working, ...digests },
  })
}

const searchable = (article: DeskArticle): DeskArticle => {
  const words = wordsOf([article.headline, article.slug, article.wantedSlug, article.summary])
  return { ...article, words, heads: headsOf(words) }
}

const digested = (article: DeskArticle, fields: object): DeskArticle => ({
  ...article,
  working: { ...article.working, ...digestsOf(fields) },
})

/** Readers see the content; where that is the working copy, its review is over. */
const shown = (article: DeskArticle, content: LiveContent): DeskArticle => {
  const live = digestsOf(content)
  const next = searchable({ ...article, stage: 'live', slug: content.slug, live, everPublished: true })
  return differs(next) ? next : { ...next, review: 'none' }
}

/** Publishing now would change what readers see. */
export const differs = ({ working, live, slug, wantedSlug }: DeskArticle): boolean =>
  live === null ||
  (wantedSlug !== null && wantedSlug !== slug) ||
  Object.entries(working).some(([field, digest]) => live[field] !== digest)

const scheduled = (
  article: DeskArticle,
  { scheduleId, at }: { readonly scheduleId: string; readonly at: string },
): DeskArticle => {
  const others = unscheduled(article, { scheduleId }).scheduled
  const all = [...others, { scheduleId, at }].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
  return { ...article, scheduled: all, isScheduled: true }
}

const unscheduled = (article: DeskArticle, { scheduleId }: { readonly scheduleId: string }): DeskArticle => {
  const left = article.scheduled.filter(one => one.scheduleId !== scheduleId)
  return { ...article, scheduled: left, isScheduled: left.length > 0 }
}

/** What remains replaces everything that was known of the article; its desk has a stream of its own. */
const redacted = (known: DeskArticle | null, event: Of<'ArticleRedacted'>, id: string): DeskArticle => {
  const { stage, working, source, relatedIds, blockedIds, live, slugs, firstPublishedAt, embargo } = event.data
  const rest = digested(begun(id, working, known), { source, relatedIds, blockedIds })
  const slug = live?.slug ?? slugs.at(-1) ?? null
  const everPublished = firstPublishedAt !== null
  return touched(searchable({ ...rest, stage, slug, live: live && digestsOf(live), everPublished, embargo }), event)
}

const claimsAfter = (
  { claims }: DeskArticle,
  { data, at, metadata }: RecordedEvent<DeskEvents, 'ArticleClaimed' | 'ArticleClaimReleased'>,
): DeskArticle['claims'] => {
  const known = Object.fromEntries(claims.map(({ by, until }) => [by, until]))
  const next = 'until' in data ? claimed(known, metadata.actor, data.until, at) : released(known, metadata.actor)
  return Object.entries(next)
    .map(([by, until]) => ({ by, until }))
    .sort((a, b) => (a.by < b.by ? -1 : 1))
}

/** Slugs and dates have fields of their own, and what is derived is not compared. */
const APART = new Set(['wantedSlug', 'slug', 'revision', 'firstPublishedAt', 'publishedAt', 'updatedAt', 'note'])

const digestsOf = (fields: object): Digests =>
  Object.fromEntries(
    Object.entries(fields)
      .filter(([field]) => !APART.has(field))
      .map(([field, value]) => [
        field,
        createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 12),
      ]),
  )
