// The demonstration keeps what it promises: thirty articles, five sections, two languages, a week of views.
import { describe, expect, it } from '@jest/globals'
import { CreateList, FeatureArticle, PinArticle } from '@stet/newsroom'
import { demoArticleId, demoArticles, demoListCommands, demoSections } from './newsroom'
import { demoViewEvents, demoViews } from './views'

const NOW = Date.UTC(2026, 4, 1, 12, 34, 56)
const all = demoSections.flatMap(({ articles }) => articles)
const keys = new Set(all.map(({ key }) => key))

describe('the articles', () => {
  it('are thirty in five sections and two languages', () => {
    expect(all).toHaveLength(30)
    expect(demoSections).toHaveLength(5)
    expect(keys.size).toBe(30)
    for (const { articles } of demoSections) expect(new Set(articles.map(({ language }) => language)).size).toBe(2)
  })

  it('are prose of three to five paragraphs', () => {
    for (const { paragraphs, summary, headline } of all) {
      expect(paragraphs.length).toBeGreaterThanOrEqual(3)
      expect(paragraphs.length).toBeLessThanOrEqual(5)
      expect(paragraphs.join(' ').split(/\s+/).length).toBeGreaterThan(70)
      expect(paragraphs.join('')).not.toMatch(/[<>&]/)
      expect(headline.length + summary.length).toBeLessThan(400)
    }
  })

  it('relate to articles of the demonstration, in their language, never to themselves', () => {
    const languages = new Map(all.map(({ key, language }) => [key, language]))
    for (const { key, language, related = [] } of all) {
      for (const other of related) {
        expect(other).not.toBe(key)
        expect({ key, other, language: languages.get(other) }).toEqual({ key, other, language })
      }
    }
  })

  it('come oldest first, with the same ids whenever they are set up', () => {
    const now = demoArticles(NOW)
    const later = demoArticles(NOW + 86_400_000)
    expect(later.map(({ id }) => id)).toEqual(now.map(({ id }) => id))
    const times = now.map(({ command }) => Date.parse(command.publishedAt ?? ''))
    expect([...times].sort((a, b) => a - b)).toEqual(times)
    expect(Math.min(...times)).toBeGreaterThan(NOW - 7 * 86_400_000)
    expect(Math.max(...times)).toBeLessThan(NOW)
  })
})

describe('the lists', () => {
  it('hold articles of the demonstration, by commands with ids of their own', () => {
    const commands = demoListCommands(NOW)
    expect(new Set(commands.map(({ commandId }) => commandId)).size).toBe(commands.length)
    expect(demoListCommands(NOW)).toEqual(commands)
    const later = demoListCommands(NOW + 86_400_000)
    expect(later.map(({ commandId }) => commandId)).toEqual(commands.map(({ commandId }) => commandId))
    const ids = new Set([...keys].map(demoArticleId))
    for (const { command } of commands) if (command instanceof FeatureArticle) expect(ids).toContain(command.articleId)
  })

  it('are a front for each section too, with articles of it, and one of them passes', () => {
    const commands = demoListCommands(NOW)
    for (const { slug, articles } of demoSections) {
      const own = commands.filter(({ list }) => list === `${slug}-front`).map(({ command }) => command)
      expect(own.filter(command => command instanceof CreateList)).toMatchObject([{ section: slug, capacity: 5 }])
      const featured = own.filter(command => command instanceof FeatureArticle).map(({ articleId }) => articleId)
      expect(featured.length).toBeGreaterThan(2)
      expect(articles.map(({ key }) => demoArticleId(key))).toEqual(expect.arrayContaining(featured))
    }
    const passing = commands.filter(({ command }) => command instanceof FeatureArticle && command.until)
    expect(passing).toHaveLength(1)
    expect(commands.filter(({ command }) => command instanceof PinArticle)).toHaveLength(1)
  })
})

describe('the views', () => {
  const events = demoViews(NOW)

  it('are of whole minutes of the last seven days, and of the last hour too', () => {
    for (const { minute } of events) {
      expect(Date.parse(minute) % 60_000).toBe(0)
      expect(Date.parse(minute)).toBeGreaterThan(NOW - 7 * 86_400_000 - 60_000)
      expect(Date.parse(minute)).toBeLessThanOrEqual(NOW)
    }
    expect(new Set(events.map(({ minute }) => minute)).size).toBe(events.length)
    expect(events.filter(({ minute }) => Date.parse(minute) > NOW - 3_600_000).length).toBeGreaterThan(5)
    expect(Date.parse(events[0]?.minute ?? '')).toBeLessThan(NOW - 5 * 86_400_000)
  })

  it('are never of an article that was not published yet', () => {
    const published = new Map(demoArticles(NOW).map(({ id, command }) => [id, Date.parse(command.publishedAt ?? '')]))
    for (const { minute, views } of events) {
      for (const [id, count] of views) {
        expect(Date.parse(minute) + 60_000).toBeGreaterThan(published.get(id) ?? Infinity)
        expect(count).toBeGreaterThan(0)
      }
    }
  })

  it('are the same for the same moment and fit into one append', () => {
    expect(demoViews(NOW)).toEqual(events)
    expect(Buffer.byteLength(JSON.stringify(demoViewEvents(NOW)))).toBeLessThan(1024 * 1024)
    for (const { views } of events) expect(views.length).toBeLessThanOrEqual(1000)
  })
})
