// The parts of an item that all profiles share in meaning: terms, times, bylines, sources, text.
import { Parser } from 'htmlparser2'
import { CONTRIBUTOR_KINDS, type Author, type Contributor, type Source, type Term } from '../article/content'
import { slugOfName } from '../text/slug'
import { type Fields, type Names, type Reading } from './fields'

/** Bounds of single fields, in UTF-16 units or entries. */
export const LIMITS = {
  identity: 2_048,
  name: 200,
  headline: 500,
  summary: 5_000,
  body: 512 * 1024,
  role: 100,
  entries: 100,
  source: 200,
  contributors: 50,
  alt: 1_000,
  caption: 2_000,
  credit: 500,
} as const

/** A subject as the item gives it: what it is to the article is in `rel`. */
export interface Subject {
  readonly term: Term
  readonly rel: string | null
  readonly pointer: string
}

/** The last part of a vocabulary's uri or qcode: `http://cv.iptc.org/newscodes/itemrelation/related` → `related`. */
export const localName = (value: string | null): string | null =>
  value === null ? null : (value.split(/[/:#]/).filter(Boolean).at(-1)?.toLowerCase() ?? null)

export const termOf = (name: string, more: { scheme?: string | null; code?: string | null } = {}): Term => ({
  slug: slugOfName(name),
  name,
  ...(more.scheme ? { scheme: more.scheme } : {}),
  ...(more.code ? { code: more.code } : {}),
})

/** Subjects with `scheme` and `code` (1.x, Superdesk) or with `uri` and `literal` (2, 3). */
export const subjectsOf = (item: Fields, names: Names): Subject[] =>
  item.objects(names, LIMITS.entries).flatMap(subject => {
    const uri = subject.text('uri', LIMITS.identity)
    const literal = subject.text('literal', LIMITS.name)
    const cut = uri ? Math.max(uri.lastIndexOf('/'), uri.lastIndexOf('#')) : -1
    const scheme = subject.text('scheme', LIMITS.name) ?? (uri && cut > 0 ? uri.slice(0, cut + 1) : null)
    const code = subject.text(['code', 'qcode'], LIMITS.name) ?? (uri ? uri.slice(cut + 1) : literal)
    const rel = localName(subject.text('rel', LIMITS.name))
    const name = subject.text('name', LIMITS.name) ?? literal
    if (name === null) {
      subject.skip('has no name')
      return []
    }
    subject.done()
    const short = (text: string | null): string | null => (text && text.length <= LIMITS.name ? text : null)
    if (uri && short(scheme) !== scheme) subject.reading.note(`${subject.pointer}/uri`, 'is not kept: it is too long')
    return [{ term: termOf(name, { scheme: short(scheme), code: short(code) }), rel, pointer: subject.pointer }]
  })

/** The seventeen top-level media topics (IPTC NewsCodes): what an item without a section is about at large. */
const TOP_LEVEL_TOPIC = /^(?:medtop:|subj:)?(?:0[1-9]|1[0-7])0{6}$/
const SECTION_RELS = ['section', 'category', 'desk']
/** What a subject usually is to an item: being a tag says the same. */
const TAG_RELS = [null, 'about', 'classifies', 'mentions', 'subject', 'keyword']

/**
 * The section (the subject that says so, else the first service, else the first top-level media topic) and the tags:
 * all other subjects and keywords, each slug once.
 */
export const sectionAndTags = (
  reading: Reading,
  from: { subjects: readonly Subject[]; services?: readonly Subject[]; keywords?: readonly Term[] },
): { section: Term | null; tags: Term[] } => {
  const { subjects, services = [], keywords = [] } = from
  const section =
    subjects.find(({ rel }) => rel !== null && SECTION_RELS.includes(rel)) ??
    services[0] ??
    subjects.find(({ term }) => TOP_LEVEL_TOPIC.test(term.code ?? '')) ??
    null
  for (const service of services.slice(section === services[0] ? 1 : 0)) {
    reading.note(service.pointer, 'is not kept: an article stands in one section')
  }
  const tags = new Map<string, Term>()
  for (const subject of subjects) {
    if (subject === section) continue
    if (!TAG_RELS.includes(subject.rel)) reading.note(`${subject.pointer}/rel`, 'is not kept: the subject became a tag')
    const same = tags.get(subject.term.slug)
    if (same) reading.note(subject.pointer, `is not kept: the tag ${same.slug} is there already`)
    else tags.set(subject.term.slug, subject.term)
  }
  for (const keyword of keywords) if (!tags.has(keyword.slug)) tags.set(keyword.slug, keyword)
  if (tags.size > LIMITS.entries) reading.wrong('#/keywords', `make more than ${LIMITS.entries} tags`)
  return { section: section?.term ?? null, tags: [...tags.values()] }
}

/**
 * Authors of a byline: `By A, B and C` → three. A comma parts names only where a conjunction follows, because
 * `Name, Agency` and `Name, City` are more usual than two names without `and`.
 */
export const authorsOf = (byline: string | null): Author[] => {
  if (!byline) return []
  const names = byline.replace(/^(?:by|von|par|por|di)\s+/i, '').split(/\s+(?:and|und|et|y|och|og|и|և)\s+|\s*[&;|]\s*/u)
  const parted =
    names.length > 1 ? names.flatMap((name, index) => (index < names.length - 1 ? name.split(/,\s+/) : [name])) : names
  const authors = new Map<string, Author>()
  for (const part of parted) {
    const name = part.trim().replace(/,$/, '').slice(0, LIMITS.name)
    if (!name) continue
    const term = termOf(name)
    if (!authors.has(term.slug)) authors.set(term.slug, term)
  }
  return [...authors.values()].slice(0, LIMITS.entries)
}

/**
 * Who the report comes from: the info source that is the publisher, else the first one, else the first of `fallbacks`;
 * all other info sources contributed, in their order.
 */
export const sourceOf = (item: Fields, names: Names, fallbacks: readonly (string | null)[]): Source | null => {
  const parties = item.objects(names, LIMITS.contributors).flatMap(party => {
    const role = localName(party.text(['role', 'rel'], LIMITS.name))
    const name = party.text(['name', 'literal'], LIMITS.source)
    if (name === null) {
      party.skip('has no name')
      return []
    }
    party.done()
    return [{ name, role }]
  })
  const publisher = parties.find(({ role }) => role === 'publisher') ?? null
  const fallback = fallbacks.find(name => name !== null) ?? null
  const outlet = publisher ?? (fallback === null ? (parties[0] ?? null) : null)
  const name = outlet?.name ?? fallback
  if (name === null) return null
  const contributors = parties.filter(party => party !== outlet && party.name !== name)
  return { outlet: name, contributors: contributors.map(contributorOf) }
}

const contributorOf = ({ name, role }: { name: string; role: string | null }): Contributor => {
  const kind = CONTRIBUTOR_KINDS.find(known => known === role)
  return kind ? { name, kind } : { name }
}

const TIME =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):?[0-5]\d)$/
const EARLIEST = Date.UTC(1800, 0, 1)
const LATEST = Date.UTC(2101, 0, 1)

/** A time as RFC 3339 UTC. Superdesk writes offsets without a colon. Impossible and far-off dates are violations. */
export const timeOf = (item: Fields, names: Names): string | null => {
  const text = item.text(names, 64)
  if (text === null) return null
  const parts = TIME.exec(text)
  if (!parts) return item.reading.wrong(item.at(names), 'is no RFC 3339 date and time with a time zone')
  const [year, month, day, hour, minute, second] = parts.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const given = new Date(Date.UTC(year, month - 1, day))
  const real =
    given.getUTCMonth() === month - 1 && given.getUTCDate() === day && hour < 24 && minute < 60 && second < 60
  const at = real ? Date.parse(text.replace(' ', 'T').replace(/([+-]\d\d)(\d\d)$/, '$1:$2')) : NaN
  if (Number.isNaN(at)) return item.reading.wrong(item.at(names), 'is no date that exists')
  if (at < EARLIEST || at >= LATEST) return item.reading.wrong(item.at(names), 'is not between the years 1800 and 2100')
  return new Date(at).toISOString()
}

/** Text of an HTML fragment, spaces collapsed. */
export const textOfHtml = (html: string): string => {
  const pieces: string[] = []
  const parser = new Parser({ ontext: text => pieces.push(text), onclosetag: () => pieces.push(' ') })
  parser.end(html)
  return pieces.join('').replace(/\s+/g, ' ').trim()
}

/** Plain text as HTML: a paragraph for each block between empty lines; single line ends stay line breaks. */
export const htmlOfText = (text: string): string =>
  text
    .split(/\r?\n\s*\r?\n/)
    .map(block => block.trim())
    .filter(Boolean)
    .map(block => `<p>${escaped(block).replace(/\r?\n/g, '<br>')}</p>`)
    .join('')

/** What stands inside of `<body>` when a whole HTML document was sent, else the fragment as it is. */
export const fragmentOf = (html: string): string => {
  const lower = html.toLowerCase()
  const open = lower.indexOf('<body')
  const start = open < 0 ? -1 : lower.indexOf('>', open)
  if (start < 0) return html
  const end = lower.lastIndexOf('</body')
  return html.slice(start + 1, end > start ? end : undefined).trim()
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
