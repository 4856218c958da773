// From a page's document to what readers are answered.
import { type ArticleAnswer } from '../answers'
import { imageAnswer } from '../cards/cards'
import { type Site, urlOf } from '../site'
import { sourceLine } from '../text/source-line'
import { type PageContent, type PageDocument } from './article-pages'

/** The article as readers get it; `content` is the document's. */
export const articleAnswer = (site: Site, page: PageDocument, content: PageContent): ArticleAnswer => {
  const url = urlOf(site, content.slug)
  return {
    id: page._id,
    slug: content.slug,
    url,
    canonicalUrl: content.canonicalUrl ?? url,
    headline: content.headline,
    summary: content.summary,
    keyPoints: [...content.keyPoints],
    bodyHtml: content.bodyHtml,
    bodyText: [...content.bodyText],
    section: content.section,
    tags: [...content.tags],
    authors: content.authors.map(({ slug, name, role }) => ({ slug, name, role: role ?? null })),
    source: {
      outlet: content.source.outlet,
      contributors: content.source.contributors.map(({ name, kind }) => ({ name, kind: kind ?? null })),
      usageTerms: content.source.usageTerms ?? null,
      originalUrl: content.source.originalUrl ?? null,
    },
    sourceLine: sourceLine(content.source, content.language),
    image: imageAnswer(content.image),
    language: content.language,
    seo: { title: content.seo?.title ?? null, description: content.seo?.description ?? null },
    corrections: [...page.corrections],
    retraction: page.retraction,
    version: page.version,
    firstPublishedAt: page.firstPublishedAt,
    publishedAt: content.publishedAt,
    updatedAt: content.updatedAt,
  }
}
