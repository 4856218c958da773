// A week of views of the demonstration: the same counts for the same moment, falling with an article's age.
import { type EventToAppend } from '@stet/eventsourcing'
import { type Device, DEVICES, type Referrer, REFERRERS, type ViewCount, type ViewEvents } from '@stet/newsroom'
import { type DemoArticle } from './article'
import { demoArticleId, demoId, demoSections } from './newsroom'

/** The stream that the demonstration's views stand in: when it exists, they were counted already. */
export const DEMO_VIEWS = `views-${demoId('views')}`

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const HOURS = 7 * 24
/** Hours until the rush for an article is half as large, and the part of its readers who come whenever. */
const HALF_LIFE = 6
const LASTING = 0.06
const STEP = 5

/**
 * One event an hour over the last week, and one every five minutes of the last hour; `now` in ms. Together well below
 * the size of one append, so that they are recorded all or not at all.
 */
export const demoViews = (now: number): ViewEvents['ArticlesViewed'][] => {
  const last = Math.floor(now / MINUTE) * MINUTE
  const hours = Array.from({ length: HOURS - 1 }, (_, index) => ({ at: last - (HOURS - 1 - index) * HOUR, share: 1 }))
  const steps = Array.from({ length: 60 / STEP }, (_, index) => ({
    at: last - (60 - STEP - index * STEP) * MINUTE,
    share: STEP / 60,
  }))
  return [...hours, ...steps].flatMap(({ at, share }) => {
    const age = (now - at) / HOUR
    const views = articles.flatMap(article => viewsOf(article, age, share))
    return views.length ? [{ minute: new Date(at).toISOString(), views }] : []
  })
}

/** The same as events with ids of their own. */
export const demoViewEvents = (now: number): EventToAppend[] => {
  const commandId = demoId('views')
  const at = new Date(now).toISOString()
  return demoViews(now).map((data, index) => ({
    id: demoId(`views ${index}`),
    type: 'ArticlesViewed',
    data,
    metadata: {
      $correlationId: commandId,
      $causationId: commandId,
      commandId,
      fingerprint: '',
      actor: 'readers',
      at,
      schemaVersion: 1,
    },
  }))
}

const articles = demoSections.flatMap(section => section.articles)

/** Views of an article in an hour that lies `age` hours back, or in its `share` of one. */
const viewsOf = (article: DemoArticle, age: number, share: number): ViewCount[] => {
  const since = article.hoursAgo - age
  if (since < 0) return []
  // Uneven like readers, but the same each time: a hash in place of chance.
  const chance = unevenness(`${article.key} ${Math.round(age * 60)}`)
  const readers = article.interest * (2 ** (-since / HALF_LIFE) + LASTING)
  const count = Math.round(readers * share * (0.6 + 0.8 * chance))
  if (count === 0) return []
  return [[demoArticleId(article.key), count, pick<Referrer>(REFERRERS, chance), pick<Device>(DEVICES, 1 - chance), '']]
}

const pick = <T>(from: readonly T[], chance: number): T =>
  from[Math.min(from.length - 1, Math.floor(chance * from.length))] as T

/** A number from 0 to 1 that depends on the text only (FNV-1a, 32 bits). */
const unevenness = (text: string): number => {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0
  return hash / 2 ** 32
}
