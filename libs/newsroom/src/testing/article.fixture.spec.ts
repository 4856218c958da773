// For specs of an article's life: one article and the events that lead to its stages.
import { type LiveContent } from '../article/content'
import { type WorkingCopy } from '../article/submitted'
import { AT, type Event } from './scenario.fixture.spec'

export const ID = '3f0c1f5e-8a5d-4d5e-9a53-0d8f6f1f2a01'
export const OTHER = '3f0c1f5e-8a5d-4d5e-9a53-0d8f6f1f2a02'

const news = { slug: 'news', name: 'News' }
export const copy: WorkingCopy = {
  headline: 'Harbour shut by ice',
  section: news,
  bodyHtml: '<p>The harbour stays shut until the ice is gone.</p>',
  summary: null,
  keyPoints: [],
  tags: [],
  authors: [],
  image: null,
  language: 'en',
  seo: null,
  canonicalUrl: null,
  wantedSlug: null,
}
const { wantedSlug: _, ...content } = copy
const source = { outlet: 'Harbour Gazette', contributors: [{ name: 'agencies' }] }

/** What readers see of it after `drafted, sourced, published`. */
export const live: LiveContent = {
  ...content,
  section: news,
  source,
  relatedIds: [],
  blockedIds: [],
  slug: 'harbour-shut-by-ice',
  revision: 1,
  firstPublishedAt: AT,
  publishedAt: AT,
  updatedAt: AT,
}

export const drafted: Event = { type: 'ArticleDrafted', data: copy }
export const sourced: Event = { type: 'ArticleSourced', data: source }
export const published: Event = { type: 'ArticlePublished', data: live }
export const revised = (changes: Partial<WorkingCopy>): Event => ({ type: 'ArticleRevised', data: { changes } })
export const command = <C extends object>(type: new () => C, fields: Partial<C> = {}): C =>
  Object.assign(new type(), fields)

/** An hour after AT. */
export const LATER = '2026-03-01T13:00:00.000Z'
/** Between AT and LATER. */
export const SOON = '2026-03-01T12:30:00.000Z'
