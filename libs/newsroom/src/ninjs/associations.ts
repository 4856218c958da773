// What an item points at: related articles and pictures, in the shapes of all profiles.
import { type Image } from '../article/content'
import { type Fields } from './fields'
import { LIMITS, localName, textOfHtml } from './parts'

/** An associated item: its name is the key of an object (1.x, Superdesk) or a field (2, 3). */
export interface Association {
  readonly name: string
  readonly rel: string | null
  readonly item: Fields
}

/** What the associations of an article came to. */
export interface Associated {
  /** Identities of related articles, in order, each once. */
  readonly related: readonly string[]
  readonly image: Image | null
}

const IDENTITY = ['guid', 'uri'] as const
const MAX_PIXELS = 100_000
/** A page needs no more; the widest picture that is not wider than this is taken. */
const WIDEST = 4_096

/** `associations` as an object of items or as an array of items with names. */
export const associationsOf = (item: Fields, shape: 'object' | 'array'): Association[] => {
  if (shape === 'array') {
    return item.objects('associations', LIMITS.entries).map(associated => ({
      name: associated.text('name', LIMITS.name) ?? '',
      rel: localName(associated.text('rel', LIMITS.name)),
      item: associated,
    }))
  }
  return (
    item
      .entries('associations', LIMITS.entries)
      .map(([name, associated]) => ({ name, rel: localName(associated.text('rel', LIMITS.name)), item: associated }))
      // JSON objects have no order that systems agree on; related--2 stands before related--10.
      .sort((a, b) => placeOf(a.name) - placeOf(b.name))
  )
}

/** Sorts associations into related articles and the picture; everything else is reported. */
export const associatedWith = (associations: readonly Association[]): Associated => {
  const related = new Set<string>()
  const pictures: Association[] = []
  for (const association of associations) {
    const { item } = association
    const type = item.text('type', LIMITS.name)
    if (type === 'picture' || type === 'graphic') {
      pictures.push(association)
      continue
    }
    const identity = item.text(IDENTITY, LIMITS.identity)
    if (!isRelated(association)) item.skip('is not kept: neither a picture nor a related article')
    else if (type !== null && type !== 'text' && type !== 'composite') {
      item.skip(`is not kept: a related ${type.slice(0, 40)} is no article`)
    } else if (identity === null) item.skip('is not kept: it has no guid or uri')
    else {
      related.add(identity)
      // An associated item may be sent whole; it becomes an article when it is imported itself.
      if (item.has(['body_html', 'body_text', 'body_xhtml', 'bodies'])) item.skip('is linked by its identity only')
    }
  }
  return { related: [...related], image: imageOf(pictures) }
}

const isRelated = ({ name, rel }: Association): boolean =>
  rel === null ? /^related(?:[^a-z]|$)/i.test(name) : /^(?:related|seealso|isrelatedto)/.test(rel)

const placeOf = (name: string): number => Number(/(\d{1,6})$/.exec(name)?.[1] ?? 0)

/** The picture that is meant for the head of the article, else the first one that can be shown. */
const imageOf = (pictures: readonly Association[]): Image | null => {
  const isMain = ({ name, rel }: Association): boolean =>
    /^(?:featuremedia|mainimage|main|teaser|lead)/i.test(name) || /^(?:featured?|main|lead|depicts)/.test(rel ?? '')
  let image: Image | null = null
  for (const picture of [...pictures.filter(isMain), ...pictures.filter(each => !isMain(each))]) {
    if (image) picture.item.skip('is not kept: an article has one picture')
    else image = pictureOf(picture.item)
  }
  return image
}

const pictureOf = (item: Fields): Image | null => {
  const rendition = bestRendition(item)
  if (!rendition) {
    item.skip('is not kept: no rendition with an http address')
    return null
  }
  const described = item.text(['description_text', 'description_caption'], LIMITS.caption)
  const html = described === null ? item.text('description_html', LIMITS.caption) : null
  const [first] = item
    .objects('descriptions', LIMITS.entries)
    .map(each => each.ignore('role', 'contentType').text('value', LIMITS.caption))
  const caption = described ?? first ?? (html === null ? null : textOfHtml(html))
  // Superdesk sends the alternative text of a picture as its body.
  const alt = item.text('body_text', LIMITS.alt)
  const credit =
    item.text(['byline', 'by'], LIMITS.credit) ??
    item.text(['copyrightholder', 'copyrightHolder'], LIMITS.credit) ??
    item.text(['copyrightnotice', 'copyrightNotice'], LIMITS.credit)
  item.ignore('type', 'guid', 'uri', 'mimetype', 'name', 'rel', 'version')
  item.done()
  return {
    ...rendition,
    ...(alt ? { alt } : {}),
    ...(caption ? { caption } : {}),
    ...(credit ? { credit } : {}),
  }
}

interface Rendition {
  readonly url: string
  readonly width?: number
  readonly height?: number
}

const bestRendition = (item: Fields): Rendition | null => {
  const renditions = renditionsOf(item).filter(({ name }) => !/watermark/i.test(name))
  const [first] = renditions
  if (!first) return null
  const best = renditions.reduce((best, each) => (isBetter(each, best) ? each : best), first)
  return {
    url: best.url,
    ...(best.width === null ? {} : { width: best.width }),
    ...(best.height === null ? {} : { height: best.height }),
  }
}

interface Candidate {
  readonly name: string
  readonly url: string
  readonly width: number | null
  readonly height: number | null
}

/** Wider is better up to WIDEST, narrower beyond it; any width is better than none; then what comes first. */
const isBetter = (a: Candidate, b: Candidate): boolean => {
  const fits = ({ width }: Candidate): number => (width === null ? -1 : width <= WIDEST ? width : WIDEST ** 2 / width)
  return fits(a) > fits(b)
}

const renditionsOf = (item: Fields): Candidate[] => {
  const named: [string, Fields][] = item.isArray('renditions')
    ? item.objects('renditions', LIMITS.entries).map(each => [each.text(['name', 'usage'], LIMITS.name) ?? '', each])
    : item.entries('renditions', LIMITS.entries)
  return named.flatMap(([name, rendition]) => {
    const url = httpUrl(rendition.text('href', LIMITS.identity))
    const mime = rendition.text(['contentType', 'contenttype', 'mimetype', 'mimeType'], LIMITS.name)
    const width = rendition.whole('width', 0, MAX_PIXELS)
    const height = rendition.whole('height', 0, MAX_PIXELS)
    if (url === null || (mime !== null && !mime.startsWith('image/'))) return []
    return [{ name, url, width: width || null, height: height || null }]
  })
}

const httpUrl = (text: string | null): string | null => {
  if (text === null || !URL.canParse(text)) return null
  const { protocol } = new URL(text)
  return protocol === 'http:' || protocol === 'https:' ? text : null
}
