// An example of every answer, by the schema's name. A test holds each of them against its schema.
const ARTICLE_ID = '6f6f2a1e-0d0c-5a44-9c0e-2f4c61a0b3d7'
const AT = '2026-03-02T07:30:00.000Z'

const card = {
  id: 'a3d1c6de-47b5-5c33-8a1f-9e2b7d60c812',
  slug: 'ferry-timetable-doubles',
  url: 'https://example.org/ferry-timetable-doubles',
  label: "Editor's choice",
  section: { slug: 'news', name: 'News' },
  headline: 'Ferry timetable doubles',
  summary: 'From Monday a boat leaves every ten minutes.',
  image: null,
  publishedAt: AT,
}
const article = {
  id: ARTICLE_ID,
  slug: 'river-bridge-closes-for-repairs',
  url: 'https://example.org/river-bridge-closes-for-repairs',
  canonicalUrl: 'https://example.org/river-bridge-closes-for-repairs',
  headline: 'River bridge closes for repairs',
  summary: 'Three weeks of detours begin on Monday.',
  bodyHtml: '<p>The old bridge closes on Monday.</p>',
  bodyText: ['The old bridge closes on Monday.'],
  section: { slug: 'news', name: 'News' },
  tags: [{ slug: 'transport', name: 'Transport' }],
  authors: [{ slug: 'staff', name: 'Staff', role: null }],
  source: { outlet: 'Harbour Post', contributors: [{ name: 'Coastal Wire', kind: 'wire' }] },
  sourceLine: 'Source: Harbour Post with Coastal Wire',
  image: null,
  language: 'en',
  seo: { title: null, description: null },
  corrections: [],
  version: 1,
  firstPublishedAt: AT,
  publishedAt: AT,
  updatedAt: AT,
}
const related = { ...card, why: { by: 'editors', terms: [], tags: [] } }
const ranked = { ...card, rank: 1 }
const outcome = { id: ARTICLE_ID, revision: 2, position: '4711' }

const working = {
  headline: article.headline,
  section: { slug: 'news', name: 'News' },
  bodyHtml: article.bodyHtml,
  summary: article.summary,
  tags: [{ slug: 'transport', name: 'Transport' }],
  authors: [{ slug: 'staff', name: 'Staff' }],
  image: null,
  language: 'en',
  seo: null,
  canonicalUrl: null,
  wantedSlug: null,
}

export const EXAMPLES: Readonly<Record<string, unknown>> = {
  CommandOutcome: outcome,
  ImportOutcome: { ...outcome, profile: 'ninjs-3', held: null, notUnderstood: ['/urgency is not kept'] },
  EditorsArticle: {
    id: ARTICLE_ID,
    stage: 'draft',
    revision: 1,
    slug: null,
    working,
    live: null,
    differs: true,
    source: { outlet: 'Harbour Post', contributors: [{ name: 'Coastal Wire', kind: 'wire' }] },
    relatedIds: [],
    wire: null,
  },
  ArticlePage: { article, related: [related], popular: [ranked] },
  Related: { items: [related], next: null },
  Cards: { items: [card], next: null },
  Popular: {
    definition: 'Views of the current part of an hour and of the 24 whole hours before it.',
    window: '24h',
    asOf: AT,
    items: [ranked],
    next: null,
  },
  Lists: { items: [{ list: 'editors-choice', label: "Editor's choice" }], next: null },
  List: { list: 'editors-choice', label: "Editor's choice", items: [card], next: null },
  EventRecord: {
    position: '4711',
    stream: `article-${ARTICLE_ID}`,
    revision: 2,
    id: '0b1f7c54-7a3e-5a4f-8f53-3c5fd0c1be9a',
    type: 'ArticleSourced',
    schemaVersion: 1,
    time: AT,
    actor: '5b1d9a1c-5a7e-5f37-8d7e-0a3f2f7f6f11',
    metadata: {},
    data: { outlet: 'Harbour Post', contributors: [] },
  },
  Problem: {
    type: '/problems/stale-revision',
    title: 'Changed in the meantime',
    status: 412,
    detail: 'expected revision 1, but the current revision is 2: load it again and repeat the change',
    instance: 'urn:correlation:7d3f5a80-4d0f-4f0c-9d57-3c1f1f0a9b21',
    expected: 1,
    current: 2,
  },
}
