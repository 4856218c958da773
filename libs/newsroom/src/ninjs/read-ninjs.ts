// Reads one ninjs item of any profile into what the import command takes. Pure, and safe on anything that is JSON.
import { Invalid } from '@stet/eventsourcing'
import { v5 as uuidv5 } from 'uuid'
import { type Content, type Source } from '../article/content'
import { type WireOrigin } from '../article/events'
import { ImportArticle } from '../article/importing'
import { DEFAULT_LANGUAGE } from '../article/submitted'
import { type Fields, fieldsOf, printable } from './fields'
import { LIMITS, timeOf } from './parts'
import { type Profile, PROFILES, profileOf } from './profiles'

/** Namespace of the ids of imported articles. Fixed for ever: it ties an item's identity to its article. */
const WIRE_ITEMS = '7d1f4c0e-5a53-4c3e-9c0b-3e8f6a1d2b47'

/** An item as the newsroom understands it. */
export interface NinjsItem {
  /** uuidv5 of the item's guid or uri: the same article for every version of it. */
  readonly articleId: string
  readonly profile: Profile
  readonly origin: WireOrigin
  readonly content: Content
  /** null: the item names nobody. */
  readonly source: Source | null
  /** Articles of the related items, in order; they may arrive later. */
  readonly relatedIds: readonly string[]
  /** Why it may not be published (withheld, embargoed), else null. */
  readonly held: string | null
  /** End of the embargo when that is all that holds it, RFC 3339 UTC. */
  readonly heldUntil?: string
  /** The provider took it back. */
  readonly canceled: boolean
  /** When the provider first made it, RFC 3339 UTC. */
  readonly firstPublishedAt?: string
  /** When the provider made this version, RFC 3339 UTC. */
  readonly publishedAt?: string
  /** What was left out: a JSON pointer and the reason each. */
  readonly notUnderstood: readonly string[]
}

/** The article of a wire item, by the item's guid or uri. */
export const wireArticleId = (identity: string): string => uuidv5(identity, WIRE_ITEMS)

/**
 * Reads an item: IPTC ninjs 1.x, 2 and 3, or Superdesk's own. An item needs an identity (guid or uri) and, unless it is
 * canceled, a headline. No clock is read: an embargo holds an item whatever its date.
 * @throws Invalid with a JSON pointer for everything that is wrong; never anything else, whatever `item` is.
 */
export const readNinjs = (item: unknown): NinjsItem => {
  const fields = fieldsOf(item)
  const { reading } = fields
  const identity = identityOf(fields)
  const profile = profileOf(fields)
  textOnly(fields)
  wholeOnly(fields)
  const { canceled, ...hold } = statusOf(fields)
  const times = timesOf(fields)
  const version = fields.label('version', LIMITS.role)
  const language = languageOf(fields)
  const { headline, summary, bodyHtml, section, tags, authors, source, related, image } = PROFILES[profile](fields)
  if (headline === null && !canceled) reading.wrong('#/headline', 'is missing: an article needs one')
  if (Buffer.byteLength(bodyHtml ?? '') > LIMITS.body)
    reading.wrong('#', `has a body of more than ${LIMITS.body} bytes`)
  if (related.includes(identity)) reading.note('#/associations', 'names the item itself, which is not kept')
  fields.ignore('standard', '$standard', 'charcount', 'wordcount', 'readtime', 'mimetype').done()
  reading.refuse()
  return {
    articleId: wireArticleId(identity),
    profile,
    origin: { uri: identity, profile, version, versionCreated: times.versionCreated },
    content: {
      headline: headline ?? '',
      section,
      bodyHtml: bodyHtml ?? '',
      summary,
      keyPoints: [],
      tags,
      authors,
      image,
      language,
      seo: null,
      canonicalUrl: null,
    },
    source,
    relatedIds: related.filter(uri => uri !== identity).map(wireArticleId),
    ...hold,
    canceled,
    ...(times.first ? { firstPublishedAt: times.first } : {}),
    ...(times.version ? { publishedAt: times.version } : {}),
    notUnderstood: reading.notes,
  }
}

/** The command that imports an item, and the article it goes to. `publish`: at once, when nothing holds the item. */
export const importOf = (
  item: NinjsItem,
  { publish }: { publish: boolean },
): { articleId: string; command: ImportArticle } => {
  const { articleId, profile: _, ...fields } = item
  return { articleId, command: Object.assign(new ImportArticle(), fields, { publish }) }
}

const identityOf = (item: Fields): string => {
  const identity = item.text(['guid', 'uri'], LIMITS.identity)
  item.reading.refuse()
  if (identity === null) {
    throw new Invalid([{ pointer: '#', detail: 'is no ninjs item: it has neither a uri nor a guid' }])
  }
  return identity
}

/** Only texts become articles; pictures, videos and plans are refused, not turned into empty articles. */
const textOnly = (item: Fields): void => {
  const type = item.text('type', LIMITS.name)
  if (type !== null && type !== 'text' && type !== 'composite') {
    item.reading.wrong(item.at('type'), `is ${printable(type, 40)}: only items of type text become articles`)
  }
}

/** An excerpt is imported all the same, and said to be one. */
const wholeOnly = (item: Fields): void => {
  const names = ['representationType', 'representationtype'] as const
  const type = item.text(names, LIMITS.name)
  if (type !== null && type !== 'full' && type !== 'complete') {
    item.reading.note(item.at(names), `is ${printable(type, 40)}: the provider sent a part of the item`)
  }
}

const PUB_STATUS = ['pubStatus', 'pubstatus'] as const
const EMBARGO = ['embargoedUntil', 'embargoeduntil', 'embargoed'] as const

const statusOf = (item: Fields): { held: string | null; heldUntil?: string; canceled: boolean } => {
  const status = (item.text(PUB_STATUS, LIMITS.name) ?? 'usable').toLowerCase().replace(/^stat:/, '')
  const embargo = timeOf(item, EMBARGO)
  const canceled = status === 'canceled' || status === 'cancelled'
  if (!canceled && status !== 'usable' && status !== 'withheld') {
    item.reading.wrong(item.at(PUB_STATUS), 'is none of usable, withheld, canceled')
  }
  const reasons = [
    ...(status === 'withheld' ? ['withheld by its provider'] : []),
    ...(embargo ? [`embargoed until ${embargo}`] : []),
  ]
  return {
    held: reasons.join(', ') || null,
    ...(embargo && status !== 'withheld' ? { heldUntil: embargo } : {}),
    canceled,
  }
}

const timesOf = (item: Fields): { first: string | null; version: string | null; versionCreated: string | null } => {
  const versionCreated = timeOf(item, ['versionCreated', 'versioncreated'])
  const published = timeOf(item, ['firstPublished', 'firstpublished'])
  const created = timeOf(item, ['firstCreated', 'firstcreated'])
  const version = versionCreated ?? created ?? published
  const first = published ?? created ?? versionCreated
  if (first && version && first > version) {
    item.reading.note(
      item.at(['firstCreated', 'firstcreated']),
      'is later than the version: the time of the version is taken',
    )
    return { first: version, version, versionCreated }
  }
  return { first, version, versionCreated }
}

const languageOf = (item: Fields): string => {
  const language = item.text('language', 35)
  if (language === null) return DEFAULT_LANGUAGE
  try {
    // Superdesk instances write en_GB as often as en-GB.
    return Intl.getCanonicalLocales(language.replaceAll('_', '-'))[0] ?? DEFAULT_LANGUAGE
  } catch {
    item.reading.wrong(item.at('language'), 'is no BCP 47 language tag')
    return DEFAULT_LANGUAGE
  }
}
