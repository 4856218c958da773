// Three dialects of ninjs, each read into the same parts: IPTC 1.x, IPTC 2 and 3, Superdesk's own.
// Sources: the IPTC schemas 1.0 to 1.8, 2.0 to 2.4 and 3.0 to 3.3 (iptc.org/std/ninjs), Superdesk's documented output.
import { type Author, type Image, type Source, type Term } from '../article/content'
import { type WireOrigin } from '../article/events'
import { associatedWith, associationsOf } from './associations'
import { type Fields } from './fields'
import {
  authorsOf,
  fragmentOf,
  htmlOfText,
  LIMITS,
  localName,
  sectionAndTags,
  sourceOf,
  subjectsOf,
  termOf,
  textOfHtml,
} from './parts'

/** What differs between the profiles; times, status, version and language are read the same way for all. */
export interface Parts {
  readonly headline: string | null
  readonly summary: string | null
  readonly bodyHtml: string | null
  readonly section: Term | null
  readonly tags: readonly Term[]
  readonly authors: readonly Author[]
  readonly source: Source | null
  /** Identities of related items, in order. */
  readonly related: readonly string[]
  readonly image: Image | null
}

export type Profile = WireOrigin['profile']

/** Told apart by content, because few items name their standard: Superdesk's guid, the plural arrays of 2 and 3. */
export const profileOf = (item: Fields): Profile => {
  if (['headlines', 'bodies', 'descriptions', 'subjects', 'infoSources'].some(name => item.isArray(name)))
    return 'ninjs-3'
  if (item.isArray('associations')) return 'ninjs-3'
  return item.has(['guid', 'service']) ? 'superdesk' : 'ninjs-1'
}

export const PROFILES: Readonly<Record<Profile, (item: Fields) => Parts>> = {
  'ninjs-1': item => flatParts(item),
  superdesk: item => flatParts(item),

  'ninjs-3': item => {
    const { reading } = item
    const copyrightHolder = item.isArray(INFO_SOURCES) ? null : item.text(COPYRIGHT_HOLDER, LIMITS.source)
    const people = peopleWhoWrote(item)
    const headlines = valuesOf(item, 'headlines', LIMITS.headline)
    return {
      headline:
        preferred(headlines, HEADLINE_ROLES, asText, 'is not kept: an article has one headline') ??
        item.text('title', LIMITS.headline),
      summary: preferred(
        valuesOf(item, 'descriptions', LIMITS.summary),
        SUMMARY_ROLES,
        asText,
        'is not kept: an article has one summary',
      ),
      bodyHtml: preferred(
        valuesOf(item, 'bodies', LIMITS.body),
        BODY_ROLES,
        asHtml,
        'is not kept: another form of the body was taken',
      ),
      ...sectionAndTags(reading, { subjects: subjectsOf(item, 'subjects') }),
      authors: people.length ? people : authorsOf(item.text(['by', 'byline'], LIMITS.summary)),
      source: sourceOf(item, INFO_SOURCES, [copyrightHolder]),
      ...associatedWith(associationsOf(item, item.isArray('associations') ? 'array' : 'object')),
    }
  },
}

const INFO_SOURCES = ['infoSources', 'infosources', 'infosource'] as const
const COPYRIGHT_HOLDER = ['copyrightHolder', 'copyrightholder'] as const
const HEADLINE_ROLES = ['main', null]
const SUMMARY_ROLES = ['summary', 'abstract', 'main', 'text', null]
const BODY_ROLES = ['main', null]

/** 1.x and what Superdesk adds to it: one text a field, everything else under names of its own. */
const flatParts = (item: Fields): Parts => {
  const source = item.text('source', LIMITS.source)
  const copyrightHolder =
    source === null && !item.has('infosource') ? item.text('copyrightholder', LIMITS.source) : null
  const named = namedAuthors(item)
  return {
    headline: item.text(['headline', 'title'], LIMITS.headline),
    ...texts(item),
    ...sectionAndTags(item.reading, {
      subjects: subjectsOf(item, 'subject'),
      services: subjectsOf(item, 'service'),
      keywords: item.texts('keywords', LIMITS.entries, LIMITS.name).map(name => termOf(name)),
    }),
    authors: named.length ? named : authorsOf(item.text('byline', LIMITS.summary)),
    source: sourceOf(item, 'infosource', [source, copyrightHolder]),
    ...associatedWith(associationsOf(item, 'object')),
  }
}

/** Body and summary of 1.x and Superdesk: `body_html` before XHTML before plain text. */
const texts = (item: Fields): { bodyHtml: string | null; summary: string | null } => {
  const html = item.text(['body_html', 'body_xhtml', 'body_html5', 'body_richtext'], LIMITS.body)
  const plain = html === null ? item.text('body_text', LIMITS.body) : null
  const described = item.text(['description_text', 'description_summary'], LIMITS.summary)
  const markup = described === null ? item.text(['description_html', 'description_xhtml'], LIMITS.summary) : null
  return {
    bodyHtml: html === null ? plain && htmlOfText(plain) : fragmentOf(html),
    summary: described ?? (markup === null ? null : textOfHtml(markup)),
  }
}

/** Superdesk's authors: profiles with a name and a role. */
const namedAuthors = (item: Fields): Author[] => {
  const authors = new Map<string, Author>()
  for (const author of item.objects('authors', LIMITS.entries)) {
    const name = author.text('name', LIMITS.name)
    const role = author.text('role', LIMITS.role)
    const code = author.text('code', LIMITS.name)
    if (name === null) author.skip('has no name')
    else {
      author.done()
      const term = termOf(name, { code })
      if (!authors.has(term.slug)) authors.set(term.slug, role ? { ...term, role } : term)
    }
  }
  return [...authors.values()]
}

/** `people` holds who an item is about and who made it; the makers are authors, the others are reported. */
const peopleWhoWrote = (item: Fields): Author[] =>
  item.objects(['people', 'person'], LIMITS.entries).flatMap(person => {
    const role = localName(person.text('rel', LIMITS.name))
    const name = person.text('name', LIMITS.name)
    if (name === null || role === null || !/^(?:author|writer|creator|photographer|reporter|editor)$/.test(role)) {
      person.skip('is not kept: not an author')
      return []
    }
    person.done()
    return [{ ...termOf(name), role }]
  })

interface Value {
  readonly fields: Fields
  readonly role: string | null
  readonly type: string
  readonly value: string
}

/** Entries of `headlines`, `descriptions` and `bodies`. */
const valuesOf = (item: Fields, name: string, max: number): Value[] =>
  item.objects(name, LIMITS.entries).flatMap(fields => {
    fields.ignore('charCount', 'charcount', 'wordCount', 'wordcount')
    const value = fields.text('value', max)
    const role = localName(fields.text('role', LIMITS.name))
    const type = fields.text(['contentType', 'contenttype'], LIMITS.name) ?? ''
    fields.done()
    return value === null ? [] : [{ fields, role, type: type.toLowerCase().split(';')[0] ?? '', value }]
  })

/** A readable form of a value and how good it is (0: as good as it gets); null when it cannot be read. */
type Form = (value: Value) => { readonly text: string; readonly loss: number } | null

const asText: Form = ({ type, value }) =>
  type === 'text/html' || type === 'application/xhtml+xml'
    ? { text: textOfHtml(value), loss: 1 }
    : type === '' || type.startsWith('text/')
      ? { text: value, loss: 0 }
      : null

const asHtml: Form = ({ type, value }) => {
  if (type === 'text/html') return { text: fragmentOf(value), loss: 0 }
  if (type === 'application/xhtml+xml') return { text: fragmentOf(value), loss: 1 }
  // Without a type its interpretation is up to the provider: markup shows itself.
  if (type === '' && /<(?:p|br|div|h[1-6]|ul|ol|figure|blockquote|table)[\s/>]/i.test(value))
    return { text: fragmentOf(value), loss: 2 }
  return type === '' || type === 'text/plain' ? { text: htmlOfText(value), loss: 3 } : null
}

/** The value of the best form, among those of the first role wanted, among those the first one. The others are noted. */
const preferred = (
  values: readonly Value[],
  roles: readonly (string | null)[],
  form: Form,
  reason: string,
): string | null => {
  const rank = (role: string | null): number => (roles.includes(role) ? roles.indexOf(role) : roles.length)
  const readable = values.flatMap((value, index) => {
    const formed = form(value)
    return formed ? [{ value, index, ...formed }] : []
  })
  const [best] = readable.sort(
    (a, b) => a.loss - b.loss || rank(a.value.role) - rank(b.value.role) || a.index - b.index,
  )
  for (const { fields } of values) if (fields !== best?.value.fields) fields.reading.note(fields.pointer, reason)
  return best?.text || null
}
