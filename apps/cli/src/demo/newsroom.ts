// The demonstration as commands: thirty articles over a week, two lists and a front for each section. The same keys give the same ids for ever.
import { CreateList, FeatureArticle, ImportArticle, PinArticle, wireArticleId } from '@stet/newsroom'
import { v5 as uuidv5 } from 'uuid'
import { type DemoArticle, type DemoSection } from './article'
import { culture } from './culture'
import { economy } from './economy'
import { politics } from './politics'
import { science } from './science'
import { sport } from './sport'

const NAMESPACE = 'b3c2f1d8-7a46-4b1b-8a5d-90b7f2f7c1e4'

export const demoSections: readonly DemoSection[] = [politics, economy, science, culture, sport]

/** A name's uuidv5 within the demonstration. */
export const demoId = (name: string): string => uuidv5(name, NAMESPACE)

export const demoArticleId = (key: string): string => wireArticleId(`urn:stet:demo:${key}`)

/** Outlet of the articles by language. */
const OUTLETS: Readonly<Record<DemoArticle['language'], string>> = { en: 'The Ardmere Ledger', de: 'Küstenbote' }

const HOUR = 3_600_000

/** Articles with the commands that publish them, the oldest first; their times count back from `now` (ms). */
export const demoArticles = (now: number): { id: string; article: DemoArticle; command: ImportArticle }[] =>
  demoSections
    .flatMap(section => section.articles.map(article => ({ section, article })))
    .sort((a, b) => b.article.hoursAgo - a.article.hoursAgo)
    .map(({ section, article }) => ({
      id: demoArticleId(article.key),
      article,
      command: importing(section, article, new Date(now - article.hoursAgo * HOUR).toISOString()),
    }))

const importing = (section: DemoSection, article: DemoArticle, at: string): ImportArticle =>
  Object.assign(new ImportArticle(), {
    origin: { uri: `urn:stet:demo:${article.key}`, profile: 'ninjs-3' as const, version: '1', versionCreated: at },
    content: {
      headline: article.headline,
      section: { slug: section.slug, name: section.names[article.language] },
      bodyHtml: article.paragraphs.map(paragraph => `<p>${paragraph}</p>`).join(''),
      summary: article.summary,
      keyPoints: [],
      tags: [...article.tags],
      authors: article.byline.replace(/^(?:By|Von) /, '').split(' and '),
      image: null,
      language: article.language,
      seo: null,
      canonicalUrl: null,
    },
    source: { outlet: OUTLETS[article.language], contributors: [...article.contributors] },
    relatedIds: (article.related ?? []).map(demoArticleId),
    held: null,
    canceled: false,
    publish: true,
    notUnderstood: [],
    firstPublishedAt: at,
    publishedAt: at,
  })

interface DemoList {
  readonly name: string
  /** A list with a label is created. */
  readonly label?: string
  readonly section?: string
  readonly capacity?: number
  readonly keys: readonly string[]
  /** Keeps its place. */
  readonly pinned?: string
  /** Is shown for two days only, and why. */
  readonly passing?: { readonly key: string; readonly reason: string }
}

/** The front of a section: a list of its own, with room for five. */
const front = (section: string, label: string) => ({ name: `${section}-front`, label, section, capacity: 5 })

/** The lists and who stands in them. */
const LISTS: readonly DemoList[] = [
  {
    name: 'editors-choice',
    keys: ['barrier-model', 'lighthouse-keeper', 'regatta-final', 'sperrwerk-modell', 'leuchtturm-bibliothek'],
  },
  {
    name: 'harbour-and-river',
    label: 'Harbour and river',
    keys: ['eel-return', 'silo-concert-hall', 'port-hydrogen', 'sea-grass', 'aale-vess'],
  },
  {
    ...front('politics', 'Top of politics'),
    keys: ['barrier-vote', 'referendum-petition', 'sperrwerk-beschluss'],
    pinned: 'barrier-vote',
  },
  { ...front('economy', 'Top of the economy'), keys: ['night-train-bookings', 'barrier-cost', 'sperrwerk-kosten'] },
  { ...front('science', 'Top of science'), keys: ['barrier-model', 'eel-return', 'aale-vess'] },
  { ...front('culture', 'Top of culture'), keys: ['silo-concert-hall', 'map-of-smells', 'silo-konzertsaal'] },
  {
    ...front('sport', 'Top of sport'),
    keys: ['regatta-final', 'dockers-promotion', 'dock-aufstieg'],
    passing: { key: 'regatta-final', reason: 'Until the regatta is over' },
  },
]

/** The commands of the lists, in order, each with an id of its own; times count from `now` (ms). */
export const demoListCommands = (now: number): { list: string; commandId: string; command: object }[] =>
  LISTS.flatMap(({ name, label, section, capacity, keys, pinned, passing }) => {
    const featuring = (key: string) => ({
      articleId: demoArticleId(key),
      ...(key === passing?.key && { until: new Date(now + 48 * HOUR).toISOString(), reason: passing.reason }),
    })
    const settings = { label, ...(section && { section }), ...(capacity && { capacity }) }
    const pin = pinned && Object.assign(new PinArticle(), { articleId: demoArticleId(pinned) })
    return [
      ...(label === undefined ? [] : [{ id: `create ${name}`, command: Object.assign(new CreateList(), settings) }]),
      ...keys.map(key => ({
        id: `feature ${key} in ${name}`,
        command: Object.assign(new FeatureArticle(), featuring(key)),
      })),
      ...(pin ? [{ id: `pin ${pinned} in ${name}`, command: pin }] : []),
    ].map(({ id, command }) => ({ list: name, commandId: demoId(id), command }))
  })
