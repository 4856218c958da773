// Wire items for the tests, in IPTC ninjs 3; the identity of an imported article as clients can compute it.
import { wireArticleId } from '@stet/newsroom'

export interface ItemParts {
  readonly headline: string
  readonly paragraphs?: readonly string[]
  /** The outlet first, then the contributors. */
  readonly sources?: readonly string[]
  readonly section?: string
  readonly tags?: readonly string[]
  readonly related?: readonly string[]
  readonly language?: string
  readonly version?: string
}

export const articleIdOf = (uri: string): string => wireArticleId(uri)

/** A complete item that may be published. */
export const wireItem = (uri: string, parts: ItemParts): Record<string, unknown> => ({
  standard: { name: 'ninjs', version: '3.1' },
  uri,
  type: 'text',
  representationType: 'full',
  pubStatus: 'usable',
  language: parts.language ?? 'en',
  ...(parts.version === undefined ? {} : { version: parts.version }),
  firstCreated: '2026-03-01T08:00:00Z',
  versionCreated: '2026-03-01T09:00:00Z',
  headlines: [{ role: 'main', value: parts.headline }],
  bodies: [
    {
      role: 'main',
      contentType: 'text/html',
      value: (parts.paragraphs ?? [`${parts.headline}.`]).map(text => `<p>${text}</p>`).join(''),
    },
  ],
  infoSources: (parts.sources ?? ['Harbour Post']).map((name, i) => ({
    name,
    role: i === 0 ? 'publisher' : 'contributor',
  })),
  subjects: [
    { name: parts.section ?? 'News', rel: 'section' },
    ...(parts.tags ?? []).map(name => ({ name, rel: 'about' })),
  ],
  associations: (parts.related ?? []).map((related, i) => ({
    name: `related ${i + 1}`,
    rel: 'related',
    type: 'text',
    uri: related,
  })),
})
